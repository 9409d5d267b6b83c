// Oracles in factors, of operators and of matrices.
#include <fanion/adapters/eigen_sparse.hpp>

#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <Eigen/SparseCore>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;

namespace {

/// An object with the four members and nothing else: a matrix that counts its products.
template <class T>
struct counted {
  using scalar = T;
  matrix_of<T> a;
  index_t products = 0;

  [[nodiscard]] index_t rows() const { return a.rows(); }
  [[nodiscard]] index_t cols() const { return a.cols(); }
  void apply(matrix_view<const T> x, matrix_view<T> y) {
    ++products;
    for (index_t j = 0; j < y.cols(); ++j)
      for (index_t i = 0; i < y.rows(); ++i) {
        T sum = 0;
        for (index_t p = 0; p < x.rows(); ++p) sum += a(i, p) * x(p, j);
        y(i, j) = sum;
      }
  }
  void apply_adjoint(matrix_view<const T> x, matrix_view<T> y) {
    ++products;
    for (index_t j = 0; j < y.cols(); ++j)
      for (index_t i = 0; i < y.rows(); ++i) {
        T sum = 0;
        for (index_t p = 0; p < x.rows(); ++p) sum += a(p, i) * x(p, j);
        y(i, j) = sum;
      }
  }
};

template <class T, class Factors>
matrix_of<T> written_out(const Factors& f, Eigen::Index m, Eigen::Index n) {
  matrix_of<T> d = matrix_of<T>::Zero(m, n);
  for (index_t c = 0; c < f.u.cols(); ++c)
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = 0; i < m; ++i)
        d(i, j) -= f.weights[static_cast<std::size_t>(c)] * f.u(i, c) * f.v(j, c);
  return d;
}

template <class T, class Method>
void check_norms(const matrix_of<T>& m, const Method& method, double gap, bool proven) {
  const auto f = reference::facts_of(m);
  const auto check = [&](const auto& n, double best) {
    counted<T> a{m};
    auto plan = plan_lmo_factors(n, a, method);
    for (int call = 0; call < 2; ++call) {
      const index_t before = a.products;
      const auto factors = plan.execute(a);
      CHECK(factors.report.passes == a.products - before);
      const matrix_of<T> d = written_out<T>(factors, m.rows(), m.cols());
      const double attained = -static_cast<double>(reference::dot(f.x, reference::widen(d)));
      CHECK(attained >= (1 - gap) * best);
      CHECK(-factors.report.objective == doctest::Approx(attained).epsilon(static_cast<double>(
                                             tolerance<T>(m.rows(), m.cols()))));
      CHECK(factors.report.bound >= best);
      // In float, what lies beyond the rank is only bounded by sqrt(ε) σ₁ or a few times that.
      if (proven && factors.report.outcome == outcome::converged)
        CHECK(factors.report.gap() <= gap);
      if (proven) CHECK(factors.report.gap() <= 0.05);
    }
    // A matrix in memory gives the same answer to rounding, with a bound in any case.
    auto in_memory = plan_lmo_factors(n, m, method);
    const auto report = in_memory.execute(m).report;
    CHECK(-report.objective >= (1 - gap) * best);
    CHECK(report.bound >= best);
    CHECK(report.gap() < 1);
  };
  check(nuclear(), static_cast<double>(reference::spectral(f)));
  check(dual(ky_fan(4)), static_cast<double>(reference::leading_sum(f, 4)));
  check(dual(0.5 * ky_fan(3) + 0.25 * spectral()),
        static_cast<double>(0.5L * reference::leading_sum(f, 3) + 0.25L * reference::spectral(f)));
}

}  // namespace

TEST_CASE_TEMPLATE("an operator gets the oracle of its matrix", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{70, 90}, {90, 70}, {1, 40}, {40, 1}, {5, 6}})
    for (const auto& kind : matrices::kinds()) {
      CAPTURE(kind.name);
      CAPTURE(s.name());
      const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
      check_norms<T>(m, block_krylov{.gap = 1e-2}, 1e-2, true);
      check_norms<T>(m, lanczos{.gap = 1e-4}, 3e-4, false);
    }
}

TEST_CASE_TEMPLATE("scales: powers of two change nothing but the objective", T, float, double) {
  const matrix_of<T> m = matrices::gaussian(60, 50).cast<T>();
  const double best = static_cast<double>(reference::leading_sum(reference::facts_of(m), 3));
  const int far = sizeof(T) == 4 ? 100 : 990;
  const auto run = [&](int exponent, const auto& method) {
    counted<T> a{m * std::ldexp(T(1), exponent)};
    auto plan = plan_lmo_factors(dual(ky_fan(3)), a, method);
    const auto f = plan.execute(a);
    CHECK(std::ldexp(f.report.objective, -exponent) == doctest::Approx(-best).epsilon(1e-2));
    return written_out<T>(f, 60, 50);
  };
  const auto check = [&](const auto& method) {
    const matrix_of<T> d = run(0, method);
    CHECK(run(far, method) == d);
    CHECK(run(-far, method) == d);
  };
  check(block_krylov{.gap = 1e-2});
  check(lanczos{});
}

TEST_CASE("sparse matrices of either storage order") {
  const Eigen::MatrixXd m = matrices::sparse(120, 80);
  const auto f = reference::facts_of(m);
  const double best = static_cast<double>(reference::leading_sum(f, 5));
  const auto check = [&](const auto& sparse, const auto& method) {
    sparse_operator a(sparse);
    auto plan = plan_lmo_factors(dual(ky_fan(5)), a, method);
    const auto factors = plan.execute(a);
    const Eigen::MatrixXd d = written_out<double>(factors, 120, 80);
    CHECK(-static_cast<double>(reference::dot(f.x, reference::widen(d))) >= (1 - 1e-2) * best);
    CHECK(factors.report.outcome == outcome::converged);
  };
  const Eigen::SparseMatrix<double> by_columns = m.sparseView();
  const Eigen::SparseMatrix<double, Eigen::RowMajor> by_rows = m.sparseView();
  check(by_columns, block_krylov{.gap = 1e-2});
  check(by_rows, block_krylov{.gap = 1e-2});
  check(by_columns, lanczos{.gap = 1e-3});
  check(by_rows, lanczos{.gap = 1e-3});
}

TEST_CASE_TEMPLATE("zero, NaN, infinity, another shape", T, float, double) {
  counted<T> a{matrix_of<T>::Zero(30, 20)};
  auto plan = plan_lmo_factors(dual(ky_fan(3)), a);
  auto f = plan.execute(a);
  CHECK(f.report.outcome == outcome::zero_input);
  CHECK(f.u.cols() == 0);
  CHECK(f.weights.empty());
  CHECK(f.report.gap() == 0);
  for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
    a.a(3, 4) = bad;
    f = plan.execute(a);
    CHECK(f.report.outcome == outcome::non_finite);
    CHECK(f.u.cols() == 0);
    CHECK(std::isnan(f.report.gap()));
  }
  counted<T> other{matrix_of<T>::Zero(20, 30)};
  CHECK_THROWS_AS((void)plan.execute(other), std::invalid_argument);
  CHECK_THROWS_AS((void)plan.execute(matrix_of<T>(20, 30)), std::invalid_argument);
  const counted<T> empty{matrix_of<T>(0, 5)};
  CHECK_THROWS_AS((void)plan_lmo_factors(nuclear(), empty), std::invalid_argument);
  CHECK_THROWS_AS((void)plan_lmo_factors(0 * nuclear(), other), std::invalid_argument);
  CHECK_THROWS_AS((void)plan_lmo_factors(nuclear(), other, block_krylov{.in_float = true}),
                  std::invalid_argument);
}

TEST_CASE("an oracle that reads entries has no factors") {
  const auto has_factors = []<class N>(const N&) { return FactorTractable<N>; };
  CHECK(has_factors(nuclear()));
  CHECK(has_factors(spectral()));
  CHECK(has_factors(dual(ky_fan(2))));
  CHECK(!has_factors(frobenius()));
  CHECK(!has_factors(max_abs()));
  CHECK(!has_factors(dual(0.5 * ky_fan(2) + 0.5 * frobenius())));
  CHECK(!has_factors(ky_fan(2) + max_abs()));
  CHECK(has_factors(ky_fan(2) + frobenius()));
}
