/// @file  Learning-rate schedules: a factor between 0 and 1 for each step.
#pragma once

#include <fanion/core/contract.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fanion {

/// The shape after warm-up.
enum class decay_shape {
  constant,  ///< 1
  linear,    ///< falls to `floor` at `steps`
  cosine,    ///< the same along half a cosine
  stable     ///< 1, then linear over the last `tail` share of the steps: warm-up-stable-decay
};

/// factor(t) for t = 0 … steps-1: rises as (t+1)/warm_up over the first warm_up steps, then follows
/// the shape; past the end it stays at its last value.
struct schedule {
  decay_shape shape = decay_shape::constant;
  index_t steps = 1;
  index_t warm_up = 0;
  double floor = 0;
  double tail = 0.2;

  /// @throws std::invalid_argument for an impossible schedule or a negative t.
  [[nodiscard]] double factor(index_t t) const {
    (void)expects_at_least(t, 0, "schedule: t");
    (void)expects_at_least(steps, 1, "schedule: steps");
    (void)expects_at_least(warm_up, 0, "schedule: warm_up");
    (void)expects_fraction(floor, "schedule: floor");
    (void)expects_fraction(expects_positive(tail, "schedule: tail"), "schedule: tail");
    if (t < warm_up) return static_cast<double>(t + 1) / static_cast<double>(warm_up);
    if (shape == decay_shape::constant) return 1;
    const double length = static_cast<double>(std::max<index_t>(1, steps - warm_up));
    const double done = std::clamp(static_cast<double>(t - warm_up) / length, 0.0, 1.0);
    double left = 1 - done;
    if (shape == decay_shape::cosine) left = 0.5 * (1 + std::cos(std::numbers::pi * done));
    if (shape == decay_shape::stable) left = std::min(1.0, (1 - done) / tail);
    return floor + (1 - floor) * left;
  }
};

}  // namespace fanion
