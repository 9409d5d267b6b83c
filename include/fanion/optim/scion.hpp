/// @file  Scion: a ball and a radius for each kind of layer.
///
/// | maker | layer, outputs x inputs | ball of radius 1 | D is minus radius times |
/// |---|---|---|---|
/// | scion_hidden(radius) | hidden, m x n | sqrt(n/m) spectral | sqrt(m/n) UVᵀ |
/// | scion_head(radius, n) | output, m x n | n max_abs | sign(M)/n |
/// | scion_embedding(radius, m) | embedding, m x n | max_col/sqrt(m) | columns over their rms |
/// | scion_rows(radius, n) | output, m x n | sqrt(n) max_row | rows over n times their rms |
/// | scion_bias(radius) | bias, m x 1 | Frobenius over sqrt(m) | M/rms(M) |
///
/// Momentum is M <- (1-α) M + α G, without look-ahead. In the constrained form, Frank and Wolfe's,
/// each layer stays in its ball of that radius; the unconstrained form goes radius · rate a step.
///
/// Pethick, Xie, Antonakopoulos, Zhu, Silveti-Falls and Cevher 2025, arXiv:2502.07529. Their
/// convolutions have a norm of taps.
#pragma once

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/rowwise.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/lmo_step.hpp>

#include <cmath>

namespace fanion {

struct scion_options {
  double alpha = 0.1;  ///< the share of the new gradient, above 0 and at most 1
  step_form form = step_form::constrained;
  double decay = 0;  ///< of the unconstrained form
};

namespace detail {

/// The ball dual to radius times `d`: the coefficient is kept as it is, and not as 1/radius.
template <Norm N>
[[nodiscard]] auto scion_rule(double radius, const N& d, shape_scaling scaling,
                              const scion_options& o) {
  if (!(o.alpha > 0 && o.alpha <= 1)) refuse("scion: alpha", "above 0 and at most 1", o.alpha);
  if (o.form != step_form::constrained && o.form != step_form::unconstrained)
    refuse("scion: form", "constrained or unconstrained", "another");
  const lmo_options options{.momentum = {.beta = 1 - o.alpha, .lookahead = lookahead::none},
                            .decay = o.decay,
                            .scaling = scaling,
                            .form = o.form};
  check(options);
  const auto ball = fanion::dual(expects_positive(radius, "scion: radius") * d);
  return lmo_rule<std::remove_const_t<decltype(ball)>>{ball, options};
}

}  // namespace detail

[[nodiscard]] inline auto scion_hidden(double radius, const scion_options& o = {}) {
  return detail::scion_rule(radius, nuclear(), shape_scaling::rms, o);
}
[[nodiscard]] inline auto scion_head(double radius, index_t inputs, const scion_options& o = {}) {
  const auto n = static_cast<double>(expects_at_least(inputs, 1, "scion: inputs"));
  return detail::scion_rule(expects_positive(radius, "scion: radius") / n, sum_abs(),
                            shape_scaling::none, o);
}
/// Weights are outputs x inputs: a column for each token. A token's row of n
/// numbers wants scion_rows(radius · n, n).
[[nodiscard]] inline auto scion_embedding(double radius, index_t outputs,
                                          const scion_options& o = {}) {
  const auto m = static_cast<double>(expects_at_least(outputs, 1, "scion: outputs"));
  return detail::scion_rule(expects_positive(radius, "scion: radius") * std::sqrt(m), sum_col(),
                            shape_scaling::none, o);
}
[[nodiscard]] inline auto scion_rows(double radius, index_t inputs, const scion_options& o = {}) {
  const auto n = static_cast<double>(expects_at_least(inputs, 1, "scion: inputs"));
  return detail::scion_rule(expects_positive(radius, "scion: radius") / std::sqrt(n), sum_row(),
                            shape_scaling::none, o);
}
[[nodiscard]] inline auto scion_bias(double radius, const scion_options& o = {}) {
  return detail::scion_rule(radius, frobenius(), shape_scaling::rms, o);
}

}  // namespace fanion
