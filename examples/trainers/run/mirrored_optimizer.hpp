/// @file  An optimizer on a device for a network on the host.
#pragma once

#include <run/methods.hpp>

#include <fanion/optim/optimizer.hpp>

#include <istream>
#include <ostream>
#include <utility>
#include <vector>

namespace trainers {

/// Momenta, second moments and the oracles' memory live on the device from the first step to the
/// last. Weights and gradients, which the network has on the host, are copied there before a step,
/// and the weights back after it: three copies of 4 bytes a weight, which a network on the device
/// would not need.
template <class B>
class mirrored_optimizer final : public network_optimizer {
 public:
  using space = typename B::space;

  /// `enter(backend, parameters)` is an optimizer of parameters in the backend's memory.
  template <class Enter>
  mirrored_optimizer(task& net, const Enter& enter)
      : mirrors_(mirrors_of(backend_, net)), made_(enter(backend_, parameters())) {}
  mirrored_optimizer(const mirrored_optimizer&) = delete;
  mirrored_optimizer& operator=(const mirrored_optimizer&) = delete;

  /// Waits. Where the step is refused the network's weights are as they were.
  const fanion::optimizer_report& step(double rate) override {
    for (const mirror& m : mirrors_) {
      backend_.template upload<float>(m.host.weight.storage.as_const(), m.weight());
      backend_.template upload<float>(m.host.gradient.storage, m.gradient());
    }
    const fanion::optimizer_report& report = made_.step(rate);
    for (const mirror& m : mirrors_)
      backend_.template download<float>(m.weight().as_const(), m.host.weight.storage);
    return report;
  }
  void save(std::ostream& out) const override { made_.save(out); }
  void load(std::istream& in) override { made_.load(in); }

 private:
  /// A parameter of the network, and room for its weight and its gradient on the device.
  struct mirror {
    fanion::parameter<float> host;
    decltype(std::declval<B&>().template make_workspace<float>(0)) memory;

    [[nodiscard]] fanion::matrix_view<float, space> weight() const {
      const auto& like = host.weight.storage;
      return {memory.data(), like.rows(), like.cols()};
    }
    [[nodiscard]] fanion::matrix_view<float, space> gradient() const {
      const auto& like = host.gradient.storage;
      return {memory.data() + like.size(), like.rows(), like.cols()};
    }
  };

  [[nodiscard]] static std::vector<mirror> mirrors_of(B& backend, task& net) {
    std::vector<mirror> all;
    for (fanion::parameter<float>& p : net.parameters()) {
      auto memory = backend.template make_workspace<float>(2 * p.weight.storage.size());
      all.push_back({std::move(p), std::move(memory)});
    }
    return all;
  }
  [[nodiscard]] std::vector<fanion::parameter<float, space>> parameters() const {
    std::vector<fanion::parameter<float, space>> all;
    for (const mirror& m : mirrors_) {
      all.push_back({m.host.name,
                     {m.weight(), m.host.weight.transposed},
                     {m.gradient().as_const(), m.host.gradient.transposed},
                     m.host.kind,
                     m.host.blocks});
    }
    return all;
  }

  B backend_;
  std::vector<mirror> mirrors_;
  fanion::optimizer<float, B> made_;
};

}  // namespace trainers
