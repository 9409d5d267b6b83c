/// @file  The spectral norm  σ₁  and the nuclear norm  σ₁ + … + σᵣ, dual to each other.
#pragma once

#include <fanion/norms/concepts.hpp>

#include <algorithm>

namespace fanion {

class nuclear;

/// Largest singular value. Its ball's oracle is minus the polar factor UVᵀ: Muon's step.
class spectral : public norm_base {
 public:
  using category = spectral_tag;

  [[nodiscard]] constexpr nuclear dual() const noexcept;
  [[nodiscard]] constexpr spectral transposed() const noexcept { return *this; }
  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept {
    return std::min<index_t>(1, r);
  }

  template <Real T>
  [[nodiscard]] static constexpr T gauge(spectrum_view<T> s) noexcept {
    return s.empty() ? T(0) : s.front();
  }

  /// One on σ₁ > 0. A repeated σ₁ leaves the choice among its vectors to the solver.
  template <Real T>
  static constexpr void subgradient(spectrum_view<T> s, weight_view<T> w) noexcept {
    std::transform(s.begin(), s.end(), w.begin(), [](T x) { return T(x > T(0)); });
  }
  [[nodiscard]] static constexpr double flat_weight() noexcept { return 1; }
  [[nodiscard]] static constexpr double weight(index_t j) noexcept { return j == 0 ? 1 : 0; }

  friend constexpr bool operator==(const spectral&, const spectral&) = default;
};

/// Sum of all singular values. Its ball's oracle is minus u₁v₁ᵀ: Neon's step.
class nuclear : public norm_base {
 public:
  using category = spectral_tag;

  [[nodiscard]] constexpr spectral dual() const noexcept { return {}; }
  [[nodiscard]] constexpr nuclear transposed() const noexcept { return *this; }
  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept { return r; }

  template <Real T>
  [[nodiscard]] static constexpr T gauge(spectrum_view<T> s) noexcept {
    return total(s);
  }

  /// One on every σ > 0.
  template <Real T>
  static constexpr void subgradient(spectrum_view<T> s, weight_view<T> w) noexcept {
    std::transform(s.begin(), s.end(), w.begin(), [](T x) { return T(x > T(0)); });
  }
  [[nodiscard]] static constexpr double flat_weight() noexcept { return 1; }
  [[nodiscard]] static constexpr double weight(index_t) noexcept { return 1; }

  friend constexpr bool operator==(const nuclear&, const nuclear&) = default;
};

constexpr nuclear spectral::dual() const noexcept { return {}; }

static_assert(FlatSpectralNorm<spectral> && FlatSpectralNorm<nuclear> &&
              spectral().dual().dual() == spectral());

}  // namespace fanion
