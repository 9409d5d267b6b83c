// Oracles that find out how deep they have to read.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <sstream>
#include <string>

using namespace fanion;
using oracle_check::matrix_of;

namespace {

/// `strong` values just below 4 over a tail that starts at `tail`/2.
template <class T>
matrix_of<T> spiked(Eigen::Index m, Eigen::Index n, Eigen::Index strong, double tail,
                    std::uint64_t seed = 1) {
  return matrices::with_spectrum(
             m, n,
             [&](Eigen::Index k) {
               return k < strong ? 4 - 0.1 * static_cast<double>(k) / static_cast<double>(strong)
                                 : tail / static_cast<double>(k - strong + 2);
             },
             seed)
      .template cast<T>();
}

/// Balls whose oracles put a threshold on the spectrum.
template <class F>
void for_each_ball(F&& f) {
  namespace ref = reference;
  using reference::facts;
  f(expressions::expression{
      std::string("nuclear + frobenius"), 0.5 * nuclear() + 0.5 * frobenius(),
      [](const facts& x) { return 0.5L * (ref::nuclear(x) + ref::frobenius(x)); },
      [](const facts& x) {
        return ref::ordered_dual(x, std::vector<ref::real>(x.sigma.size(), 0.5L), 0.5L);
      },
      0, false});
  f(expressions::expression{
      std::string("quadrature"), quadrature(3 * frobenius(), 4 * nuclear()),
      [](const facts& x) { return std::hypot(3 * ref::frobenius(x), 4 * ref::nuclear(x)); },
      [](const facts& x) { return ref::soft_dual(x, 3, 4); }, 0, false});
}

}  // namespace

TEST_CASE_TEMPLATE("as deep as the threshold asks, and no deeper", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{100, 160}, {160, 100}}) {
    for (const Eigen::Index strong : {2, 5, 20}) {
      const matrix_of<T> m = spiked<T>(s.rows, s.cols, strong, 0.01);
      const auto f = reference::facts_of(m);
      for_each_ball([&](const auto& e) {
        INFO(e.name);
        CAPTURE(strong);
        const auto check = [&](const auto& method, double gap) {
          auto plan = plan_lmo(e.norm, m, method);
          matrix_of<T> d;
          for (int again = 0; again < 2; ++again) {
            const lmo_report report = plan.execute(m, d);
            oracle_check::check(e, f, d, report, {.gap = 3 * gap, .proven = false});
            // Eight triplets, then all: the next rung is a third of the matrix.
            CHECK(report.depth == (strong < 8 ? 8 : 100));
          }
        };
        check(automatic{}, sizeof(T) == 4 ? 1e-4 : 1e-6);
        check(lanczos{.gap = 1e-4}, 1e-4);
        check(subspace{.gap = 1e-3}, 1e-3);
        auto plan = plan_lmo(e.norm, m, exact{});
        matrix_of<T> d;
        CHECK(plan.execute(m, d).depth == 100);
      });
    }
  }
}

TEST_CASE("down again, when less will do") {
  const auto norm = nuclear() + frobenius();
  const auto deep = spiked<double>(100, 160, 20, 0.01), shallow = spiked<double>(100, 160, 2, 0.01);
  auto plan = plan_lmo(norm, deep, automatic{});
  Eigen::MatrixXd d;
  CHECK(plan.execute(deep, d).depth == 100);
  CHECK(plan.execute(deep, d).depth == 100);
  CHECK(plan.execute(shallow, d).depth == 100);  // now it knows
  CHECK(plan.execute(shallow, d).depth == 8);
  CHECK(plan.execute(deep, d).depth == 100);
  plan.reset();
  CHECK(plan.execute(shallow, d).depth == 8);
}

TEST_CASE("where no σ is ever without weight, all are read at once") {
  const auto m = spiked<double>(100, 160, 2, 0.01);
  Eigen::MatrixXd d;
  CHECK(lmo(spectral() + frobenius(), m, d, automatic{}).depth == 100);
  CHECK(lmo(schatten(3), m, d, automatic{}).depth == 100);
  CHECK(lmo(nuclear(), m, d, automatic{}).depth == 1);
  CHECK(lmo(spectral(), m, d, automatic{}).depth == 0);
  CHECK(lmo(max_abs(), m, d, automatic{}).depth == 0);
}

TEST_CASE("a checkpoint keeps the depth, and the bits that follow") {
  const auto norm = quadrature(3 * frobenius(), 4 * nuclear());
  auto first = plan_lmo(norm, Eigen::MatrixXd(400, 500), automatic{.gap = 1e-3});
  auto second = plan_lmo(norm, Eigen::MatrixXd(400, 500), automatic{.gap = 1e-3});
  Eigen::MatrixXd d, e;
  CHECK(first.execute(spiked<double>(400, 500, 20, 0.01), d).depth == 32);
  std::stringstream kept;
  first.save(kept);
  second.load(kept);
  for (const std::uint64_t seed : {5u, 6u}) {
    const auto m = spiked<double>(400, 500, 20, 0.01, seed);
    const lmo_report a = first.execute(m, d), b = second.execute(m, e);
    CHECK(a.depth == 32);
    CHECK(b.depth == 32);
    CHECK(a.passes == b.passes);
    CHECK(d == e);
  }
  // A plan without rungs does not take it.
  auto other = plan_lmo(norm, Eigen::MatrixXd(400, 500), exact{});
  std::stringstream again(kept.str());
  CHECK_THROWS_AS(other.load(again), std::invalid_argument);
}
