/// @file  The ordered-weighted norm  w₁σ₁ + … + wₙσₙ  with w₁ >= w₂ >= … (OWL, Figueiredo and Nowak
/// 2016), and its dual  max_j (σ₁ + … + σⱼ) / (w₁ + … + wⱼ).
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/concepts.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace fanion {

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
    for (std::size_t j = 0; j < N; ++j) {
      weights_[j] = expects_coefficient(weights[j], "owl: weight");
      if (j > 0 && weights_[j] > weights_[j - 1])
        refuse("owl: weight", "at most the one before it", weights_[j]);
    }
    (void)expects_positive(weights_[0], "owl: first weight");
  }

  [[nodiscard]] constexpr const std::array<double, N>& weights() const noexcept { return weights_; }
  [[nodiscard]] constexpr double weight(index_t j) const noexcept {
    return j < size() ? weights_[static_cast<std::size_t>(j)] : 0;
  }
  [[nodiscard]] constexpr owl transposed() const noexcept { return *this; }
  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept { return std::min(size(), r); }

  template <Real T>
  [[nodiscard]] constexpr T gauge(spectrum_view<T> s) const noexcept {
    T sum = 0;  // from the smallest, so that small terms are not lost
    for (std::size_t j = s.size(); j-- > 0;) sum += static_cast<T>(weights_[j]) * s[j];
    return sum;
  }
  template <Real T>
  constexpr void subgradient(spectrum_view<T> s, weight_view<T> w) const noexcept {
    for (std::size_t j = 0; j < s.size(); ++j)
      w[j] = s[j] > T(0) ? static_cast<T>(weights_[j]) : T(0);
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
