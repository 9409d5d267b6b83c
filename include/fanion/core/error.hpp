/// @file  The one exception type that is ours: a library that a backend calls has failed.
#pragma once

#include <stdexcept>

namespace fanion {

/// A call into a backend's library failed. Misuse throws std::invalid_argument instead, and
/// numerical outcomes never throw: see lmo_report.
class backend_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace fanion
