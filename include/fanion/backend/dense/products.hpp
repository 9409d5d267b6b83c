/// @file  The products of a panel, each by the kernel that suits its number of columns.
#pragma once

#include <fanion/backend/dense/gemm.hpp>
#include <fanion/backend/dense/reduce.hpp>
#include <fanion/backend/dense/skinny.hpp>

#include <array>
#include <cmath>

namespace fanion::dense {

template <Real T>
[[nodiscard]] constexpr index_t multiply_size(index_t m, index_t n, index_t k,
                                              index_t threads = 1) noexcept {
  return k <= skinny_most ? 0 : gemm_size<T>(m, k, n, threads);
}

/// Y(m x k) = a A(m x n) X(n x k) + b Y.
template <Real T>
void multiply(T a, input<T> A, input<T> X, T b, matrix_view<T> Y, std::span<T> scratch,
              index_t threads = 1) {
  if (A.cols() == 0) return scale<T>(b, Y);
  if (Y.empty()) return;
  if (Y.cols() <= skinny_most)
    for_each_row_slice<T>(slices_for(threads, A.size()), A, Y,
                          [&](index_t, input<T> part, matrix_view<T> out) {
                            skinny_multiply<T>(a, part, X, b, out);
                          });
  else
    gemm<T>(a, {A, false}, {X, false}, b, Y, scratch, threads);
}

template <Real T>
[[nodiscard]] constexpr index_t multiply_adjoint_size(index_t m, index_t n, index_t k,
                                                      index_t threads = 1) noexcept {
  return k <= skinny_most ? 0 : gemm_size<T>(n, k, m, threads);
}

/// Y(n x k) = a A(m x n)ᵀ X(m x k) + b Y.
template <Real T>
void multiply_adjoint(T a, input<T> A, input<T> X, T b, matrix_view<T> Y, std::span<T> scratch,
                      index_t threads = 1) {
  if (Y.cols() <= skinny_most)
    skinny_adjoint<T>(slices_for(threads, A.size()), a, A, X, b, Y);
  else
    gemm<T>(a, {A, true}, {X, false}, b, Y, scratch, threads);
}

template <Real T>
[[nodiscard]] constexpr index_t multiply_outer_size(index_t m, index_t n, index_t k,
                                                    index_t threads = 1) noexcept {
  return k <= skinny_most ? 0 : gemm_size<T>(m, n, k, threads);
}

/// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y.
template <Real T>
void multiply_outer(T a, input<T> X, input<T> W, T b, matrix_view<T> Y, std::span<T> scratch,
                    index_t threads = 1) {
  if (X.cols() == 0) return scale<T>(b, Y);
  if (Y.empty()) return;
  if (X.cols() <= skinny_most) {
    const index_t slices = slices_for(threads, Y.size());
    for_each_slice(slices, [&](index_t s) {
      const index_t j = slice_begin(Y.cols(), panel_cols, slices, s);
      const index_t cols = slice_begin(Y.cols(), panel_cols, slices, s + 1) - j;
      skinny_outer<T>(a, X, W.block(j, 0, cols, W.cols()), b, Y.columns(j, cols));
    });
  } else {
    gemm<T>(a, {X, false}, {W, true}, b, Y, scratch, threads);
  }
}

/// Y(m x k) = a A(m x n) X(n x k), k <= skinny_most, and ‖A‖_F in the same read, which is repeated
/// only where squares over- or underflow.
template <Real T>
[[nodiscard]] T multiply_norm(T a, input<T> A, input<T> X, matrix_view<T> Y, index_t threads = 1) {
  std::array<double, most_threads> squares;
  const index_t slices = slices_for(threads, A.size());
  for_each_row_slice<T>(slices, A, Y, [&](index_t s, input<T> part, matrix_view<T> out) {
    pairwise_sum sum;
    skinny_multiply<T>(a, part, X, T(0), out,
                       [&](index_t i, index_t rows, index_t p, index_t cols) {
                         sum.add(sum_of_squares<T>(part.block(i, p, rows, cols)));
                       });
    squares[static_cast<std::size_t>(s)] = sum.total();
  });
  double sum = 0;
  for (index_t s = 0; s < slices; ++s) sum += squares[static_cast<std::size_t>(s)];
  return trusted<T>(sum, A.size()) ? static_cast<T>(std::sqrt(sum)) : norm<T>(A);
}

/// Scratch of multiply_pair below: the sums of all slices but one.
template <Real T>
[[nodiscard]] constexpr index_t pair_size(index_t m, index_t n, index_t k,
                                          index_t threads) noexcept {
  return (slices_for(threads, m * n) - 1) * m * k;
}

/// Z(n x k) = a AᵀX and Y(m x k) = a A Z in one read of A, where pairs_in_one_read says so. With
/// one slice A may arrive as it is read; with several all of it has to be there.
template <Real T, class Prepare>
void multiply_pair(T a, input<T> A, input<T> X, matrix_view<T> Z, matrix_view<T> Y,
                   std::span<T> scratch, index_t threads, Prepare&& prepare) {
  const index_t slices = slices_for(threads, A.size());
  if (slices == 1) return skinny_pair<T>(a, A, X, Z, Y, prepare);
  (void)prepare(0, A.cols());
  skinny_pair_sliced<T>(slices, a, A, X, Z, Y, scratch);
}

}  // namespace fanion::dense
