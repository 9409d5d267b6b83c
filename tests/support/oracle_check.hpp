/// @file  Whether an oracle's answer and report are right, by references alone.
#pragma once

#include <doctest/doctest.h>

#include "expressions.hpp"
#include "matrices.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace oracle_check {

using reference::facts;
using reference::real;

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// c ε max(m, n) with c = 32: what a backward stable decomposition may lose, with the growth of the
/// sums that the tests themselves do.
template <class T>
[[nodiscard]] real tolerance(Eigen::Index m, Eigen::Index n) {
  return 32 * static_cast<real>(std::numeric_limits<T>::epsilon()) *
         static_cast<real>(std::max(m, n));
}

/// Matrices that the norm of an answer is probed with where it has no formula: N(D) is the largest
/// of <Y, D> / N*(Y).
template <class T>
[[nodiscard]] const std::vector<facts>& probes(Eigen::Index m, Eigen::Index n) {
  static std::vector<facts> kept;
  if (kept.empty() || kept.front().x.rows() != m || kept.front().x.cols() != n) {
    kept.clear();
    for (std::uint64_t seed = 20; seed < 22; ++seed)
      kept.push_back(reference::facts_of(matrices::gaussian(m, n, seed)));
    kept.push_back(reference::facts_of(matrices::rank_one(m, n)));
  }
  return kept;
}

/// What N(D) is at least: the definition where there is one; else by duality, <Y, D> / N*(Y) over
/// probes Y and over D itself.
template <class T, class N>
[[nodiscard]] real norm_of_answer(const expressions::expression<N>& e, const matrix_of<T>& d,
                                  bool quick) {
  const facts f = quick ? reference::quick_facts_of(d) : reference::facts_of(d);
  if (e.primal) return e.primal(f);
  real most = 0;
  const auto look = [&](const facts& y) {
    const real size = e.dual(y);
    if (size > 0) most = std::max(most, std::fabs(reference::dot(y.x, f.x)) / size);
  };
  for (const facts& y : probes<T>(d.rows(), d.cols())) look(y);
  look(f);
  return most;
}

/// How good an answer is asked to be.
struct demand {
  double gap = 0;         ///< of the method, beside rounding
  double over = 0;        ///< N(D) <= 1 + over + rounding
  bool proven = true;     ///< whether the report has to prove a gap near the true one
  bool converges = true;  ///< whether the outcome has to be `converged`
};

template <class T, class N>
void check(const expressions::expression<N>& e, const facts& m, const matrix_of<T>& d,
           const fanion::lmo_report& report, const demand& want) {
  const real tol = tolerance<T>(m.x.rows(), m.x.cols());
  const real best = e.dual(m);
  const real attained = -reference::dot(m.x, reference::widen(d));
  real size = norm_of_answer(e, d, true);
  // The quick reference rounds too: a verdict against the library takes the slow one.
  if (size > static_cast<real>(report.feasibility)) size = norm_of_answer(e, d, false);
  const real lost = 1 - attained / (std::max<real>(1, size) * best);
  CAPTURE(static_cast<double>(attained / best));
  CAPTURE(static_cast<double>(size));
  CAPTURE(report.passes);
  CAPTURE(report.iterations);
  const std::string outcome = to_string(report.outcome);
  CAPTURE(outcome);

  // The report's objective is <M, D>.
  CHECK(static_cast<double>(std::fabs(static_cast<real>(report.objective) + attained) / best) <=
        static_cast<double>(tol));
  // The answer is as good as asked for, and stays in its ball.
  if (want.converges) CHECK(report.outcome == fanion::outcome::converged);
  if (report.outcome != fanion::outcome::budget_spent)
    CHECK(static_cast<double>(lost) <= want.gap + static_cast<double>(tol));
  CHECK(static_cast<double>(size) <= 1 + want.over + static_cast<double>(tol));
  // The bounds are bounds.
  CHECK(static_cast<real>(report.bound) >= best);
  CHECK(static_cast<real>(report.feasibility) >= size);
  CHECK(static_cast<real>(report.gap()) >= lost - 1e-2L * tol);
  if (want.proven && report.outcome == fanion::outcome::converged)
    CHECK(report.gap() <= 2 * want.gap + 4 * static_cast<double>(tol));
  CHECK(report.passes >= 1);
}

/// One shot with one method.
template <class T, class N, class Method>
void check_method(const expressions::expression<N>& e, const facts& f, const matrix_of<T>& m,
                  const std::string& name, const Method& method, const demand& want) {
  INFO(e.name, " with ", name, ", ", m.rows(), "x", m.cols(), ", ", sizeof(T), " bytes");
  matrix_of<T> d;
  check(e, f, d, fanion::lmo(e.norm, m, d, method), want);
}

template <class T>
constexpr double standard_gap = sizeof(T) == 4 ? 1e-4 : 1e-6;  ///< where none is given

/// What a method asked for a gap may miss, in gaps: iterations stop on an estimate, not a proof.
constexpr double estimate = 3;

/// By the methods that serve every norm.
template <class T, class N>
void check_general_methods(const expressions::expression<N>& e, const facts& f,
                           const matrix_of<T>& m) {
  using fanion::automatic;
  const double gap = standard_gap<T>, over = e.polar ? 1 : 0;
  check_method<T>(e, f, m, "exact", fanion::exact{}, {});
  check_method<T>(e, f, m, "automatic", automatic{},
                  {.gap = estimate * gap, .over = over * gap, .proven = false});
  check_method<T>(e, f, m, "automatic 1e-2", automatic{.gap = 1e-2},
                  {.gap = estimate * 1e-2, .over = over * 1e-2, .proven = false});
}

}  // namespace oracle_check
