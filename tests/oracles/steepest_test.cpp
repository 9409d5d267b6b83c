// argmin { <M, X> + λ n(X)² }: the least value is -n*(M)²/(4λ), and the seeds' formulas come out.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace fanion;
using oracle_check::matrix_of;

namespace {

template <class T>
double objective(const reference::facts& m, const matrix_of<T>& d,
                 const expressions::definition& norm, double lambda) {
  const reference::real size = norm(reference::facts_of(d));
  return static_cast<double>(reference::dot(m.x, reference::widen(d)) +
                             static_cast<reference::real>(lambda) * size * size);
}

}  // namespace

TEST_CASE_TEMPLATE("steepest descent attains the least value", T, float, double) {
  for (const matrices::shape& s :
       std::vector<matrices::shape>{{1, 1}, {7, 1}, {5, 8}, {9, 9}, {66, 70}}) {
    const matrix_of<T> m = matrices::gaussian(s.rows, s.cols).cast<T>();
    const reference::facts f = reference::facts_of(m);
    const auto look = [&](const auto& e) {
      INFO(e.name, ", ", s.name());
      for (const double lambda : {0.5, 3.0}) {
        matrix_of<T> d;
        const lmo_report report = steepest(e.norm, lambda, m, d, exact{});
        CHECK(report.outcome == outcome::converged);
        const double best = static_cast<double>(e.dual(f)), least = -best * best / (4 * lambda);
        const double tol = 8 * static_cast<double>(oracle_check::tolerance<T>(s.rows, s.cols));
        CHECK(report.objective == doctest::Approx(-best).epsilon(tol));
        if (!e.primal) continue;
        CHECK(objective<T>(f, d, e.primal, lambda) == doctest::Approx(least).epsilon(tol));
        // No step of another length is better.
        for (const T stretch : {T(0.9), T(1.1)})
          CHECK(objective<T>(f, matrix_of<T>(stretch * d), e.primal, lambda) > least);
      }
    };
    expressions::for_each(expressions::single(s.rows, s.cols, 2), look);
    expressions::for_each(expressions::closed(s.rows, s.cols, 2), look);
  }
}

TEST_CASE("the seeds' formulas") {
  const Eigen::MatrixXd m = matrices::gaussian(8, 6);
  const auto svd = reference::svd(reference::widen(m));
  const double lambda = 0.7;
  Eigen::MatrixXd d;
  const auto expect = [&](const std::vector<reference::real>& w) {
    const reference::table want = reference::compose(svd, w);
    CHECK((d.cast<reference::real>() + want).norm() <= 1e-12L * want.norm());
  };
  // Nuclear-Neon: σ₁/(2λ) of the leading pair.
  (void)steepest(nuclear(), lambda, m, d, exact{});
  expect({svd.sigma[0] / (2 * 0.7L)});
  // F*-Neon, λ times the mean of ‖D‖_F² and ‖D‖_*²: (σ - τ)₊/λ at τ = Σ_{σ>τ} σ/(count + 1).
  const double half = std::sqrt(0.5);
  (void)steepest(quadrature(half * frobenius(), half * nuclear()), lambda, m, d, exact{});
  reference::real sum = 0, threshold = 0;
  for (std::size_t j = 0; j < svd.sigma.size() && svd.sigma[j] > threshold; ++j) {
    sum += svd.sigma[j];
    threshold = sum / static_cast<reference::real>(j + 2);
  }
  std::vector<reference::real> w;
  for (const reference::real s : svd.sigma)
    w.push_back(std::max<reference::real>(0, s - threshold) / 0.7L);
  expect(w);
  // Muon's: the nuclear norm over 2λ times the polar factor.
  (void)steepest(spectral(), lambda, m, d, exact{});
  reference::real nuclear_norm = 0;
  for (const reference::real s : svd.sigma) nuclear_norm += s;
  expect(std::vector<reference::real>(svd.sigma.size(), nuclear_norm / (2 * 0.7L)));
}

namespace {

using spectrum = std::vector<reference::real>;

/// Σ_{i<=r} σᵢ, and σᵣ counted from 1, 0 beyond the end.
reference::real head(const spectrum& s, std::size_t r) {
  return std::accumulate(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(r), reference::real(0));
}
reference::real at(const spectrum& s, std::size_t r) { return r > s.size() ? 0 : s[r - 1]; }

/// F*-Neon's threshold from the r of the last step, as its first draft prints it (Algorithm 2): to
/// let r shrink it looks at σᵣ₋₁ where it means σᵣ, and takes σᵣ off after r has changed.
reference::real printed(const spectrum& s, std::size_t& r) {
  const reference::real sum = head(s, r);
  const auto n = [&r] { return static_cast<reference::real>(r + 1); };
  if (n() * at(s, r + 1) > sum) {
    ++r;
    return (sum + at(s, r)) / n();
  }
  if (r > 1 && n() * at(s, r - 1) < sum) {
    --r;
    return (sum - at(s, r)) / n();
  }
  return sum / n();
}
/// The same with the right σ.
reference::real mended(const spectrum& s, std::size_t& r) {
  const reference::real sum = head(s, r);
  const auto n = [&r] { return static_cast<reference::real>(r + 1); };
  if (n() * at(s, r + 1) > sum) {
    ++r;
    return (sum + at(s, r)) / n();
  }
  if (r > 1 && n() * at(s, r) < sum) {
    const reference::real last = at(s, r);
    --r;
    return (sum - last) / n();
  }
  return sum / n();
}

}  // namespace

TEST_CASE("F*-Neon's threshold: Algorithm 2 of the drafts, mended, is the oracle's") {
  int wrong = 0, shrunk = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    // σ of D = lmo(quadrature(√½ F, √½ nuclear), M) is (σ - τ)₊ but for a factor, so τ follows from
    // two of its values.
    const Eigen::MatrixXd m = matrices::gaussian(9, 7, seed);
    const spectrum s = reference::svd(reference::widen(m)).sigma;
    const double half = std::sqrt(0.5);
    Eigen::MatrixXd d;
    (void)steepest(quadrature(half * frobenius(), half * nuclear()), 1, m, d, exact{});
    const spectrum moved = reference::svd(reference::widen(d)).sigma;
    const reference::real threshold = s[0] - moved[0];
    const auto above = static_cast<std::size_t>(
        std::count_if(s.begin(), s.end(), [&](reference::real x) { return x > threshold; }));
    for (std::size_t start = 1; start <= s.size(); ++start) {
      CAPTURE(seed);
      CAPTURE(start);
      // Repeated, it settles on the oracle's threshold, from any r.
      std::size_t r = start;
      reference::real tau = 0;
      for (std::size_t i = 0; i < 2 * s.size(); ++i) tau = mended(s, r);
      CHECK(r == above);
      CHECK(static_cast<double>(tau / threshold) == doctest::Approx(1).epsilon(1e-12));
      // One move away, once is enough; the printed one is right when r grows, and wrong when it
      // has to shrink.
      if (start + 1 == above || start == above + 1) {
        std::size_t a = start, b = start;
        CHECK(static_cast<double>(mended(s, a) / threshold) == doctest::Approx(1).epsilon(1e-12));
        const double ratio = static_cast<double>(printed(s, b) / threshold);
        if (start < above) {
          CHECK(ratio == doctest::Approx(1).epsilon(1e-12));
        } else {
          ++shrunk;
          if (std::abs(ratio - 1) > 1e-6) ++wrong;
        }
      }
    }
  }
  CHECK(shrunk == 40);
  CHECK(wrong == shrunk);
}

TEST_CASE("edges of steepest") {
  const Eigen::MatrixXd m = matrices::gaussian(5, 7);
  Eigen::MatrixXd d;
  CHECK(steepest(nuclear(), 1, Eigen::MatrixXd::Zero(5, 7).eval(), d).outcome ==
        outcome::zero_input);
  CHECK(d == Eigen::MatrixXd::Zero(5, 7));
  Eigen::MatrixXd bad = m;
  bad(2, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK(steepest(nuclear(), 1, bad, d).outcome == outcome::non_finite);
  CHECK(d == Eigen::MatrixXd::Zero(5, 7));
  for (const double lambda : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS((void)steepest(nuclear(), lambda, m, d), std::invalid_argument);
    CHECK_THROWS_AS((void)steepest(nuclear(), lambda), std::invalid_argument);
  }
  // As an optimizer's step: rate times the minimiser.
  Eigen::MatrixXd w = m, dw = matrices::gaussian(5, 7, 3), step;
  optimizer<double> opt(steepest(nuclear(), 0.7, {.momentum = {.beta = 0}}), adamw{});
  opt.add(make_parameter("weight", w, dw));
  opt.step(0.25);
  (void)steepest(nuclear(), 0.7, dw, step, exact{});
  CHECK((w - m - 0.25 * step).norm() <= 1e-10 * step.norm());
}
