/// @file  The norm expressions under test, each beside the definition of its value and of its
/// dual's value in reference arithmetic.
#pragma once

#include <fanion/eigen.hpp>

#include "reference.hpp"

#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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

/// Norms of rows and columns.
inline auto rowwise() {
  using namespace reference;
  const auto both = [](std::string name, const auto& largest, const auto& all, bool columns) {
    const definition most = [=](const facts& f) { return longest(f, columns); };
    const definition total = [=](const facts& f) { return all_lengths(f, columns); };
    return std::tuple(expression{"max_" + name, largest, most, total, 0, false},
                      expression{"sum_" + name, all, total, most, 0, false});
  };
  return std::tuple_cat(both("row", fanion::max_row(), fanion::sum_row(), false),
                        both("col", fanion::max_col(), fanion::sum_col(), true));
}

/// One norm each, for matrices of m rows and n columns.
inline auto single(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  using namespace reference;
  const std::ptrdiff_t r = std::min(m, n), depth = std::min(k, r);
  return std::tuple_cat(
      std::tuple(
          expression{"frobenius", fanion::frobenius(), reference::frobenius, reference::frobenius,
                     0, false},
          expression{"max_abs", fanion::max_abs(), reference::max_abs, reference::sum_abs, 0,
                     false},
          expression{"sum_abs", fanion::sum_abs(), reference::sum_abs, reference::max_abs, 0,
                     false},
          expression{"spectral", fanion::spectral(), reference::spectral, reference::nuclear, r,
                     true},
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
                     [k](const facts& f) { return leading_sum(f, k) / 0.11L; }, depth, depth == r}),
      rowwise());
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
      expression{"ky_fan + row and column sums",
                 dual(alpha * fanion::ky_fan(k) + 0.5 * fanion::sum_row() +
                      0.25 * fanion::sum_col() + fanion::max_row()),
                 {},
                 [=](const facts& f) {
                   return a * leading_sum(f, k) + 0.5L * all_lengths(f, false) +
                          0.25L * all_lengths(f, true) + longest(f, false);
                 },
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

/// Norms whose dual has a formula through the whole spectrum, and their duals: ordered weights,
/// sums of those with a Frobenius term, Schatten.
inline auto closed(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  using namespace reference;
  const std::ptrdiff_t r = std::min(m, n);
  const auto both = [r](std::string name, const auto& norm, std::vector<real> w, real b,
                        bool polar = false) {
    const definition primal = [=](const facts& f) { return ordered(f, w) + b * frobenius(f); };
    const definition dual_value = [=](const facts& f) { return ordered_dual(f, w, b); };
    return std::tuple(expression{name, norm, primal, dual_value, r, false},
                      expression{"dual " + name, dual(norm), dual_value, primal, r, polar});
  };
  const auto ones = [](std::ptrdiff_t count, real value) {
    return std::vector<real>(static_cast<std::size_t>(count), value);
  };
  const std::vector<real> owl = {2, 1.5L, 1, 0.25L};
  const real q = 1.5L, p = 3;
  return std::tuple_cat(
      both("owl", fanion::owl({2, 1.5, 1, 0.25}), owl, 0),
      both("owl + frobenius", fanion::owl({2, 1.5, 1, 0.25}) + 3 * fanion::frobenius(), owl, 3),
      both("nuclear + frobenius", 0.25 * fanion::nuclear() + 0.75 * fanion::frobenius(),
           ones(r, 0.25L), 0.75L, true),
      both("ky_fan + frobenius", 0.5 * fanion::ky_fan(k) + 0.5 * fanion::frobenius(), ones(k, 0.5L),
           0.5L, k >= r),
      // NuMuon's ball, and F*-Neon's norm.
      std::tuple(
          expression{"max_of spectral, nuclear/2.5",
                     max_of(fanion::spectral(), 0.4 * fanion::nuclear()),
                     [](const facts& f) { return std::max(spectral(f), 0.4L * nuclear(f)); },
                     [](const facts& f) { return 0.5L * (leading_sum(f, 2) + leading_sum(f, 3)); },
                     r, false},
          expression{"dual max_of spectral, nuclear/2.5",
                     dual(max_of(fanion::spectral(), 0.4 * fanion::nuclear())),
                     [](const facts& f) { return 0.5L * (leading_sum(f, 2) + leading_sum(f, 3)); },
                     [](const facts& f) { return std::max(spectral(f), 0.4L * nuclear(f)); }, r,
                     false},
          expression{"quadrature", quadrature(3 * fanion::frobenius(), 4 * fanion::nuclear()),
                     [](const facts& f) { return std::hypot(3 * frobenius(f), 4 * nuclear(f)); },
                     [](const facts& f) { return soft_dual(f, 3, 4); }, r, false},
          expression{"dual quadrature",
                     dual(quadrature(3 * fanion::frobenius(), 4 * fanion::nuclear())),
                     [](const facts& f) { return soft_dual(f, 3, 4); },
                     [](const facts& f) { return std::hypot(3 * frobenius(f), 4 * nuclear(f)); }, r,
                     false}),
      std::tuple(expression{"schatten 3", fanion::schatten(3),
                            [p](const facts& f) { return schatten(f, p); },
                            [q](const facts& f) { return schatten(f, q); }, r, false},
                 expression{"dual schatten 3", dual(fanion::schatten(3)),
                            [q](const facts& f) { return schatten(f, q); },
                            [p](const facts& f) { return schatten(f, p); }, r, false}));
}

/// f(expression) for each of a tuple.
template <class Tuple, class F>
void for_each(const Tuple& t, F&& f) {
  std::apply([&](const auto&... e) { (f(e), ...); }, t);
}

}  // namespace expressions
