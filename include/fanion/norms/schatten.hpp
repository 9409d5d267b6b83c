/// @file  The Schatten p-norm  (Σ σᵢᵖ)^(1/p),  1 <= p <= ∞; dual to that of 1/p + 1/q = 1.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fanion {

/// Nuclear at p = 1, Frobenius at 2, spectral at ∞. Reads the whole spectrum, but for p = ∞.
class schatten : public norm_base {
 public:
  using category = spectral_tag;

  /// @throws std::invalid_argument unless p >= 1; infinity is allowed.
  explicit constexpr schatten(double p) : number_(p) {
    if (!(p >= 1)) refuse("schatten: p", "at least 1", p);
  }

  /// The exponent in use.
  [[nodiscard]] constexpr double p() const noexcept {
    if (!conjugate_) return number_;
    if (number_ == 1) return std::numeric_limits<double>::infinity();
    return number_ == std::numeric_limits<double>::infinity() ? 1 : number_ / (number_ - 1);
  }
  /// The exponent as written, and whether its conjugate is in use: 1 / (1 - 1/p) twice is not p.
  [[nodiscard]] constexpr double number() const noexcept { return number_; }
  [[nodiscard]] constexpr bool conjugate() const noexcept { return conjugate_; }

  [[nodiscard]] constexpr schatten dual() const noexcept {
    schatten other = *this;
    other.conjugate_ = !conjugate_;
    return other;
  }
  [[nodiscard]] constexpr schatten transposed() const noexcept { return *this; }
  [[nodiscard]] constexpr index_t depth(index_t r) const noexcept {
    return p() == std::numeric_limits<double>::infinity() ? std::min<index_t>(1, r) : r;
  }

  template <Real T>
  [[nodiscard]] T gauge(spectrum_view<T> s) const {
    const double first = s.empty() ? 0 : static_cast<double>(s[0]), exponent = p();
    if (!(first > 0) || !is_finite(first) || !is_finite(exponent)) return static_cast<T>(first);
    return static_cast<T>(first * std::pow(power_sum(s, first, exponent), 1 / exponent));
  }

  /// (σᵢ / value)^(p - 1), by way of σᵢ/σ₁, which neither over- nor underflows. At p = ∞ the first.
  template <Real T>
  void subgradient(spectrum_view<T> s, weight_view<T> w) const {
    const double first = s.empty() ? 0 : static_cast<double>(s[0]), exponent = p();
    if (!(first > 0) || !is_finite(first)) return std::fill(w.begin(), w.end(), T(0));
    const double scale =
        is_finite(exponent) ? std::pow(power_sum(s, first, exponent), 1 - 1 / exponent) : 1;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double share = static_cast<double>(s[i]) / first;
      w[i] = s[i] > T(0) ? static_cast<T>(std::pow(share, exponent - 1) / scale) : T(0);
    }
  }

  friend constexpr bool operator==(const schatten& a, const schatten& b) { return a.p() == b.p(); }

 private:
  /// Σ (σᵢ/σ₁)ᵖ, from the smallest: between 1 and r.
  template <Real T>
  [[nodiscard]] static double power_sum(spectrum_view<T> s, double first, double exponent) {
    double sum = 0;
    for (std::size_t i = s.size(); i-- > 0;)
      sum += std::pow(static_cast<double>(s[i]) / first, exponent);
    return sum;
  }

  double number_;
  bool conjugate_ = false;
};

static_assert(SpectralNorm<schatten> && schatten(3.1).dual().dual() == schatten(3.1) &&
              schatten(1).dual() == schatten(std::numeric_limits<double>::infinity()));

}  // namespace fanion
