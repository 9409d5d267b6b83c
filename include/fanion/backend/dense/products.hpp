/// @file  The products of a panel, each by the kernel that suits its number of columns.
#pragma once

#include <fanion/backend/dense/gemm.hpp>
#include <fanion/backend/dense/reduce.hpp>
#include <fanion/backend/dense/skinny.hpp>

namespace fanion::dense {

template <Real T>
[[nodiscard]] constexpr index_t multiply_size(index_t m, index_t n, index_t k) noexcept {
  return k <= skinny_most ? 0 : gemm_size<T>(m, k, n);
}

/// Y(m x k) = a A(m x n) X(n x k) + b Y.
template <Real T>
void multiply(T a, input<T> A, input<T> X, T b, matrix_view<T> Y, std::span<T> scratch) {
  if (A.cols() == 0) return scale<T>(b, Y);
  if (Y.empty()) return;
  if (Y.cols() <= skinny_most)
    skinny_multiply<T>(a, A, X, b, Y);
  else
    gemm<T>(a, {A, false}, {X, false}, b, Y, part::whole, scratch);
}

template <Real T>
[[nodiscard]] constexpr index_t multiply_adjoint_size(index_t m, index_t n, index_t k) noexcept {
  return k <= skinny_most ? 0 : gemm_size<T>(n, k, m);
}

/// Y(n x k) = a A(m x n)ᵀ X(m x k) + b Y.
template <Real T>
void multiply_adjoint(T a, input<T> A, input<T> X, T b, matrix_view<T> Y, std::span<T> scratch) {
  if (Y.cols() <= skinny_most)
    skinny_adjoint<T>(a, A, X, b, Y);
  else
    gemm<T>(a, {A, true}, {X, false}, b, Y, part::whole, scratch);
}

template <Real T>
[[nodiscard]] constexpr index_t multiply_outer_size(index_t m, index_t n, index_t k) noexcept {
  return k <= skinny_most ? 0 : gemm_size<T>(m, n, k);
}

/// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y.
template <Real T>
void multiply_outer(T a, input<T> X, input<T> W, T b, matrix_view<T> Y, std::span<T> scratch) {
  if (X.cols() == 0) return scale<T>(b, Y);
  if (Y.empty()) return;
  if (X.cols() <= skinny_most)
    skinny_outer<T>(a, X, W, b, Y);
  else
    gemm<T>(a, {X, false}, {W, true}, b, Y, part::whole, scratch);
}

/// Y(m x k) = a A(m x n) X(n x k), k <= skinny_most, and ‖A‖_F in the same read, which is repeated
/// only where squares over- or underflow.
template <Real T>
[[nodiscard]] T multiply_norm(T a, input<T> A, input<T> X, matrix_view<T> Y) {
  pairwise_sum squares;
  skinny_multiply<T>(a, A, X, T(0), Y, [&](index_t i, index_t rows, index_t p, index_t cols) {
    squares.add(sum_of_squares<T>(A.block(i, p, rows, cols)));
  });
  const double sum = squares.total();
  return trusted<T>(sum, A.size()) ? static_cast<T>(std::sqrt(sum)) : norm<T>(A);
}

}  // namespace fanion::dense
