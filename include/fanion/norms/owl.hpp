/// @file  The ordered-weighted norm  w₁σ₁ + … + wₙσₙ  with w₁ >= w₂ >= … (OWL, Figueiredo and Nowak
/// 2016), and its dual  max_j (σ₁ + … + σⱼ) / (w₁ + … + wⱼ).
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/concepts.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace fanion {

namespace detail {

/// @throws std::invalid_argument unless the weights are finite, at least 0, do not increase, and
/// the first is above 0.
constexpr void expects_owl_weights(std::span<const double> w) {
  for (std::size_t j = 0; j < w.size(); ++j) {
    (void)expects_coefficient(w[j], "owl: weight");
    if (j > 0 && w[j] > w[j - 1]) refuse("owl: weight", "at most the one before it", w[j]);
  }
  (void)expects_positive(w[0], "owl: first weight");
}

/// Σ wᵢσᵢ, from the smallest, so that small terms are not lost.
template <Real T>
[[nodiscard]] constexpr T owl_gauge(std::span<const double> w, spectrum_view<T> s) noexcept {
  T sum = 0;
  for (std::size_t j = s.size(); j-- > 0;) sum += static_cast<T>(w[j]) * s[j];
  return sum;
}

template <Real T>
constexpr void owl_subgradient(std::span<const double> w, spectrum_view<T> s,
                               weight_view<T> out) noexcept {
  for (std::size_t j = 0; j < s.size(); ++j) out[j] = s[j] > T(0) ? static_cast<T>(w[j]) : T(0);
}

}  // namespace detail

/// Weights beyond the N given are zero. Every sum of multiples of Ky Fan norms up to depth N is
/// one of these.
template <std::size_t N>
class owl : public norm_base {
  static_assert(N > 0, "owl: at least one weight");

 public:
  using category = spectral_tag;

  /// owl({1, 0.5, 0.25}). @throws std::invalid_argument unless the weights are finite, at least 0,
  /// do not increase, and the first is above 0.
  explicit constexpr owl(const double (&weights)[N]) {
    detail::expects_owl_weights(weights);
    std::copy(weights, weights + N, weights_.begin());
  }

  [[nodiscard]] constexpr const std::array<double, N>& weights() const noexcept { return weights_; }
  [[nodiscard]] constexpr double weight(index_t j) const noexcept {
    return j < size() ? weights_[static_cast<std::size_t>(j)] : 0;
  }
  [[nodiscard]] constexpr owl transposed() const noexcept { return *this; }
  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept { return std::min(size(), r); }

  template <Real T>
  [[nodiscard]] constexpr T gauge(spectrum_view<T> s) const noexcept {
    return detail::owl_gauge<T>(weights_, s);
  }
  template <Real T>
  constexpr void subgradient(spectrum_view<T> s, weight_view<T> w) const noexcept {
    detail::owl_subgradient<T>(weights_, s, w);
  }

  friend constexpr bool operator==(const owl&, const owl&) = default;

 private:
  [[nodiscard]] static constexpr index_t size() noexcept { return static_cast<index_t>(N); }

  std::array<double, N> weights_{};
};

template <class N>
inline constexpr bool is_owl = false;
template <std::size_t N>
inline constexpr bool is_owl<owl<N>> = true;

static_assert(OrderedNorm<owl<2>> && dual(dual(owl({2, 1}))) == owl({2, 1}));

}  // namespace fanion
