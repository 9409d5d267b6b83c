/// @file  What AdamW, SGD and Lion do to one entry: function objects for any backend.
///
/// Called with the weight x, the gradient g, the momentum m and, for AdamW, the second moment v.
#pragma once

#include <fanion/optim/momentum.hpp>
#include <fanion/optim/step.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fanion {

/// Loshchilov and Hutter 2019: m <- β₁m + (1-β₁)g, v <- β₂v + (1-β₂)g²,
/// x <- (1 - η decay) x - η m̂ / (sqrt(v̂) + eps), with m̂, v̂ corrected for their start at 0.
/// eps is part of the published method, in units of the gradient.
struct adamw {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double decay = 0;
};

/// x <- (1 - η decay) x - η d, with d the momentum. Heavy ball by default, as is usual for SGD;
/// an initialiser for `momentum` replaces all of it, whose own default is an average.
struct sgd {
  fanion::momentum momentum = {
      .beta = 0.9, .accumulation = accumulation::heavy_ball, .lookahead = lookahead::nesterov};
  double decay = 0;
};

/// Chen et al. 2023: x <- (1 - η decay) x - η sign(β₁m + (1-β₁)g), m <- β₂m + (1-β₂)g.
struct lion {
  double beta1 = 0.9;
  double beta2 = 0.99;
  double decay = 0;
};

inline void check_beta(double beta, const char* what) {
  if (!(beta >= 0 && beta < 1)) refuse(what, "at least 0 and below 1", beta);
}
inline void check(const adamw& r) {
  check_beta(r.beta1, "adamw: beta1");
  check_beta(r.beta2, "adamw: beta2");
  (void)expects_coefficient(r.eps, "adamw: eps");
  (void)expects_coefficient(r.decay, "adamw: decay");
}
inline void check(const sgd& r) {
  check(r.momentum);
  (void)expects_coefficient(r.decay, "sgd: decay");
}
inline void check(const lion& r) {
  check_beta(r.beta1, "lion: beta1");
  check_beta(r.beta2, "lion: beta2");
  (void)expects_coefficient(r.decay, "lion: decay");
}

namespace entry {

/// One step of length `rate`, the `step`-th from 1 on, in T.
template <Real T>
struct adamw_update {
  T b1, c1, b2, c2, keep, length, root, eps;

  adamw_update(const adamw& r, double rate, index_t step)
      : b1(static_cast<T>(r.beta1)),
        c1(static_cast<T>(1 - r.beta1)),
        b2(static_cast<T>(r.beta2)),
        c2(static_cast<T>(1 - r.beta2)),
        keep(static_cast<T>(1 - rate * r.decay)),
        length(static_cast<T>(rate / (1 - std::pow(r.beta1, static_cast<double>(step))))),
        root(static_cast<T>(1 / std::sqrt(1 - std::pow(r.beta2, static_cast<double>(step))))),
        // Above 0 in T, so that an entry whose gradients were all 0 does not become 0/0.
        eps(std::max(static_cast<T>(r.eps), std::numeric_limits<T>::min())) {}

  FANION_HD void operator()(T& x, const T& g, T& m, T& v) const {
    m = b1 * m + c1 * g;
    v = b2 * v + c2 * (g * g);
    x = keep * x - length * m / (std::sqrt(v) * root + eps);
  }
};

template <Real T>
struct sgd_update {
  T beta, share, keep, length;
  bool ahead;

  sgd_update(const sgd& r, double rate, index_t)
      : beta(static_cast<T>(r.momentum.beta)),
        share(r.momentum.accumulation == accumulation::ema ? 1 - beta : T(1)),
        keep(static_cast<T>(1 - rate * r.decay)),
        length(static_cast<T>(rate)),
        ahead(r.momentum.lookahead == lookahead::nesterov) {}

  FANION_HD void operator()(T& x, const T& g, T& m) const {
    m = beta * m + share * g;
    const T seen = ahead ? beta * m + share * g : m;
    x = keep * x - length * seen;
  }
};

template <Real T>
struct lion_update {
  T b1, c1, b2, c2, keep, length;

  lion_update(const lion& r, double rate, index_t)
      : b1(static_cast<T>(r.beta1)),
        c1(static_cast<T>(1 - r.beta1)),
        b2(static_cast<T>(r.beta2)),
        c2(static_cast<T>(1 - r.beta2)),
        keep(static_cast<T>(1 - rate * r.decay)),
        length(static_cast<T>(rate)) {}

  FANION_HD void operator()(T& x, const T& g, T& m) const {
    const T seen = b1 * m + c1 * g;
    x = keep * x - length * (T(seen > T(0)) - T(seen < T(0)));
    m = b2 * m + c2 * g;
  }
};

template <Real T>
[[nodiscard]] adamw_update<T> update_of(const adamw& r, double rate, index_t step) {
  return {r, rate, step};
}
template <Real T>
[[nodiscard]] sgd_update<T> update_of(const sgd& r, double rate, index_t step) {
  return {r, rate, step};
}
template <Real T>
[[nodiscard]] lion_update<T> update_of(const lion& r, double rate, index_t step) {
  return {r, rate, step};
}

}  // namespace entry
}  // namespace fanion
