/// @file  The Ky Fan k-norm  σ₁ + … + σₖ  and its dual  max(σ₁, (σ₁ + … + σᵣ) / k).
///
/// Both are gauges of the singular values, so no matrix appears here: an oracle asks how deep into
/// the spectrum a gauge reads, computes that many values, and hands them over largest first.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>

#include <algorithm>

namespace fanion {

class ky_fan_dual;

/// Sum of the k largest singular values: spectral norm at k = 1, nuclear norm at k >= min(m, n).
class ky_fan : public norm_base {
 public:
  using category = spectral_tag;

  /// @throws std::invalid_argument unless k >= 1.
  explicit constexpr ky_fan(index_t k) : k_(expects_at_least(k, 1, "ky_fan: k")) {}

  [[nodiscard]] constexpr index_t k() const noexcept { return k_; }
  [[nodiscard]] constexpr ky_fan_dual dual() const noexcept;
  [[nodiscard]] constexpr ky_fan transposed() const noexcept { return *this; }

  /// Leading singular values needed when the shorter side of the matrix is r.
  [[nodiscard]] constexpr index_t depth(index_t r) const noexcept { return std::min(k_, r); }

  template <Real T>
  [[nodiscard]] constexpr T gauge(spectrum_view<T> s) const noexcept {
    return total(s);
  }

  /// Writes w with <w, s> = gauge(s) and dual gauge(w) <= 1; zero wherever s is zero.
  template <Real T>
  constexpr void subgradient(spectrum_view<T> s, weight_view<T> w) const noexcept {
    std::transform(s.begin(), s.end(), w.begin(), [](T x) { return T(x > T(0)); });
  }
  [[nodiscard]] static constexpr double flat_weight() noexcept { return 1; }
  [[nodiscard]] constexpr double weight(index_t j) const noexcept { return j < k_ ? 1 : 0; }

  friend constexpr bool operator==(const ky_fan&, const ky_fan&) = default;

 private:
  index_t k_;
};

/// Dual of ky_fan(k). Unit ball: convex hull of W Zᵀ over frames W, Z of min(k, r) columns.
class ky_fan_dual : public norm_base {
 public:
  using category = spectral_tag;

  explicit constexpr ky_fan_dual(ky_fan primal) noexcept : primal_(primal) {}

  [[nodiscard]] constexpr ky_fan dual() const noexcept { return primal_; }
  [[nodiscard]] constexpr ky_fan_dual transposed() const noexcept { return *this; }
  [[nodiscard]] constexpr index_t depth(index_t r) const noexcept { return r; }

  template <Real T>
  [[nodiscard]] constexpr T gauge(spectrum_view<T> s) const noexcept {
    return s.empty() ? T(0) : std::max(s.front(), total(s) / T(primal_.k()));
  }

  /// Rank one while σ₁ holds the maximum, ties included; otherwise equal weight on every σ > 0.
  template <Real T>
  constexpr void subgradient(spectrum_view<T> s, weight_view<T> w) const noexcept {
    const T k = T(primal_.k());
    const bool flat = !s.empty() && total(s) > k * s.front();
    for (std::size_t i = 0; i < w.size(); ++i)
      w[i] = s[i] > T(0) && (flat || i == 0) ? (flat ? T(1) / k : T(1)) : T(0);
  }

  friend constexpr bool operator==(const ky_fan_dual&, const ky_fan_dual&) = default;

 private:
  ky_fan primal_;
};

constexpr ky_fan_dual ky_fan::dual() const noexcept { return ky_fan_dual(*this); }

static_assert(SpectralNorm<ky_fan> && SpectralNorm<ky_fan_dual> && FlatSpectralNorm<ky_fan> &&
              ky_fan(3).dual().dual() == ky_fan(3));

}  // namespace fanion
