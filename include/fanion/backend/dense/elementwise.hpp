/// @file  Verbs that visit each entry once: copies, sums, transposes.
#pragma once

#include <fanion/backend/dense/vector.hpp>
#include <fanion/core/random.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace fanion::dense {

/// Y(i, j) = f(X(i, j), Y(i, j)); f takes vectors and scalars alike. With Read false Y is not read
/// and f gets zero in its place.
template <bool Read, Real T, class F>
void transform(input<T> X, matrix_view<T> Y, F f) {
  for (index_t j = 0; j < Y.cols(); ++j) {
    const T* x = X.col(j);
    T* y = Y.col(j);
    index_t i = 0;
    for (; i + lanes<T> <= Y.rows(); i += lanes<T>)
      store<T>(y + i, f(load<T>(x + i), Read ? load<T>(y + i) : vec<T>{}));
    for (; i < Y.rows(); ++i) y[i] = f(x[i], Read ? y[i] : T(0));
  }
}

template <Real T>
void fill(matrix_view<T> X, T value) {
  for (index_t j = 0; j < X.cols(); ++j) std::fill_n(X.col(j), X.rows(), value);
}

template <Real T>
void copy(input<T> X, matrix_view<T> Y) {
  for (index_t j = 0; j < Y.cols(); ++j) std::copy_n(X.col(j), Y.rows(), Y.col(j));
}

/// Y = b Y, where b == 0 clears without reading.
template <Real T>
void scale(T b, matrix_view<T> Y) {
  if (b == T(0)) return fill<T>(Y, T(0));
  if (b != T(1)) transform<false, T>(Y.as_const(), Y, [b](auto y, auto) { return b * y; });
}

/// Y = a X + b Y. X may be Y.
template <Real T>
void axpby(T a, input<T> X, T b, matrix_view<T> Y) {
  if (b == T(0))
    transform<false, T>(X, Y, [a](auto x, auto) { return a * x; });
  else
    transform<true, T>(X, Y, [a, b](auto x, auto y) { return a * x + b * y; });
}

/// f(i, j) for every place, column by column within square tiles: two matrices of which one is
/// walked along its rows both stay in the first-level cache.
template <class F>
void for_each_tile(index_t rows, index_t cols, F f) {
  constexpr index_t side = 32;
  for (index_t j0 = 0; j0 < cols; j0 += side)
    for (index_t i0 = 0; i0 < rows; i0 += side) {
      const index_t i1 = std::min(i0 + side, rows), j1 = std::min(j0 + side, cols);
      for (index_t j = j0; j < j1; ++j)
        for (index_t i = i0; i < i1; ++i) f(i, j);
    }
}

/// Y = a Xᵀ + b Y.
template <Real T>
void axpby_adjoint(T a, input<T> X, T b, matrix_view<T> Y) {
  if (b == T(0))
    for_each_tile(Y.rows(), Y.cols(), [&](index_t i, index_t j) { Y(i, j) = a * X(j, i); });
  else
    for_each_tile(Y.rows(), Y.cols(),
                  [&](index_t i, index_t j) { Y(i, j) = a * X(j, i) + b * Y(i, j); });
}

/// Sorts the columns of A, whose norms are s, longest first.
template <Real T>
void sort_columns(std::span<T> s, matrix_view<T> A) {
  for (index_t i = 0; i < A.cols(); ++i) {
    const auto top = std::max_element(s.begin() + i, s.end()) - s.begin();
    if (top == i) continue;
    std::swap(s[static_cast<std::size_t>(i)], s[static_cast<std::size_t>(top)]);
    std::swap_ranges(A.col(i), A.col(i) + A.rows(), A.col(top));
  }
}

template <Real T>
void random(matrix_view<T> X, std::uint64_t seed, index_t row0, index_t col0) {
  for (index_t j = 0; j < X.cols(); ++j)
    for (index_t i = 0; i < X.rows(); ++i)
      X(i, j) = static_cast<T>(random_normal(seed, row0 + i, col0 + j));
}

}  // namespace fanion::dense
