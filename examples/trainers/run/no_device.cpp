/// @file  What a program says that was built without CUDA.

#include <run/device.hpp>

#include <stdexcept>

namespace trainers {

std::string why_no_device() {
  return "this program was built without CUDA; configure with -DFANION_TRAIN_ON_DEVICE=ON where "
         "there is a toolkit";
}

std::unique_ptr<network_optimizer> make_device_optimizer(const std::string&, const method_settings&,
                                                         task&) {
  throw std::runtime_error("no device: " + why_no_device());
}

}  // namespace trainers
