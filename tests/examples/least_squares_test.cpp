// The pieces of the least-squares program: problem, runs, tuning, page.
#include <examples/support.hpp>
#include <least_squares/output.hpp>

#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <string>

using namespace least_squares;

namespace {

options small() {
  options o;
  o.size = 16;
  o.seeds = {1, 2};
  o.steps = 60;
  o.threshold = 2e-2;
  o.theory_size = 8;
  o.theory_steps = 60;
  return o;
}

}  // namespace

TEST_CASE("the problem is what it says") {
  const problem p = make_problem(12, 3);
  // Gradient by differences of the value.
  const Eigen::MatrixXd x = p.start.cast<double>(), m = p.m.cast<double>(), n = p.n.cast<double>();
  const auto f = [&](const Eigen::MatrixXd& y) { return 0.5 * y.cwiseProduct(m * y * n).sum(); };
  const matrix g = p.gradient(p.start);
  for (const auto& [i, j] : {std::pair(0, 0), std::pair(3, 7), std::pair(11, 4)}) {
    Eigen::MatrixXd up = x, down = x;
    up(i, j) += 1e-4;
    down(i, j) -= 1e-4;
    CHECK(static_cast<double>(g(i, j)) == doctest::Approx((f(up) - f(down)) / 2e-4).epsilon(1e-3));
  }
  CHECK(problem::value(p.start, g) == doctest::Approx(f(x)).epsilon(1e-5));
  CHECK(std::is_sorted(p.curvatures.rbegin(), p.curvatures.rend()));
  // The largest curvature is that of the pair of leading eigenvectors.
  const Eigen::VectorXd of_m = m.selfadjointView<Eigen::Lower>().eigenvalues(),
                        of_n = n.selfadjointView<Eigen::Lower>().eigenvalues();
  CHECK(p.curvatures.front() == doctest::Approx(of_m(11) * of_n(11)).epsilon(1e-5));
  CHECK(p.curvatures.back() == doctest::Approx(of_m(0) * of_n(0)).epsilon(1e-3));
  CHECK(make_problem(12, 3).m == p.m);
  CHECK(!(make_problem(12, 4).m == p.m));
}

TEST_CASE("a run stops at the threshold, at its last step, or where it diverges") {
  const problem p = make_problem(16, 1);
  const method muon = family(16).front();
  const run all = muon.go(p, {0.01, 0.5, 95, 0});
  CHECK(all.reached == -1);
  CHECK(all.losses.size() == 10);
  CHECK(all.losses.back() < all.losses.front());
  const double half = 0.5 * (all.losses[3] + all.losses[4]);
  const run some = muon.go(p, {0.01, 0.5, 95, half});
  CHECK(some.reached == 40);
  CHECK(some.losses.size() == 5);
  CHECK(std::equal(some.losses.begin(), some.losses.end(), all.losses.begin()));
  const run wild = muon.go(p, {1e25, 0.9, 95, 0});
  CHECK(wild.reached == -1);
  CHECK(wild.losses.size() < 10);
}

TEST_CASE("tuning finds what a full search finds") {
  const options o = small();
  const problem p = make_problem(o.size, 1);
  for (const method& m : family(o.size)) {
    INFO(m.name);
    const tuned best = tune(p, m, o);
    index_t least = -1;
    for (const double beta : momenta())
      for (const double rate : m.rates) {
        const index_t at = m.go(p, {rate, beta, o.steps, o.threshold}).reached;
        if (at >= 0 && (least < 0 || at < least)) least = at;
      }
    CHECK(best.steps == least);
    if (least >= 0) CHECK(m.go(p, {best.rate, best.beta, o.steps, o.threshold}).reached == least);
    CHECK(best.floor > 0);
  }
}

TEST_CASE("results do not depend on the threads, the bounds hold, and the page is whole") {
  options o = small();
  const auto quiet = [](const std::string&) {};
  o.threads = 1;
  const results one = experiment(o, quiet);
  o.threads = 3;
  const results three = experiment(o, quiet);
  CHECK(to_json(o, one, 0) == to_json(o, three, 0));
  CHECK(one.theory.size() == 10);
  for (const stationarity& s : one.theory) {
    INFO(s.name);
    CHECK(s.measured.size() == 60);
    CHECK(s.holds());
    CHECK(s.slope() < 0);
  }
  const trainers::text_table table = comparison(o, one);
  CHECK(table.rows.size() == one.methods.size());
  for (const auto& row : table.rows) CHECK(row.size() == table.header.size());
  const std::string html = to_html(page(o, one));
  CHECK(html.find("NO") == std::string::npos);
  for (const method& m : one.methods) CHECK(html.find(m.name) != std::string::npos);
  // A bound that does not hold is seen.
  stationarity broken = one.theory.front();
  broken.measured[7] = 2 * broken.bound[7];
  CHECK(!broken.holds());
}
