/// @file  The RMS to RMS operator norm  sqrt(n/m) σ₁  and its dual  sqrt(m/n) (σ₁ + … + σᵣ).
///
/// The root mean square of a vector of n entries is its length over sqrt(n); this is the operator
/// norm between spaces so measured, and its oracle is Muon's step with the factor sqrt(m/n)
/// (Bernstein 2025, "Deriving Muon").
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/sums.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

class rms_to_rms_dual;

/// For weights of m rows (outputs) and n columns (inputs); another shape is refused.
class rms_to_rms : public norm_base {
 public:
  using category = spectral_tag;

  /// @throws std::invalid_argument unless m >= 1 and n >= 1.
  constexpr rms_to_rms(index_t m, index_t n)
      : m_(expects_at_least(m, 1, "rms_to_rms: m")), n_(expects_at_least(n, 1, "rms_to_rms: n")) {}

  [[nodiscard]] constexpr index_t m() const noexcept { return m_; }
  [[nodiscard]] constexpr index_t n() const noexcept { return n_; }
  [[nodiscard]] constexpr rms_to_rms_dual dual() const noexcept;
  /// X -> n(Xᵀ), on n x m matrices: sqrt(n/m) σ₁ still, which is n/m times rms_to_rms(n, m).
  [[nodiscard]] constexpr auto transposed() const {
    return scaled<rms_to_rms>(static_cast<double>(n_), static_cast<double>(m_), rms_to_rms(n_, m_));
  }

  void check_shape(index_t rows, index_t cols) const {
    if (rows != m_ || cols != n_)
      refuse("rms_to_rms: the matrix", shape_text(m_, n_).c_str(), shape_text(rows, cols));
  }

  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept {
    return std::min<index_t>(1, r);
  }

  template <Real T>
  [[nodiscard]] T gauge(spectrum_view<T> s) const {
    return s.empty() ? T(0) : T(flat_weight()) * s.front();
  }
  template <Real T>
  void subgradient(spectrum_view<T> s, weight_view<T> w) const {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = s[i] > T(0) ? T(flat_weight()) : T(0);
  }
  /// sqrt(n/m). Not constexpr: neither is std::sqrt in C++20.
  [[nodiscard]] double flat_weight() const {
    return std::sqrt(static_cast<double>(n_) / static_cast<double>(m_));
  }
  [[nodiscard]] double weight(index_t j) const { return j == 0 ? flat_weight() : 0; }

  friend constexpr bool operator==(const rms_to_rms&, const rms_to_rms&) = default;

 private:
  index_t m_;
  index_t n_;
};

/// Dual of rms_to_rms(m, n): the nuclear norm times sqrt(m/n).
class rms_to_rms_dual : public norm_base {
 public:
  using category = spectral_tag;

  explicit constexpr rms_to_rms_dual(rms_to_rms primal) noexcept : primal_(primal) {}

  [[nodiscard]] constexpr rms_to_rms dual() const noexcept { return primal_; }
  [[nodiscard]] constexpr auto transposed() const {
    return scaled<rms_to_rms_dual>(static_cast<double>(primal_.m()),
                                   static_cast<double>(primal_.n()),
                                   rms_to_rms_dual(rms_to_rms(primal_.n(), primal_.m())));
  }
  void check_shape(index_t rows, index_t cols) const { primal_.check_shape(rows, cols); }
  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept { return r; }

  template <Real T>
  [[nodiscard]] T gauge(spectrum_view<T> s) const {
    return T(flat_weight()) * total(s);
  }
  template <Real T>
  void subgradient(spectrum_view<T> s, weight_view<T> w) const {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = s[i] > T(0) ? T(flat_weight()) : T(0);
  }
  [[nodiscard]] double flat_weight() const {
    return std::sqrt(static_cast<double>(primal_.m()) / static_cast<double>(primal_.n()));
  }
  [[nodiscard]] double weight(index_t) const { return flat_weight(); }

  friend constexpr bool operator==(const rms_to_rms_dual&, const rms_to_rms_dual&) = default;

 private:
  rms_to_rms primal_;
};

constexpr rms_to_rms_dual rms_to_rms::dual() const noexcept { return rms_to_rms_dual(*this); }

static_assert(FlatSpectralNorm<rms_to_rms> && FlatSpectralNorm<rms_to_rms_dual> &&
              rms_to_rms(3, 5).dual().dual() == rms_to_rms(3, 5));

}  // namespace fanion
