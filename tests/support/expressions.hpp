/// @file  The norm expressions under test, each beside the definition of its value and of its
/// dual's value in reference arithmetic.
#pragma once

#include <fanion/eigen.hpp>

#include "reference.hpp"

#include <functional>
#include <string>
#include <tuple>
#include <utility>

namespace expressions {

using definition = std::function<reference::real(const reference::facts&)>;

/// `primal` is empty where the value is the gauge of a Minkowski sum, which has no formula.
template <class N>
struct expression {
  std::string name;
  N norm;
  definition primal;
  definition dual;
  /// Leading triplets that the oracle reads; 0 for entrywise terms only.
  std::ptrdiff_t depth = 0;
  /// Whether polar methods serve it: equal weights at full depth.
  bool polar = false;
};
template <class N>
expression(std::string, N, definition, definition, std::ptrdiff_t, bool) -> expression<N>;

/// One norm each, for matrices of m rows and n columns.
inline auto single(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  using namespace reference;
  const std::ptrdiff_t r = std::min(m, n), depth = std::min(k, r);
  return std::tuple(
      expression{"frobenius", fanion::frobenius(), reference::frobenius, reference::frobenius, 0,
                 false},
      expression{"max_abs", fanion::max_abs(), reference::max_abs, reference::sum_abs, 0, false},
      expression{"sum_abs", fanion::sum_abs(), reference::sum_abs, reference::max_abs, 0, false},
      expression{"spectral", fanion::spectral(), reference::spectral, reference::nuclear, r, true},
      expression{"nuclear", fanion::nuclear(), reference::nuclear, reference::spectral,
                 std::min<std::ptrdiff_t>(1, r), r == 1},
      expression{"ky_fan", fanion::ky_fan(k), [k](const facts& f) { return leading_sum(f, k); },
                 [k](const facts& f) { return ky_fan_dual(f, k); }, r, false},
      expression{"dual ky_fan", dual(fanion::ky_fan(k)),
                 [k](const facts& f) { return ky_fan_dual(f, k); },
                 [k](const facts& f) { return leading_sum(f, k); }, depth, depth == r},
      expression{"rms_to_rms", fanion::rms_to_rms(m, n), reference::rms_to_rms,
                 reference::rms_to_rms_dual, r, true},
      expression{"dual rms_to_rms", dual(fanion::rms_to_rms(m, n)), reference::rms_to_rms_dual,
                 reference::rms_to_rms, std::min<std::ptrdiff_t>(1, r), r == 1},
      expression{"3 spectral", 3 * fanion::spectral(),
                 [](const facts& f) { return 3 * spectral(f); },
                 [](const facts& f) { return nuclear(f) / 3; }, r, true},
      expression{"0.11 dual ky_fan", 0.11 * dual(fanion::ky_fan(k)),
                 [k](const facts& f) { return 0.11L * ky_fan_dual(f, k); },
                 [k](const facts& f) { return leading_sum(f, k) / 0.11L; }, depth, depth == r});
}

/// The spectral ones that are not multiples of each other.
inline auto distinct(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  auto all = single(m, n, k);
  return std::tuple(std::get<3>(all), std::get<4>(all), std::get<5>(all), std::get<6>(all));
}

/// Duals of sums: the balls of the F- and S-Fanions and others of more terms.
inline auto sums(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, double alpha) {
  using namespace reference;
  const std::ptrdiff_t r = std::min(m, n), depth = alpha > 0 ? std::min(k, r) : 0;
  const bool polar = alpha > 0 && depth == r;
  const real a = static_cast<real>(alpha), b = static_cast<real>(1 - alpha), eta = 0.25L;
  return std::tuple(
      expression{"F-Fanion",
                 dual(alpha * fanion::ky_fan(k) + (1 - alpha) * fanion::frobenius()),
                 {},
                 [=](const facts& f) { return a * leading_sum(f, k) + b * frobenius(f); },
                 depth,
                 polar},
      expression{"S-Fanion",
                 dual(alpha * fanion::ky_fan(k) + (1 - alpha) * (0.25 * fanion::sum_abs())),
                 {},
                 [=](const facts& f) { return a * leading_sum(f, k) + b * eta * sum_abs(f); },
                 depth,
                 polar},
      expression{"spectral + max_abs + 2 frobenius",
                 dual(fanion::spectral() + fanion::max_abs() + 2 * fanion::frobenius()),
                 {},
                 [](const facts& f) { return spectral(f) + max_abs(f) + 2 * frobenius(f); },
                 std::min<std::ptrdiff_t>(1, r),
                 r == 1},
      expression{
          "nuclear + spectral + dual rms",
          dual(0.5 * fanion::nuclear() + fanion::spectral() + dual(fanion::rms_to_rms(m, n))),
          {},
          [](const facts& f) { return 0.5L * nuclear(f) + spectral(f) + rms_to_rms_dual(f); },
          r,
          r == 1},
      expression{"3 * dual(nuclear + frobenius)",
                 3 * dual(fanion::nuclear() + fanion::frobenius()),
                 {},
                 [](const facts& f) { return (nuclear(f) + frobenius(f)) / 3; },
                 r,
                 true});
}

/// f(expression) for each of a tuple.
template <class Tuple, class F>
void for_each(const Tuple& t, F&& f) {
  std::apply([&](const auto&... e) { (f(e), ...); }, t);
}

}  // namespace expressions
