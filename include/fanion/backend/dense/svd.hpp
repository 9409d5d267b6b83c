/// @file  The exact SVD: QR, one-sided Jacobi on Rᵀ, and frames recovered by QR.
///
/// With A = Q R, Jacobi gives Rᵀ J = V Σ, so R V = J Σ and A = (Q J) Σ Vᵀ. The rotations are not
/// accumulated: J is the QR frame of R V, whose columns come longest first.
#pragma once

#include <fanion/backend/dense/eigh.hpp>
#include <fanion/backend/dense/householder.hpp>
#include <fanion/backend/dense/jacobi.hpp>

namespace fanion::dense {

template <Real T>
[[nodiscard]] constexpr index_t svd_size(index_t rows, index_t cols) noexcept {
  const index_t m = std::max(rows, cols), n = std::min(rows, cols);
  return padded<T>(m * n) + padded<T>(round_up(n, lanes<T>) * n) + 2 * padded<T>(n * n) +
         reflectors<T>::scratch_size(m, n, n) + reflectors<T>::scratch_size(n, n, n) +
         gemm_size<T>(n, n, n) + eigh_size<T>(n);
}

/// A = U diag(s) Vᵀ for m >= n: W holds a copy of A, scaled to a largest entry near 1, and is lost.
template <Real T>
void tall_svd(matrix_view<T> W, matrix_view<T> U, std::span<T> s, matrix_view<T> V,
              scratch_stack<T> stack) {
  const index_t n = W.cols();
  const index_t padded_rows = round_up(n, lanes<T>);
  const matrix_view<T> L = stack.take(padded_rows, n), R = stack.take(n, n), J = stack.take(n, n);
  const auto scratch_pieces = reflectors<T>::scratch_size(W.rows(), n, n);
  const std::span<T> qr_scratch(stack.take(scratch_pieces),
                                static_cast<std::size_t>(scratch_pieces));
  reflectors<T> qr(W, n, qr_scratch);
  qr.factorise();

  fill<T>(R, T(0));
  for (index_t j = 0; j < n; ++j) std::copy_n(W.col(j), j + 1, R.col(j));

  // Rᵀ's columns in the eigenvectors of R Rᵀ are orthogonal but for rounding of order eps ‖R‖²,
  // which leaves few rotations to do where the matrix is well conditioned.
  symmetric_gemm<T>(T(1), {R.as_const(), false}, {R.as_const(), true}, T(0), J, stack.rest());
  eigh<T>(J.as_const(), s, V, stack.rest());
  fill<T>(L, T(0));
  gemm<T>(T(1), {R.as_const(), true}, {V.as_const(), false}, T(0), L.block(0, 0, n, n),
          stack.rest());

  const T tolerance = std::numeric_limits<T>::epsilon() * std::sqrt(static_cast<T>(n));
  orthogonalize_columns<T>(L, s.data(), tolerance, 40);
  for (index_t j = 0; j < n; ++j) s[static_cast<std::size_t>(j)] = norm<T>(column<T>(L.col(j), n));
  sort_columns<T>(s, L);

  // Below this a column's direction is rounding noise of R, no part of an orthogonal set.
  const T nothing = std::sqrt(std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon());
  bool full = true;
  for (index_t j = 0; j < n; ++j) {
    T& value = s[static_cast<std::size_t>(j)];
    if (value > nothing) {
      const matrix_view<T> v(V.col(j), n, 1);
      transform<false, T>(column<T>(L.col(j), n), v, [value](auto x, auto) { return x / value; });
    } else {
      value = T(0);
      fill<T>(V.columns(j, 1), T(0));
      full = false;
    }
  }
  if (!full) {
    copy<T>(V.as_const(), J);
    orthonormal_frame<T>(J, V, stack.rest());
  }

  gemm<T>(T(1), {R.as_const(), false}, {V.as_const(), false}, T(0), J, stack.rest());
  fill<T>(U, T(0));
  orthonormal_frame<T>(J, U.block(0, 0, n, n), stack.rest());
  qr.apply(U);
}

/// A(m x n) = U diag(s) Vᵀ, r = min(m, n) values descending, U and V always orthonormal. Error of
/// order eps ‖A‖ for each. A non-finite A gives NaN values and frames of unit vectors.
template <Real T>
void svd(input<T> A, matrix_view<T> U, std::span<T> s, matrix_view<T> V, std::span<T> scratch) {
  const index_t m = A.rows(), n = A.cols(), r = std::min(m, n);
  s = s.first(static_cast<std::size_t>(r));
  const T top = max_abs<T>(A);
  if (!(top > T(0)) || !is_finite(top)) {
    std::fill(s.begin(), s.end(), top > T(0) ? std::numeric_limits<T>::quiet_NaN() : top);
    for (matrix_view<T> F : {U, V}) {
      fill<T>(F, T(0));
      for (index_t j = 0; j < r; ++j) F(j, j) = T(1);
    }
    return;
  }
  const T p = scale_to_one(top);
  scratch_stack<T> stack(scratch);
  if (m >= n) {
    const matrix_view<T> W = stack.take(m, n);
    axpby<T>(p, A, T(0), W);
    tall_svd<T>(W, U, s, V, stack);
  } else {
    const matrix_view<T> W = stack.take(n, m);
    axpby_adjoint<T>(p, A, T(0), W);
    tall_svd<T>(W, V, s, U, stack);
  }
  for (T& value : s) value = std::ldexp(value, -std::ilogb(p));
}

}  // namespace fanion::dense
