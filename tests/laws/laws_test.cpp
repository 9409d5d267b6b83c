// Laws that hold for every norm and oracle, on random matrices.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <concepts>
#include <cstring>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;

namespace {

/// f(norm, invariance) over the expressions, for m x n matrices.
enum class invariance { unitary, permutation };

/// In double one of each kind: a plan takes a second to compile.
template <class T, class F>
void for_each_norm(index_t m, index_t n, F&& f) {
  f(frobenius(), invariance::unitary);
  f(spectral(), invariance::unitary);
  f(dual(ky_fan(2)), invariance::unitary);
  f(dual(rms_to_rms(m, n)), invariance::unitary);
  f(schatten(3.1), invariance::unitary);
  f(owl({2, 1, 0.5}), invariance::unitary);
  f(0.5 * ky_fan(2) + 0.5 * frobenius(), invariance::unitary);
  f(dual(quadrature(ky_fan(2), frobenius())), invariance::unitary);
  f(sum_abs(), invariance::permutation);
  f(max_row(), invariance::permutation);
  if constexpr (std::same_as<T, float>) {
    f(nuclear(), invariance::unitary);
    f(ky_fan(2), invariance::unitary);
    f(rms_to_rms(m, n), invariance::unitary);
    f(0.11 * spectral(), invariance::unitary);
    f(dual(schatten(1.2)), invariance::unitary);
    f(dual(owl({2, 1, 0.5})), invariance::unitary);
    f(dual(0.5 * ky_fan(2) + 0.5 * frobenius()), invariance::unitary);
    f(max_of(2 * spectral(), 0.7 * frobenius()), invariance::unitary);
    f(max_abs(), invariance::permutation);
    f(sum_row(), invariance::permutation);
    f(max_col(), invariance::permutation);
    f(sum_col(), invariance::permutation);
  }
}

/// The same for duals of sums, which have an oracle and no value.
template <class T, class F>
void for_each_ball(index_t m, index_t n, F&& f) {
  for_each_norm<T>(m, n, f);
  f(dual(spectral() + sum_row() + 0.5 * max_col()), invariance::permutation);
  if constexpr (std::same_as<T, float>) {
    f(dual(0.5 * ky_fan(2) + 0.125 * sum_abs()), invariance::permutation);
    f(dual(nuclear() + 2 * spectral() + max_abs()), invariance::permutation);
  }
}

const std::vector<matrices::shape> shapes = {{1, 6}, {6, 1}, {8, 5}, {5, 8}, {6, 6}, {40, 70}};

template <class T>
matrix_of<T> random(index_t m, index_t n, std::uint64_t seed) {
  return matrices::gaussian(m, n, seed).cast<T>();
}

template <class T>
matrix_of<T> orthogonal(index_t n, std::uint64_t seed) {
  return matrices::frame(n, n, seed).cast<T>();
}

/// Rows or columns in reverse order, with signs that alternate.
template <class T>
matrix_of<T> shuffle(index_t n) {
  matrix_of<T> p = matrix_of<T>::Zero(n, n);
  for (index_t i = 0; i < n; ++i) p(i, n - 1 - i) = i % 2 == 0 ? T(1) : T(-1);
  return p;
}

}  // namespace

TEST_CASE_TEMPLATE("homogeneity, triangle inequality, definiteness, Hölder", T, float, double) {
  for (const auto& s : shapes)
    for_each_norm<T>(s.rows, s.cols, [&](const auto& n, invariance) {
      const T eps = T(tolerance<T>(s.rows, s.cols));
      for (std::uint64_t seed = 1; seed < 4; ++seed) {
        const auto x = random<T>(s.rows, s.cols, seed), y = random<T>(s.rows, s.cols, seed + 50);
        const T nx = value(n, x), ny = value(n, y);
        CHECK(nx > T(0));
        CHECK(value(n, matrix_of<T>(x + y)) <= (nx + ny) * (1 + eps));
        CHECK(std::abs(value(n, matrix_of<T>(T(-2.5) * x)) - T(2.5) * nx) <= eps * nx);
        CHECK(std::abs(value(n, matrix_of<T>(T(0.5) * x)) - T(0.5) * nx) ==
              T(0));  // a power of two
        // <X, Y> <= n(X) n*(Y), with equality for X = -lmo(n, Y).
        CHECK(std::abs(x.cwiseProduct(y).sum()) <= nx * value(dual(n), y) * (1 + eps));
        matrix_of<T> d;
        (void)lmo(n, y, d, exact{});
        CHECK(std::abs(-d.cwiseProduct(y).sum() - value(dual(n), y)) <= eps * value(dual(n), y));
        CHECK(value(n, d) <= 1 + eps);
      }
    });
}

TEST_CASE_TEMPLATE("no point of the ball beats the oracle", T, float, double) {
  for (const auto& s : shapes)
    for_each_ball<T>(s.rows, s.cols, [&](const auto& n, invariance) {
      const auto m = random<T>(s.rows, s.cols, 1);
      matrix_of<T> best, other;
      (void)lmo(n, m, best, exact{});
      const T least = m.cwiseProduct(best).sum();
      for (std::uint64_t seed = 2; seed < 6; ++seed) {
        (void)lmo(n, random<T>(s.rows, s.cols, seed), other, exact{});
        CHECK(m.cwiseProduct(other).sum() >=
              least - std::abs(least) * T(tolerance<T>(s.rows, s.cols)));
      }
    });
}

TEST_CASE_TEMPLATE("invariance of values and equivariance of oracles", T, float, double) {
  for (const auto& s : shapes)
    for_each_ball<T>(s.rows, s.cols, [&](const auto& n, invariance kind) {
      using N = std::remove_cvref_t<decltype(n)>;
      const T eps = T(4 * tolerance<T>(s.rows, s.cols));
      const auto m = random<T>(s.rows, s.cols, 1);
      const bool unitary = kind == invariance::unitary;
      const auto p = unitary ? orthogonal<T>(s.rows, 3) : shuffle<T>(s.rows);
      const auto q = unitary ? orthogonal<T>(s.cols, 4) : shuffle<T>(s.cols);
      const matrix_of<T> turned = p * m * q;
      if constexpr (Evaluable<N>)
        CHECK(std::abs(value(n, turned) - value(n, m)) <= eps * value(n, m));
      matrix_of<T> d, dt;
      (void)lmo(n, m, d, exact{});
      (void)lmo(n, turned, dt, exact{});
      // Singular vectors are as sensitive as the gaps of a Gaussian matrix are small.
      CHECK((p * d * q - dt).norm() <=
            100 * eps * static_cast<T>(std::max(s.rows, s.cols)) * d.norm());
    });
}

TEST_CASE_TEMPLATE("transposition", T, float, double) {
  for (const auto& s : shapes)
    for_each_ball<T>(s.rows, s.cols, [&](const auto& n, invariance) {
      const T eps = T(tolerance<T>(s.rows, s.cols));
      const auto m = random<T>(s.rows, s.cols, 1);
      matrix_of<T> d, dt;
      (void)lmo(n, m, d, exact{});
      (void)lmo(n.transposed(), matrix_of<T>(m.transpose()), dt, exact{});
      CHECK((d.transpose() - dt).norm() <= 100 * eps * d.norm());
    });
}

TEST_CASE_TEMPLATE("storage order changes neither value nor answer", T, float, double) {
  using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const auto& s : std::vector<matrices::shape>{{6, 6}, {8, 5}, {40, 70}}) {
    const auto law = [&](const auto& n) {
      const T eps = T(tolerance<T>(s.rows, s.cols));
      const auto m = random<T>(s.rows, s.cols, 1);
      const row_major by_rows = m;
      matrix_of<T> d, to_columns;
      row_major to_rows, both;
      const auto report = lmo(n, m, d, exact{});
      const auto check = [&](const auto& input, auto& answer) {
        const auto other = lmo(n, input, answer, exact{});
        CHECK((matrix_of<T>(answer) - d).norm() <= 100 * eps * d.norm());
        CHECK(std::abs(other.objective - report.objective) <=
              -static_cast<double>(eps) * report.objective);
        CHECK(std::abs(other.bound - report.bound) <= static_cast<double>(eps) * report.bound);
      };
      check(by_rows, to_columns);
      check(m, to_rows);
      check(by_rows, both);
      if constexpr (Evaluable<std::remove_cvref_t<decltype(n)>>)
        CHECK(std::abs(value(n, by_rows) - value(n, m)) <= eps * value(n, m));
    };
    // One of each kind; those that a transpose changes all.
    law(max_row());
    law(sum_row());
    law(max_col());
    law(sum_col());
    law(sum_abs());
    law(ky_fan(2));
    law(dual(spectral() + sum_row() + 0.5 * max_col()));
  }
}

namespace {

template <class T, class N, class Method>
void check_scaling(const N& n, const matrix_of<T>& m, const Method& method) {
  matrix_of<T> d, dc;
  const auto report = lmo(n, m, d, method);
  for (const int power : {-20, 1, 30}) {
    const T c = std::ldexp(T(1), power);
    const auto scaled_report = lmo(n, matrix_of<T>(c * m), dc, method);
    CHECK(std::memcmp(d.data(), dc.data(), sizeof(T) * static_cast<std::size_t>(d.size())) == 0);
    CHECK(scaled_report.passes == report.passes);
    CHECK(scaled_report.objective == std::ldexp(report.objective, power));
    CHECK(scaled_report.gap() == report.gap());
  }
  const T eps = T(1000 * tolerance<T>(m.rows(), m.cols()));
  (void)lmo(n, matrix_of<T>(T(3) * m), dc, method);
  CHECK((d - dc).norm() <= eps * d.norm());
  (void)lmo(n, matrix_of<T>(-m), dc, method);
  CHECK((d + dc).norm() <= eps * d.norm());
}

}  // namespace

TEST_CASE_TEMPLATE("lmo(n, c M) = lmo(n, M), bitwise for powers of two, and oddness", T, float,
                   double) {
  // Gaps wide enough that rounding turns no vector.
  for (const auto& s : std::vector<matrices::shape>{{7, 5}, {80, 90}}) {
    const matrix_of<T> m =
        matrices::with_spectrum(s.rows, s.cols, [](Eigen::Index k) {
          return std::pow(0.5, static_cast<double>(std::min<Eigen::Index>(k, 6)));
        }).template cast<T>();
    const auto every = [&](const auto& n) {
      check_scaling<T>(n, m, exact{});
      check_scaling<T>(n, m, automatic{});
      check_scaling<T>(n, m, automatic{.gap = 1e-2});
      check_scaling<T>(n, m, subspace{});
      check_scaling<T>(n, m, power{});
      check_scaling<T>(n, m, randomized{});
      check_scaling<T>(n, m, lanczos{});
      check_scaling<T>(n, m, block_krylov{});
    };
    every(frobenius());
    every(max_abs());
    every(sum_abs());
    every(nuclear());
    every(dual(ky_fan(2)));
    every(dual(0.5 * ky_fan(2) + 0.5 * frobenius()));
    every(dual(0.5 * ky_fan(2) + 0.5 * sum_abs()));
    check_scaling<T>(spectral(), m, newton_schulz{});
    check_scaling<T>(spectral(), m, polar_express{});
    check_scaling<T>(spectral(), m, exact{});
    check_scaling<T>(rms_to_rms(s.rows, s.cols), m, automatic{});
  }
}
