/// @file  Preconditions that name the argument and its value, usable in constant expressions.
///
/// Each check returns the value it accepted, so that a member initialiser can hold it. In a
/// constant expression a failed check does not compile; at run time it throws.
#pragma once

#include <fanion/core/types.hpp>

#include <sstream>
#include <stdexcept>
#include <string>

namespace fanion {

/// @throws std::invalid_argument always: "`what` must be `rule`, got `value`".
template <class V>
[[noreturn]] void refuse(const char* what, const char* rule, const V& value) {
  std::ostringstream text;
  text.precision(17);
  text << what << " must be " << rule << ", got " << value;
  throw std::invalid_argument(text.str());
}

/// "rows x cols", for messages.
[[nodiscard]] inline std::string shape_text(index_t rows, index_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

/// Finite means: the difference with itself is zero. `std::isfinite` is not constexpr in C++20.
template <Real T>
[[nodiscard]] constexpr bool is_finite(T x) noexcept {
  return x - x == T(0);
}

[[nodiscard]] constexpr index_t expects_at_least(index_t value, index_t least, const char* what) {
  if (value < least) refuse(what, ("at least " + std::to_string(least)).c_str(), value);
  return value;
}

[[nodiscard]] constexpr double expects_coefficient(double value, const char* what) {
  if (!is_finite(value) || value < 0) refuse(what, "finite and at least 0", value);
  return value;
}

[[nodiscard]] constexpr double expects_positive(double value, const char* what) {
  if (!is_finite(value) || value <= 0) refuse(what, "finite and above 0", value);
  return value;
}

[[nodiscard]] constexpr double expects_fraction(double value, const char* what) {
  if (!(value >= 0 && value <= 1)) refuse(what, "between 0 and 1", value);
  return value;
}

}  // namespace fanion
