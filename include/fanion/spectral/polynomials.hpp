/// @file  Odd polynomials for polar factors: the optimal quintic on an interval, and what a
/// sequence of them does to every singular value.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace fanion {

/// p(x) = a x + b x³ + c x⁵.
struct quintic {
  double a = 1;
  double b = 0;
  double c = 0;

  [[nodiscard]] constexpr double operator()(double x) const noexcept {
    const double y = x * x;
    return x * (a + y * (b + y * c));
  }

  /// The squares of the positive points where p' = a + 3b x² + 5c x⁴ vanishes; NaN where none.
  [[nodiscard]] std::array<double, 2> stationary_squares() const {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    if (c == 0) return {b == 0 ? none : -a / (3 * b), none};
    const double half = 1.5 * b, discriminant = half * half - 5 * a * c;
    if (discriminant < 0) return {none, none};
    // Roots of 5c y² + 3b y + a, by the form that does not cancel.
    const double q = -(half + std::copysign(std::sqrt(discriminant), half));
    return {q / (5 * c), q == 0 ? none : a / q};
  }

  /// [min p, max p] over [lo, hi].
  [[nodiscard]] std::pair<double, double> image(double lo, double hi) const {
    const double at_lo = (*this)(lo), at_hi = (*this)(hi);
    double least = std::min(at_lo, at_hi), most = std::max(at_lo, at_hi);
    for (const double y : stationary_squares()) {
      if (!(y > lo * lo && y < hi * hi)) continue;
      const double p = (*this)(std::sqrt(y));
      least = std::min(least, p);
      most = std::max(most, p);
    }
    return {least, most};
  }

  /// x -> p(x / s).
  [[nodiscard]] constexpr quintic stretched(double s) const noexcept {
    return {a / s, b / (s * s * s), c / (s * s * s * s * s)};
  }
};

/// The step of Keller Jordan's Muon (2024). Slope 3.4445 at 0; maps [0.68, 1.13] into itself.
inline constexpr quintic keller_jordan_step{3.4445, -4.7750, 2.0315};

/// The Newton-Schulz step of third order.
inline constexpr quintic classic_step{1.5, -0.5, 0};

/// The quintic with the least max |1 - p| over [lo, hi], 0 < lo < hi, by Remez exchange: the error
/// -E, +E, -E, +E at lo, q, r, hi with q, r stationary (Amsel, Persson, Musco and Gower 2025).
/// Composing such quintics, each for the image of the last, is optimal among all compositions.
[[nodiscard]] inline quintic optimal_quintic(double lo, double hi) {
  // Near 1 the exchange is singular in double; Taylor's quintic has the same limit.
  if (lo > hi * (1 - 1e-5)) return quintic{1.875, -1.25, 0.375}.stretched(0.5 * (lo + hi));
  // The coefficients have reached their limit there, and the system below its last digits.
  lo = std::max(lo, 1e-10 * hi);
  double q = (3 * lo + hi) / 4, r = (lo + 3 * hi) / 4;
  quintic best;
  double last = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 100; ++round) {
    const std::array<long double, 4> x{lo, q, r, hi};
    // Rows [x, x³, x⁵, ±1 | 1] for the unknowns (a, b, c, E).
    std::array<std::array<long double, 5>, 4> s{};
    for (std::size_t i = 0; i < 4; ++i) {
      const long double y = x[i] * x[i];
      s[i] = {x[i], x[i] * y, x[i] * y * y, i % 2 == 0 ? 1.0L : -1.0L, 1.0L};
    }
    for (std::size_t k = 0; k < 4; ++k) {
      std::size_t pivot = k;
      for (std::size_t i = k + 1; i < 4; ++i)
        if (std::fabs(s[i][k]) > std::fabs(s[pivot][k])) pivot = i;
      std::swap(s[k], s[pivot]);
      for (std::size_t i = 0; i < 4; ++i) {
        if (i == k) continue;
        const long double f = s[i][k] / s[k][k];
        for (std::size_t j = k; j < 5; ++j) s[i][j] -= f * s[k][j];
      }
    }
    best = {static_cast<double>(s[0][4] / s[0][0]), static_cast<double>(s[1][4] / s[1][1]),
            static_cast<double>(s[2][4] / s[2][2])};
    const double error = static_cast<double>(s[3][4] / s[3][3]);
    auto y = best.stationary_squares();
    if (!(y[0] > 0) || !(y[1] > 0)) break;
    if (y[0] > y[1]) std::swap(y[0], y[1]);
    q = std::sqrt(y[0]);
    r = std::sqrt(y[1]);
    if (!(std::fabs(last - error) > 1e-15)) break;
    last = error;
  }
  return best;
}

/// What the polynomials applied so far are known to do: for each threshold lⱼ = 10^(-j/4), the
/// smallest value over [lⱼ, 1], and the largest over [0, 1]. Exact up to rounding: the image of an
/// interval under a quintic is found from its stationary points.
class polynomial_record {
 public:
  static constexpr std::size_t thresholds = 65;

  polynomial_record() { reset(); }

  void reset() {
    low_.fill(0);
    high_.fill(1);
    for (std::size_t j = 0; j < thresholds; ++j) low_[j] = threshold(j);
    floor_ = 0;
    ceiling_ = 1;
  }

  [[nodiscard]] static double threshold(std::size_t j) {
    return std::pow(10.0, -0.25 * static_cast<double>(j));
  }

  void apply(const quintic& p) {
    for (std::size_t j = 0; j < thresholds; ++j)
      std::tie(low_[j], high_[j]) = p.image(low_[j], high_[j]);
    std::tie(floor_, ceiling_) = p.image(floor_, ceiling_);
  }

  [[nodiscard]] double low(std::size_t j) const { return low_[j]; }
  [[nodiscard]] double high(std::size_t j) const { return high_[j]; }
  [[nodiscard]] double floor() const { return floor_; }      ///< least over [0, 1]
  [[nodiscard]] double ceiling() const { return ceiling_; }  ///< largest over [0, 1]

  /// ‖A‖_* from above, for ‖A‖₂ <= unit and X = p(A/unit), given product = <A, X> and
  /// energy = ‖X‖_F². Where σ >= l·unit, σ <= σ p/low; below, the excess σ(1 - p/low) is at most
  /// l·unit (1 - p²), and Σ(1 - p²) is known from ‖X‖_F². Holds for every threshold: the least.
  [[nodiscard]] double nuclear_bound(double product, double energy, double unit, index_t r) const {
    double best = std::numeric_limits<double>::infinity();
    if (floor_ < 0) return best;
    const double size = static_cast<double>(r);
    const double overshoot = std::max(0.0, ceiling_ * ceiling_ - 1);
    const double small = std::clamp(size - energy + size * overshoot, 0.0, size);
    for (std::size_t j = 0; j < thresholds; ++j) {
      if (!(low_[j] > 0)) continue;
      best = std::min(best, product / std::min(low_[j], 1.0) + threshold(j) * unit * small);
    }
    return best;
  }

 private:
  std::array<double, thresholds> low_;
  std::array<double, thresholds> high_;
  double floor_;
  double ceiling_;
};

}  // namespace fanion
