/// @file  The rational step of QDWH: the best of its degree for a known interval.
#pragma once

#include <fanion/spectral/polynomials.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

/// h(x) = x (a + b x²) / (1 + c x²).
struct halley_step {
  double a = 1;
  double b = 0;
  double c = 0;

  [[nodiscard]] double operator()(double x) const noexcept {
    const double y = x * x;
    return x * (a + b * y) / (1 + c * y);
  }

  /// [min h, max h] over [lo, hi]; h' has the sign of a + (3b - ac) y + bc y².
  [[nodiscard]] std::pair<double, double> image(double lo, double hi) const {
    return range_over(*this, roots_of(a, 3 * b - a * c, b * c), lo, hi);
  }

  /// x -> h(x / s).
  [[nodiscard]] halley_step stretched(double s) const noexcept {
    return {a / s, b / (s * s * s), c / (s * s)};
  }
};

/// The step that maps [l, 1] into [h(l), 1] with the largest h(l), 0 < l <= 1 (Nakatsukasa, Bai and
/// Gygi 2010).
[[nodiscard]] inline halley_step optimal_halley(double l) {
  const double y = std::min(1.0, l * l);
  const double d = std::cbrt(4 * (1 - y) / (y * y));
  const double root = std::sqrt(1 + d);
  const double a = root + 0.5 * std::sqrt(std::max(0.0, 8 - 4 * d + 8 * (2 - y) / (y * root)));
  const double b = (a - 1) * (a - 1) / 4;
  return {a, b, a + b - 1};
}

}  // namespace fanion
