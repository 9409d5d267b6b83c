/// @file  The named methods of the family, each a norm and a way to use it.
///
/// | maker | D is minus | ball |
/// |---|---|---|
/// | muon() | UVᵀ | spectral |
/// | neon() | u₁v₁ᵀ | nuclear |
/// | fanion_k(k) | Σ_{i<=k} uᵢvᵢᵀ | dual of Ky Fan k |
/// | nsgd() | M/‖M‖_F | Frobenius |
/// | sign_sgd() | sign(M) | Chebyshev |
/// | f_fanion_k(k, α) | α Σ_{i<=k} uᵢvᵢᵀ + (1-α) M/‖M‖_F | dual of α ky_fan(k) + (1-α) frobenius |
/// | s_fanion_k(k, α, η) | α Σ_{i<=k} uᵢvᵢᵀ + (1-α) η sign(M) | dual of α ky_fan(k) + (1-α) η
/// sum_abs |
///
/// F-Muon and S-Muon are k = min(m, n), F-Neon and S-Neon are k = 1. α = 1 is the pure spectral
/// method, α = 0 the other one. Kravatskiy, Kozyrev, Kozlov, Vinogradov, Merkulov and Oseledets
/// 2025, "The Ky Fan Norms and Beyond", whose norm of the S family has a misprint: the coefficient
/// of the sum norm is (1-α) η, as here, not (1-α)/η.
#pragma once

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/lmo_step.hpp>

namespace fanion {

namespace detail {

/// dual(α f + (1-α) weight g): both parts stay in the expression at α = 0 and 1, where a zero
/// coefficient makes one of them free.
template <Norm F, Norm G>
[[nodiscard]] constexpr auto mixed_ball(double alpha, const F& f, double weight, const G& g) {
  const double share = expects_fraction(alpha, "alpha");
  return dual(share * f + ((1 - share) * expects_positive(weight, "eta")) * g);
}

template <LmoTractable N>
[[nodiscard]] lmo_rule<N> rule(const N& norm, const lmo_options& options) {
  check(options);
  return {norm, options};
}

}  // namespace detail

[[nodiscard]] inline auto muon(const lmo_options& options = {}) {
  return detail::rule(spectral(), options);
}
[[nodiscard]] inline auto neon(const lmo_options& options = {}) {
  return detail::rule(nuclear(), options);
}
[[nodiscard]] inline auto fanion_k(index_t k, const lmo_options& options = {}) {
  return detail::rule(dual(ky_fan(k)), options);
}
[[nodiscard]] inline auto nsgd(const lmo_options& options = {}) {
  return detail::rule(frobenius(), options);
}
[[nodiscard]] inline auto sign_sgd(const lmo_options& options = {}) {
  return detail::rule(max_abs(), options);
}
[[nodiscard]] inline auto f_fanion_k(index_t k, double alpha, const lmo_options& options = {}) {
  return detail::rule(detail::mixed_ball(alpha, ky_fan(k), 1, frobenius()), options);
}
[[nodiscard]] inline auto s_fanion_k(index_t k, double alpha, double eta,
                                     const lmo_options& options = {}) {
  return detail::rule(detail::mixed_ball(alpha, ky_fan(k), eta, sum_abs()), options);
}
[[nodiscard]] inline auto f_muon(double alpha, const lmo_options& options = {}) {
  return detail::rule(detail::mixed_ball(alpha, nuclear(), 1, frobenius()), options);
}
[[nodiscard]] inline auto s_muon(double alpha, double eta, const lmo_options& options = {}) {
  return detail::rule(detail::mixed_ball(alpha, nuclear(), eta, sum_abs()), options);
}
[[nodiscard]] inline auto f_neon(double alpha, const lmo_options& options = {}) {
  return detail::rule(detail::mixed_ball(alpha, spectral(), 1, frobenius()), options);
}
[[nodiscard]] inline auto s_neon(double alpha, double eta, const lmo_options& options = {}) {
  return detail::rule(detail::mixed_ball(alpha, spectral(), eta, sum_abs()), options);
}

/// Steepest descent under any norm with an oracle: D minimises <M, D> + λ n(D)².
template <LmoTractable N>
[[nodiscard]] lmo_rule<N> steepest(const N& n, double lambda, lmo_options options = {}) {
  options.form = step_form::sharp;
  options.penalty = lambda;
  return detail::rule(n, options);
}

/// Gluon's step under any norm with an oracle: of length n*(M)/(L₀ + L₁n*(M)) in n, for functions
/// whose gradient has the Lipschitz constant L₀ + L₁n*(gradient).
template <LmoTractable N>
[[nodiscard]] lmo_rule<N> gluon(const N& n, double l0, double l1, lmo_options options = {}) {
  options.form = step_form::smooth;
  options.l0 = l0;
  options.l1 = l1;
  return detail::rule(n, options);
}

}  // namespace fanion
