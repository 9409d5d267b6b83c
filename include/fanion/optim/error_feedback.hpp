/// @file  Error feedback: what a step leaves unsaid is added to the next gradient.
///
/// With E = 0 at first and D = lmo(N, Δ):
///   Δ = E + G,  X <- (1 - η decay) X + η s D,  E <- Δ - (1-μ) T,
/// where T is the part of Δ that D has sent:
///   projection  T = P Δ with P the orthogonal projection on D's columns. For a D of k leading
///               singular vectors that is Σ_{i<=k} σᵢuᵢvᵢᵀ, the best answer of rank k
///   multiple    T = <Δ, D>/‖D‖_F² D, the best multiple of D, for any norm: mean|Δ| sign(Δ) for
///               max_abs(), as in EF-SignSGD, and Δ itself for frobenius()
/// Both are orthogonal projections of Δ, so ‖E‖_F never exceeds ‖Δ‖_F. T = Δ where D has full rank,
/// and then E <- μ Δ is heavy ball. Dion is the projection with one power iteration as oracle.
///
/// Karimireddy, Rebjock, Stich and Jaggi 2019; Vogels, Karimireddy and Jaggi 2019 for low rank.
#pragma once

#include <fanion/norms/capabilities.hpp>
#include <fanion/optim/describe.hpp>
#include <fanion/optim/inner_answer.hpp>
#include <fanion/optim/residual.hpp>
#include <fanion/oracles/terms.hpp>
#include <fanion/spectral/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace fanion {

enum class transmission { projection, multiple };

struct feedback_options {
  double mu = 0;     ///< what is kept of the part that was sent
  double decay = 0;  ///< as in lmo_options, like the rest
  shape_scaling scaling = shape_scaling::none;
  transmission sent = transmission::projection;
  std::optional<double> gap = {};
  std::uint64_t seed = 0;
};

template <LmoTractable N, Real T, class B>
class error_feedback_step;

template <LmoTractable N>
struct error_feedback_rule {
  N norm;
  feedback_options options = {};

  static constexpr const char* name = "error_feedback";
  template <Real T, class B>
  using step = error_feedback_step<N, T, B>;
};

/// @throws std::invalid_argument also for a projection where D has terms that are not spectral: it
/// has full rank then, and nothing would be left.
template <LmoTractable N>
void check(const error_feedback_rule<N>& r) {
  check_beta(r.options.mu, "error_feedback: mu");
  (void)expects_coefficient(r.options.decay, "error_feedback: decay");
  if (r.options.gap) (void)expects_positive(*r.options.gap, "error_feedback: gap");
  if (r.options.sent == transmission::projection && !detail::has_only_spectral_terms<dual_type<N>>)
    refuse("error_feedback: sent", "a multiple for a norm with terms that are not spectral",
           "a projection");
}
template <LmoTractable N>
[[nodiscard]] std::string describe(const error_feedback_rule<N>& r) {
  const feedback_options& o = r.options;
  return "error_feedback(" + describe(r.norm) + "), mu " + describe(o.mu) + ", decay " +
         describe(o.decay) + ", scaling " + describe(o.scaling) +
         (o.sent == transmission::projection ? ", projection" : ", multiple") +
         (o.gap ? ", gap " + describe(*o.gap) : "") + ", seed " + std::to_string(o.seed);
}

/// The rule for the oracle of n's ball.
template <LmoTractable N>
[[nodiscard]] error_feedback_rule<N> error_feedback(const N& n, const feedback_options& o = {}) {
  const error_feedback_rule<N> rule{n, o};
  check(rule);
  return rule;
}

/// State and step of one parameter: E, Δ as the oracle keeps it, and D, each of its size. The
/// projection costs four products with as many columns as D has singular vectors. Allocates in the
/// constructor only.
template <LmoTractable N, Real T, class B>
class error_feedback_step {
 public:
  using space = typename B::space;

  /// For weights of rows x cols; without blocks, all of it is one. Entries outside the blocks stay.
  /// @throws std::invalid_argument for impossible options, or blocks that leave the matrix.
  error_feedback_step(const error_feedback_rule<N>& rule, index_t rows, index_t cols, B& backend,
                      std::vector<matrix_block> blocks = {})
      : rule_(rule),
        state_("error_feedback_step", rows, cols, backend, std::move(blocks)),
        answer_(inner_rule(rule), rows, cols, backend, state_.blocks()) {
    if (rule.options.sent == transmission::multiple) return;
    index_t side = 0, scratch = 0;
    for (const matrix_block& at : state_.blocks()) {
      const index_t m = at.rows, n = at.cols, k = rank_of(at);
      side = std::max(side, std::max(m, n) * k);
      scratch = std::max({scratch, apply_size<T>(backend, m, n, k),
                          backend.template orthonormalize_size<T>(m, k),
                          backend.template orthonormalize_size<T>(n, k),
                          backend.template multiply_outer_size<T>(m, n, k),
                          backend.template multiply_outer_size<T>(n, m, k)});
    }
    u_ = backend.template make_workspace<T>(side);
    v_ = backend.template make_workspace<T>(side);
    scratch_ = backend.template make_workspace<T>(scratch);
  }

  [[nodiscard]] index_t steps() const noexcept { return state_.steps(); }
  [[nodiscard]] const error_feedback_rule<N>& rule() const noexcept { return rule_; }
  /// E, stored like the weights of the first step.
  [[nodiscard]] matrix_view<const T, space> residual() const {
    return state_.values().storage.as_const();
  }

  /// One step of length `rate`. A gradient that holds NaN or infinity changes nothing, and the
  /// report says so; it is the oracle's otherwise.
  /// @throws std::invalid_argument for a negative or non-finite rate, or shapes that do not fit.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    step_report report;
    if (!state_.enter(weight, gradient, rate, report)) return report;
    for (const matrix_block& at : state_.blocks()) state_.add(gradient, at);
    const oriented_view<T, space> sum = state_.values();
    report = answer_.compute({sum.storage.as_const(), sum.transposed}, sum.transposed);
    double length = 0;
    for (const matrix_block& at : state_.blocks()) {
      const oriented_view<T, space> e = window(sum, at), d = window(answer_.values(), at);
      if (rule_.options.sent == transmission::multiple)
        take_multiple(e, d);
      else
        take_projection(e, d, rank_of(at));
      const T size = state_.backend().norm(e.storage.as_const());
      length = std::hypot(length, static_cast<double>(size));
      add_answer(state_.backend(), rate, d, 1 - rate * rule_.options.decay, window(weight, at));
    }
    state_.leave(length);
    return report;
  }

  /// Forgets E, the step count and subspaces.
  void reset() {
    state_.reset();
    answer_.step().reset();
  }
  void save(archive_writer& out) const {
    state_.save(out);
    answer_.step().save(out);
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    state_.load(in);
    answer_.step().load(in);
  }

 private:
  using panel = matrix_view<T, space>;

  /// Without momentum: E takes its place.
  static lmo_rule<N> inner_rule(const error_feedback_rule<N>& r) {
    check(r);
    return {r.norm,
            {.momentum = {.beta = 0, .lookahead = lookahead::none},
             .scaling = r.options.scaling,
             .gap = r.options.gap,
             .seed = r.options.seed}};
  }
  /// The most singular vectors that D can have.
  [[nodiscard]] index_t rank_of(const matrix_block& at) const {
    return need_of(dual(rule_.norm), std::min(at.rows, at.cols)).depth;
  }

  void take_multiple(const oriented_view<T, space>& e, const oriented_view<T, space>& d) {
    B& b = state_.backend();
    const T length = b.norm(d.storage.as_const());
    if (!(length > T(0))) return;
    const T share = b.dot(e.storage.as_const(), d.storage.as_const()) / length / length;
    b.axpby(static_cast<T>(rule_.options.mu - 1) * share, d.storage.as_const(), T(1), e.storage);
  }

  /// D is s times a partial isometry or near one, so D times a basis of its rows is a
  /// well-conditioned basis of its columns.
  void take_projection(const oriented_view<T, space>& e, const oriented_view<T, space>& d,
                       index_t k) {
    B& b = state_.backend();
    const panel u(u_.data(), e.rows(), k), v(v_.data(), e.cols(), k);
    const std::span<T> scratch = scratch_.span();
    const operand<T, space> answer{{d.storage.as_const(), d.transposed}, T(1), 1};
    const operand<T, space> sum{{e.storage.as_const(), e.transposed}, T(1), 1};
    b.random(u, rule_.options.seed, 0, 0);
    apply_adjoint<B, T, space>(b, answer, u.as_const(), v, scratch);
    if (b.orthonormalize(v, scratch) == 0) return;
    apply<B, T, space>(b, answer, v.as_const(), u, scratch);
    (void)b.orthonormalize(u, scratch);
    apply_adjoint<B, T, space>(b, sum, u.as_const(), v, scratch);
    add_outer<T>(b, static_cast<T>(rule_.options.mu - 1), u.as_const(), v.as_const(), T(1), e,
                 scratch);
  }

  error_feedback_rule<N> rule_;
  residual_state<T, B> state_;
  inner_answer<N, T, B> answer_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) u_, v_, scratch_;
};

}  // namespace fanion
