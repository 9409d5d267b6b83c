/// @file  What every backend must do: bases, singular values, eigenvalues.
#pragma once

#include <backend/support.hpp>

namespace fanion_test {

/// Tolerance of a backward stable factorisation of size n, relative to the matrix: 8 eps n. The
/// errors seen are near eps √n; 8 n leaves room for another order of operations.
template <class T>
long double stable(index_t n) {
  return 8 * eps<T> * static_cast<long double>(std::max<index_t>(n, 1));
}

inline reference first_columns(const reference& A, index_t k) {
  return build(A.rows(), k, [&](index_t i, index_t j) { return A(i, j); });
}

/// X (n x k) spans `rank` dimensions: checks the basis that replaces it.
template <class Backend, class T>
void check_basis(Backend& backend, const reference& X, index_t rank) {
  const index_t n = X.rows(), k = X.cols();
  CAPTURE(n);
  CAPTURE(k);
  panel<Backend, T> x(backend, X);
  const reference given = x.get();
  auto scratch =
      backend.template make_workspace<T>(backend.template orthonormalize_size<T>(n, k) + 1);
  REQUIRE(backend.template orthonormalize<T>(x.view(), scratch.span().subspan(1)) == rank);
  const reference Q = x.get(), basis = first_columns(Q, rank);
  CHECK(frame_error(basis) <= stable<T>(k));
  for (index_t j = rank; j < k; ++j)
    for (index_t i = 0; i < n; ++i) CHECK(Q(i, j) == 0);
  // Every column given lies in the span.
  const reference rest = combine(1, given, -1, product(basis, product(adjoint(basis), given)));
  CHECK(largest(rest) <= stable<T>(8 * k) * largest(given));
  CHECK(x.intact());
}

template <class Backend, class T>
void conform_orthonormalize(Backend& backend) {
  for (const auto& shape :
       std::initializer_list<std::pair<index_t, index_t>>{std::pair<index_t, index_t>{0, 0},
                                                          {4, 0},
                                                          {1, 1},
                                                          {7, 1},
                                                          {7, 7},
                                                          {33, 16},
                                                          {200, 16},
                                                          {1030, 9},
                                                          {70, 70}}) {
    const auto n = shape.first, k = shape.second;
    const reference X = random_matrix<T>(n, k, 1);
    for (long double c : {1.0L, far_out<T>, 1 / far_out<T>})
      check_basis<Backend, T>(backend, scaled(c, X), k);
    check_basis<Backend, T>(backend, reference(n, k), 0);
  }
  const reference X = random_matrix<T>(150, 4, 2);
  // Columns repeated, and sums of columns: the rank stays 4.
  check_basis<Backend, T>(backend, build(150, 8, [&](index_t i, index_t j) { return X(i, j / 2); }),
                          4);
  check_basis<Backend, T>(backend, product(X, random_matrix<T>(4, 12, 3)), 4);
  // One column that the others span: what rounding leaves of it has either sign.
  for (unsigned draw = 0; draw < 8; ++draw)
    check_basis<Backend, T>(backend, product(X, random_matrix<T>(4, 5, 10 + draw)), 4);
  // Zero columns in front.
  check_basis<Backend, T>(
      backend, build(150, 6, [&](index_t i, index_t j) { return j < 2 ? 0 : X(i, j - 2); }), 4);
  // Closer and closer to parallel, down to where squares of the distance are rounding.
  for (long double apart = 0.5L; apart > 1e4L * eps<T>; apart /= 3)
    check_basis<Backend, T>(
        backend,
        build(150, 4,
              [&](index_t i, index_t j) { return X(i, 0) + apart * (j == 0 ? 0 : X(i, j)); }),
        4);
  // A column that is rounding beside the others.
  check_basis<Backend, T>(
      backend,
      build(150, 4, [&](index_t i, index_t j) { return (j == 2 ? eps<T> / 100 : 1) * X(i, j); }),
      3);
  // Nearly parallel: 1 + 1e4 eps apart, far above the threshold.
  check_basis<Backend, T>(
      backend,
      build(150, 4,
            [&](index_t i, index_t j) { return X(i, 0) + 1e4L * eps<T> * (j == 0 ? 0 : X(i, j)); }),
      4);
}

/// A = U diag(s) Vᵀ of `verb`'s output, with the checks that hold for every matrix.
template <class Backend, class T>
std::vector<T> check_svd(Backend& backend, const reference& A) {
  const index_t m = A.rows(), n = A.cols(), r = std::min(m, n);
  CAPTURE(m);
  CAPTURE(n);
  panel<Backend, T> a(backend, A), u(backend, random_matrix<T>(m, r, 1)),
      v(backend, random_matrix<T>(n, r, 2));
  const reference given = a.get();
  std::vector<T> s(static_cast<std::size_t>(r));
  auto scratch = backend.template make_workspace<T>(backend.template small_svd_size<T>(m, n) + 1);
  backend.template small_svd<T>(a.in(), u.view(), std::span<T>(s), v.view(),
                                scratch.span().subspan(1));
  const reference U = u.get(), V = v.get();
  CHECK(frame_error(U) <= stable<T>(r));
  CHECK(frame_error(V) <= stable<T>(r));
  for (std::size_t j = 0; j < s.size(); ++j) {
    CHECK(s[j] >= T(0));
    if (j > 0) CHECK(s[j] <= s[j - 1]);
  }
  const reference back = product(
      build(m, r, [&](index_t i, index_t j) { return U(i, j) * s[static_cast<std::size_t>(j)]; }),
      adjoint(V));
  const long double top = s.empty() ? 0 : s[0];
  CHECK(largest(combine(1, given, -1, back)) <= stable<T>(r) * top);
  CHECK((u.intact() && v.intact()));
  return s;
}

/// A known spectrum between known frames; the values must come back to eps ‖A‖.
template <class Backend, class T>
void check_known_values(Backend& backend, index_t m, index_t n,
                        const std::vector<long double>& want) {
  const index_t r = static_cast<index_t>(want.size());
  const reference U = random_frame(m, r, 11), V = random_frame(n, r, 12);
  const reference A = product(
      build(m, r,
            [&](index_t i, index_t j) { return U(i, j) * want[static_cast<std::size_t>(j)]; }),
      adjoint(V));
  const std::vector<T> s = check_svd<Backend, T>(backend, A);
  for (std::size_t j = 0; j < s.size(); ++j)
    CHECK(std::fabs(s[j] - (j < want.size() ? want[j] : 0)) <= stable<T>(r) * want[0]);
}

template <class Backend, class T>
void conform_svd(Backend& backend) {
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    for (long double c : {1.0L, far_out<T>, 1 / far_out<T>}) {
      check_svd<Backend, T>(backend, scaled(c, random_matrix<T>(m, n, 3)));
      check_svd<Backend, T>(backend, reference(m, n));
    }
  }
  check_known_values<Backend, T>(backend, 40, 25, {5, 4, 4, 4, 1, 1e-3L});  // repeated, rank 6
  check_known_values<Backend, T>(backend, 25, 40, {1});                     // rank 1
  check_known_values<Backend, T>(backend, 70, 70, std::vector<long double>(70, 2));
  std::vector<long double> graded;
  for (int j = 0; j < 60; ++j) graded.push_back(std::pow(0.5L, j));
  check_known_values<Backend, T>(backend, 90, 60, graded);
  // Columns, rows and entries that are zero.
  check_svd<Backend, T>(backend, build(20, 12, [](index_t i, index_t j) {
                          return i == j && i % 2 ? 1.0L + static_cast<long double>(j) : 0.0L;
                        }));
  // Shears whose columns are nearly parallel.
  check_svd<Backend, T>(backend,
                        build(30, 30, [](index_t i, index_t j) { return i <= j ? 1.0L : 0.0L; }));
}

template <class Backend, class T>
void check_eigh(Backend& backend, const reference& A) {
  const index_t n = A.cols();
  CAPTURE(n);
  panel<Backend, T> a(backend, A), v(backend, random_matrix<T>(n, n, 1));
  const reference given = a.get();
  std::vector<T> w(static_cast<std::size_t>(n));
  auto scratch = backend.template make_workspace<T>(backend.template small_eigh_size<T>(n) + 1);
  backend.template small_eigh<T>(a.in(), std::span<T>(w), v.view(), scratch.span().subspan(1));
  const reference V = v.get();
  CHECK(frame_error(V) <= stable<T>(n));
  for (std::size_t j = 1; j < w.size(); ++j) CHECK(w[j] <= w[j - 1]);
  const reference back = product(
      build(n, n, [&](index_t i, index_t j) { return V(i, j) * w[static_cast<std::size_t>(j)]; }),
      adjoint(V));
  long double top = 0;
  for (T x : w) top = std::max(top, std::fabs(static_cast<long double>(x)));
  CHECK(largest(combine(1, given, -1, back)) <= stable<T>(n) * top);
  CHECK(v.intact());
}

template <class Backend, class T>
void conform_eigh(Backend& backend) {
  for (index_t n : {0, 1, 2, 3, 7, 16, 33, 64, 100}) {
    // Rounded to T before it is made symmetric, so that the matrix given is symmetric.
    const reference A = symmetrized(random_matrix<float>(n, n, 4));
    for (long double c : {1.0L, far_out<T>, 1 / far_out<T>})
      check_eigh<Backend, T>(backend, scaled(c, A));
    check_eigh<Backend, T>(backend, reference(n, n));
    check_eigh<Backend, T>(backend,
                           build(n, n, [](index_t i, index_t j) { return i == j ? 3.0L : 0.0L; }));
    check_eigh<Backend, T>(backend, build(n, n, [n = n](index_t i, index_t j) {
                             return i + j == n - 1 ? 1.0L : 0.0L;  // ±1, zero diagonal
                           }));
    check_eigh<Backend, T>(backend, build(n, n, [](index_t, index_t) { return 1.0L; }));
    check_eigh<Backend, T>(backend, build(n, n, [](index_t i, index_t j) {
                             return std::pow(0.25L, static_cast<long double>(i + j));
                           }));
  }
  // The second difference matrix: eigenvalues 2 − 2 cos(π j / (n + 1)).
  const index_t n = 50;
  panel<Backend, T> a(backend,
                      build(n, n,
                            [](index_t i, index_t j) {
                              return i == j ? 2.0L : i - j == 1 || j - i == 1 ? -1.0L : 0.0L;
                            })),
      v(backend, reference(n, n));
  std::vector<T> w(static_cast<std::size_t>(n));
  auto scratch = backend.template make_workspace<T>(backend.template small_eigh_size<T>(n) + 1);
  backend.template small_eigh<T>(a.in(), std::span<T>(w), v.view(), scratch.span().subspan(1));
  for (index_t j = 0; j < n; ++j) {
    const long double angle = 3.14159265358979323846L * static_cast<long double>(n - j) / (n + 1);
    CHECK(std::fabs(w[static_cast<std::size_t>(j)] - (2 - 2 * std::cos(angle))) <=
          4 * stable<T>(n));
  }
}

/// A A⁻¹ = I for A = G Gᵀ + shift I, by `invert`, in place.
template <class Backend, class T, class Invert>
void conform_inverse(Backend& backend, index_t scratch_size, index_t n, Invert invert) {
  CAPTURE(n);
  auto scratch = backend.template make_workspace<T>(scratch_size + 1);
  const reference G = random_matrix<T>(n, n, 5);
  for (long double c : {1.0L, 1e-6L, 1e6L})
    for (long double shift : {1.0L, 1e-2L}) {
      const reference A = symmetrized(build(n, n, [&](index_t i, index_t j) {
        long double sum = i == j ? c * shift : 0;
        for (index_t k = 0; k < n; ++k) sum += c * G(i, k) * G(j, k) / n;
        return sum;
      }));
      panel<Backend, T> a(backend, A);
      const reference given = symmetrized(a.get());
      REQUIRE(invert(a.view(), scratch.span().subspan(1)));
      const reference inverse = a.get();
      for (index_t j = 0; j < n; ++j)
        for (index_t i = 0; i < j; ++i) CHECK(inverse(i, j) == inverse(j, i));
      const reference one = build(n, n, [](index_t i, index_t j) { return i == j ? 1.0L : 0.0L; });
      // The error is that of a stable method times the condition number, at most 5 / shift.
      CHECK(largest(combine(1, product(given, inverse), -1, one)) <= 5 / shift * stable<T>(n));
      CHECK(a.intact());
    }
  if (n == 0) return;
  // Indefinite in the last direction, and NaN.
  for (const long double last : {-1.0L, std::numeric_limits<long double>::quiet_NaN()}) {
    panel<Backend, T> a(backend, build(n, n, [&](index_t i, index_t j) {
                          return i != j ? 0.0L : i == n - 1 ? last : 2.0L;
                        }));
    CHECK_FALSE(invert(a.view(), scratch.span().subspan(1)));
  }
}

template <class Backend, class T>
void conform_invert_definite(Backend& backend) {
  for (index_t n : {0, 1, 2, 7, 31, 32, 33, 64, 100, 257}) {
    conform_inverse<Backend, T>(
        backend, backend.template invert_definite_size<T>(n), n,
        [&](auto A, auto scratch) { return backend.template invert_definite<T>(A, scratch); });
    conform_inverse<Backend, T>(backend, fanion::defaults::invert_definite_size<T>(backend, n), n,
                                [&](auto A, auto scratch) {
                                  return fanion::defaults::invert_definite<T>(backend, A, scratch);
                                });
  }
}

}  // namespace fanion_test
