/// @file  Every method that serves a norm, on every matrix of the zoo: whether the answer is right
/// and the report true, by long double arithmetic that shares nothing with the library.
#pragma once

#include <doctest/doctest.h>

#include <fanion/eigen.hpp>

#include "reference.hpp"
#include "wider_run.hpp"
#include "zoo.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <limits>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace zoo {

template <class T>
using matrix_of = Eigen::Matrix<T, -1, -1>;

/// What ends a method's run, and so what `converged` is worth.
enum class stop {
  rounding,   ///< nothing is missed but rounding and the values that it calls zero
  proof,      ///< the certified gap is at most what was asked for
  estimate,   ///< the gap is near what was asked for: at most `slack` times it
  fixed_work  ///< no promise beyond a true report
};

struct promise {
  zoo::stop stop;
  double gap = 0;           ///< what was asked for
  double slack = 1;         ///< where the stop is an estimate
  double over = 0;          ///< N(D) <= 1 + over
  double unfinished = 0;    ///< share of the runs that may end as `budget_spent`
  double unidentified = 0;  ///< share of the runs that may end as `vectors_not_identified`
  bool polar = false;       ///< serves full depth only
};

/// A method, and what it is held to.
template <class Method>
struct contender {
  std::string name;
  Method method;
  promise held;
};
template <class Method>
contender(std::string, Method, promise) -> contender<Method>;

/// The methods. A new one is a line here.
template <class T>
[[nodiscard]] auto contenders() {
  using namespace fanion;
  using enum stop;
  const double gap = sizeof(T) == 4 ? 1e-4 : 1e-6;  // where none is given
  return std::tuple(
      contender{"exact", exact{}, {.stop = rounding}},
      contender{"automatic", automatic{}, {.stop = estimate, .gap = gap, .slack = 3, .over = gap}},
      contender{"automatic 1e-2",
                automatic{.gap = 1e-2},
                {.stop = estimate, .gap = 1e-2, .slack = 3, .over = 1e-2}},
      contender{"lanczos", lanczos{}, {.stop = estimate, .gap = gap, .slack = 3}},
      contender{"lanczos 1e-2", lanczos{.gap = 1e-2}, {.stop = estimate, .gap = 1e-2, .slack = 3}},
      // Ties leave the vectors open, and clusters of 1e-10 take more passes than there are.
      contender{"lanczos tol 1e-3",
                lanczos{.tol = 1e-3},
                {.stop = estimate, .gap = 1e-3, .unfinished = 0.05, .unidentified = 0.9}},
      // Slow where no gap is; and where values move by rounding, at a tight gap, it waits for them.
      contender{
          "subspace", subspace{}, {.stop = estimate, .gap = gap, .slack = 3, .unfinished = 0.02}},
      contender{
          "subspace 1e-2", subspace{.gap = 1e-2}, {.stop = estimate, .gap = 1e-2, .slack = 3}},
      // Without a column to spare the estimate cannot see what it misses: a baseline, held to ten
      // times what it was asked for.
      contender{"power 1e-2", power{.gap = 1e-2}, {.stop = estimate, .gap = 1e-2, .slack = 10}},
      contender{"randomized", randomized{}, {.stop = fixed_work}},
      contender{"polar express",
                polar_express{},
                {.stop = proof, .gap = gap, .over = gap, .polar = true}},
      contender{"polar express 1e-2",
                polar_express{.gap = 1e-2},
                {.stop = proof, .gap = 1e-2, .over = 1e-2, .polar = true}},
      // Small values drown in M Mᵀ, where their bounds stay at sqrt(ε) σ₁.
      contender{"block krylov", block_krylov{}, {.stop = proof, .gap = gap, .unfinished = 0.4}},
      contender{"block krylov 1e-2",
                block_krylov{.gap = 1e-2},
                {.stop = proof, .gap = 1e-2, .unfinished = 0.25}},
      contender{"block krylov tol 1e-3",
                block_krylov{.tol = 1e-3},
                {.stop = estimate, .gap = 1e-3, .unfinished = 0.05, .unidentified = 0.8}},
      contender{"qdwh", qdwh{}, {.stop = proof, .gap = gap, .over = gap, .polar = true}},
      contender{
          "gram eigen", gram_eigen{}, {.stop = proof, .gap = gap, .over = gap, .polar = true}},
      contender{
          "newton schulz", newton_schulz{}, {.stop = fixed_work, .over = 0.21, .polar = true}},
      contender{"newton schulz, bfloat16",
                newton_schulz{.compute = compute::bfloat16},
                {.stop = fixed_work, .over = 0.24, .polar = true}},
      contender{"polar express, float16",
                polar_express{.lower = 1e-3, .steps = 7, .compute = compute::float16},
                {.stop = fixed_work, .over = 0.02, .polar = true}},
      contender{"classic newton schulz",
                newton_schulz{.steps = 30, .coefficients = schulz::classic},
                {.stop = fixed_work, .polar = true}});
}

/// What all runs of one method came to.
struct tally {
  int runs = 0;
  int converged = 0;
  int unfinished = 0;
  int unidentified = 0;
  real worst = 0;  ///< the largest true gap of a converged run
  std::string where;
};

struct context {
  std::map<std::string, tally> tallies;
  std::string specimen;
  int plans = 0, specimens = 0;
};

/// N(D) lies in here, N the dual of Ky Fan k; and σ where it was computed.
struct bracket {
  real least = 0;
  real most = 0;
};

[[nodiscard]] inline real ky_fan_dual(const std::vector<real>& sigma, position k) {
  real sum = 0;
  for (const real s : sigma) sum += s;
  return sigma.empty() ? 0 : std::max(sigma.front(), sum / static_cast<real>(k));
}

/// D = QR + E with Q k orthonormal columns and QᵀE = 0: then σ₁(R)² <= σ₁(D)² <= σ₁(R)² + ‖E‖², and
/// the sum of the σ of D is between that of R's, and that and sqrt(r) ‖E‖. Close for answers of
/// rank k, whose E is rounding.
[[nodiscard]] inline bracket size_by_projection(table d, position k) {
  const position m = d.rows(), n = d.cols();
  table r = table::Zero(k, n);
  for (position step = 0; step < k; ++step) {
    position best = 0;
    real most = -1;
    for (position j = 0; j < n; ++j) {
      real length = 0;
      for (position i = 0; i < m; ++i) length += d(i, j) * d(i, j);
      if (length > most) most = length, best = j;
    }
    if (most <= 0) break;
    std::vector<real> q(static_cast<std::size_t>(m));
    for (position i = 0; i < m; ++i) q[static_cast<std::size_t>(i)] = d(i, best) / std::sqrt(most);
    for (position j = 0; j < n; ++j) {
      real along = 0;
      for (position i = 0; i < m; ++i) along += q[static_cast<std::size_t>(i)] * d(i, j);
      r(step, j) += along;
      for (position i = 0; i < m; ++i) d(i, j) -= along * q[static_cast<std::size_t>(i)];
    }
  }
  const std::vector<real> sigma = reference::svd(r).sigma;
  const real rest = std::sqrt(reference::dot(d, d));
  const real sum = std::accumulate(sigma.begin(), sigma.end(), real(0));
  const real first = sigma.front(), depth = static_cast<real>(k);
  return {ky_fan_dual(sigma, k),
          std::max(std::hypot(first, rest),
                   (sum + rest * std::sqrt(static_cast<real>(std::min(m, n)))) / depth)};
}

/// σ₁(D) < claimed where claimed² I - DDᵀ has a Cholesky factor; a few power iterations are below.
[[nodiscard]] inline bracket size_by_factorisation(const table& x, real claimed) {
  const table d = x.rows() <= x.cols() ? x : reference::transposed(x);
  const position r = d.rows();
  table gram = table::Zero(r, r);
  for (position k = 0; k < d.cols(); ++k)
    for (position j = 0; j < r; ++j)
      for (position i = j; i < r; ++i) gram(i, j) += d(i, k) * d(j, k);
  for (position j = 0; j < r; ++j)
    for (position i = 0; i < j; ++i) gram(i, j) = gram(j, i);

  table v = uniform(r, 1, 99), w(r, 1);
  real least = 0;
  for (int step = 0; step < 20; ++step) {
    const real length = std::sqrt(reference::dot(v, v));
    if (length <= 0) break;
    v /= length;
    w = reference::product(gram, v);
    least = std::max(least, std::sqrt(std::max<real>(0, reference::dot(v, w))));
    std::swap(v, w);
  }

  table l = -gram;
  for (position i = 0; i < r; ++i) l(i, i) += claimed * claimed;
  for (position j = 0; j < r; ++j) {
    if (!(l(j, j) > 0)) return {least, std::numeric_limits<real>::infinity()};
    for (position k = j + 1; k < r; ++k) {
      const real factor = l(k, j) / l(j, j);
      for (position i = k; i < r; ++i) l(i, k) -= factor * l(i, j);
    }
  }
  return {least, claimed};
}

/// The quick ones do not always decide: a verdict against the library takes the slow one.
[[nodiscard]] inline real size_of_answer(const table& d, position k, real claimed) {
  const bool full = k >= std::min(d.rows(), d.cols());
  const bracket b = full ? size_by_factorisation(d, claimed) : size_by_projection(d, k);
  return b.most <= claimed ? b.least : ky_fan_dual(reference::svd(d).sigma, k);
}

/// σ below this share of σ₁ is zero to a method with triplets: twice max(m, n) ε, since what it
/// compares is rounded.
template <class T>
[[nodiscard]] real called_zero(const table& x) {
  return 2 * static_cast<real>(std::numeric_limits<T>::epsilon()) *
         static_cast<real>(std::max(x.rows(), x.cols()));
}

/// What rounding may add to or take from a value, as a share of it: c ε sqrt(max(m, n)), with c
/// four times what the reports themselves allow for.
template <class T>
[[nodiscard]] real tolerance(const table& x) {
  return 16 * static_cast<real>(std::numeric_limits<T>::epsilon()) *
         std::sqrt(static_cast<real>(std::max(x.rows(), x.cols())));
}

template <class T, class Method>
void judge(context& where, const contender<Method>& c, const reference::facts& f, position k,
           const matrix_of<T>& d, const fanion::lmo_report& report) {
  using fanion::outcome;
  tally& sum = where.tallies[c.name];
  const real tol = tolerance<T>(f.x);
  const real best = reference::leading_sum(f, k);
  const std::string ended = to_string(report.outcome);
  CAPTURE(ended);
  CAPTURE(report.passes);
  CAPTURE(report.iterations);
  REQUIRE(d.allFinite());
  REQUIRE(d.rows() == f.x.rows());
  REQUIRE(d.cols() == f.x.cols());
  for (const double number : {report.objective, report.bound, report.feasibility, report.residual,
                              report.failure_probability, report.gap()})
    CHECK(std::isfinite(number));
  CHECK(report.objective <= 0);
  // Only block Krylov proves anything by its random numbers.
  CHECK(report.failure_probability <= (c.name.starts_with("block krylov") ? 1e-3 : 0.0));
  CHECK(report.passes >= 1);
  if (best == 0) {
    CHECK(report.outcome == outcome::zero_input);
    CHECK(d == matrix_of<T>::Zero(d.rows(), d.cols()));
    CHECK(report.objective == 0);
    CHECK(report.gap() == 0);
    return;
  }

  const table wide = reference::widen(d);
  const real attained = -reference::dot(f.x, wide);
  const real claimed = static_cast<real>(report.feasibility);
  const real size = size_of_answer(wide, k, claimed);
  const real lost = 1 - attained / (std::max<real>(1, size) * best);
  CAPTURE(static_cast<double>(attained / best));
  CAPTURE(static_cast<double>(size));
  CAPTURE(static_cast<double>(lost));
  CAPTURE(report.gap());
  // Of M and D, and no other.
  CHECK(static_cast<double>(std::fabs(static_cast<real>(report.objective) + attained) / best) <=
        static_cast<double>(tol));
  // Bounds.
  CHECK(static_cast<double>(best / static_cast<real>(report.bound) - 1) <= 0);
  CHECK(static_cast<double>(size / claimed - 1) <= 0);
  CHECK(static_cast<double>(lost - tol) <= report.gap());
  // In the ball.
  CHECK(static_cast<double>(size) <= 1 + c.held.over + static_cast<double>(tol));
  CHECK(static_cast<double>(lost) >= -c.held.over - static_cast<double>(tol));

  ++sum.runs;
  if (report.outcome == outcome::converged) ++sum.converged;
  if (report.outcome == outcome::budget_spent) ++sum.unfinished;
  if (report.outcome == outcome::vectors_not_identified) ++sum.unidentified;
  CHECK((report.outcome == outcome::converged || report.outcome == outcome::budget_spent ||
         report.outcome == outcome::vectors_not_identified));
  if (report.outcome == outcome::budget_spent) return;
  real dropped = 0;
  if (!c.held.polar)
    for (position i = 0; i < std::min<position>(k, static_cast<position>(f.sigma.size())); ++i) {
      const real s = f.sigma[static_cast<std::size_t>(i)];
      if (s <= called_zero<T>(f.x) * f.sigma.front()) dropped += s / best;
    }
  if (lost > sum.worst || sum.where.empty()) {
    sum.worst = std::max(sum.worst, lost);
    sum.where = where.specimen + ", k = " + std::to_string(k);
  }
  const real asked = static_cast<real>(c.held.gap);
  if (c.held.stop == stop::proof)
    CHECK(static_cast<double>(lost) <= std::max(c.held.gap, static_cast<double>(tol)));
  if (c.held.stop == stop::rounding || c.held.stop == stop::estimate)
    CHECK(static_cast<double>(lost) <=
          static_cast<double>(static_cast<real>(c.held.slack) * asked + tol + dropped));
}

/// f(contender) for each.
template <class T, class F>
void for_each_contender(F&& f) {
  std::apply([&](const auto&... c) { (f(c), ...); }, contenders<T>());
}

/// One norm: a cold plan, and the same plan with what it remembers made wrong.
template <class T, class N, class Method>
void examine(context& where, const contender<Method>& c, const N& n, const reference::facts& f,
             const reference::facts& turned, position k, const matrix_of<T>& m) {
  INFO(where.specimen, ", ", m.rows(), "x", m.cols(), ", k = ", k, ", ", c.name);
  auto plan = fanion::plan_lmo(n, m, c.method);
  matrix_of<T> d;
  judge(where, c, f, k, d, (plan.execute(m, d), plan.report()));
  // In the wider run every plan has its memory made wrong, in the gate every fifth.
  if (++where.plans % 5 != 0 && !wider_run()) return;
  // The rows and columns in reverse: the same σ, other vectors.
  INFO("with the memory of the matrix turned around");
  const matrix_of<T> other = m.reverse();
  judge(where, c, turned, k, d, (plan.execute(other, d), plan.report()));
}

/// Every contender at every depth, 1 and r as the norms that have names of their own; in the gate
/// at every second, the others for the next matrix.
template <class T>
void examine_all(context& where, const reference::facts& f, const matrix_of<T>& m) {
  using namespace fanion;
  const reference::facts turned{f.x.reverse(), f.sigma};
  const position r = std::min(m.rows(), m.cols());
  int turn = ++where.specimens;
  const auto due = [&] { return ++turn % 2 == 0 || wider_run(); };
  for_each_contender<T>([&](const auto& c) {
    if (due()) examine(where, c, spectral(), f, turned, r, m);
    if (c.held.polar) return;
    if (due()) examine(where, c, nuclear(), f, turned, 1, m);
    for (const position k : {2, 5, 20})
      if (due() && k < r) examine(where, c, dual(ky_fan(k)), f, turned, k, m);
  });
}

/// Every contender once: depth 5, or r.
template <class T>
void examine_some(context& where, const reference::facts& f, const matrix_of<T>& m) {
  using namespace fanion;
  const reference::facts turned{f.x.reverse(), f.sigma};
  const position r = std::min(m.rows(), m.cols());
  for_each_contender<T>([&](const auto& c) {
    if (c.held.polar || r <= 5)
      examine(where, c, spectral(), f, turned, r, m);
    else
      examine(where, c, dual(ky_fan(5)), f, turned, 5, m);
  });
}

/// Scaled by a power of two: the same bits, in a first and a second call. For matrices that such a
/// power does not round. Returns how often that was so.
template <class T>
int examine_bits(context& where, const matrix_of<T>& m, const std::vector<int>& exponents) {
  using namespace fanion;
  struct scaled_matrix {
    int exponent;
    matrix_of<T> m;
  };
  std::vector<scaled_matrix> others;
  for (const int e : exponents) {
    const matrix_of<T> big = m.unaryExpr([=](T x) { return std::ldexp(x, e); });
    const matrix_of<T> back = big.unaryExpr([=](T x) { return std::ldexp(x, -e); });
    // Nor may the products of small entries with a vector's be rounded.
    const T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
    const bool far = (big.array() == T(0) || big.array().abs() > least).all();
    if (big.allFinite() && back == m && far) others.push_back({e, big});
  }
  const auto compare = [&](const auto& c, const auto& n) {
    auto plan = plan_lmo(n, m, c.method);
    matrix_of<T> first, second, d;
    const lmo_report one = plan.execute(m, first), two = plan.execute(m, second);
    // In M Mᵀ the smallest entries of this one are lost to underflow, and noise takes their place.
    T least = std::numeric_limits<T>::max();
    for (const T x : m.reshaped())
      if (x != T(0)) least = std::min(least, std::abs(x));
    const T ratio = least / m.cwiseAbs().maxCoeff();
    if (c.name.starts_with("block krylov") &&
        !(ratio * ratio > std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon()))
      return;
    for (const scaled_matrix& other : others) {
      INFO(where.specimen, ", ", m.rows(), "x", m.cols(), ", ", c.name, ", 2^", other.exponent);
      auto again = plan_lmo(n, m, c.method);
      for (const lmo_report* a : {&one, &two}) {
        const lmo_report b = again.execute(other.m, d);
        CAPTURE((a == &one));
        CHECK(d == (a == &one ? first : second));
        CHECK(a->outcome == b.outcome);
        CHECK(a->passes == b.passes);
        CHECK(a->iterations == b.iterations);
        CHECK(a->feasibility == b.feasibility);
        CHECK(std::ldexp(a->objective, other.exponent) == b.objective);
        CHECK(std::ldexp(a->bound, other.exponent) == b.bound);
      }
    }
  };
  for_each_contender<T>([&](const auto& c) {
    if (c.held.polar)
      compare(c, spectral());
    else
      compare(c, dual(ky_fan(5)));
  });
  return static_cast<int>(others.size());
}

/// `value` of every norm, and from below by a method that finds leading vectors.
template <class T>
void examine_values(const std::string& name, const reference::facts& f, const matrix_of<T>& m) {
  using namespace fanion;
  const position r = std::min(m.rows(), m.cols());
  const real tol = tolerance<T>(f.x);
  const auto check = [&](const char* norm, T got, real want, real less = 0) {
    INFO(name, ", ", m.rows(), "x", m.cols(), ", ", norm);
    CAPTURE(got);
    CAPTURE(static_cast<double>(want));
    if (want == 0) {
      CHECK(got == T(0));
      return;
    }
    const real off = static_cast<real>(got) / want - 1;
    CHECK(static_cast<double>(off) <= static_cast<double>(tol));
    CHECK(static_cast<double>(off) >= -static_cast<double>(tol + less));
  };
  // What a decomposition calls zero is missing.
  const auto dropped = [&](position k) {
    real sum = 0;
    for (position i = 0; i < std::min(k, r); ++i) {
      const real s = f.sigma[static_cast<std::size_t>(i)];
      if (s <= called_zero<T>(f.x) * f.sigma.front()) sum += s;
    }
    return sum > 0 ? sum / reference::leading_sum(f, k) : 0;
  };
  check("spectral", value(spectral(), m), reference::spectral(f));
  check("nuclear", value(nuclear(), m), reference::nuclear(f), dropped(r));
  check("rms_to_rms", value(rms_to_rms(m.rows(), m.cols()), m), reference::rms_to_rms(f));
  check("frobenius", value(frobenius(), m), reference::frobenius(f));
  check("max_abs", value(max_abs(), m), reference::max_abs(f));
  check("sum_abs", value(sum_abs(), m), reference::sum_abs(f));
  check("dual ky_fan 5", value(dual(ky_fan(5)), m), reference::ky_fan_dual(f, 5), dropped(r));
  for (const position k : {1, 2, 5, 20}) {
    check("ky_fan", value(ky_fan(k), m), reference::leading_sum(f, k), dropped(k));
    check("ky_fan from below", value(ky_fan(k), m, lanczos{.gap = 1e-3}),
          reference::leading_sum(f, k), dropped(k) + 3e-3L);
  }
}

/// Prints what the runs came to, and holds the shares of those that ended otherwise.
template <class T>
void conclude(const context& where) {
  std::ostringstream text;
  text << "\n"
       << std::left << std::setw(24) << "method" << std::right << std::setw(6) << "runs"
       << std::setw(11) << "converged" << std::setw(8) << "budget" << std::setw(9) << "no gap"
       << std::setw(11) << "true gap"
       << "  where\n";
  for_each_contender<T>([&](const auto& c) {
    const tally& t = where.tallies.at(c.name);
    text << std::left << std::setw(24) << c.name << std::right << std::setw(6) << t.runs
         << std::setw(11) << t.converged << std::setw(8) << t.unfinished << std::setw(9)
         << t.unidentified << std::setw(11) << std::setprecision(2) << std::scientific
         << static_cast<double>(t.worst) << "  " << t.where << "\n";
    INFO(c.name);
    CHECK(t.runs > 0);
    CHECK(t.unfinished <= c.held.unfinished * t.runs);
    CHECK(t.unidentified <= c.held.unidentified * t.runs);
  });
  MESSAGE(text.str());
}

template <class T>
void examine_zoo() {
  context where;
  for (const specimen& s : all()) {
    where.specimen = s.name;
    const matrix_of<T> m = rounded<T>(s.make());
    const reference::facts f = reference::facts_of(m);
    examine_all<T>(where, f, m);
    examine_values<T>(s.name, f, m);
  }
  conclude<T>(where);
}

/// Rounded after it was scaled to a largest entry of 1e±30 in float, 1e±300 in double: what then
/// underflows is part of the matrix.
template <class T>
void examine_extremes() {
  context where;
  for (const real scale : {sizeof(T) == 4 ? 1e30L : 1e300L, sizeof(T) == 4 ? 1e-30L : 1e-300L}) {
    int turn = scale > 1 ? 0 : 1;
    for (const specimen& s : all()) {
      if (++turn % 2 == 0 && !wider_run()) continue;  // in the gate each at one end
      where.specimen = s.name + (scale > 1 ? ", large" : ", small");
      const matrix_of<T> m = rounded<T>(scaled(s.make(), scale));
      const reference::facts f = reference::facts_of(m);
      examine_some<T>(where, f, m);
      examine_values<T>(where.specimen, f, m);
    }
  }
  conclude<T>(where);
}

/// Far, but not so far that a product of an entry and one of a unit vector underflows.
template <class T>
void examine_powers_of_two() {
  context where;
  int done = 0, turn = 0;
  for (const specimen& s : all()) {
    where.specimen = s.name;
    const int far = (++turn % 2 == 0 ? 1 : -1) * (sizeof(T) == 4 ? 40 : 400);
    done += examine_bits<T>(where, rounded<T>(s.make()),
                            wider_run() ? std::vector<int>{far, -far} : std::vector<int>{far});
  }
  CHECK(done >= static_cast<int>(all().size()) / (wider_run() ? 1 : 2));
}

}  // namespace zoo
