/// @file  What the forms of Frank and Wolfe's method share: rules for the step, the stopping rule,
/// the report, and the loop.
///
/// The method minimises a smooth f over the ball { X : n(X) <= radius }. With S the ball's oracle
/// at the gradient it goes from X to X + γ(S - X), a point of the ball for every γ in [0, 1] (Frank
/// and Wolfe 1956). For convex f the gap <X - S, ∇f(X)> bounds f(X) - min f (Jaggi 2013).
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/types.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <utility>

namespace fanion {

/// γ = min(1, gap / (L ‖S - X‖_F²)), for a gradient whose Lipschitz constant in the Frobenius norm
/// is at most L. f never grows.
struct short_step {
  double lipschitz = 0;  ///< L; has to be given
};

/// γ = l/(t + l) in the step t = 0, 1, …: looks at nothing. f may grow for a while; for convex f
/// the gap is O(1/t).
struct open_loop {
  double l = 2;
};

/// γ = min(1, gap / <S - X, ∇²f (S - X)>), the best γ where f is quadratic. Asks the objective for
/// its `curvature`.
struct exact_line_search {};

/// The short step with an L that is found on the way (Pedregosa, Negiar, Askari and Jaggi 2020): L
/// shrinks before each step, then grows until f(X + γ(S - X)) <= f(X) - γ gap + γ²L‖S - X‖²/2. At
/// least one value of f a step; f never grows, but for rounding.
struct adaptive_step {
  std::optional<double> lipschitz = {};  ///< the first L; unset: that of the step γ = 1
  double grow = 2;
  double shrink = 0.9;
};

template <class R>
concept StepRule = std::same_as<R, short_step> || std::same_as<R, open_loop> ||
    std::same_as<R, exact_line_search> || std::same_as<R, adaptive_step>;

/// The run stops where the certified gap is at most max(tolerance, relative · that of the start).
struct frank_wolfe_options {
  double radius = 1;
  double tolerance = 0;  ///< in units of f
  /// A share of the certified gap at the start, if that is finite; unset: 1e-3 where `tolerance` is
  /// 0, otherwise 0.
  std::optional<double> relative = {};
  index_t iterations = 1000;  ///< steps at most
};

/// How a run ended.
enum class descent_outcome {
  converged,     ///< the certified gap is small enough
  budget_spent,  ///< the steps allowed were made
  no_descent,    ///< the oracle's S is no better than X, or rounding hides the step
  non_finite     ///< f or its gradient is NaN or infinite; X is the last point where they were not,
                 ///< or the first one, or one whose gap is not finite
};

[[nodiscard]] constexpr const char* to_string(descent_outcome o) noexcept {
  switch (o) {
    case descent_outcome::converged:
      return "converged";
    case descent_outcome::budget_spent:
      return "budget_spent";
    case descent_outcome::no_descent:
      return "no_descent";
    case descent_outcome::non_finite:
      return "non_finite";
  }
  return "unknown";
}

/// What is known at X. Both gaps are of this X, but for rounding in their sums.
struct frank_wolfe_report {
  index_t iterations = 0;  ///< steps that led to X
  double value = 0;        ///< f(X)
  double gap = 0;          ///< <X - S, ∇f(X)> of the S that the oracle found; NaN for none
  /// radius · bound + <X, ∇f(X)> with the oracle's bound on the dual norm of the gradient: at least
  /// <X - Y, ∇f(X)> for every Y of the ball, whatever the oracle missed, so for convex f at least
  /// f(X) - min f. Infinite where the oracle proves nothing.
  double certified_gap = std::numeric_limits<double>::infinity();
  double failure_probability = 0;  ///< that this certificate is wrong: the oracle's
  double step = 0;                 ///< the last γ
  index_t evaluations = 0;         ///< of f's value
  index_t passes = 0;              ///< of the oracle over gradients
  descent_outcome outcome = descent_outcome::converged;
};

/// The watcher of a run that nobody watches. Others are called with the report at each X, the start
/// included, before its step.
struct ignore_steps {
  constexpr void operator()(const frank_wolfe_report&) const noexcept {}
};

inline void check(const frank_wolfe_options& o) {
  (void)expects_positive(o.radius, "frank_wolfe: radius");
  (void)expects_coefficient(o.tolerance, "frank_wolfe: tolerance");
  if (o.relative) (void)expects_fraction(*o.relative, "frank_wolfe: relative");
  (void)expects_at_least(o.iterations, 0, "frank_wolfe: iterations");
}
inline void check(const short_step& r) {
  (void)expects_positive(r.lipschitz, "short_step: lipschitz");
}
inline void check(const open_loop& r) { (void)expects_positive(r.l, "open_loop: l"); }
inline void check(const exact_line_search&) {}
inline void check(const adaptive_step& r) {
  if (r.lipschitz) (void)expects_positive(*r.lipschitz, "adaptive_step: lipschitz");
  if (!(r.grow > 1) || !is_finite(r.grow)) refuse("adaptive_step: grow", "above 1", r.grow);
  if (!(r.shrink > 0 && r.shrink <= 1))
    refuse("adaptive_step: shrink", "above 0 and at most 1", r.shrink);
}

namespace detail {

/// What one look from X finds: whether the gradient is finite, the gaps, what the oracle did.
struct descent_sight {
  bool finite = false;
  double gap = 0;
  double certified_gap = 0;
  double failure_probability = 0;
  index_t passes = 0;
};

/// A step, and f at its end where the rule has looked there.
struct chosen_step {
  double length = 0;
  std::optional<double> value = {};
};

template <class Line>
chosen_step choose(const short_step& rule, double&, Line& line, const frank_wolfe_report& at) {
  const double square = line.square();
  return {square > 0 ? std::min(1.0, at.gap / (rule.lipschitz * square)) : 0.0};
}
template <class Line>
chosen_step choose(const open_loop& rule, double&, Line&, const frank_wolfe_report& at) {
  return {rule.l / (static_cast<double>(at.iterations) + rule.l)};
}
template <class Line>
chosen_step choose(const exact_line_search&, double&, Line& line, const frank_wolfe_report& at) {
  const double bend = line.curvature();
  return {bend > at.gap ? at.gap / bend : 1.0};
}
/// `lipschitz` is the rule's memory, 0 before the first step. What f's own rounding may hide counts
/// as a decrease, and where all of it is hidden there is no step.
template <class Line>
chosen_step choose(const adaptive_step& rule, double& lipschitz, Line& line,
                   const frank_wolfe_report& at) {
  constexpr auto eps = static_cast<double>(std::numeric_limits<typename Line::scalar>::epsilon());
  const double square = line.square(), hidden = 8 * eps * std::abs(at.value);
  if (!(square > 0)) return {};
  lipschitz = lipschitz == 0 ? rule.lipschitz.value_or(at.gap / square) : lipschitz * rule.shrink;
  lipschitz = std::max(lipschitz, std::numeric_limits<double>::min());
  while (true) {
    const double step = std::min(1.0, at.gap / (lipschitz * square));
    if (!(step > 0)) return {};
    const double value = line.value_along(step);
    const double model = at.value - step * at.gap + step * step * lipschitz * square / 2;
    if (value <= model + hidden) return {step, value};
    if (step * at.gap <= hidden) return {};
    lipschitz *= rule.grow;
  }
}

/// Line: `scalar`; `value()`, f(X); `look()`, gradient and oracle at X; then `size()`, ‖X‖_F, and
/// `square()`, ‖S - X‖_F², `curvature()` and `value_along(γ)` of the direction that it found;
/// `move(γ)`; `undo()`, X as it was at the last look.
template <class Line, StepRule Rule, class Watch>
frank_wolfe_report descend(Line& line, const frank_wolfe_options& o, const Rule& rule,
                           Watch& watch) {
  constexpr auto eps = static_cast<double>(std::numeric_limits<typename Line::scalar>::epsilon());
  frank_wolfe_report r;
  r.value = line.value();
  r.gap = std::numeric_limits<double>::quiet_NaN();  // until there is a gradient
  r.evaluations = 1;
  const double relative = o.relative.value_or(o.tolerance > 0 ? 0 : 1e-3);
  double lipschitz = 0, target = o.tolerance, value = r.value, step = 0;
  for (index_t t = 0;; ++t) {
    const descent_sight s = is_finite(value) ? line.look() : descent_sight{};
    r.passes += s.passes;
    if (!s.finite) {
      if (t > 0) line.undo();
      r.outcome = descent_outcome::non_finite;
      return r;
    }
    r.iterations = t;
    r.value = value;
    r.step = step;
    r.gap = s.gap;
    r.certified_gap = s.certified_gap;
    r.failure_probability = s.failure_probability;
    if (t == 0 && is_finite(s.certified_gap)) target = std::max(target, relative * s.certified_gap);
    watch(std::as_const(r));
    const auto end = [&r](descent_outcome why) {
      r.outcome = why;
      return r;
    };
    if (!is_finite(r.gap) || std::isnan(r.certified_gap)) return end(descent_outcome::non_finite);
    if (r.certified_gap <= target) return end(descent_outcome::converged);
    if (t == o.iterations) return end(descent_outcome::budget_spent);
    if (!(r.gap > 0)) return end(descent_outcome::no_descent);
    const index_t before = line.evaluations();
    const chosen_step chosen = choose(rule, lipschitz, line, r);
    // A step below the rounding of X would be made again and again.
    if (!(chosen.length * std::sqrt(line.square()) > eps / 4 * line.size())) {
      line.undo();
      r.evaluations += line.evaluations() - before;
      return end(descent_outcome::no_descent);
    }
    line.move(chosen.length);
    step = chosen.length;
    value = chosen.value ? *chosen.value : line.value();
    r.evaluations += line.evaluations() - before;
  }
}

}  // namespace detail
}  // namespace fanion
