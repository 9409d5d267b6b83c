/// @file  Frank and Wolfe's method over the ball of any norm with an oracle, with dense iterates.
#pragma once

#include <fanion/optim/frank_wolfe_steps.hpp>
#include <fanion/oracles/evaluate.hpp>
#include <fanion/oracles/plan.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>

namespace fanion {

/// A smooth function of matrices like X:
///  1. `value(x)`: f(x);
///  2. `gradient(x, g)`: writes every entry of g, which has x's type and shape, with
///     ∂f/∂x(i, j); x is not g.
///  Example: examples/07_frank_wolfe.cpp.
template <class F, class X>
concept SmoothObjective = requires(F& f, const X& x, X& g) {
  { f.value(x) } -> std::convertible_to<double>;
  f.gradient(x, g);
};

/// One whose second derivative is known: `curvature(x, d)` is <d, ∇²f(x) d>. Where f is quadratic,
/// f(x + γd) = f(x) + γ <∇f(x), d> + γ²/2 curvature, and the best γ follows.
template <class F, class X>
concept CurvedObjective = SmoothObjective<F, X> && requires(F& f, const X& x) {
  { f.curvature(x, x) } -> std::convertible_to<double>;
};

/// One that has what a rule asks for.
template <class F, class X, class Rule>
concept ObjectiveFor = SmoothObjective<F, X> &&
    (CurvedObjective<F, X> || !std::same_as<Rule, exact_line_search>);

/// A matrix that owns its memory, an Eigen::Matrix for one, so that others like it can be made.
template <class X>
concept OwningMatrix = WritableMatrix<X> && static_cast<bool>(matrix_adapter<X>::resizable);

namespace detail {

/// The dense line from X through the oracle's S. Allocates in the constructor only.
template <LmoTractable N, class X, class F, class Method>
class dense_line {
  using adapter = matrix_adapter<X>;
  using backend = typename default_backend<space_of<X>>::type;

 public:
  using scalar = scalar_of<X>;

  dense_line(const N& n, F& f, X& x, double radius, const Method& method)
      : f_(&f),
        x_(&x),
        radius_(radius),
        plan_(n, adapter::rows(x), adapter::cols(x), false, method, backend()) {
    for (X* m : {&gradient_, &direction_, &last_})
      adapter::resize(*m, adapter::rows(x), adapter::cols(x));
  }

  [[nodiscard]] double value() {
    ++evaluations_;
    return static_cast<double>(f_->value(std::as_const(*x_)));
  }
  [[nodiscard]] descent_sight look() {
    f_->gradient(std::as_const(*x_), gradient_);
    const lmo_report r = plan_.execute(gradient_, direction_);
    descent_sight s{.finite = r.outcome != outcome::non_finite,
                    .failure_probability = r.failure_probability,
                    .passes = r.passes};
    if (!s.finite) return s;
    // An S outside the ball by what the method let slip is drawn back to it.
    const bool proven = is_finite(r.feasibility) && r.feasibility > 1;
    const double length = radius_ / (proven ? r.feasibility : 1.0);
    const auto x = view(*x_), d = view(direction_);
    size_ = static_cast<double>(backend_.norm(x));
    const auto inner = with_gradient(x, size_);
    backend_.axpby(scalar(-1), x.as_const(), static_cast<scalar>(length), d);
    length_ = static_cast<double>(backend_.norm(d));
    s.gap = -with_gradient(d, length_);
    s.certified_gap = radius_ * r.bound + inner;
    backend_.copy(x.as_const(), view(last_));
    return s;
  }
  [[nodiscard]] double size() const { return size_; }
  [[nodiscard]] double square() const { return length_ * length_; }
  [[nodiscard]] double curvature() requires CurvedObjective<F, X> {
    return static_cast<double>(f_->curvature(std::as_const(last_), std::as_const(direction_)));
  }
  [[nodiscard]] double value_along(double step) {
    move(step);
    return value();
  }
  void move(double step) {
    undo();
    backend_.axpby(static_cast<scalar>(step), view(direction_).as_const(), scalar(1), view(*x_));
  }
  void undo() { backend_.copy(view(last_).as_const(), view(*x_)); }
  [[nodiscard]] index_t evaluations() const { return evaluations_; }

 private:
  static auto view(X& m) { return adapter::view(m).storage; }

  /// <∇f(X), Y> in double for a Y of this norm, by way of `last_`: in the scalar the product of two
  /// matrices of 1e30 would be infinite, so a power of two brings Y's norm near 1.
  double with_gradient(matrix_view<scalar, space_of<X>> y, double norm) {
    if (!(norm > 0)) return norm;
    constexpr int most = std::numeric_limits<scalar>::max_exponent - 2;
    const int power = std::clamp(std::ilogb(norm), -most, most);
    const auto scaled = view(last_);
    backend_.axpby(std::ldexp(scalar(1), -power), y.as_const(), scalar(0), scaled);
    return std::ldexp(static_cast<double>(backend_.dot(view(gradient_), scaled)), power);
  }

  F* f_;
  X* x_;
  double radius_, size_ = 0, length_ = 0;
  backend backend_;
  lmo_plan<N, scalar, backend> plan_;
  X gradient_, direction_, last_;
  index_t evaluations_ = 0;
};

}  // namespace detail

/// Minimises f over { X : n(X) <= radius } from the X that is given, which becomes the answer.
/// Keeps three matrices of X's size beside the oracle's memory. Allocates before the first step and
/// not after, if f does not. A step costs a gradient, an oracle, a value of f and about ten reads
/// and five writes of X.
///
/// The method's own gap is a floor under the certified gap: ask it for less than you ask here. On a
/// non-finite gradient or value X goes back to the last point where both were finite.
/// @throws std::invalid_argument for impossible options; where n(X) is above the radius and n is
/// Evaluable; and as plan_lmo. X is then as it was.
template <LmoTractable N, class F, OwningMatrix X, StepRule Rule = adaptive_step,
          SpectralMethod Method = automatic, class Watch = ignore_steps>
requires ObjectiveFor<F, X, Rule> frank_wolfe_report
frank_wolfe(const N& n, F&& f, X& x, const frank_wolfe_options& options = {}, const Rule& rule = {},
            const Method& method = {}, Watch&& watch = {}) {
  check(options);
  check(rule);
  detail::dense_line<N, X, std::remove_reference_t<F>, Method> line(n, f, x, options.radius,
                                                                    method);
  if constexpr (Evaluable<N>) {
    using adapter = matrix_adapter<X>;
    const auto size = static_cast<double>(value(n, x));
    if (size > options.radius * (1 + rounding<scalar_of<X>>(adapter::rows(x), adapter::cols(x))))
      refuse("frank_wolfe: the norm of the start", "at most the radius", size);
  }
  return detail::descend(line, options, rule, watch);
}

}  // namespace fanion
