/// @file  Odd polynomials for polar factors: the optimal quintic on an interval, and how low a
/// sequence of them reaches.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

namespace fanion {

/// The roots of a + b y + c y²; NaN where none.
[[nodiscard]] inline std::array<double, 2> roots_of(double a, double b, double c) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (c == 0) return {b == 0 ? none : -a / b, none};
  const double half = b / 2, discriminant = half * half - a * c;
  if (discriminant < 0) return {none, none};
  // By the form that does not cancel.
  const double q = -(half + std::copysign(std::sqrt(discriminant), half));
  return {q / c, q == 0 ? none : a / q};
}

/// [min f, max f] over [lo, hi] for an f that is stationary where x² is one of `squares`.
template <class F>
[[nodiscard]] std::pair<double, double> range_over(const F& f, std::array<double, 2> squares,
                                                   double lo, double hi) {
  const double at_lo = f(lo), at_hi = f(hi);
  double least = std::min(at_lo, at_hi), most = std::max(at_lo, at_hi);
  for (const double y : squares) {
    if (!(y > lo * lo && y < hi * hi)) continue;
    const double value = f(std::sqrt(y));
    least = std::min(least, value);
    most = std::max(most, value);
  }
  return {least, most};
}

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
    return roots_of(a, 3 * b, 5 * c);
  }

  /// [min p, max p] over [lo, hi].
  [[nodiscard]] std::pair<double, double> image(double lo, double hi) const {
    return range_over(*this, stationary_squares(), lo, hi);
  }

  /// x -> p(x / s).
  [[nodiscard]] constexpr quintic stretched(double s) const noexcept {
    return {a / s, b / (s * s * s), c / (s * s * s * s * s)};
  }

  friend constexpr bool operator==(const quintic&, const quintic&) = default;
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

/// Optimal quintics for [lower, 1], each for the image of those before; all but the last for σ up
/// to `safety` times as large.
inline void optimal_quintics(double lower, double safety, std::span<quintic> all) {
  double lo = lower, hi = 1;
  for (quintic& p : all) {
    p = optimal_quintic(lo, hi);
    if (&p != &all.back()) p = p.stretched(safety);
    std::tie(lo, hi) = p.image(lo, hi);
  }
}

/// How low compositions of optimal quintics reach: lower(T) is the least l for which T of them,
/// each for the image of the last, bring [l, 1] within `error` of 1. Found when asked for, since
/// the ratio of an interval's ends decides that of its image.
class quintic_reach {
 public:
  static constexpr index_t most = 60;

  explicit quintic_reach(double error) { lower_[0] = (1 - error) / (1 + error); }

  [[nodiscard]] double lower(index_t steps) {
    for (; known_ < steps; ++known_) {
      const double wanted = lower_[static_cast<std::size_t>(known_)];
      // By bisection in the exponent; a step gains a factor between 1 and 6.
      double lo = wanted / 8, hi = wanted;
      for (int i = 0; i < 24; ++i) {
        const double l = std::sqrt(lo * hi);
        const auto [least, greatest] = optimal_quintic(l, 1).image(l, 1);
        (least < wanted * greatest ? lo : hi) = l;
      }
      lower_[static_cast<std::size_t>(known_) + 1] = hi;
    }
    return lower_[static_cast<std::size_t>(steps)];
  }

  /// The fewest steps, at least one, that reach down to l.
  [[nodiscard]] index_t steps(double l) {
    index_t t = 1;
    while (t < most && lower(t) > l) ++t;
    return t;
  }

 private:
  std::array<double, most + 1> lower_{};
  index_t known_ = 0;
};

}  // namespace fanion
