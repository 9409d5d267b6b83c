// The polynomials behind the polar methods: optimality, the published numbers, and what the record
// claims they do.
#include <doctest/doctest.h>

#include <fanion/spectral/polynomial_record.hpp>
#include <fanion/spectral/polynomials.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

using namespace fanion;

namespace {

/// `count` points from lo to hi, evenly in the exponent.
std::vector<double> grid(double lo, double hi, int count) {
  std::vector<double> x;
  for (int i = 0; i <= count; ++i)
    x.push_back(lo * std::pow(hi / lo, static_cast<double>(i) / count));
  x.back() = hi;
  return x;
}

double worst_error(const quintic& p, double lo, double hi) {
  double worst = 0;
  for (const double x : grid(lo, hi, 20000)) worst = std::max(worst, std::abs(1 - p(x)));
  return worst;
}

}  // namespace

TEST_CASE("the error of the optimal quintic touches its bound four times, in turn") {
  for (const double lo : {1e-6, 1e-3, 0.02, 0.1, 0.4, 0.8, 0.95}) {
    CAPTURE(lo);
    const quintic p = optimal_quintic(lo, 1);
    const double worst = worst_error(p, lo, 1);
    // Signs of the error where it is largest, runs merged.
    std::vector<int> signs;
    for (const double x : grid(lo, 1, 20000)) {
      const double e = 1 - p(x);
      if (std::abs(e) < worst * (1 - 1e-4)) continue;
      const int sign = e > 0 ? 1 : -1;
      if (signs.empty() || signs.back() != sign) signs.push_back(sign);
    }
    CHECK(signs == std::vector<int>{1, -1, 1, -1});
  }
}

TEST_CASE("no other quintic near the optimal one does better") {
  for (const double lo : {1e-3, 0.1, 0.5}) {
    const quintic p = optimal_quintic(lo, 1);
    const double worst = worst_error(p, lo, 1);
    for (const std::array<double, 3>& step : std::vector<std::array<double, 3>>{
             {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, -1, 0}, {1, -2, 1}, {-1, 1, 1}, {1, 1, -1}})
      for (const double h : {1e-4, -1e-4})
        CHECK(worst_error({p.a + h * step[0], p.b + h * step[1], p.c + h * step[2]}, lo, 1) >
              worst);
  }
}

TEST_CASE("a lower end near the last digit still gives a map of [0, 1] that stays above 0") {
  for (const double start : {1e-9, 1e-12, 1e-15, 2.2e-16, 1e-30}) {
    CAPTURE(start);
    double lo = start, hi = 1;
    for (int i = 0; i < 60 && lo < 0.999; ++i) {
      const double before = lo;
      std::tie(lo, hi) = optimal_quintic(lo, hi).image(lo, hi);
      CHECK(lo > before);
      CHECK(hi <= 2 + 1e-9);
    }
    CHECK(lo >= 0.999);
  }
}

TEST_CASE("scaling the interval scales the polynomial") {
  const quintic p = optimal_quintic(0.1, 1), q = optimal_quintic(0.2, 2);
  for (const double x : {0.1, 0.3, 0.7, 1.0}) {
    CHECK(q(2 * x) == doctest::Approx(p(x)).epsilon(1e-12));
    CHECK(p.stretched(2)(2 * x) == doctest::Approx(p(x)).epsilon(1e-14));
  }
}

TEST_CASE("the published coefficients of Polar Express for [0.001, 1]") {
  // Amsel, Persson, Musco and Gower 2025, before the safety factor. Their first steps are made for
  // a lower end no smaller than 0.02407 of the upper one (the cushion), and then scaled so that the
  // image of the true interval is centred on 1 again.
  const std::vector<quintic> published = {
      {8.28721201814563, -23.595886519098837, 17.300387312530933},
      {4.107059111542203, -2.9478499167379106, 0.5448431082926601},
      {3.9486908534822946, -2.908902115962949, 0.5518191394370137},
      {3.3184196573706015, -2.488488024314874, 0.51004894012372},
      {2.300652019954817, -1.6689039845749493, 0.4188073119525673},
      {1.891301407787398, -1.2679958271945868, 0.37680408948524835},
      {1.8750014808534479, -1.2500016453999487, 0.3750001645474248}};
  double lo = 1e-3, hi = 1;
  for (const quintic& expected : published) {
    quintic p = optimal_quintic(std::max(lo, 0.02407 * hi), hi);
    const double low = p(lo), high = p(hi), centre = 2 / (low + high);
    // Without a cushion the image is centred already.
    if (lo < 0.02407 * hi) p = {p.a * centre, p.b * centre, p.c * centre};
    // The cushion is known to four digits, and the first steps depend on it.
    CHECK(p.a == doctest::Approx(expected.a).epsilon(2e-5));
    CHECK(p.b == doctest::Approx(expected.b).epsilon(2e-5));
    CHECK(p.c == doctest::Approx(expected.c).epsilon(2e-5));
    lo = p(lo);
    hi = 2 - lo;
  }
}

TEST_CASE("named steps") {
  CHECK(classic_step(1.0) == 1.0);
  CHECK(worst_error(classic_step, 0.9, 1) < 0.02);
  // Keller Jordan's step: [0.68, 1.13] into itself, as documented.
  const auto [least, most] = keller_jordan_step.image(0.68, 1.13);
  CHECK(least >= 0.68 * (1 - 0.01));
  CHECK(most <= 1.13 * (1 + 0.01));
  CHECK(keller_jordan_step(1e-9) == doctest::Approx(3.4445e-9));
}

TEST_CASE("image is the range, found from stationary points") {
  for (const quintic& p : {keller_jordan_step, classic_step, optimal_quintic(1e-3, 1),
                           optimal_quintic(0.3, 1), quintic{1, 0, 0}, quintic{2, -3, 0},
                           quintic{1, 1, 1}, quintic{1, -5, 3}, quintic{3, 0, -1}})
    for (const auto& [lo, hi] :
         std::vector<std::pair<double, double>>{{0, 1}, {0.1, 0.9}, {0.5, 1.3}, {1e-4, 1}}) {
      double least = p(lo), most = p(lo);
      for (int i = 0; i <= 100000; ++i) {
        const double y = p(lo + (hi - lo) * i / 100000.0);
        least = std::min(least, y);
        most = std::max(most, y);
      }
      const auto image = p.image(lo, hi);
      CHECK(image.first <= least + 1e-15);
      CHECK(image.first >= least - 1e-8);
      CHECK(image.second >= most - 1e-15);
      CHECK(image.second <= most + 1e-8);
    }
}

TEST_CASE("the record bounds what a composition does, densely sampled") {
  const auto check = [](const std::vector<quintic>& steps) {
    polynomial_record record;
    for (const quintic& p : steps) record.apply(p);
    const auto compose = [&](double x) {
      for (const quintic& p : steps) x = p(x);
      return x;
    };
    for (std::size_t j = 0; j + 1 < polynomial_record::cells; ++j) {
      double least = compose(record.top(j)), most = least;
      for (const double x : grid(record.top(j + 1), record.top(j), 100)) {
        least = std::min(least, compose(x));
        most = std::max(most, compose(x));
      }
      CHECK(record.low(j) <= least + 1e-12 * std::abs(least));
      CHECK(record.high(j) >= most - 1e-12 * std::abs(most));
      const auto [low, high] = record.image(record.top(j + 1));
      CHECK(low <= least);
      CHECK(high >= most);
    }
    for (const double x : grid(1e-12, 1, 3000)) {
      CHECK(compose(x) <= record.ceiling() * (1 + 1e-12));
      CHECK(compose(x) >= record.floor() - 1e-15);
    }
  };
  check({keller_jordan_step, keller_jordan_step, keller_jordan_step});
  check(std::vector<quintic>(5, keller_jordan_step));
  check(std::vector<quintic>(20, classic_step));
  std::vector<quintic> express;
  double lo = 1e-3, hi = 1;
  for (int i = 0; i < 6; ++i) {
    express.push_back(optimal_quintic(lo, hi).stretched(1.0001));
    std::tie(lo, hi) = express.back().image(lo, hi);
    check(express);
  }
}

TEST_CASE("the nuclear bound is a bound, for any spectrum, and near where the steps are done") {
  for (const bool negative : {false, true}) {
    polynomial_record record;
    std::vector<quintic> steps;
    double lo = 1e-2, hi = 1;
    for (int i = 0; i < 6; ++i) {
      // Jordan's step six times is one that overshoots and falls below 0 for large arguments.
      steps.push_back(negative ? keller_jordan_step : optimal_quintic(lo, hi));
      record.apply(steps.back());
      std::tie(lo, hi) = steps.back().image(lo, hi);
      for (int kind = 0; kind < 6; ++kind) {
        // Spectra with ‖σ‖ <= 1: flat, one large, geometric, many tiny, zeros, near the lower end.
        std::vector<double> sigma;
        for (int k = 0; k < 40; ++k)
          sigma.push_back(kind == 0   ? 1
                          : kind == 1 ? (k == 0 ? 1 : 1e-3)
                          : kind == 2 ? std::pow(0.7, k)
                          : kind == 3 ? (k < 4 ? 1 : 1e-9)
                          : kind == 4 ? (k < 20 ? 1.0 / (1 + k) : 0)
                                      : (k < 2 ? 1 : 0.0099));
        double length = 0, nuclear = 0, product = 0, energy = 0;
        for (const double s : sigma) length += s * s;
        for (double& s : sigma) s /= std::sqrt(length);
        for (const double s : sigma) {
          double x = s;
          for (const quintic& p : steps) x = p(x);
          nuclear += s;
          product += s * x;
          energy += x * x;
        }
        const double bound = record.nuclear_bound(product, energy, 1, 40);
        CHECK(bound >= nuclear * (1 - 1e-12));
        if (i == 5 && !negative && kind == 0) CHECK(bound <= nuclear * (1 + 1e-3));
        // In units twice as large the same matrix.
        CHECK(record.nuclear_bound(2 * product, energy, 2, 40) ==
              doctest::Approx(2 * bound).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("the reach of T steps: they bring [lower, 1] near 1, and T - 1 do not") {
  for (const double error : {1e-2, 1e-4, 1e-8}) {
    quintic_reach reach(error);
    for (const index_t steps : {1, 2, 3, 5, 9}) {
      const auto worst = [&](index_t count) {
        double lo = reach.lower(steps), hi = 1;
        for (index_t t = 0; t < count; ++t)
          std::tie(lo, hi) = optimal_quintic(lo, hi).image(lo, hi);
        return std::max(1 - lo, hi - 1);
      };
      CHECK(worst(steps) <= error * (1 + 1e-4));
      CHECK(worst(steps) >= error * (1 - 1e-4));
      CHECK(worst(steps - 1) > 2 * error);
      CHECK(reach.steps(reach.lower(steps)) == steps);
      CHECK(reach.steps(reach.lower(steps) * 0.999) == steps + 1);
    }
  }
}
