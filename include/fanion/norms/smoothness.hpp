/// @file  How smooth the quadratic F(X) = <X, M X N>/2 is in a norm.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/ratio.hpp>
#include <fanion/norms/schatten.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <span>
#include <vector>

namespace fanion {

/// The products λᵢ(M) λᵢ(N) of eigenvalues in descending order, as many as the shorter list has.
/// @throws std::invalid_argument for a negative or non-finite eigenvalue, or none.
[[nodiscard]] inline std::vector<double> curvatures(std::vector<double> of_m,
                                                    std::vector<double> of_n) {
  for (auto* list : {&of_m, &of_n}) {
    for (const double x : *list) (void)expects_coefficient(x, "curvatures: eigenvalues");
    std::sort(list->begin(), list->end(), std::greater<>());
  }
  of_m.resize(std::min(of_m.size(), of_n.size()));
  if (of_m.empty()) refuse("curvatures: eigenvalues", "at least one each", 0);
  for (std::size_t i = 0; i < of_m.size(); ++i) of_m[i] *= of_n[i];
  return of_m;
}

namespace detail {

/// max Σ wᵢ (a·1[i < k] + b vᵢ)² over ‖v‖ = 1, w descending, w₀ > 0. With a Lagrange multiplier μ
/// the maximum has vᵢ = a b wᵢ 1[i < k]/(μ - b² wᵢ) for the μ > b² w₀ at which ‖v‖ = 1.
[[nodiscard]] inline double mixed_smoothness(std::span<const double> w, std::size_t k, double a,
                                             double b) {
  const auto entry = [&](std::size_t i, double mu) {
    return i < k ? a * b * w[i] / (mu - b * b * w[i]) : 0.0;
  };
  double low = b * b * w[0], high = low + a * b * w[0] * std::sqrt(static_cast<double>(k));
  for (int i = 0; i < 200; ++i) {
    const double mu = (low + high) / 2;
    double squares = 0;
    for (std::size_t j = 0; j < w.size(); ++j) squares += entry(j, mu) * entry(j, mu);
    (squares > 1 ? low : high) = mu;
  }
  double sum = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    const double x = (j < k ? a : 0) + b * entry(j, high);
    sum += w[j] * x * x;
  }
  return sum;
}

}  // namespace detail

/// The least L with n*(∇F(X) - ∇F(Y)) <= L n(X - Y), which for a unitarily invariant n = g(σ) is
/// max { Σ wᵢxᵢ² : g(x) <= 1 } with w the curvatures of M and N, and whether that is what this is:
///
///   spectral Σw      nuclear, Frobenius, Schatten p <= 2: w₁      Schatten p > 2: ‖w‖_{p/(p-2)}
///   ky_fan(k) max(w₁, Σw/k²)      its dual Σ_{i<=k} w      dual(a ky_fan(k) + b frobenius())
///   the largest Σ wᵢ(a 1[i <= k] + b vᵢ)² over ‖v‖ = 1
///
/// For other norms w₁ρ² of dual_ratio, a bound: no point of the ball is longer than ρ in ‖·‖_F.
template <Norm N>
[[nodiscard]] norm_ratio smoothness(const N& n, std::span<const double> w, index_t rows,
                                    index_t cols) {
  if (w.empty()) refuse("smoothness: curvatures", "at least one", 0);
  const auto sum_of = [&](std::size_t count) {
    double sum = 0;
    for (std::size_t i = 0; i < std::min(count, w.size()); ++i) sum += w[i];
    return sum;
  };
  // dual(a f + b frobenius()) for an f of equal weights on k values.
  const auto mixed = [&](std::size_t k, double a, double b) {
    const std::size_t used = std::min(k, w.size());
    if (!(w[0] > 0)) return 0.0;
    if (a == 0) return b * b * w[0];
    if (b == 0) return a * a * sum_of(used);
    return detail::mixed_smoothness(w, used, a, b);
  };
  if constexpr (is_scaled<N>) {
    const norm_ratio inside = smoothness(n.inner(), w, rows, cols);
    return {inside.value / (n.coefficient() * n.coefficient()), inside.tight};
  } else if constexpr (std::same_as<N, spectral>) {
    return {sum_of(w.size()), true};
  } else if constexpr (std::same_as<N, nuclear> || std::same_as<N, frobenius>) {
    return {w[0], true};
  } else if constexpr (std::same_as<N, ky_fan>) {
    const auto k = static_cast<double>(n.k());
    return {std::max(w[0], sum_of(w.size()) / (k * k)), true};
  } else if constexpr (std::same_as<N, ky_fan_dual>) {
    return {sum_of(static_cast<std::size_t>(n.dual().k())), true};
  } else if constexpr (std::same_as<N, schatten>) {
    const double p = n.p();
    if (p <= 2 || !(w[0] > 0)) return {w[0], true};
    const double q = is_finite(p) ? p / (p - 2) : 1;
    double sum = 0;
    for (const double x : w) sum += std::pow(x / w[0], q);
    return {w[0] * std::pow(sum, 1 / q), true};
  } else {
    if constexpr (is_dual_of<N>) {
      using primal = std::remove_cvref_t<decltype(n.dual())>;
      if constexpr (OrderedSum<primal>) {
        // Equal weights on the first k values?
        const primal p = n.dual();
        const double first = ordered_weight(p, 0);
        std::size_t k = 0;
        while (k < w.size() && ordered_weight(p, static_cast<index_t>(k)) == first) ++k;
        if (k == w.size() || ordered_weight(p, static_cast<index_t>(k)) == 0)
          return {mixed(k, first, euclidean_weight(p)), true};
      }
    }
    const double rho = dual_ratio(n, rows, cols).value;
    return {w[0] * rho * rho, false};
  }
}

}  // namespace fanion
