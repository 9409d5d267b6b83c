/// @file  The symmetric eigenproblem: Householder tridiagonalisation, then implicit QL.
#pragma once

#include <fanion/backend/dense/householder.hpp>
#include <fanion/backend/dense/jacobi.hpp>
#include <fanion/backend/dense/svd.hpp>

namespace fanion::dense {

template <Real T>
[[nodiscard]] constexpr index_t eigh_size(index_t n) noexcept {
  return padded<T>(n * n) + 3 * padded<T>(n);
}

/// A = Q T Qᵀ: T's diagonal in d, its off-diagonal in e (n − 1 numbers), Q in Q. A is lost.
template <Real T>
void tridiagonalize(matrix_view<T> A, T* d, T* e, T* w, matrix_view<T> Q) {
  const index_t n = A.cols();
  for (index_t j = 0; j + 1 < n; ++j) {
    const index_t length = n - j - 1;
    T* v = &A(j + 1, j);
    const T tau = make_reflector<T>(v, length);
    d[j] = A(j, j);
    e[j] = v[0];
    A(j, j) = tau;  // kept for the second half
    if (tau == T(0)) continue;
    v[0] = T(1);
    const matrix_view<T> B = A.block(j + 1, j + 1, length, length);
    const matrix_view<const T> reflector = column<T>(v, length);
    // B −= v zᵀ + z vᵀ with z = τ B v − (τ² vᵀBv / 2) v.
    for (index_t l = 0; l < length; ++l)
      w[l] = tau * blocked_dot<T>(B.columns(l, 1).as_const(), reflector);
    const matrix_view<T> z(w, length, 1);
    axpby<T>(-tau / T(2) * blocked_dot<T>(z.as_const(), reflector), reflector, T(1), z);
    for (index_t l = 0; l < length; ++l) {
      axpby<T>(-w[l], reflector, T(1), B.columns(l, 1));
      axpby<T>(-v[l], z.as_const(), T(1), B.columns(l, 1));
    }
  }
  if (n > 0) d[n - 1] = A(n - 1, n - 1);
  fill<T>(Q, T(0));
  for (index_t j = 0; j < n; ++j) Q(j, j) = T(1);
  for (index_t j = n - 2; j >= 0; --j)
    for (index_t l = j + 1; l < n; ++l) reflect<T>(A(j, j), &A(j + 1, j), &Q(j + 1, l), n - j - 1);
}

/// (a, b) <- (c a − s b, s a + c b) for any length.
template <Real T>
void turn(T* a, T* b, index_t n, T c, T s) {
  const index_t whole = n / lanes<T> * lanes<T>;
  rotate<T>(a, b, whole, c, s);
  for (index_t i = whole; i < n; ++i) {
    const T x = a[i], y = b[i];
    a[i] = c * x - s * y;
    b[i] = s * x + c * y;
  }
}

/// One implicit QL step on rows first .. last of the tridiagonal, with Wilkinson's shift; V
/// follows.
template <Real T>
void ql_step(T* d, T* e, index_t first, index_t last, matrix_view<T> V) {
  const T half = (d[first + 1] - d[first]) / (T(2) * e[first]);
  const T shift = d[first] - e[first] / (half + std::copysign(std::hypot(half, T(1)), half));
  T g = d[last] - shift, s = T(1), c = T(1), p = T(0);
  for (index_t i = last - 1; i >= first; --i) {
    const T f = s * e[i], b = c * e[i];
    const T r = std::hypot(f, g);
    if (i + 1 < last) e[i + 1] = r;
    if (r == T(0)) {  // the bulge vanished: the matrix splits here
      d[i + 1] -= p;
      return;
    }
    s = f / r;
    c = g / r;
    const T h = d[i + 1] - p;
    const T q = (d[i] - h) * s + T(2) * c * b;
    p = s * q;
    d[i + 1] = h + p;
    g = c * q - b;
    turn<T>(V.col(i), V.col(i + 1), V.rows(), c, s);
  }
  d[first] -= p;
  e[first] = g;
}

/// A = V diag(w) Vᵀ, w descending, V orthonormal. Reads all of A; about 9n³ flops. A non-finite A
/// gives NaN values and V = I.
template <Real T>
void eigh(input<T> A, std::span<T> w, matrix_view<T> V, std::span<T> scratch) {
  const index_t n = A.cols();
  w = w.first(static_cast<std::size_t>(n));
  const T top = max_abs<T>(A);
  if (!(top > T(0)) || !is_finite(top)) {
    std::fill(w.begin(), w.end(), top > T(0) ? std::numeric_limits<T>::quiet_NaN() : top);
    fill<T>(V, T(0));
    for (index_t j = 0; j < n; ++j) V(j, j) = T(1);
    return;
  }
  const T p = scale_to_one(top);
  scratch_stack<T> stack(scratch);
  const matrix_view<T> W = stack.take(n, n);
  T* d = w.data();
  T* e = stack.take(n);
  axpby<T>(p, A, T(0), W);
  tridiagonalize<T>(W, d, e, stack.take(n), V);
  T size = T(0);
  for (index_t i = 0; i < n; ++i) size = std::max(size, std::abs(d[i]));
  for (index_t i = 0; i + 1 < n; ++i) size = std::max(size, std::abs(e[i]));
  constexpr T eps = std::numeric_limits<T>::epsilon();
  for (index_t first = 0; first + 1 < n; ++first)
    for (index_t steps = 0; steps < 60; ++steps) {
      index_t last = first;
      while (last + 1 < n &&
             std::abs(e[last]) > eps * (std::abs(d[last]) + std::abs(d[last + 1])) &&
             std::abs(e[last]) > eps * eps * size)
        ++last;
      if (last == first) break;
      ql_step<T>(d, e, first, last, V);
    }
  sort_columns<T>(w, V);
  for (T& value : w) value = std::ldexp(value, -std::ilogb(p));
}

}  // namespace fanion::dense
