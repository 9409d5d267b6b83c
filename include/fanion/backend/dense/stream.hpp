/// @file  Products with so few columns that memory is the limit: the large matrix passes from top
/// to bottom in a few long streams, which is what hardware prefetchers follow.
#pragma once

#include <fanion/backend/dense/elementwise.hpp>
#include <fanion/backend/dense/vector.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cstring>

namespace fanion::dense {

/// Calls step(get, put) for every vector of `rows` scalars, where get(p) reads a vector at the same
/// offset from p and put(p, v) writes one; the last may be partial.
template <Real T, class F>
void for_each_vector(index_t rows, const F& step) {
  const index_t whole = rows / lanes<T> * lanes<T>;
  for (index_t i = 0; i < whole; i += lanes<T>)
    step([i](const T* from) { return load<T>(from + i); },
         [i](T* to, const vec<T>& v) { store<T>(to + i, v); });
  if (whole == rows) return;
  const auto bytes = static_cast<std::size_t>(rows - whole) * sizeof(T);
  step([=](const T* from) { return load_part<T>(from + whole, rows - whole); },
       [=](T* to, const vec<T>& v) { std::memcpy(to + whole, &v, bytes); });
}

/// Columns up to which `stream` serves: the numbers of X for four columns of A stay in registers.
inline constexpr index_t stream_cols = vector_bytes == 64 ? 5 : 2;

/// Y(rows x K) += Σ_p A(:, p) x(p, :) for P columns of A, read from top to bottom: P long streams,
/// which memory prefetchers follow, against a Y that stays in the first-level cache.
template <Real T, index_t K, index_t P>
void stream(index_t rows, T alpha, const T* a, index_t lda, const T* x, index_t ldx, T* y,
            index_t ldy) {
  vec<T> weight[static_cast<std::size_t>(P)][static_cast<std::size_t>(K)];
  for (index_t p = 0; p < P; ++p)
    for (index_t c = 0; c < K; ++c) weight[p][c] = broadcast<T>(alpha * x[p + c * ldx]);
  const auto step = [&](auto get, auto put) {
    vec<T> column[static_cast<std::size_t>(P)];
#pragma GCC unroll 4
    for (index_t p = 0; p < P; ++p) column[p] = get(a + p * lda);
#pragma GCC unroll 8
    for (index_t c = 0; c < K; ++c) {
      vec<T> sum = get(y + c * ldy);
#pragma GCC unroll 4
      for (index_t p = 0; p < P; ++p) sum += column[p] * weight[p][c];
      put(y + c * ldy, sum);
    }
  };
  for_each_vector<T>(rows, step);
}

/// `stream` for a number of columns of X known at run time, at most K.
template <Real T, index_t P, index_t K = stream_cols>
void stream_of(index_t k, index_t rows, T alpha, const T* a, index_t lda, const T* x, index_t ldx,
               T* y, index_t ldy) {
  if (k == K) return stream<T, K, P>(rows, alpha, a, lda, x, ldx, y, ldy);
  if constexpr (K > 1) stream_of<T, P, K - 1>(k, rows, alpha, a, lda, x, ldx, y, ldy);
}

/// Y(m x k) = a A(m x n) X(n x k) + b Y for k <= stream_cols.
template <Real T>
void stream_multiply(T a, input<T> A, input<T> X, T b, matrix_view<T> Y) {
  const index_t m = Y.rows(), n = X.rows(), k = Y.cols();
  const index_t chunk = 16384 / static_cast<index_t>(sizeof(T)) / k / lanes<T> * lanes<T>;
  scale<T>(b, Y);
  for (index_t i = 0; i < m; i += chunk) {
    const index_t rows = std::min(chunk, m - i);
    index_t p = 0;
    for (; p + 4 <= n; p += 4)
      stream_of<T, 4>(k, rows, a, &A(i, p), A.ld(), &X(p, 0), X.ld(), &Y(i, 0), Y.ld());
    for (; p < n; ++p)
      stream_of<T, 1>(k, rows, a, &A(i, p), A.ld(), &X(p, 0), X.ld(), &Y(i, 0), Y.ld());
  }
}

/// Columns of X up to which the outer product streams: what a pair of columns of Y needs of W then
/// stays in registers.
inline constexpr index_t stream_most = vector_bytes == 64 ? 8 : 4;

/// P columns of Y, from top to bottom: y <- a Σ x_c w_c + b y for K columns of X. Memory sees P
/// long streams, which is what its prefetchers follow, and X from the cache.
template <Real T, index_t K, index_t P>
void outer_stream(index_t rows, T a, const T* x, index_t ldx, const T* w, index_t ldw, T b, T* y,
                  index_t ldy) {
  vec<T> weight[static_cast<std::size_t>(P)][static_cast<std::size_t>(K)];
  for (index_t p = 0; p < P; ++p)
    for (index_t c = 0; c < K; ++c) weight[p][c] = broadcast<T>(a * w[p + c * ldw]);
  const auto step = [&](auto get, auto put) {
    vec<T> sum[static_cast<std::size_t>(P)];
#pragma GCC unroll 4
    for (index_t p = 0; p < P; ++p) sum[p] = b == T(0) ? vec<T>{} : b * get(y + p * ldy);
#pragma GCC unroll 16
    for (index_t c = 0; c < K; ++c) {
      const vec<T> column = get(x + c * ldx);
#pragma GCC unroll 4
      for (index_t p = 0; p < P; ++p) sum[p] += column * weight[p][c];
    }
#pragma GCC unroll 4
    for (index_t p = 0; p < P; ++p) put(y + p * ldy, sum[p]);
  };
  for_each_vector<T>(rows, step);
}

/// `outer_stream` for a number of columns of X known at run time, at most K.
template <Real T, index_t P, index_t K = stream_most>
void outer_stream_of(index_t k, index_t rows, T a, const T* x, index_t ldx, const T* w, index_t ldw,
                     T b, T* y, index_t ldy) {
  if (k == K) return outer_stream<T, K, P>(rows, a, x, ldx, w, ldw, b, y, ldy);
  if constexpr (K > 1) outer_stream_of<T, P, K - 1>(k, rows, a, x, ldx, w, ldw, b, y, ldy);
}

/// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y for k <= stream_most.
template <Real T>
void stream_outer(T a, input<T> X, input<T> W, T b, matrix_view<T> Y) {
  const index_t m = Y.rows(), n = Y.cols(), k = X.cols();
  // A chunk of X that leaves the first-level cache room for the streams.
  const index_t chunk = 16384 / static_cast<index_t>(sizeof(T)) / k / lanes<T> * lanes<T>;
  for (index_t i = 0; i < m; i += chunk) {
    const index_t rows = std::min(chunk, m - i);
    index_t j = 0;
    for (; j + 2 <= n; j += 2)
      outer_stream_of<T, 2>(k, rows, a, X.data() + i, X.ld(), W.data() + j, W.ld(), b, &Y(i, j),
                            Y.ld());
    if (j < n)
      outer_stream_of<T, 1>(k, rows, a, X.data() + i, X.ld(), W.data() + j, W.ld(), b, &Y(i, j),
                            Y.ld());
  }
}

}  // namespace fanion::dense
