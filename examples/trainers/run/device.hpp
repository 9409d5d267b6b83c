/// @file  Optimizers whose state is on a CUDA device, where the program was built with one in mind.
#pragma once

#include <run/methods.hpp>

#include <memory>
#include <string>

namespace trainers {

/// Empty, or why there is no device for this program.
[[nodiscard]] std::string why_no_device();

/// As make_optimizer, where there is a device.
[[nodiscard]] std::unique_ptr<network_optimizer> make_device_optimizer(const std::string& method,
                                                                       const method_settings& s,
                                                                       task& net);

}  // namespace trainers
