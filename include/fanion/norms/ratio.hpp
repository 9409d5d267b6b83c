/// @file  How large a norm can be beside the Frobenius norm: the constant ρ of convergence bounds,
/// n*(X) <= ρ ‖X‖_F.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/rescaled.hpp>
#include <fanion/norms/rowwise.hpp>
#include <fanion/norms/schatten.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>

namespace fanion {

/// A bound, and whether some matrix attains it.
struct norm_ratio {
  double value = 0;
  bool tight = true;
};

/// The least g(X)/‖X‖_F of an ordered sum over matrices with r singular values: it is concave on
/// the cone of non-increasing σ, so its least value on the sphere is at one of the cone's edges,
/// 1/sqrt(j) in the first j places.
template <OrderedSum N>
[[nodiscard]] double least_ratio(const N& n, index_t r) {
  double sum = 0, least = 0;
  for (index_t j = 0; j < r; ++j) {
    sum += ordered_weight(n, j);
    const double here = sum / std::sqrt(static_cast<double>(j + 1));
    least = j == 0 ? here : std::min(least, here);
  }
  return least + euclidean_weight(n);
}

/// max { f(X) : ‖X‖_F = 1 } over matrices of `rows` x `cols`, or something above it. Tight for
/// sums of ordered and Frobenius terms and for their duals, for Schatten norms and single entrywise
/// ones; for other sums the terms' maxima are added.
template <Norm N>
[[nodiscard]] norm_ratio largest_ratio(const N& f, index_t rows, index_t cols) {
  const index_t r = std::min(rows, cols);
  const double values = static_cast<double>(r);
  if constexpr (OrderedSum<N>) {
    // <w, σ> + b ‖σ‖, largest at σ along w.
    double squares = 0;
    for (index_t j = 0; j < r; ++j) squares = std::hypot(squares, ordered_weight(f, j));
    return {squares + euclidean_weight(f), true};
  } else if constexpr (is_scaled<N>) {
    const norm_ratio inner = largest_ratio(f.inner(), rows, cols);
    return {f.coefficient() * inner.value, inner.tight};
  } else if constexpr (is_sum<N>) {
    const norm_ratio a = largest_ratio(f.first(), rows, cols),
                     b = largest_ratio(f.second(), rows, cols);
    return {a.value + b.value, false};
  } else if constexpr (std::same_as<N, ky_fan_dual>) {
    return {std::max(1.0, std::sqrt(values) / static_cast<double>(f.dual().k())), true};
  } else if constexpr (std::same_as<N, schatten>) {
    const double p = f.p();
    return {p < 2 ? std::pow(values, 1 / p - 0.5) : 1.0, true};
  } else if constexpr (std::same_as<N, max_abs> || std::same_as<N, max_row> ||
                       std::same_as<N, max_col>) {
    return {1, true};
  } else if constexpr (std::same_as<N, sum_row> || std::same_as<N, sum_col>) {
    return {std::sqrt(static_cast<double>(std::same_as<N, sum_row> ? rows : cols)), true};
  } else if constexpr (std::same_as<N, sum_abs>) {
    return {std::sqrt(static_cast<double>(rows) * static_cast<double>(cols)), true};
  } else if constexpr (is_rescaled<N>) {
    double most_rows = 0, most_cols = 0;
    for (index_t i = 0; i < rows; ++i) most_rows = std::max(most_rows, f.row_factor(i));
    for (index_t j = 0; j < cols; ++j) most_cols = std::max(most_cols, f.col_factor(j));
    return {most_rows * most_cols * largest_ratio(f.inner(), rows, cols).value, false};
  } else if constexpr (is_pair<N>) {
    const norm_ratio a = largest_ratio(f.first(), rows, cols),
                     b = largest_ratio(f.second(), rows, cols);
    if constexpr (N::kind() == pairing::largest) return a.value >= b.value ? a : b;
    return {std::hypot(a.value, b.value), false};
  } else if constexpr (is_dual_of<N>) {
    using primal = std::remove_cvref_t<decltype(f.dual())>;
    const primal n = f.dual();
    if constexpr (OrderedSum<primal>) {
      return {1 / least_ratio(n, r), true};
    } else {
      static_assert(is_pair<primal> && ClosedDual<primal>,
                    "largest_ratio: no bound is known for this dual");
      const double a = least_ratio(n.first(), r), b = least_ratio(n.second(), r);
      return {1 / (primal::kind() == pairing::largest ? std::max(a, b) : std::hypot(a, b)), false};
    }
  } else {
    static_assert(is_scaled<N>, "largest_ratio: no bound is known for this norm");
  }
}

/// ρ of n: the least with n*(X) <= ρ ‖X‖_F for all matrices of `rows` x `cols`, or something above
/// it where `tight` is false. @throws std::invalid_argument for an empty shape.
template <Norm N>
[[nodiscard]] norm_ratio dual_ratio(const N& n, index_t rows, index_t cols) {
  (void)expects_at_least(std::min(rows, cols), 1, "dual_ratio: the shorter side");
  return largest_ratio(dual(n), rows, cols);
}

}  // namespace fanion
