/// @file  Optimizers whose state is on a CUDA device.

#include <run/device.hpp>
#include <run/mirrored_optimizer.hpp>
#include <run/rules.hpp>

#include <fanion/cuda.cuh>

namespace trainers {

std::string why_no_device() { return fanion::cuda_available().why; }

std::unique_ptr<network_optimizer> make_device_optimizer(const std::string& method,
                                                         const method_settings& s, task& net) {
  using backend = fanion::cuda_backend;
  const auto enter = [&](backend& b, auto parameters) {
    return optimizer_of<backend>(method, s, std::move(parameters),
                                 [&](const auto& matrices, const auto& rest) {
                                   return fanion::optimizer<float, backend>(matrices, rest, b);
                                 });
  };
  return std::make_unique<mirrored_optimizer<backend>>(net, enter);
}

}  // namespace trainers
