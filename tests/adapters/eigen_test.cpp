// Eigen's expressions as M and D: every layout gives what the plain copy gives.
#include <doctest/doctest.h>

#include "support/matrices.hpp"

#include <fanion/eigen.hpp>

#include <vector>

using namespace fanion;

namespace {

template <class T>
using columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using strided = Eigen::Map<columns<T>, 0, Eigen::Stride<Eigen::Dynamic, 2>>;
template <class T>
using strided_rows = Eigen::Map<rows<T>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

/// D of each layout for M of each layout, against plain column-major ones.
template <class T, class N, class Method>
void check(const N& n, Eigen::Index m, Eigen::Index c, const Method& method) {
  const columns<T> plain = matrices::graded(m, c).cast<T>();
  columns<T> expected;
  (void)lmo(n, plain, expected, method);
  const T tolerance = T(1e-3);  // singular vectors by another order of operations

  const auto into_every_layout = [&](const auto& source, const char* from) {
    CAPTURE(from);
    const auto close = [&](const auto& d) {
      return (d - expected).norm() <= tolerance * expected.norm();
    };
    columns<T> owning;
    (void)lmo(n, source, owning, method);
    CHECK(close(owning));
    rows<T> owning_rows;
    (void)lmo(n, source, owning_rows, method);
    CHECK(close(owning_rows));
    columns<T> frame = columns<T>::Constant(2 * m + 3, c + 2, T(7));
    (void)lmo(n, source, frame.block(1, 1, m, c), method);
    CHECK(close(frame.block(1, 1, m, c)));
    frame.block(1, 1, m, c).setConstant(T(7));
    CHECK(frame == columns<T>::Constant(2 * m + 3, c + 2, T(7)));  // nothing beside the block
    strided<T> half(frame.data(), m, c, Eigen::Stride<Eigen::Dynamic, 2>(2 * m + 3, 2));
    (void)lmo(n, source, half, method);
    CHECK(close(half));
    half.setConstant(T(7));
    CHECK(frame == columns<T>::Constant(2 * m + 3, c + 2, T(7)));
    rows<T> wide(m, c + 4);
    (void)lmo(n, source, wide.middleCols(2, c), method);
    CHECK(close(wide.middleCols(2, c)));
    std::vector<T> buffer(static_cast<std::size_t>(m * c));
    Eigen::Map<rows<T>> map(buffer.data(), m, c);
    (void)lmo(n, source, map, method);
    CHECK(close(map));
    columns<T> turned(c, m);
    (void)lmo(n, source, turned.transpose(), method);
    CHECK(close(columns<T>(turned.transpose())));
    Eigen::Ref<columns<T>> ref(owning);
    (void)lmo(n, source, ref, method);
    CHECK(close(ref));
    (void)lmo(n, source, matrix_view<T>(owning.data(), m, c), method);
    CHECK(close(owning));
  };

  into_every_layout(plain, "columns");
  into_every_layout(rows<T>(plain), "rows");
  columns<T> big = columns<T>::Random(2 * m, c + 3);
  big.block(1, 2, m, c) = plain;
  into_every_layout(big.block(1, 2, m, c), "block");
  strided<T> half(big.data(), m, c, Eigen::Stride<Eigen::Dynamic, 2>(2 * m, 2));
  half = plain;
  into_every_layout(half, "inner stride 2");
  columns<T> turned = plain.transpose();
  into_every_layout(turned.transpose(), "transpose");
  strided_rows<T> odd(big.data(), m, c, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(1, 2 * m));
  odd = plain;
  into_every_layout(odd, "rows at run-time strides");
  const Eigen::Map<const columns<T>> constant(plain.data(), m, c);
  into_every_layout(constant, "const map");
  const Eigen::Ref<const columns<T>> ref(plain);
  into_every_layout(ref, "const ref");
  into_every_layout(matrix_view<const T>(plain.data(), m, c), "view");
}

template <class T, class N>
void check_values(const N& n, Eigen::Index m, Eigen::Index c) {
  const columns<T> plain = matrices::graded(m, c).cast<T>();
  const T expected = value(n, plain), tolerance = T(1e-5) * expected;
  columns<T> big = columns<T>::Random(2 * m, c);
  strided<T> half(big.data(), m, c, Eigen::Stride<Eigen::Dynamic, 2>(2 * m, 2));
  half = plain;
  CHECK(std::abs(value(n, rows<T>(plain)) - expected) <= tolerance);
  CHECK(std::abs(value(n, half) - expected) <= tolerance);
  CHECK(std::abs(value(n, columns<T>(plain.transpose()).transpose()) - expected) <= tolerance);
}

}  // namespace

TEST_CASE_TEMPLATE("layouts of M and D, mixed", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{7, 5}, {5, 7}, {80, 70}}) {
    check<T>(max_abs(), s.rows, s.cols, automatic{});
    check<T>(sum_abs(), s.rows, s.cols, automatic{});
    check<T>(dual(0.5 * ky_fan(2) + 0.5 * frobenius()), s.rows, s.cols, automatic{});
    check<T>(dual(0.5 * ky_fan(2) + 0.5 * sum_abs()), s.rows, s.cols, exact{});
    check<T>(nuclear(), s.rows, s.cols, subspace{});
    check<T>(spectral(), s.rows, s.cols, polar_express{.gap = 1e-2});
    check<T>(rms_to_rms(s.rows, s.cols), s.rows, s.cols, newton_schulz{});
    check_values<T>(rms_to_rms(s.rows, s.cols), s.rows, s.cols);
    check_values<T>(sum_abs(), s.rows, s.cols);
    check_values<T>(ky_fan(2) + frobenius(), s.rows, s.cols);
  }
}

TEST_CASE("vectors, rows and columns of matrices") {
  Eigen::MatrixXd a = matrices::gaussian(6, 5);
  const Eigen::MatrixXd before = a;
  Eigen::VectorXd d;
  (void)lmo(frobenius(), a.col(2), d);
  CHECK((d + before.col(2).normalized()).norm() <= 1e-14);
  // Rows interleave in memory and do not overlap.
  CHECK_NOTHROW((void)lmo(frobenius(), a.row(2), a.row(3)));
  CHECK((a.row(3) + before.row(2).normalized()).norm() <= 1e-14);
  CHECK(a.row(2) == before.row(2));
  CHECK(a.row(4) == before.row(4));
  CHECK_THROWS_AS((void)lmo(frobenius(), a.row(2), a.row(2)), std::invalid_argument);
  Eigen::Matrix3d fixed = Eigen::Matrix3d::Identity(), out;
  (void)lmo(spectral(), fixed, out);
  CHECK((out + fixed).norm() <= 1e-14);
}

TEST_CASE("a tie among entries goes to the first in storage order, whatever the layout") {
  const rows<double> m = rows<double>::Ones(3, 3);
  Eigen::MatrixXd d;
  (void)lmo(sum_abs(), m, d);
  CHECK(d(0, 0) == -1);
  CHECK(d.cwiseAbs().sum() == 1);
}

TEST_CASE("overlap is exact for windows of one matrix") {
  std::vector<double> memory(200);
  const auto window = [&](index_t at, index_t r, index_t c) {
    return matrix_view<double>(memory.data() + at, r, c, 10);
  };
  for (index_t at = 0; at < 60; ++at)
    for (const index_t r : {1, 3, 7, 10})
      for (const index_t c : {1, 2, 5}) {
        const auto a = window(23, 4, 3), b = window(at, r, c);
        bool shared = false;
        for (index_t j = 0; j < 3; ++j)
          for (index_t i = 0; i < 4; ++i)
            for (index_t l = 0; l < c; ++l)
              for (index_t k = 0; k < r; ++k) shared = shared || &a(i, j) == &b(k, l);
        CAPTURE(at);
        CHECK(overlaps(a, b) == shared);
        CHECK(overlaps(b, a) == shared);
      }
  CHECK(!overlaps(window(0, 0, 3), window(0, 4, 4)));
}
