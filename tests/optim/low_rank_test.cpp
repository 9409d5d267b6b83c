// Matrices in factors: every operation against the same one on matrices that are written out.
#include <fanion/eigen.hpp>

#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <vector>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;
using reference::real;
using reference::table;

namespace {

/// c dyads with memory of their own.
template <class T>
struct dyads {
  matrix_of<T> u, v;
  std::vector<T> w;

  dyads(index_t m, index_t n, index_t c, std::uint64_t seed)
      : u(matrices::gaussian(m, c, seed).cast<T>()),
        v(matrices::gaussian(n, c, seed + 1).cast<T>()) {
    for (index_t j = 0; j < c; ++j) w.push_back(static_cast<T>(j % 2 == 0 ? 1 + j : -1 - j));
  }
  [[nodiscard]] factor_view<T> view() const {
    return {matrix_view<const T>(u.data(), u.rows(), u.cols()),
            matrix_view<const T>(v.data(), v.rows(), v.cols()), w};
  }
  [[nodiscard]] table written() const {
    table x = table::Zero(u.rows(), v.rows());
    for (index_t j = 0; j < u.cols(); ++j)
      for (index_t i = 0; i < u.rows(); ++i)
        for (index_t k = 0; k < v.rows(); ++k)
          x(i, k) += static_cast<real>(u(i, j)) *
                     static_cast<real>(w[static_cast<std::size_t>(j)]) * static_cast<real>(v(k, j));
    return x;
  }
};

template <class T>
table written(const low_rank<T>& x) {
  matrix_of<T> d(x.rows(), x.cols());
  x.write(d);
  return reference::widen(d);
}

real distance(const table& a, const table& b) {
  const table d = a - b;
  return std::sqrt(reference::dot(d, d));
}

struct size {
  index_t m, n, c;
};

}  // namespace

TEST_CASE_TEMPLATE("update, entry, inner, write and compress mean the matrix", T, float, double) {
  for (const size& s : std::vector<size>{
           {1, 1, 1}, {1, 7, 3}, {7, 1, 3}, {20, 30, 4}, {30, 20, 25}, {6, 9, 9}, {5, 40, 12}}) {
    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.c);
    const dyads<T> a(s.m, s.n, s.c, 3), b(s.m, s.n, 2, 5);
    low_rank<T> x(s.m, s.n);
    CHECK(written(x).isZero(0));
    x.update(1, a.view(), -2);
    x.update(0.25, b.view(), 3);
    const table expected = -0.5L * a.written() + 3 * b.written();
    const real near = tolerance<T>(s.m, s.n) * (distance(a.written(), table::Zero(s.m, s.n)) +
                                                distance(b.written(), table::Zero(s.m, s.n)));
    CHECK(x.columns() == s.c + 2);
    CHECK(distance(written(x), expected) <= near);
    const dyads<T> probe(s.m, s.n, 3, 9);
    CHECK(x.inner(probe.view()) ==
          doctest::Approx(static_cast<double>(reference::dot(expected, probe.written())))
              .epsilon(sizeof(T) == 4 ? 1e-4 : 1e-11));

    REQUIRE(x.compress());
    CHECK(distance(written(x), expected) <= near);
    // The weights are the singular values, and the columns orthonormal.
    const auto facts = reference::facts_of(matrix_of<T>(expected.template cast<T>()));
    const auto f = x.factors();
    CHECK(x.columns() <= std::min({s.m, s.n, s.c + 2}));
    for (std::size_t i = 0; i < f.weights.size(); ++i)
      CHECK(static_cast<double>(f.weights[i]) ==
            doctest::Approx(static_cast<double>(facts.sigma[i])).epsilon(0.01));
    const auto turned = [](matrix_view<const T> q) {
      return Eigen::Map<const matrix_of<T>>(q.data(), q.rows(), q.cols());
    };
    const auto unit = matrix_of<T>::Identity(x.columns(), x.columns());
    CHECK((turned(f.u).transpose() * turned(f.u) - unit).norm() <=
          static_cast<T>(tolerance<T>(s.m, s.n)));
    CHECK((turned(f.v).transpose() * turned(f.v) - unit).norm() <=
          static_cast<T>(tolerance<T>(s.m, s.n)));
  }
}

TEST_CASE_TEMPLATE("compress finds the rank: copies, cancellation, zero weights", T, float,
                   double) {
  const dyads<T> a(40, 30, 3, 3), b(40, 30, 5, 7);
  low_rank<T> x(40, 30);
  for (const double scale : {1.0, 2.0, 0.5}) x.update(1, a.view(), scale);
  REQUIRE(x.compress());
  CHECK(x.columns() == 3);
  x.update(1, b.view(), 1000);
  x.update(1, b.view(), -1000);
  REQUIRE(x.compress());
  CHECK(x.columns() <= 8);
  CHECK(distance(written(x), 3.5L * a.written()) <= 1000 * tolerance<T>(40, 30) * 100);

  low_rank<T> none(40, 30);
  none.update(1, a.view(), 1);
  none.update(1, a.view(), -1);
  REQUIRE(none.compress());
  CHECK(none.columns() == 0);
  none.update(1, a.view(), 0);
  REQUIRE(none.compress());
  CHECK(none.columns() == 0);
  REQUIRE(none.compress());
}

TEST_CASE_TEMPLATE("undo gives back the bits, after a compression too", T, float, double) {
  const dyads<T> a(12, 9, 3, 3), b(12, 9, 3, 7);
  low_rank<T> x(12, 9, 5);
  x.update(1, a.view(), 1);
  const table before = written(x);
  x.update(0.5, b.view(), 1);  // 6 columns are too many: X is compressed first
  x.undo();
  CHECK(x.columns() == 3);
  CHECK(distance(written(x), before) <= tolerance<T>(12, 9) * 100);
  const table compressed = written(x);
  x.update(0, b.view(), 1);
  CHECK(distance(written(x), b.written()) <= tolerance<T>(12, 9) * 100);
  x.undo();
  CHECK(written(x) == compressed);
}

TEST_CASE("the bound on the columns holds them down, and grows where the rank does") {
  low_rank<double> x(60, 50, 8);
  table sum = table::Zero(60, 50);
  for (std::uint64_t i = 0; i < 30; ++i) {  // six matrices again and again: rank 6
    const dyads<double> a(60, 50, 1, 100 + i % 6);
    x.update(0.9, a.view(), 1);
    sum = 0.9L * sum + a.written();
    CHECK(x.columns() <= 8 + 6);
  }
  CHECK(distance(written(x), sum) <= 1e-11L);
  for (std::uint64_t i = 0; i < 80; ++i) {
    const dyads<double> a(60, 50, 1, 200 + i);
    x.update(0.9, a.view(), 1);
    sum = 0.9L * sum + a.written();
  }
  CHECK(distance(written(x), sum) <= 1e-11L);
  REQUIRE(x.compress());
  CHECK(x.columns() == 50);
}

TEST_CASE_TEMPLATE("scales and what is not finite", T, float, double) {
  for (const double scale : matrices::extreme_scales<T>()) {
    dyads<T> a(12, 9, 3, 3);
    for (T& w : a.w) w *= static_cast<T>(scale);
    low_rank<T> x(12, 9);
    x.update(1, a.view(), 1);
    x.update(1, a.view(), 1);
    REQUIRE(x.compress());
    CHECK(x.columns() == 3);
    CHECK(distance(written(x) / static_cast<real>(scale),
                   2 * a.written() / static_cast<real>(scale)) <= tolerance<T>(12, 9) * 100);
  }
  for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
    dyads<T> a(12, 9, 2, 3);
    a.u(3, 1) = bad;
    low_rank<T> x(12, 9);
    x.update(1, a.view(), 1);
    CHECK_FALSE(x.compress());
    CHECK(x.columns() == 2);
    CHECK(x.factors().u(0, 0) == a.u(0, 0));
  }
}

TEST_CASE("other shapes are refused") {
  low_rank<double> x(4, 3);
  const dyads<double> a(3, 4, 1, 3);
  Eigen::MatrixXd d(3, 4);
  CHECK_THROWS_AS(x.update(1, a.view(), 1), std::invalid_argument);
  CHECK_THROWS_AS(x.write(d), std::invalid_argument);
  CHECK_THROWS_AS(low_rank<double>(-1, 3), std::invalid_argument);
  CHECK_THROWS_AS(low_rank<double>(1, 3, 0), std::invalid_argument);
  Eigen::Matrix<double, -1, -1, Eigen::RowMajor> row(4, 3);
  const dyads<double> b(4, 3, 2, 3);
  x.update(1, b.view(), 1);
  x.write(row);
  CHECK(row(3, 0) == doctest::Approx(static_cast<double>(b.written()(3, 0))));
}
