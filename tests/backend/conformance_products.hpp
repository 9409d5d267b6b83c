/// @file  What every backend must do: products.
#pragma once

#include <backend/support.hpp>

namespace fanion_test {

/// The classical bound of an inner product of `length` terms, in any order of summation:
/// |error| <= (length + 3) eps |A||B| plus the rounding of the update.
template <class T>
reference product_bound(long double a, const reference& A, const reference& B, long double b,
                        const reference& C) {
  const long double factor = static_cast<long double>(A.cols() + 3) * eps<T>;
  return combine(factor * std::fabs(a), product(magnitude(A), magnitude(B)),
                 3 * eps<T> * std::fabs(b), magnitude(C));
}

/// Column counts around the tiles, and past the point where operands are packed.
inline std::vector<index_t> widths() { return {0, 1, 2, 3, 5, 8, 9, 16, 17, 33, 64, 65, 100}; }

inline std::vector<std::pair<double, double>> factors() { return {{1, 0}, {-0.5, 1}, {2, 0.25}}; }

/// Scratch is as short as the size query allows, and starts at no particular alignment.
/// Runs `verb(a, left, right, b, out, scratch)`, of which the exact result is a L R + b C.
template <class Backend, class T, class Verb>
void check_product(Backend& backend, const reference& L, const reference& R, const reference& left,
                   const reference& right, index_t size, Verb verb) {
  for (const auto& factor : factors()) {
    const auto a = factor.first, b = factor.second;
    CAPTURE(a);
    CAPTURE(b);
    const index_t m = L.rows(), n = R.cols();
    const reference C =
        b == 0 ? build(m, n, [](index_t, index_t) { return NAN; }) : random_matrix<T>(m, n, 3);
    panel<Backend, T> x(backend, left), y(backend, right), out(backend, C);
    auto scratch = backend.template make_workspace<T>(size + 1);
    verb(T(a), x.in(), y.in(), T(b), out.view(), scratch.span().subspan(1));
    check_within(out.get(), combine(a, product(L, R), b, C), product_bound<T>(a, L, R, b, C));
    CHECK(out.intact());
  }
}

/// A X, AᵀY and Y Xᵀ for A(m x n) and k columns.
template <class Backend, class T>
void check_products(Backend& backend, index_t m, index_t n, index_t k) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  const reference A = random_matrix<T>(m, n, 1), At = adjoint(A);
  const reference X = random_matrix<T>(n, k, 2), Y = random_matrix<T>(m, k, 4);
  check_product<Backend, T>(backend, A, X, A, X, backend.template multiply_size<T>(m, n, k),
                            [&](T a, auto x, auto y, T b, auto out, auto scratch) {
                              backend.template multiply<T>(a, x, y, b, out, scratch);
                            });
  check_product<Backend, T>(backend, At, Y, A, Y,
                            backend.template multiply_adjoint_size<T>(m, n, k),
                            [&](T a, auto x, auto y, T b, auto out, auto scratch) {
                              backend.template multiply_adjoint<T>(a, x, y, b, out, scratch);
                            });
  check_product<Backend, T>(backend, Y, adjoint(X), Y, X,
                            backend.template multiply_outer_size<T>(m, n, k),
                            [&](T a, auto x, auto y, T b, auto out, auto scratch) {
                              backend.template multiply_outer<T>(a, x, y, b, out, scratch);
                            });
}

template <class Backend, class T>
void conform_products(Backend& backend) {
  for (const auto& shape : shapes())
    for (index_t k : widths()) check_products<Backend, T>(backend, shape.first, shape.second, k);
}

/// Tall enough that the panel of few columns is cut, with columns of A left over from every group.
template <class Backend, class T>
void conform_tall_products(Backend& backend) {
  check_products<Backend, T>(backend, 5100, 29, 33);
}

/// One product past every block size: several blocks of rows, of columns and of the inner size.
template <class Backend, class T>
void conform_large_products(Backend& backend) {
  const index_t m = 813, n = 301, k = 70;
  const reference A = random_matrix<T>(m, n, 1), X = random_matrix<T>(n, k, 2);
  check_product<Backend, T>(backend, A, X, A, X, backend.template multiply_size<T>(m, n, k),
                            [&](T a, auto x, auto y, T b, auto out, auto scratch) {
                              backend.template multiply<T>(a, x, y, b, out, scratch);
                            });
  const reference B = random_matrix<T>(300, 817, 5), Y = random_matrix<T>(300, 67, 6);
  check_product<Backend, T>(backend, adjoint(B), Y, B, Y,
                            backend.template multiply_adjoint_size<T>(300, 817, 67),
                            [&](T a, auto x, auto y, T b, auto out, auto scratch) {
                              backend.template multiply_adjoint<T>(a, x, y, b, out, scratch);
                            });
  const reference W = random_matrix<T>(803, 70, 7), V = random_matrix<T>(52, 70, 8);
  check_product<Backend, T>(backend, V, adjoint(W), V, W,
                            backend.template multiply_outer_size<T>(52, 803, 70),
                            [&](T a, auto x, auto y, T b, auto out, auto scratch) {
                              backend.template multiply_outer<T>(a, x, y, b, out, scratch);
                            });
}

template <class Backend, class T>
void conform_multiply_norm(Backend& backend) {
  auto list = shapes();
  list.insert(list.end(), {{4500, 31}, {70, 530}});
  for (const auto& shape : list)
    for (index_t k : {0, 1, 5, 12, 70}) {
      const auto m = shape.first, n = shape.second;
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      const reference A = random_matrix<T>(m, n, 1), X = random_matrix<T>(n, k, 2);
      panel<Backend, T> a(backend, A), x(backend, X), y(backend, random_matrix<T>(m, k, 3));
      auto scratch =
          backend.template make_workspace<T>(backend.template multiply_size<T>(m, n, k) + 1);
      const T norm = backend.template multiply_norm<T>(T(2), a.in(), x.in(), y.view(),
                                                       scratch.span().subspan(1));
      const reference none = build(m, k, [](index_t, index_t) { return 0; });
      check_within(y.get(), combine(2, product(A, X), 0, none), product_bound<T>(2, A, X, 0, none));
      CHECK(y.intact());
      long double squares = 0;
      for (index_t j = 0; j < n; ++j)
        for (index_t i = 0; i < m; ++i) squares += A(i, j) * A(i, j);
      CHECK(std::fabs(static_cast<long double>(norm) - std::sqrt(squares)) <=
            8 * eps<T> * std::sqrt(squares));
      const T far = std::numeric_limits<T>::max() / T(4);
      for (const T scale : {std::numeric_limits<T>::min(), far}) {
        if (m == 0 || n == 0) continue;
        panel<Backend, T> b(backend, build(m, n, [&](index_t i, index_t j) {
                              return i + j == 0 ? static_cast<long double>(scale) : 0.0L;
                            }));
        CHECK(backend.template multiply_norm<T>(T(1), b.in(), x.in(), y.view(),
                                                scratch.span().subspan(1)) == scale);
      }
    }
}

/// A is NaN until `prepare` is called for its columns: whoever reads too soon shows it.
template <class Backend, class T>
void conform_multiply_pair(Backend& backend) {
  auto list = shapes();
  list.insert(list.end(), {{70, 530}, {530, 70}, {100, 101}, {9000, 21}});
  const auto nan = [](index_t, index_t) { return NAN; };
  for (const auto& shape : list)
    for (index_t k : {0, 1, 2, 7, 12, 13, 25, 70}) {
      const auto m = shape.first, n = shape.second;
      if (m == 9000 && k > 25) continue;
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      const reference A = random_matrix<T>(m, n, 1), X = random_matrix<T>(m, k, 2);
      panel<Backend, T> later(backend, A), a(backend, build(m, n, nan)), x(backend, X);
      panel<Backend, T> z(backend, build(n, k, nan)), y(backend, build(m, k, nan));
      std::vector<int> prepared(static_cast<std::size_t>(n), 0);
      auto prepare = [&](index_t j, index_t c) -> matrix_view<const T, typename Backend::space> {
        for (index_t p = j; p < j + c; ++p) ++prepared[static_cast<std::size_t>(p)];
        backend.template copy<T>(later.in().columns(j, c), a.view().columns(j, c));
        const index_t end = std::min(n, j + 2 * c);
        return later.in().columns(j + c, end - j - c);
      };
      auto scratch =
          backend.template make_workspace<T>(backend.template multiply_pair_size<T>(m, n, k) + 1);
      const index_t reads = backend.template multiply_pair<T>(
          T(0.5), a.in(), x.in(), z.view(), y.view(), scratch.span().subspan(1), prepare);
      CHECK(reads >= 1);
      CHECK(reads <= 2);
      CHECK(std::all_of(prepared.begin(), prepared.end(), [](int times) { return times == 1; }));
      const reference Z = scaled(0.5, product(adjoint(A), X));
      check_within(z.get(), Z,
                   scaled(0.5L * static_cast<long double>(m + 3) * eps<T>,
                          product(magnitude(adjoint(A)), magnitude(X))));
      // Two inner products in a row.
      const reference bound =
          scaled(0.25L * static_cast<long double>(m + n + 6) * eps<T>,
                 product(magnitude(A), product(magnitude(adjoint(A)), magnitude(X))));
      check_within(y.get(), scaled(0.5, product(A, Z)), bound);
      CHECK(z.intact());
      CHECK(y.intact());
    }
}

template <class Backend, class T>
void conform_gram_product(Backend& backend) {
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    for (index_t k : {0, 1, 4, 16, 70}) {
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      const reference A = random_matrix<T>(m, n, 1), X = random_matrix<T>(n, k, 2);
      panel<Backend, T> a(backend, A), x(backend, X), z(backend, random_matrix<T>(n, k, 3));
      auto scratch =
          backend.template make_workspace<T>(backend.template gram_product_size<T>(m, n, k) + 1);
      backend.template gram_product<T>(a.in(), x.in(), z.view(), scratch.span().subspan(1));
      // Two inner products in a row.
      const reference bound =
          scaled(static_cast<long double>(m + n + 6) * eps<T>,
                 product(magnitude(adjoint(A)), product(magnitude(A), magnitude(X))));
      check_within(z.get(), product(adjoint(A), product(A, X)), bound);
      CHECK(z.intact());
    }
  }
}

template <class Backend, class T>
void check_symmetric(panel<Backend, T>& c) {
  const reference C = c.get();
  CHECK(largest(combine(1, C, -1, adjoint(C))) == 0);
  CHECK(c.intact());
}

template <class Backend, class T>
void conform_syrk(Backend& backend) {
  auto list = shapes();
  list.insert(list.end(), {{301, 40}, {70, 530}, {211, 151}});
  for (const auto& shape : list) {
    const auto r = shape.first, l = shape.second;
    for (const auto& factor : factors()) {
      const auto a = factor.first, b = factor.second;
      CAPTURE(r);
      CAPTURE(l);
      CAPTURE(a);
      CAPTURE(b);
      const reference A = random_matrix<T>(r, l, 1);
      const reference C = b == 0 ? build(r, r, [](index_t, index_t) { return NAN; })
                                 : symmetrized(random_matrix<T>(r, r, 2));
      panel<Backend, T> x(backend, A), c(backend, C);
      auto scratch = backend.template make_workspace<T>(backend.template syrk_size<T>(r, l) + 1);
      backend.template syrk<T>(T(a), x.in(), T(b), c.view(), scratch.span().subspan(1));
      check_within(c.get(), combine(a, product(A, adjoint(A)), b, C),
                   product_bound<T>(a, A, adjoint(A), b, C));
      check_symmetric(c);
    }
  }
}

/// Polynomials of one symmetric matrix commute, so their products are symmetric.
template <class Backend, class T>
void conform_symmetric_product(Backend& backend) {
  for (index_t r : {0, 1, 2, 17, 48, 65, 130, 191})
    for (const auto& factor : factors()) {
      const auto a = factor.first, b = factor.second;
      CAPTURE(r);
      CAPTURE(a);
      CAPTURE(b);
      const reference A = symmetrized(random_matrix<T>(r, r, 1));
      const reference square = product(A, A);
      const reference C = b == 0 ? build(r, r, [](index_t, index_t) { return NAN; })
                                 : symmetrized(random_matrix<T>(r, r, 2));
      panel<Backend, T> x(backend, A), y(backend, square), c(backend, C);
      auto scratch =
          backend.template make_workspace<T>(backend.template symmetric_product_size<T>(r) + 1);
      backend.template symmetric_product<T>(T(a), x.in(), y.in(), T(b), c.view(),
                                            scratch.span().subspan(1));
      // One more rounding: the backend was given A² in T.
      check_within(c.get(), combine(a, product(A, square), b, C),
                   scaled(2, product_bound<T>(a, A, square, b, C)));
      check_symmetric(c);
    }
}

}  // namespace fanion_test
