/// @file  Proven upper bounds on singular values from a partial factorisation.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace fanion {

/// Let P project onto the span of U and ‖UᵀA - diag(θ)Vᵀ‖ <= s. Then AᵀA = (PA)ᵀPA + (A-PA)ᵀ(A-PA),
/// the second part has energy e = ‖A‖_F² - ‖PA‖_F², hence a j-th eigenvalue of at most e/j, and
/// Weyl's inequality gives
///   σᵢ² <= (θ_{a+1} + s)² + e/(i - a)   for every a = 0 … i-1, with θ = 0 beyond those computed,
/// while σᵢ² <= ‖A‖_F² / i always. Writes the least of these for each i. Deterministic; close where
/// the computed part holds nearly all of the energy, loose on flat spectra. A known bound on
/// ‖A - PA‖₂ serves where it is less than the energy says.
/// `slack` is the relative rounding of the energies.
template <Real T>
void bound_singular_values(std::span<const T> theta, double s, double frobenius, double slack,
                           std::span<double> upper,
                           double remainder = std::numeric_limits<double>::infinity()) {
  const double energy = frobenius * frobenius * (1 + slack);
  double held = 0;
  for (const T t : theta) held += static_cast<double>(t) * static_cast<double>(t);
  const double rest = std::max(0.0, energy - held) + slack * energy;
  for (std::size_t i = 0; i < upper.size(); ++i) {
    double least = energy / static_cast<double>(i + 1);
    for (std::size_t a = 0; a <= i; ++a) {
      const double t = (a < theta.size() ? static_cast<double>(theta[a]) : 0.0) + s;
      least = std::min(
          least, t * t + std::min(rest / static_cast<double>(i + 1 - a), remainder * remainder));
    }
    upper[i] = std::sqrt(least);
  }
}

}  // namespace fanion
