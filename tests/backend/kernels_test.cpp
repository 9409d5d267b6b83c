/// @file  The host's kernels, where the verbs do not show them.
#include <backend/support.hpp>

#include <fanion/backend/eigen.hpp>

#include <cstdint>
#include <stdexcept>

using namespace fanion_test;
namespace dense = fanion::dense;

namespace {

template <class T>
matrix_view<T> whole(std::vector<T>& data, index_t rows, index_t cols) {
  return {data.data(), rows, cols};
}

template <class T>
std::vector<T> rounded(const reference& A) {
  std::vector<T> data;
  for (index_t j = 0; j < A.cols(); ++j)
    for (index_t i = 0; i < A.rows(); ++i) data.push_back(static_cast<T>(A(i, j)));
  return data;
}

template <class T>
reference widened(matrix_view<T> A) {
  return build(A.rows(), A.cols(), [&](index_t i, index_t j) { return A(i, j); });
}

}  // namespace

TEST_CASE_TEMPLATE("lanes add up", T, float, double) {
  T numbers[static_cast<std::size_t>(dense::lanes<T>)];
  for (index_t i = 0; i < dense::lanes<T>; ++i) numbers[i] = static_cast<T>(index_t(1) << i);
  CHECK(dense::lane_sum<T>(dense::load<T>(numbers)) ==
        static_cast<T>((index_t(1) << dense::lanes<T>)-1));
  const auto v = dense::load<T>(numbers);
  const dense::vec<T> four[4] = {v, T(2) * v, T(3) * v, T(4) * v};
  T sums[4];
  dense::lane_sums<T, 4>(four, sums);
  for (int p = 0; p < 4; ++p) CHECK(sums[p] == T(p + 1) * dense::lane_sum<T>(v));
  for (index_t count = 0; count <= dense::lanes<T>; ++count)
    CHECK(dense::lane_sum<T>(dense::load_part<T>(numbers, count)) ==
          static_cast<T>((index_t(1) << count) - 1));
}

TEST_CASE("a pairwise sum keeps what a running sum loses") {
  // 2⁵³ + 1 is not a double: a running sum would never move again.
  dense::pairwise_sum sum;
  sum.add(0x1p53);
  for (int i = 0; i < 1023; ++i) sum.add(1.0);
  CHECK(std::fabs(sum.total() - (0x1p53 + 1023)) <= 2 * 10);  // a rounding of 2 a level
  dense::pairwise_sum infinite;
  for (int i = 0; i < 5; ++i) infinite.add(std::numeric_limits<double>::infinity());
  CHECK(infinite.total() == std::numeric_limits<double>::infinity());
}

TEST_CASE_TEMPLATE("a power of two scales to one", T, float, double) {
  using limits = std::numeric_limits<T>;
  for (T x : {T(1), T(3), T(1e30), T(1e-30), limits::max(), limits::min()}) {
    const T p = dense::scale_to_one(x);
    CHECK((p * x >= T(1) && p * x < T(2)));
    CHECK(std::ldexp(T(1), std::ilogb(p)) == p);
  }
  // Subnormal numbers come as near as a finite factor brings them.
  CHECK(std::isfinite(dense::scale_to_one(limits::denorm_min())));
}

TEST_CASE_TEMPLATE("scratch is cut into aligned pieces, and too little is refused", T, float,
                   double) {
  dense::host_workspace<T> memory(dense::padded<T>(10) + dense::padded<T>(3) + 1);
  for (index_t i = 0; i < memory.size(); ++i) CHECK(memory.data()[i] == T(0));
  dense::scratch_stack<T> stack(memory.span().subspan(1));
  T* first = stack.take(10);
  T* second = stack.take(3);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(second) % 64 == 0);
  CHECK(second >= first + 10);
  CHECK_THROWS_AS(static_cast<void>(stack.take(100)), std::invalid_argument);
  CHECK_THROWS_AS(dense::host_workspace<T>(-1), std::invalid_argument);
}

TEST_CASE_TEMPLATE("transposing copies write the transpose and nothing else", T, float, double) {
  for (index_t m : {0, 1, 3, 4, 7, 16, 21, 40})
    for (index_t n : {0, 1, 4, 5, 8, 9}) {
      const reference exact = random_matrix<T>(m, n, 1);
      fanion::eigen_backend backend;
      panel<fanion::eigen_backend, T> a(backend, exact), out(backend, random_matrix<T>(n, m, 2), 5);
      dense::transpose<T>(m, n, a.view().data(), a.view().ld(), out.view().data(), out.view().ld());
      CHECK(largest(combine(1, out.get(), -1, adjoint(exact))) == 0);
      CHECK(out.intact());
    }
}

TEST_CASE_TEMPLATE("mirror copies the lower half and keeps it", T, float, double) {
  for (index_t n : {0, 1, 2, 31, 32, 33, 64, 100}) {
    const reference exact = random_matrix<T>(n, n, 1);
    fanion::eigen_backend backend;
    panel<fanion::eigen_backend, T> c(backend, exact);
    dense::mirror<T>(c.view(), 0, n / 2);
    dense::mirror<T>(c.view(), n / 2, n);
    const reference want =
        build(n, n, [&](index_t i, index_t j) { return exact(std::max(i, j), std::min(i, j)); });
    CHECK(largest(combine(1, c.get(), -1, want)) == 0);
    CHECK(c.intact());
  }
}

namespace {

/// C = 2 op(A) op(B) + C / 4, of row i up to column i + diagonal, against the bound of inner
/// products, with dirt in the scratch.
template <class T>
void check_gemm(index_t m, index_t n, index_t k, bool a_transposed, bool b_transposed,
                index_t diagonal) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(a_transposed);
  CAPTURE(b_transposed);
  CAPTURE(diagonal);
  fanion::eigen_backend backend;
  const reference A = random_matrix<T>(m, k, 1), B = random_matrix<T>(k, n, 2),
                  C = random_matrix<T>(m, n, 3);
  panel<fanion::eigen_backend, T> a(backend, a_transposed ? adjoint(A) : A),
      b(backend, b_transposed ? adjoint(B) : B), c(backend, C);
  std::vector<T> scratch(static_cast<std::size_t>(dense::slice_size<T>(m, n, k)),
                         std::numeric_limits<T>::quiet_NaN());
  dense::gemm_slice<T>(T(2), {a.in(), a_transposed}, {b.in(), b_transposed}, T(0.25), c.view(),
                       diagonal, scratch);
  const reference got = c.get(), want = combine(2, product(A, B), 0.25L, C);
  const long double bound =
      3 * static_cast<long double>(k + 3) * eps<T> *
      largest(combine(1, product(magnitude(A), magnitude(B)), 1, magnitude(C)));
  const reference error = build(
      m, n, [&](index_t i, index_t j) { return j > i + diagonal ? 0 : got(i, j) - want(i, j); });
  CHECK(largest(error) <= bound);
  CHECK(c.intact());
}

}  // namespace

TEST_CASE_TEMPLATE("packed products at the edges of tiles and blocks", T, float, double) {
  constexpr index_t mr = dense::tile_rows<T>, nr = dense::tile_cols;
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true}) {
      for (index_t m : {index_t(1), dense::lanes<T> + 1, mr - 1, mr, mr + 1})
        for (index_t n : {index_t(1), nr - 1, nr, nr + 1, 3 * nr})
          check_gemm<T>(m, n, 19, a_transposed, b_transposed, n);
      const index_t rows = dense::block_rows<T>, cols = dense::block_cols;
      for (index_t past : {0, 1}) {
        check_gemm<T>(rows + past, nr + 1, 5, a_transposed, b_transposed, nr + 1);
        check_gemm<T>(mr + 1, cols + past, 5, a_transposed, b_transposed, cols + 1);
        check_gemm<T>(mr + 1, nr + 1, dense::block_depth + past, a_transposed, b_transposed,
                      nr + 1);
        check_gemm<T>(rows + past, rows + past, 3, a_transposed, b_transposed, 0);
      }
      for (index_t n : {nr, mr, mr + 1, 2 * mr + dense::lanes<T>, 3 * mr - 1})
        for (index_t diagonal : {index_t(0), index_t(1), dense::lanes<T>})
          check_gemm<T>(n, n + diagonal, 7, a_transposed, b_transposed, diagonal);
    }
  // Several blocks of columns below the diagonal.
  const index_t n = dense::block_cols + 17;
  check_gemm<T>(n, n, 2, false, true, 0);
}

TEST_CASE("scratch of a product grows with every size") {
  for (index_t n : {1, 7, 48, 384, 385, 480, 769, 1536, 1537, 13107, 13108}) {
    CHECK(dense::gemm_size<float>(n, 16, 20, 9) <= dense::gemm_size<float>(n + 1, 16, 20, 9));
    CHECK(dense::gemm_size<float>(n, 100, 100) <= dense::gemm_size<float>(n + 1, 100, 100));
    CHECK(dense::gemm_size<float>(100, n, 100) <= dense::gemm_size<float>(100, n + 1, 100));
    CHECK(dense::gemm_size<float>(100, 100, n) <= dense::gemm_size<float>(100, 100, n + 1));
  }
}

TEST_CASE_TEMPLATE("the lower product leaves tiles above the diagonal alone", T, float, double) {
  const index_t n = 5 * dense::tile_rows<T>;
  std::vector<T> a = rounded<T>(random_matrix<T>(n, 20, 1)), c(static_cast<std::size_t>(n * n), 7);
  dense::host_workspace<T> scratch(dense::slice_size<T>(n, n, 20));
  const matrix_view<T> A = whole(a, n, 20), C = whole(c, n, n);
  dense::gemm_slice<T>(T(1), {A.as_const(), false}, {A.as_const(), true}, T(0), C, 0,
                       scratch.span());
  index_t kept = 0;
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < j; ++i) kept += C(i, j) == T(7);
  CHECK(kept > n * n / 3);
}

// The vectors end where the matrices do, so that a sanitizer sees a read past them.
TEST_CASE_TEMPLATE("skinny products stay inside their operands", T, float, double) {
  for (index_t m : {1, 5, 17, 50})
    for (index_t k : {1, 3, 9}) {
      const index_t n = 7;
      const reference exact_a = random_matrix<T>(m, n, 4), exact_x = random_matrix<T>(n, k, 5);
      std::vector<T> a = rounded<T>(exact_a), x = rounded<T>(exact_x), z(x.size());
      std::vector<T> y(static_cast<std::size_t>(m * k)), b(a.size());
      const matrix_view<T> A = whole(a, m, n), X = whole(x, n, k), Y = whole(y, m, k),
                           Z = whole(z, n, k), B = whole(b, m, n);
      dense::skinny_multiply<T>(T(1), A.as_const(), X.as_const(), T(0), Y);
      const reference want = product(exact_a, exact_x);
      CHECK(largest(combine(1, widened(Y), -1, want)) <= 40 * eps<T>);
      dense::skinny_adjoint<T>(1, T(1), A.as_const(), Y.as_const(), T(0), Z);
      CHECK(largest(combine(1, widened(Z), -1, product(adjoint(exact_a), widened(Y)))) <=
            40 * eps<T> * static_cast<long double>(m));
      dense::skinny_outer<T>(T(1), Y.as_const(), X.as_const(), T(0), B);
      CHECK(largest(combine(1, widened(B), -1, product(widened(Y), adjoint(exact_x)))) <=
            40 * eps<T> * static_cast<long double>(k));
    }
}

TEST_CASE_TEMPLATE("reflectors: A = Q R with Q orthonormal", T, float, double) {
  for (index_t m : {1, 31, 33, 70, 200})
    for (index_t n : {1, 2, 31, 33, 65}) {
      if (n > m) continue;
      CAPTURE(m);
      CAPTURE(n);
      std::vector<T> a = rounded<T>(random_matrix<T>(m, n, 2)), r = a;
      std::vector<T> q(a.size(), T(0));
      const matrix_view<T> R = whole(r, m, n), Q = whole(q, m, n);
      dense::host_workspace<T> scratch(dense::reflectors<T>::scratch_size(m, n, n));
      dense::reflectors<T> qr(R, n, scratch.span());
      qr.factorise();
      for (index_t j = 0; j < n; ++j) Q(j, j) = T(1);
      qr.apply(Q);
      const reference upper =
          build(n, n, [&](index_t i, index_t j) { return i <= j ? R(i, j) : T(0); });
      const long double tolerance = 8 * eps<T> * static_cast<long double>(n + 8);
      CHECK(frame_error(widened(Q)) <= tolerance);
      CHECK(largest(combine(1, widened(whole(a, m, n)), -1, product(widened(Q), upper))) <=
            tolerance * std::sqrt(static_cast<long double>(m)));
    }
}

TEST_CASE_TEMPLATE("a frame is completed and follows the columns' signs", T, float, double) {
  // Two equal columns, a zero one, and a minus sign.
  std::vector<T> a = rounded<T>(build(40, 4, [](index_t i, index_t j) {
    return j == 2 ? 0.0L : j == 3 ? (i == 5 ? -3.0L : 0.0L) : (i == 7 ? 1.0L : 0.0L);
  }));
  std::vector<T> q(a.size());
  const matrix_view<T> Q = whole(q, 40, 4);
  dense::host_workspace<T> scratch(dense::reflectors<T>::scratch_size(40, 4, 4));
  dense::orthonormal_frame<T>(whole(a, 40, 4), Q, scratch.span());
  CHECK(frame_error(widened(Q)) <= 16 * eps<T>);
  CHECK(Q(7, 0) == doctest::Approx(1));
}

TEST_CASE_TEMPLATE("one-sided Jacobi: orthogonal columns of the same A Aᵀ", T, float, double) {
  const index_t rows = dense::round_up(50, dense::lanes<T>), n = 37;
  const reference given = build(rows, n, [x = random_matrix<T>(rows, n, 3)](index_t i, index_t j) {
    return i < 50 ? std::ldexp(x(i, j), static_cast<int>(-j / 4)) : 0.0L;
  });
  std::vector<T> a = rounded<T>(given), squares(static_cast<std::size_t>(n));
  const matrix_view<T> A = whole(a, rows, n);
  const T tolerance = 8 * std::numeric_limits<T>::epsilon();
  CHECK(dense::orthogonalize_columns<T>(A, squares.data(), tolerance, 40) < 15);
  const reference G = product(adjoint(widened(A)), widened(A));
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < j; ++i)  // relative to the two columns, however short they are
      CHECK(std::fabs(G(i, j)) <= 8 * tolerance * std::sqrt(G(i, i) * G(j, j)));
  // Rotations keep A Aᵀ.
  const reference before = product(given, adjoint(given));
  const reference after = product(widened(A), adjoint(widened(A)));
  CHECK(largest(combine(1, before, -1, after)) <= 400 * eps<T> * largest(before));
}
