/// @file  The inverse of a symmetric positive definite matrix, by Cholesky's factor.
#pragma once

#include <fanion/backend/dense/products.hpp>

#include <cmath>

namespace fanion::dense {

/// Rows and columns that are factored without products.
inline constexpr index_t cholesky_block = 32;

template <Real T>
[[nodiscard]] constexpr index_t invert_definite_size(index_t n, index_t threads = 1) noexcept {
  const index_t block = std::min(n, cholesky_block);
  return padded<T>(n * n) + padded<T>(n * block) + gemm_size<T>(n, n, n, threads);
}

/// The lower triangle of a small A becomes L⁻¹, A = LLᵀ, zeros above. False where a pivot is not
/// positive.
template <Real T>
[[nodiscard]] bool invert_factor_of(matrix_view<T> A) {
  const index_t n = A.cols();
  for (index_t j = 0; j < n; ++j) {
    for (index_t k = 0; k < j; ++k)
      for (index_t i = j; i < n; ++i) A(i, j) -= A(i, k) * A(j, k);
    if (!(A(j, j) > T(0)) || !is_finite(A(j, j))) return false;
    const T root = std::sqrt(A(j, j));
    for (index_t i = j; i < n; ++i) A(i, j) /= root;
  }
  for (index_t j = 0; j < n; ++j) {
    A(j, j) = T(1) / A(j, j);
    for (index_t i = j + 1; i < n; ++i) {
      T sum = T(0);
      for (index_t k = j; k < i; ++k) sum += A(i, k) * A(k, j);
      A(i, j) = -sum / A(i, i);
    }
    for (index_t i = 0; i < j; ++i) A(i, j) = T(0);
  }
  return true;
}

/// A <- A⁻¹ for a symmetric positive definite A, of which the lower half is read; both halves are
/// valid and bitwise symmetric on return. 2n³ flops, in products. False, and A undefined,
/// where A is not positive definite to working precision, or not finite.
template <Real T>
[[nodiscard]] bool invert_definite(matrix_view<T> A, std::span<T> scratch, index_t threads = 1) {
  const index_t n = A.cols();
  scratch_stack<T> stack(scratch);
  const matrix_view<T> inverse = stack.take(n, n);  // of L, row of blocks by row of blocks
  const matrix_view<T> panel = stack.take(n, std::min(n, cholesky_block));
  const std::span<T> rest = stack.rest();
  fill<T>(inverse, T(0));
  for (index_t j = 0; j < n; j += cholesky_block) {
    const index_t width = std::min(cholesky_block, n - j), below = n - j - width;
    const matrix_view<T> corner = inverse.block(j, j, width, width);
    copy<T>(A.block(j, j, width, width).as_const(), corner);
    if (!invert_factor_of<T>(corner)) return false;
    // The rows of L⁻¹ above are done: this one is -L(j,j)⁻¹ L(j,:) L⁻¹.
    if (j > 0) {
      const matrix_view<T> row = panel.block(0, 0, j, width);
      gemm<T>(T(1), {inverse.block(0, 0, j, j).as_const(), true},
              {A.block(j, 0, width, j).as_const(), true}, T(0), row, rest, threads);
      gemm<T>(T(-1), {corner.as_const(), false}, {row.as_const(), true}, T(0),
              inverse.block(j, 0, width, j), rest, threads);
    }
    if (below == 0) break;
    // L below the corner, and its share of the rest of A.
    const matrix_view<T> column = A.block(j + width, j, below, width);
    const matrix_view<T> kept = panel.block(0, 0, below, width);
    copy<T>(column.as_const(), kept);
    gemm<T>(T(1), {kept.as_const(), false}, {corner.as_const(), true}, T(0), column, rest, threads);
    symmetric_gemm<T>(T(-1), {column.as_const(), false}, {column.as_const(), true}, T(1),
                      A.block(j + width, j + width, below, below), rest, threads);
  }
  symmetric_gemm<T>(T(1), {inverse.as_const(), true}, {inverse.as_const(), false}, T(0), A, rest,
                    threads);
  return true;
}

}  // namespace fanion::dense
