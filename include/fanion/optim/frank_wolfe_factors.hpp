/// @file  Frank and Wolfe's method with iterates in factors: matrices too large to write down, and
/// gradients that are known by their products, as in matrix completion.
#pragma once

#include <fanion/optim/frank_wolfe_steps.hpp>
#include <fanion/optim/low_rank.hpp>
#include <fanion/oracles/factors.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace fanion {

/// A smooth f that follows the iterate itself: where it reads X through a linear map, as from some
/// of its entries, the map's image of the iterate is all it keeps, and no step costs more than the
/// image of a few dyads.
///  1. `begin(x)`: the iterate is x;
///  2. `value()`: f there; `gradient()`: ∇f there, a LinearOperator that is good until `advance`;
///  3. `aim(s)`: looks from the iterate X along D = S - X; returns <∇f(X), D>;
///  4. `value_along(γ)`: f(X + γD); `advance(γ)`: the iterate is now X + γD. Both follow `aim`.
///  Views are good during the call only.
///  Example: examples/completion/objective.hpp.
template <class F, class T>
concept FactoredObjective = Real<T> && requires(F& f, const factor_view<T>& x, double step) {
  f.begin(x);
  { f.value() } -> std::convertible_to<double>;
  requires LinearOperator<std::remove_cvref_t<decltype(f.gradient())>>;
  { f.aim(x) } -> std::convertible_to<double>;
  { f.value_along(step) } -> std::convertible_to<double>;
  f.advance(step);
};

/// One whose `curvature()` is <D, ∇²f(X) D> of the D that was aimed at.
template <class F, class T>
concept CurvedFactoredObjective = FactoredObjective<F, T> && requires(F& f) {
  { f.curvature() } -> std::convertible_to<double>;
};

/// One that has what a rule asks for.
template <class F, class T, class Rule>
concept FactoredObjectiveFor = FactoredObjective<F, T> &&
    (CurvedFactoredObjective<F, T> || !std::same_as<Rule, exact_line_search>);

namespace detail {

/// The line from X through the oracle's S, both in factors.
template <FactorTractable N, Real T, class F, OperatorMethod Method>
class factored_line {
 public:
  using scalar = T;

  factored_line(const N& n, F& f, low_rank<T>& x, double radius, const Method& method)
      : f_(&f), x_(&x), radius_(radius), plan_(n, x.rows(), x.cols(), method) {}

  /// The start, once X is a singular value decomposition.
  void begin() {
    f_->begin(x_->factors());
    square_x_ = 0;
    for (const T w : x_->factors().weights)
      square_x_ += static_cast<double>(w) * static_cast<double>(w);
  }
  [[nodiscard]] double value() {
    ++evaluations_;
    return static_cast<double>(f_->value());
  }
  [[nodiscard]] descent_sight look() {
    auto&& gradient = f_->gradient();
    const auto d = plan_.execute(gradient);
    const lmo_report& r = d.report;
    descent_sight s{.finite = r.outcome != outcome::non_finite,
                    .failure_probability = r.failure_probability,
                    .passes = r.passes};
    if (!s.finite) return s;
    moved_ = false;
    // S = -length U diag(w) Vᵀ, drawn back to the ball by what the method let slip.
    const bool proven = is_finite(r.feasibility) && r.feasibility > 1;
    const double length = radius_ / (proven ? r.feasibility : 1.0);
    weights_.resize(d.weights.size());
    double square = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      weights_[i] = static_cast<T>(-length * static_cast<double>(d.weights[i]));
      square += static_cast<double>(weights_[i]) * static_cast<double>(weights_[i]);
    }
    if (d.weights.empty())
      vertex_ = {matrix_view<const T>(nullptr, x_->rows(), 0),
                 matrix_view<const T>(nullptr, x_->cols(), 0), weights_};
    else
      vertex_ = {d.u, d.v, weights_};
    const auto slope = static_cast<double>(f_->aim(std::as_const(vertex_)));
    inner_ = x_->inner(vertex_);
    square_s_ = square;
    s.gap = -slope;
    s.certified_gap = radius_ * r.bound + length * r.objective - slope;
    return s;
  }
  [[nodiscard]] double size() const { return std::sqrt(square_x_); }
  /// ‖S‖² - 2<X, S> + ‖X‖²: exact to the rounding of its largest term.
  [[nodiscard]] double square() const { return std::max(0.0, square_s_ - 2 * inner_ + square_x_); }
  [[nodiscard]] double curvature() requires CurvedFactoredObjective<F, T> {
    return static_cast<double>(f_->curvature());
  }
  [[nodiscard]] double value_along(double step) {
    ++evaluations_;
    return static_cast<double>(f_->value_along(step));
  }
  void move(double step) {
    const double keep = 1 - step;
    x_->update(keep, vertex_, step);
    f_->advance(step);
    square_x_ = keep * keep * square_x_ + 2 * step * keep * inner_ + step * step * square_s_;
    moved_ = true;
  }
  void undo() {
    if (moved_) x_->undo();
    moved_ = false;
  }
  [[nodiscard]] index_t evaluations() const { return evaluations_; }

 private:
  F* f_;
  low_rank<T>* x_;
  double radius_;
  lmo_factor_plan<N, T, eigen_backend, Method> plan_;
  factor_view<T> vertex_;
  std::vector<T> weights_;
  double square_x_ = 0, square_s_ = 0, inner_ = 0;
  index_t evaluations_ = 0;
  bool moved_ = false;
};

/// n of a matrix with these singular values; FactorTractable norms that are Evaluable have spectral
/// and Frobenius terms only.
template <FactorTractable N, class T>
[[nodiscard]] double value_of_spectrum(const N& n, index_t rows, index_t cols,
                                       std::span<const T> sigma) {
  const index_t r = std::min(rows, cols);
  std::vector<T> s(sigma.begin(), sigma.end());
  s.resize(static_cast<std::size_t>(r));
  std::vector<double> work(static_cast<std::size_t>(workspace_of(n, r)));
  eigen_backend b;
  const matrix_view<const T> column(s.data(), r, 1);
  return spectral_value(n, r, std::span<const T>(s), std::span(work)) +
         value_of_entries(n, b, column, b.norm(column), std::span<T>()).value;
}

}  // namespace detail

/// Minimises f over { X : n(X) <= radius } from the X that is given, which becomes the answer, as a
/// singular value decomposition. Each step appends the columns of the oracle's S, with weights
/// -radius γ w; X compresses itself as low_rank says. A step costs the oracle's products with the
/// gradient, the objective's work, and O(c (m + n)) for the c columns of X.
///
/// The certified gap takes the objective's word for <∇f(X), S - X>. It is infinite with `lanczos`,
/// which proves nothing about operators; `block_krylov` proves it but for the chance in the report.
/// On a non-finite gradient or value X goes back to the last point where both were finite, and what
/// f holds is stale.
/// @throws std::invalid_argument for impossible options; where n(X) is above the radius and n is
/// Evaluable; and as plan_lmo_factors. X is then as it was, but for its factors.
template <FactorTractable N, class F, Real T, StepRule Rule = adaptive_step,
          OperatorMethod Method = block_krylov, class Watch = ignore_steps>
requires FactoredObjectiveFor<F, T, Rule> frank_wolfe_report
frank_wolfe(const N& n, F&& f, low_rank<T>& x, const frank_wolfe_options& options = {},
            const Rule& rule = {}, const Method& method = {}, Watch&& watch = {}) {
  check(options);
  check(rule);
  detail::factored_line<N, T, std::remove_reference_t<F>, Method> line(n, f, x, options.radius,
                                                                       method);
  if (!x.compress()) {
    frank_wolfe_report r;
    r.value = r.gap = std::numeric_limits<double>::quiet_NaN();
    r.outcome = descent_outcome::non_finite;
    return r;
  }
  if constexpr (Evaluable<N>) {
    const double size = detail::value_of_spectrum(n, x.rows(), x.cols(), x.factors().weights);
    if (size > options.radius * (1 + rounding<T>(x.rows(), x.cols())))
      refuse("frank_wolfe: the norm of the start", "at most the radius", size);
  }
  line.begin();
  const frank_wolfe_report r = detail::descend(line, options, rule, watch);
  (void)x.compress();
  return r;
}

}  // namespace fanion
