// Theory as code: smoothness against brute force, parameters against the bound, noise by
// simulation.
#include <doctest/doctest.h>

#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/eigen.hpp>
#include <fanion/norms/smoothness.hpp>
#include <fanion/optim/noise.hpp>
#include <fanion/optim/trust_region.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace fanion;

namespace {

using matrix = Eigen::MatrixXd;

/// Symmetric with eigenvalues between 0 and 1, and these.
struct spd {
  matrix a, vectors;
  std::vector<double> values;  // largest first
};
spd random_spd(index_t n, std::uint64_t seed) {
  const matrix q = matrices::frame(n, n, seed);
  spd s;
  for (index_t i = 0; i < n; ++i) s.values.push_back(random_uniform(seed + 7, i, 0));
  std::sort(s.values.rbegin(), s.values.rend());
  s.vectors = q;
  s.a = q * Eigen::Map<const Eigen::VectorXd>(s.values.data(), n).asDiagonal() * q.transpose();
  return s;
}

/// max <D, M D N> over the ball of n, by going from D to -lmo(n, -M D N) until nothing improves,
/// from some starts, all pairs of eigenvectors and the first pair among them: the generalised power
/// method (Journée, Nesterov, Richtárik and Sepulchre 2010). From below.
template <class N>
double by_power_method(const N& n, const spd& left, const spd& right) {
  const matrix &m = left.a, &w = right.a;
  const index_t r = std::min(m.rows(), w.rows());
  double best = 0;
  for (std::uint64_t seed = 0; seed <= 6; ++seed) {
    const index_t pairs = seed == 0 ? r : 1;
    matrix d =
        seed > 1 ? matrices::gaussian(m.rows(), w.rows(), seed)
                 : matrix(left.vectors.leftCols(pairs) * right.vectors.leftCols(pairs).transpose());
    matrix g = m * d * w;
    double last = -1;
    for (int i = 0; i < 4000; ++i) {
      (void)lmo(n, matrix(-g), d, exact{});
      g = m * d * w;
      const double value = g.cwiseProduct(d).sum();
      if (value <= last * (1 + 1e-14)) break;
      last = value;
    }
    best = std::max(best, last);
  }
  return best;
}

}  // namespace

TEST_CASE("the smoothness of quadratics is what the power method finds, or a bound on it") {
  for (const auto& s : std::vector<matrices::shape>{{1, 1}, {1, 4}, {5, 3}, {6, 6}, {7, 12}}) {
    const spd m = random_spd(s.rows, 3), w = random_spd(s.cols, 5);
    const std::vector<double> c = curvatures(m.values, w.values);
    const auto check = [&](const char* name, const auto& n) {
      INFO(std::string(name), ", ", s.rows, "x", s.cols);
      const norm_ratio l = smoothness(n, c, s.rows, s.cols);
      const double found = by_power_method(n, m, w);
      CHECK(found <= l.value * (1 + 1e-9));
      if (l.tight) CHECK(found >= l.value * (1 - 1e-4));
    };
    check("spectral", spectral());
    check("nuclear", nuclear());
    check("frobenius", frobenius());
    check("ky_fan 2", ky_fan(2));
    check("fanion 3", dual(ky_fan(3)));
    check("schatten 1.5", schatten(1.5));
    check("schatten 4", schatten(4));
    check("3 spectral", 3 * spectral());
    check("F-Muon", dual(0.5 * nuclear() + 0.5 * frobenius()));
    check("F-Neon", dual(0.5 * spectral() + 0.5 * frobenius()));
    check("F-Fanion-2", dual(0.3 * ky_fan(2) + 0.7 * frobenius()));
    check("S-Muon", dual(0.5 * nuclear() + 0.1 * sum_abs()));
    check("max_abs", max_abs());
    check("owl", dual(owl({2, 1})));
    // A mixture without one of its parts.
    CHECK(smoothness(dual(1.0 * nuclear() + 0.0 * frobenius()), c, s.rows, s.cols).value ==
          doctest::Approx(smoothness(spectral(), c, s.rows, s.cols).value));
    CHECK(smoothness(dual(0.0 * nuclear() + 1.0 * frobenius()), c, s.rows, s.cols).value ==
          doctest::Approx(c[0]));
  }
  CHECK(
      smoothness(schatten(std::numeric_limits<double>::infinity()), std::vector<double>{3, 2}, 2, 2)
          .value == doctest::Approx(5));
  CHECK_THROWS_AS((void)curvatures({1, -1}, {1}), std::invalid_argument);
  CHECK_THROWS_AS((void)curvatures({}, {1}), std::invalid_argument);
  CHECK_THROWS_AS((void)smoothness(spectral(), {}, 1, 1), std::invalid_argument);
}

TEST_CASE("the parameters keep their promise, and do not promise far too much") {
  for (int i = 0; i < 400; ++i) {
    const auto random = [&](int j, double low, double high) {
      return low * std::pow(high / low, random_uniform(11, i, j));
    };
    const smooth_problem p{random(0, 1e-3, 1e3), random(1, 1e-3, 1e3),
                           i % 4 == 0 ? 0.0 : random(2, 1e-3, 1e3), random(3, 1, 100)};
    const double epsilon = random(4, 1e-3, 10);
    const trust_region r = trust_region_for(p, epsilon);
    CAPTURE(i);
    CHECK(r.fresh > 0);
    CHECK(r.fresh <= 1);
    CHECK(r.steps == std::floor(r.steps));
    const double bound = stationarity_bound(p, r);
    CHECK(bound <= epsilon * (1 + 1e-12));
    // Where K is not rounded up from less than one, a quarter of ε is in use.
    if (r.steps > 10) CHECK(bound >= epsilon / 4);
    // Half as many steps break it where nothing else is slack.
    if (p.noise == 0 && r.steps > 10)
      CHECK(stationarity_bound(p, {r.radius, r.fresh, std::floor(r.steps / 2)}) > epsilon);
  }
  // Without noise the best radius attains the closed form.
  const smooth_problem p{4, 3, 0, 1};
  CHECK(stationarity_bound(p, {best_radius(p, 50), 1, 50}) ==
        doctest::Approx(std::sqrt(2 * 4 * 3 / 50.0)));
  CHECK(stationarity_bound(p, {1.1 * best_radius(p, 50), 1, 50}) > std::sqrt(2 * 4 * 3 / 50.0));
  CHECK(stationarity_bound(p, {0.9 * best_radius(p, 50), 1, 50}) > std::sqrt(2 * 4 * 3 / 50.0));
  // The formula, term by term.
  CHECK(stationarity_bound({2, 3, 5, 7}, {0.1, 0.25, 10}) ==
        doctest::Approx(3 / (0.1 * 10) + 0.1 + 2 * (35 / 2.5 + 0.5 * 35 + 0.2 * 3)));
  CHECK_THROWS_AS((void)trust_region_for(p, 0), std::invalid_argument);
  CHECK_THROWS_AS((void)trust_region_for({.lipschitz = -1}, 1), std::invalid_argument);
  CHECK_THROWS_AS((void)stationarity_bound(p, {1, 0, 1}), std::invalid_argument);
  CHECK_THROWS_AS((void)stationarity_bound(p, {1, 1, 0}), std::invalid_argument);
}

TEST_CASE("the measured stationarity stays below the bound at every K") {
  const index_t m = 8, n = 12;
  const spd a = random_spd(m, 3), b = random_spd(n, 5);
  const std::vector<double> c = curvatures(a.values, b.values);
  const auto check = [&](const char* name, const auto& norm) {
    INFO(std::string(name));
    const matrix start = matrices::gaussian(m, n, 9);
    const smooth_problem p{smoothness(norm, c, m, n).value,
                           0.5 * (a.a * start * b.a).cwiseProduct(start).sum(), 0,
                           dual_ratio(norm, m, n).value};
    const double radius = best_radius(p, 200);
    matrix x = start, d;
    double sum = 0;
    for (int k = 1; k <= 200; ++k) {
      const matrix g = a.a * x * b.a;
      sum += value(dual(norm), g);
      CHECK(sum / k <= stationarity_bound(p, {radius, 1, static_cast<double>(k)}));
      (void)lmo(norm, g, d, exact{});
      x += radius * d;
    }
  };
  check("spectral", spectral());
  check("nuclear", nuclear());
  check("frobenius", frobenius());
  check("fanion 3", dual(ky_fan(3)));
  check("F-Muon", dual(0.5 * nuclear() + 0.5 * frobenius()));
}

TEST_CASE("the interval for the noise holds it as often as it says") {
  // Noise of 20 normal entries of deviation 3: σ² = 180.
  const double sigma = 3 * std::sqrt(20.0);
  int inside = 0;
  const int trials = 400, pairs = 60;
  double mean = 0;
  for (int t = 0; t < trials; ++t) {
    std::vector<double> halves;
    for (int i = 0; i < pairs; ++i) {
      double squares = 0;
      for (int e = 0; e < 20; ++e)
        squares += std::pow(
            3 * (random_normal(21, t, 40 * i + e) - random_normal(21, t, 40 * i + 20 + e)), 2);
      halves.push_back(squares / 2);
    }
    const noise_estimate e = estimate_noise(halves);
    inside += e.low <= sigma && sigma <= e.high ? 1 : 0;
    mean += e.sigma * e.sigma / trials;
  }
  // 95 % of 400 is 380, with a deviation of 4.4.
  CHECK(inside >= 362);
  CHECK(inside <= 398);
  CHECK(mean == doctest::Approx(180).epsilon(0.02));
  const std::vector<double> one = {2}, none, bad = {1, -1};
  CHECK(estimate_noise(one).sigma == doctest::Approx(std::sqrt(2.0)));
  CHECK(estimate_noise(one).high == std::numeric_limits<double>::infinity());
  CHECK_THROWS_AS((void)estimate_noise(none), std::invalid_argument);
  CHECK_THROWS_AS((void)estimate_noise(bad), std::invalid_argument);
}
