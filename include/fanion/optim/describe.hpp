/// @file  Rules as text, every option included: checkpoints keep it and compare it.
#pragma once

#include <fanion/norms/describe.hpp>
#include <fanion/optim/elementwise_steps.hpp>
#include <fanion/optim/lmo_step.hpp>

#include <string>

namespace fanion {

[[nodiscard]] inline std::string describe(const momentum& m) {
  return "momentum " + describe(m.beta) +
         (m.accumulation == accumulation::ema ? " ema" : " heavy_ball") +
         (m.lookahead == lookahead::nesterov ? " nesterov" : "");
}

[[nodiscard]] inline std::string describe(shape_scaling s) {
  switch (s) {
    case shape_scaling::none:
      return "none";
    case shape_scaling::widening:
      return "widening";
    case shape_scaling::rms:
      return "rms";
    case shape_scaling::adamw:
      return "adamw";
  }
  return "unknown";
}

[[nodiscard]] inline std::string describe(const lmo_options& o) {
  return describe(o.momentum) + ", decay " + describe(o.decay) + ", scaling " +
         describe(o.scaling) +
         (o.form == step_form::constrained ? ", constrained to radius " + describe(o.radius) : "") +
         (o.form == step_form::sharp ? ", sharp with penalty " + describe(o.penalty) : "") +
         (o.form == step_form::smooth
              ? ", smooth with L0 " + describe(o.l0) + ", L1 " + describe(o.l1)
              : "") +
         (o.gap ? ", gap " + describe(*o.gap) : "") + ", seed " + std::to_string(o.seed);
}

/// "lmo(spectral()), momentum 0.95 ema nesterov, decay 0, scaling none, seed 0".
template <LmoTractable N>
[[nodiscard]] std::string describe(const lmo_rule<N>& r) {
  return "lmo(" + describe(r.norm) + "), " + describe(r.options);
}
[[nodiscard]] inline std::string describe(const adamw& r) {
  return "adamw, beta1 " + describe(r.beta1) + ", beta2 " + describe(r.beta2) + ", eps " +
         describe(r.eps) + ", decay " + describe(r.decay);
}
[[nodiscard]] inline std::string describe(const sgd& r) {
  return "sgd, " + describe(r.momentum) + ", decay " + describe(r.decay);
}
[[nodiscard]] inline std::string describe(const lion& r) {
  return "lion, beta1 " + describe(r.beta1) + ", beta2 " + describe(r.beta2) + ", decay " +
         describe(r.decay);
}

}  // namespace fanion
