/// @file  Sums of spectral norms and the Frobenius norm as gauges of all singular values.
#pragma once

#include <fanion/norms/concepts.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>

namespace fanion {

namespace detail {

/// Every term is a function of the singular values.
template <class N>
inline constexpr bool is_spectral_sum = SpectralNorm<N> || std::same_as<N, frobenius>;
template <class N>
inline constexpr bool is_spectral_sum<scaled<N>> = is_spectral_sum<N>;
template <class A, class B>
inline constexpr bool is_spectral_sum<sum<A, B>> = is_spectral_sum<A>&& is_spectral_sum<B>;

}  // namespace detail

/// A sum of multiples of spectral norms and of the Frobenius norm, as a gauge of all of σ.
template <class N>
concept SpectralSum = Norm<N> && detail::is_spectral_sum<N>;

/// Doubles that the terms of n are lent, for r singular values.
template <SpectralSum N>
[[nodiscard]] constexpr index_t sum_workspace(const N& n, index_t r) {
  index_t most = 0;
  for_each_term(n, [&]<class L>(double, const L& leaf) {
    if constexpr (WorkingGauge<L>) most = std::max<index_t>(most, leaf.workspace(leaf.depth(r)));
  });
  return most;
}

/// n as a gauge of all singular values.
template <SpectralSum N>
[[nodiscard]] double sum_gauge(const N& n, std::span<const double> s, std::span<double> work) {
  double value = 0;
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (std::same_as<L, frobenius>) {
      double length = 0;
      for (std::size_t j = s.size(); j-- > 0;) length = std::hypot(length, s[j]);
      value += c * length;
    } else {
      const auto read =
          s.first(static_cast<std::size_t>(leaf.depth(static_cast<index_t>(s.size()))));
      value += c * gauge_of(leaf, read, work);
    }
  });
  return value;
}

/// out += factor ∂n(s); `scratch` is as long as s.
template <SpectralSum N>
void add_sum_weights(const N& n, double factor, std::span<const double> s, std::span<double> out,
                     std::span<double> scratch, std::span<double> work) {
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (std::same_as<L, frobenius>) {
      double length = 0;
      for (std::size_t j = s.size(); j-- > 0;) length = std::hypot(length, s[j]);
      for (std::size_t j = 0; j < s.size() && length > 0; ++j) out[j] += factor * c * s[j] / length;
    } else {
      const auto depth = static_cast<std::size_t>(leaf.depth(static_cast<index_t>(s.size())));
      const auto weights = scratch.first(depth);
      subgradient_of(leaf, s.first(depth), weights, work);
      for (std::size_t j = 0; j < depth; ++j) out[j] += factor * c * weights[j];
    }
  });
}

}  // namespace fanion
