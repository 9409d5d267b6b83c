/// @file  The inverse of a symmetric positive definite matrix, by Cholesky's factor.
#pragma once

#include <fanion/backend/dense/products.hpp>

#include <cmath>

namespace fanion::dense {

/// Rows and columns that are factored without products.
inline constexpr index_t cholesky_block = 32;
/// Products with a triangle go by so many of its columns at a time, so that little is multiplied
/// by zeros and a product stays large enough to be worth its packing.
inline constexpr index_t triangle_block = 128;

template <Real T>
[[nodiscard]] constexpr index_t invert_definite_size(index_t n, index_t threads = 1) noexcept {
  return padded<T>(n * n) + gemm_size<T>(n, n, n, threads);
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

/// f(from, width) for consecutive pieces of 0 .. n.
template <class F>
void for_each_triangle_block(index_t n, const F& f) {
  for (index_t j = 0; j < n; j += triangle_block) f(j, std::min(triangle_block, n - j));
}

/// The lower half of A becomes L⁻¹, A = LLᵀ, zeros above. Half by half: with S = L₂₁ the inverse of
/// [L₁₁ 0; S L₂₂] is [L₁₁⁻¹ 0; -L₂₂⁻¹ S L₁₁⁻¹ L₂₂⁻¹]. ⅔n³ flops, nearly all in products. `work` has
/// room for a quarter of A.
template <Real T>
[[nodiscard]] bool invert_factor(matrix_view<T> A, T* work, std::span<T> scratch, index_t threads) {
  const index_t n = A.cols();
  if (n <= cholesky_block) return invert_factor_of<T>(A);
  const index_t half = round_up(n / 2, cholesky_block), below = n - half;
  const matrix_view<T> first = A.block(0, 0, half, half), last = A.block(half, half, below, below);
  const matrix_view<T> corner = A.block(half, 0, below, half), S(work, below, half);
  if (!invert_factor<T>(first, work, scratch, threads)) return false;
  for_each_triangle_block(half, [&](index_t j, index_t width) {  // S = A₂₁ L₁₁⁻ᵀ
    gemm<T>(T(1), {corner.columns(0, j + width).as_const(), false},
            {first.block(j, 0, width, j + width).as_const(), true}, T(0), S.columns(j, width),
            scratch, threads);
  });
  symmetric_gemm<T>(T(-1), {S.as_const(), false}, {S.as_const(), true}, T(1), last, scratch,
                    threads);
  // Factoring the last half wants the room that S is in.
  copy<T>(S.as_const(), corner);
  if (!invert_factor<T>(last, work, scratch, threads)) return false;
  for_each_triangle_block(below, [&](index_t i, index_t height) {  // work = L₂₂⁻¹ S
    gemm<T>(T(1), {last.block(i, 0, height, i + height).as_const(), false},
            {corner.block(0, 0, i + height, half).as_const(), false}, T(0),
            S.block(i, 0, height, half), scratch, threads);
  });
  for_each_triangle_block(half, [&](index_t j, index_t width) {
    gemm<T>(T(-1), {S.columns(j, half - j).as_const(), false},
            {first.block(j, j, half - j, width).as_const(), false}, T(0), corner.columns(j, width),
            scratch, threads);
  });
  fill<T>(A.block(0, half, half, below), T(0));
  return true;
}

/// A <- A⁻¹ = L⁻ᵀL⁻¹ for a symmetric positive definite A = LLᵀ, of which the lower half is read;
/// both halves are valid and bitwise symmetric on return. n³ flops, nearly all in products. False,
/// and A undefined, where A is not positive definite to working precision, or not finite.
template <Real T>
[[nodiscard]] bool invert_definite(matrix_view<T> A, std::span<T> scratch, index_t threads = 1) {
  const index_t n = A.cols();
  scratch_stack<T> stack(scratch);
  const matrix_view<T> inverse = stack.take(n, n);
  const std::span<T> rest = stack.rest();
  // The factor in A, with the other matrix as room; then the product, from a copy of the factor.
  if (!invert_factor<T>(A, inverse.data(), rest, threads)) return false;
  copy<T>(A.as_const(), inverse);
  for_each_triangle_block(n, [&](index_t i, index_t height) {
    const matrix_view<T> rows = A.block(i, 0, height, i + height);
    const factor<T> left{inverse.block(i, i, n - i, height).as_const(), true};
    if (i > 0)
      gemm<T>(T(1), left, {inverse.block(i, 0, n - i, i).as_const(), false}, T(0),
              rows.columns(0, i), rest, threads);
    symmetric_gemm<T>(T(1), left, {left.storage, false}, T(0), rows.columns(i, height), rest,
                      threads);
  });
  for (index_t i = triangle_block; i < n; i += triangle_block)
    mirror<T>(A, i, std::min(n, i + triangle_block));
  return true;
}

}  // namespace fanion::dense
