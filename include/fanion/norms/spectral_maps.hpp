/// @file  Functions of single singular values, f(0) = 0, for U f(σ) Vᵀ: not oracles, and no ball.
#pragma once

#include <fanion/core/contract.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>

namespace fanion {

/// f(σ) >= 0 for σ >= 0, with f(0) = 0: otherwise U f(σ) Vᵀ would depend on the vectors that a
/// decomposition happens to choose for σ = 0.
template <class F>
concept SpectralMap = std::copyable<F> && requires(const F& f, double s) {
  { f(s) } -> std::same_as<double>;
};

/// A map that is zero up to `threshold()`: leading triplets are enough.
template <class F>
concept ThresholdingMap = SpectralMap<F> && requires(const F& f) {
  { f.threshold() } -> std::same_as<double>;
};

/// min(σ, c) or (σ - c)₊: a map that two polar factors give, since |σ - c| is one away. `corner()`
/// is c, and `keeps_part_below` says which of the two it is.
template <class F>
concept CornerMap = SpectralMap<F> && requires(const F& f) {
  { f.corner() } -> std::same_as<double>;
  { F::keeps_part_below } -> std::convertible_to<bool>;
};

/// σ^e, and 0 for σ = 0. Freon's (GGᵀ)^(-c) G, c = 1 - q/2, has e = 1 - 2c = q - 1, negative for
/// its Schatten quasi-norms q < 1; e = 0 is the polar factor.
class spectral_power {
 public:
  /// @throws std::invalid_argument unless e is finite and at least -1.
  explicit constexpr spectral_power(double exponent) : exponent_(exponent) {
    if (!(exponent >= -1) || !is_finite(exponent))
      refuse("spectral_power: exponent", "finite and at least -1", exponent);
  }
  [[nodiscard]] double operator()(double s) const { return s > 0 ? std::pow(s, exponent_) : 0; }

 private:
  double exponent_;
};

/// min(σ, c): spectral clipping.
class spectral_clip {
 public:
  static constexpr bool keeps_part_below = true;

  /// @throws std::invalid_argument unless c is finite and above 0.
  explicit constexpr spectral_clip(double most)
      : most_(expects_positive(most, "spectral_clip: c")) {}
  [[nodiscard]] constexpr double corner() const noexcept { return most_; }
  [[nodiscard]] constexpr double operator()(double s) const noexcept { return std::min(s, most_); }

 private:
  double most_;
};

/// (σ - τ)₊: the proximal map of τ‖·‖_*.
class soft_threshold {
 public:
  static constexpr bool keeps_part_below = false;

  /// @throws std::invalid_argument unless τ is finite and above 0.
  explicit constexpr soft_threshold(double by) : by_(expects_positive(by, "soft_threshold: tau")) {}
  [[nodiscard]] constexpr double threshold() const noexcept { return by_; }
  [[nodiscard]] constexpr double corner() const noexcept { return by_; }
  [[nodiscard]] constexpr double operator()(double s) const noexcept {
    return std::max(0.0, s - by_);
  }

 private:
  double by_;
};

/// σ where σ > τ, else 0: the proximal map of (τ²/2) rank. Jumps at τ, so that a σ next to it may
/// fall on either side.
class hard_threshold {
 public:
  /// @throws std::invalid_argument unless τ is finite and above 0.
  explicit constexpr hard_threshold(double from)
      : from_(expects_positive(from, "hard_threshold: tau")) {}
  [[nodiscard]] constexpr double threshold() const noexcept { return from_; }
  [[nodiscard]] constexpr double operator()(double s) const noexcept { return s > from_ ? s : 0; }

 private:
  double from_;
};

/// Kaon: five times x <- 4.1 x (1 - x²)², then over 1.175, for σ in [0, 1]: nearly noise, by the
/// authors' design. Larger σ are taken for 1, which it maps to 0.
class kaon {
 public:
  [[nodiscard]] constexpr double operator()(double s) const noexcept {
    double x = std::min(s, 1.0);
    for (int i = 0; i < 5; ++i) x = 4.1 * x * (1 - x * x) * (1 - x * x);
    return x / 1.175;
  }
};

static_assert(SpectralMap<spectral_power> && SpectralMap<kaon> && CornerMap<spectral_clip> &&
              CornerMap<soft_threshold> && ThresholdingMap<soft_threshold> &&
              ThresholdingMap<hard_threshold> && !ThresholdingMap<spectral_clip>);

}  // namespace fanion
