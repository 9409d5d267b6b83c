/// @file  Optimizers whose state is on the host.

#include <run/device.hpp>
#include <run/methods.hpp>
#include <run/rules.hpp>

#include <fanion/fanion.hpp>

#include <memory>
#include <utility>

namespace trainers {

namespace {

class host_optimizer final : public network_optimizer {
 public:
  explicit host_optimizer(fanion::optimizer<float> made) : made_(std::move(made)) {}

  const fanion::optimizer_report& step(double rate) override { return made_.step(rate); }
  void save(std::ostream& out) const override { made_.save(out); }
  void load(std::istream& in) override { made_.load(in); }

 private:
  fanion::optimizer<float> made_;
};

}  // namespace

std::unique_ptr<network_optimizer> make_optimizer(const std::string& method,
                                                  const method_settings& s, task& net) {
  if (s.on_device) return make_device_optimizer(method, s, net);
  return std::make_unique<host_optimizer>(optimizer_of<fanion::eigen_backend>(
      method, s, net.parameters(), [&](const auto& matrices, const auto& rest) {
        return fanion::optimizer<float>(matrices, rest, s.threads);
      }));
}

}  // namespace trainers
