/// @file  The noise of stochastic gradients, from pairs of them.
#pragma once

#include <fanion/core/contract.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace fanion {

/// σ with an interval that holds it.
struct noise_estimate {
  double sigma = 0;
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
};

/// σ² = E‖g - ∇f‖_F² from m numbers xᵢ = ‖g - g'‖_F²/2, each of two independent gradients at one
/// point: every xᵢ has the mean σ², whatever the noise looks like. The interval is mean ± z
/// s/sqrt(m) with the standard deviation s of the xᵢ: that of the central limit theorem, for m of
/// some dozens and noise with fourth moments; z = 1.96 is for 95 %. One number gives no interval.
/// @throws std::invalid_argument for no numbers, or a negative or non-finite one.
[[nodiscard]] inline noise_estimate estimate_noise(std::span<const double> halves,
                                                   double z = 1.96) {
  if (halves.empty()) refuse("estimate_noise: pairs", "at least one", 0);
  (void)expects_positive(z, "estimate_noise: z");
  const auto count = static_cast<double>(halves.size());
  double mean = 0, squares = 0;
  for (const double x : halves)
    mean += expects_coefficient(x, "estimate_noise: half a squared distance") / count;
  for (const double x : halves) squares += (x - mean) * (x - mean);
  noise_estimate e{.sigma = std::sqrt(mean)};
  if (halves.size() < 2) return e;
  const double half_width = z * std::sqrt(squares / (count - 1) / count);
  e.low = std::sqrt(std::max(0.0, mean - half_width));
  e.high = std::sqrt(mean + half_width);
  return e;
}

}  // namespace fanion
