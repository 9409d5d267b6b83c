// N(L X R): values and oracles against the norm inside at a matrix scaled by hand.
#include <doctest/doctest.h>

#include "support/matrices.hpp"
#include "support/reference.hpp"

#include <fanion/eigen.hpp>
#include <fanion/optim/makers.hpp>

#include <limits>
#include <stdexcept>
#include <vector>

using namespace fanion;

namespace {

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::vector<double> factors(index_t count, double base) {
  std::vector<double> f;
  for (index_t i = 0; i < count; ++i)
    f.push_back(base * (1 + 0.3 * static_cast<double>((i * 7) % 5)));
  return f;
}

/// diag(l)^p X diag(r)^p, entry by entry.
reference::table by_hand(const reference::table& x, const std::vector<double>& l,
                         const std::vector<double>& r, int power) {
  reference::table y = x;
  for (Eigen::Index j = 0; j < x.cols(); ++j)
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      const reference::real f = static_cast<reference::real>(l[static_cast<std::size_t>(i)]) *
                                r[static_cast<std::size_t>(j)];
      y(i, j) = power > 0 ? x(i, j) * f : x(i, j) / f;
    }
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("values, oracles and duals of rescaled norms", T, float, double) {
  using reference::facts_of;
  for (const auto& s :
       std::vector<matrices::shape>{{1, 1}, {1, 5}, {5, 1}, {6, 9}, {9, 6}, {40, 30}}) {
    const auto l = factors(s.rows, 0.7), r = factors(s.cols, 2);
    const matrix_of<T> m = matrices::gaussian(s.rows, s.cols, 2).template cast<T>();
    const reference::table wide = reference::widen(m);
    const double tol = 400 * static_cast<double>(std::numeric_limits<T>::epsilon());
    const auto check = [&](const auto& inner, const auto& primal, const auto& polar) {
      const auto n = rescaled(l, inner, r);
      const auto up = facts_of(by_hand(wide, l, r, 1)), down = facts_of(by_hand(wide, l, r, -1));
      CHECK(static_cast<double>(value(n, m)) ==
            doctest::Approx(static_cast<double>(primal(up))).epsilon(tol));
      CHECK(static_cast<double>(value(dual(n), row_major<T>(m))) ==
            doctest::Approx(static_cast<double>(polar(down))).epsilon(tol));
      matrix_of<T> d;
      row_major<T> by_rows;
      const lmo_report report = lmo(n, m, d, exact{});
      (void)lmo(n, row_major<T>(m), by_rows, exact{});
      CHECK((d - matrix_of<T>(by_rows)).norm() <= T(tol) * d.norm());
      // Attains the dual, inside the ball.
      const double attained = -static_cast<double>(reference::dot(wide, reference::widen(d)));
      CHECK(attained == doctest::Approx(static_cast<double>(polar(down))).epsilon(tol));
      CHECK(static_cast<double>(primal(facts_of(by_hand(reference::widen(d), l, r, 1)))) <=
            1 + tol);
      CHECK(-report.objective == doctest::Approx(attained).epsilon(tol));
      CHECK(report.bound >= attained * (1 - tol));
    };
    using reference::facts;
    check(spectral(), reference::spectral, reference::nuclear);
    check(nuclear(), reference::nuclear, reference::spectral);
    check(frobenius(), reference::frobenius, reference::frobenius);
    check(
        max_row(), [](const facts& f) { return reference::longest(f, false); },
        [](const facts& f) { return reference::all_lengths(f, false); });
    check(
        2 * dual(ky_fan(2)), [](const facts& f) { return 2 * reference::ky_fan_dual(f, 2); },
        [](const facts& f) { return reference::leading_sum(f, 2) / 2; });
    // c N(L X R), and an update in place.
    CHECK(value(3 * rescaled(l, spectral(), r), m) ==
          doctest::Approx(3 * value(rescaled(l, spectral(), r), m)).epsilon(tol));
    matrix_of<T> x = m, d;
    auto plan = plan_lmo(rescaled(l, nuclear(), r), m, exact{});
    (void)plan.execute(m, d);
    const matrix_of<T> want = T(0.5) * x + T(0.25) * d;
    (void)plan.update(m, x, 0.5, 0.25);
    CHECK((x - want).norm() <= T(tol) * want.norm());
    row_major<T> y = m;
    (void)plan.update(m, y, 0.5, 0.25);
    CHECK((matrix_of<T>(y) - want).norm() <= T(tol) * want.norm());
  }
}

TEST_CASE("the algebra of rescaled norms") {
  const std::vector<double> l = {1, 2}, r = {0.3, 1, 49};
  const auto n = rescaled(l, 0.11 * ky_fan(2), r);
  CHECK(dual(dual(n)) == n);
  CHECK(n.transposed().transposed() == n);
  CHECK(!(dual(n) == rescaled(l, dual(0.11 * ky_fan(2)), r)));
  CHECK(describe(rescaled(l, spectral(), r)) == "rescaled({1, 2}, spectral(), {0.3, 1, 49})");
  CHECK(dual_ratio(rescaled(l, spectral(), r), 2, 3).value ==
        doctest::Approx(std::sqrt(2.0) / 0.3));
  using type = std::remove_const_t<decltype(n)>;
  static_assert(LmoTractable<type> && Evaluable<type>);
  static_assert(!LmoTractable<decltype(dual(n + frobenius()))>);
  static_assert(!Evaluable<decltype(n + frobenius())>);
  static_assert(!FactorTractable<type>);
  CHECK_THROWS_AS((void)rescaled({1, 0}, spectral(), r), std::invalid_argument);
  CHECK_THROWS_AS((void)rescaled(l, spectral(), {1, -1, 1}), std::invalid_argument);
  CHECK_THROWS_AS((void)rescaled(l, spectral(), {1, NAN, 1}), std::invalid_argument);
  CHECK_THROWS_AS((void)value(n, Eigen::MatrixXd::Ones(3, 3).eval()), std::invalid_argument);
  CHECK_THROWS_AS((void)value(0 * n, Eigen::MatrixXd::Ones(2, 3).eval()), std::invalid_argument);
  Eigen::MatrixXd m = Eigen::MatrixXd::Zero(2, 3), d = Eigen::MatrixXd::Ones(2, 3);
  CHECK(lmo(n, m, d).outcome == outcome::zero_input);
  CHECK(d == Eigen::MatrixXd::Zero(2, 3));
  m(1, 1) = std::numeric_limits<double>::infinity();
  d.setOnes();
  CHECK(lmo(n, m, d).outcome == outcome::non_finite);
  CHECK(d == Eigen::MatrixXd::Zero(2, 3));
}

TEST_CASE("an optimizer's step under a rescaled norm") {
  const auto l = factors(6, 0.7), r = factors(9, 2);
  Eigen::MatrixXd w = matrices::gaussian(6, 9, 1), d;
  const Eigen::MatrixXd before = w, g = matrices::gaussian(6, 9, 2);
  eigen_backend backend;
  const lmo_rule rule{rescaled(l, spectral(), r), {.momentum = {.beta = 0}, .gap = 1e-12}};
  lmo_step<decltype(rule.norm), double, eigen_backend> step(rule, 6, 9, backend);
  using view = oriented_view<double>;
  (void)step.step(view{{w.data(), 6, 9}, false}, {matrix_view<const double>(g.data(), 6, 9), false},
                  0.1);
  (void)lmo(rule.norm, g, d, exact{});
  CHECK((w - before - 0.1 * d).norm() <= 1e-6 * d.norm());
}
