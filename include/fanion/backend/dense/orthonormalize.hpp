/// @file  An orthonormal basis of the range of a tall panel.
#pragma once

#include <fanion/backend/dense/products.hpp>
#include <fanion/backend/dense/reduce.hpp>

namespace fanion::dense {

template <Real T>
[[nodiscard]] constexpr index_t orthonormalize_size(index_t n, index_t k) noexcept {
  return 2 * padded<T>(k) + std::max(multiply_size<T>(n, k, 1), multiply_adjoint_size<T>(n, k, 1));
}

/// Gram and Schmidt's process, each column projected again while projecting halves its length: then
/// what is left is orthogonal to rounding. Two or three products of one column a time cost about a
/// tenth of one product with a large matrix, so nothing blocked is worth its fallback.
/// Columns of which less than `least` remains are dropped. Returns the rank.
template <Real T>
index_t gram_schmidt(matrix_view<T> X, T least, std::span<T> scratch) {
  const index_t k = X.cols();
  scratch_stack<T> stack(scratch);
  const matrix_view<T> h = stack.take(k, 1);
  index_t rank = 0;
  for (index_t j = 0; j < k; ++j) {
    const matrix_view<T> x = X.columns(rank, 1);
    if (rank < j) copy<T>(X.columns(j, 1).as_const(), x);
    const matrix_view<const T> Q = X.columns(0, rank).as_const();
    T length = norm<T>(x.as_const());
    for (bool again = rank > 0; again && length > least;) {
      const matrix_view<T> overlap = h.block(0, 0, rank, 1);
      multiply_adjoint<T>(T(1), Q, x.as_const(), T(0), overlap, stack.rest());
      multiply<T>(T(-1), Q, overlap.as_const(), T(1), x, stack.rest());
      const T before = length;
      length = norm<T>(x.as_const());
      again = length < before / T(2);
    }
    if (!(length > least)) continue;
    scale<T>(T(1) / length, x);
    ++rank;
  }
  fill<T>(X.columns(rank, k - rank), T(0));
  return rank;
}

/// Turns X(n x k), n >= k, into an orthonormal basis of its range followed by zero columns; returns
/// the rank. What remains of a column counts when it is longer than 8 √(k+1) eps times the longest
/// column: below that it is the rounding of the projections. 4nk² flops or a little more. A
/// non-finite X has rank 0.
template <Real T>
index_t orthonormalize(matrix_view<T> X, std::span<T> scratch) {
  const T top = max_abs<T>(X.as_const());
  if (!(top > T(0)) || !is_finite(top)) {
    fill<T>(X, T(0));
    return 0;
  }
  scale<T>(scale_to_one(top), X);
  T longest = T(0);
  for (index_t j = 0; j < X.cols(); ++j)
    longest = std::max(longest, norm<T>(X.columns(j, 1).as_const()));
  const T least =
      T(8) * std::sqrt(static_cast<T>(X.cols() + 1)) * std::numeric_limits<T>::epsilon() * longest;
  return gram_schmidt<T>(X, least, scratch);
}

}  // namespace fanion::dense
