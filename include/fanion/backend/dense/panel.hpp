/// @file  A few columns of a large matrix against a panel: the three kernels that products with few
/// columns are made of.
///
/// The large matrix is read once, where it lies, a handful of whole columns at a time: few pages at
/// work, and long runs for the prefetchers. While a kernel works on some columns it asks for the
/// same rows of what comes next: hardware prefetchers stop at page boundaries, and a column is
/// often shorter than a page.
#pragma once

#include <fanion/backend/dense/tile.hpp>

#include <algorithm>

namespace fanion::dense {

/// Columns of the large matrix that a kernel works on at once.
inline constexpr index_t panel_cols = 8;

/// Columns that will be wanted soon: the same number as a kernel works on, of as many rows.
template <class T>
struct upcoming {
  const T* data = nullptr;
  index_t ld = 0;
};

/// Asks for `V` vectors of rows from `row` on of `Cols` columns from `col` on, where any are
/// coming. Inlined by force, since g++ takes a function that only prefetches for one without
/// effect.
template <Real T, index_t V, index_t Cols>
[[gnu::always_inline]] inline void prefetch(upcoming<T> next, index_t row, index_t col) noexcept {
  if (next.data == nullptr) return;
#pragma GCC unroll 16
  for (index_t p = 0; p < Cols; ++p)
#pragma GCC unroll 8
    for (index_t v = 0; v < V; ++v)
      __builtin_prefetch(next.data + row + (col + p) * next.ld + v * lanes<T>);
}

/// update<N>(i, get, put) for groups of N vectors of rows, N = V and then 1, and once more for what
/// is left: get(p) reads a vector and put(p, v) writes one, whole or as much as there is.
template <Real T, index_t V, class F>
[[gnu::always_inline]] inline void for_each_group_of_rows(index_t rows, const F& update) {
  const auto get = [](const T* p) { return load<T>(p); };
  const auto put = [](T* p, const vec<T>& v) { store<T>(p, v); };
  index_t i = 0;
  for (; i + V * lanes<T> <= rows; i += V * lanes<T>) update.template operator()<V>(i, get, put);
  for (; i + lanes<T> <= rows; i += lanes<T>) update.template operator()<1>(i, get, put);
  if (i == rows) return;
  const index_t left = rows - i;
  update.template operator()<1>(
      i, [left](const T* p) { return load_part<T>(p, left); },
      [left](T* p, const vec<T>& v) { store_part<T>(p, v, left); });
}

/// Columns of a panel that `panel_add` updates at once, and the vectors of rows for N of them: as
/// many accumulators as registers hold beside a column of A and a broadcast.
inline constexpr index_t add_cols = vector_bytes == 64 ? 12 : tile_cols;
template <index_t N>
inline constexpr index_t add_vectors = N > tile_cols ? 2 : tile_vectors;

/// Y(rows x N) += A(rows x P) W, W packed by columns of A: N numbers each.
template <Real T, index_t N, index_t P>
void panel_add(index_t rows, const T* a, index_t lda, const T* w, T* y, index_t ldy,
               upcoming<T> next) {
  const auto update = [&]<index_t V>(index_t i, auto get, auto put) __attribute__((always_inline)) {
    vec<T> sum[static_cast<std::size_t>(N)][static_cast<std::size_t>(V)];
#pragma GCC unroll 16
    for (index_t c = 0; c < N; ++c)
#pragma GCC unroll 8
      for (index_t v = 0; v < V; ++v) sum[c][v] = get(y + i + c * ldy + v * lanes<T>);
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) {
      prefetch<T, V, 1>(next, i, p);
      vec<T> column[static_cast<std::size_t>(V)];
#pragma GCC unroll 8
      for (index_t v = 0; v < V; ++v) hold(column[v] = get(a + i + p * lda + v * lanes<T>));
#pragma GCC unroll 16
      for (index_t c = 0; c < N; ++c) {
        const vec<T> x = broadcast<T>(w[p * N + c]);
#pragma GCC unroll 8
        for (index_t v = 0; v < V; ++v) sum[c][v] += column[v] * x;
      }
    }
#pragma GCC unroll 16
    for (index_t c = 0; c < N; ++c)
#pragma GCC unroll 8
      for (index_t v = 0; v < V; ++v) put(y + i + c * ldy + v * lanes<T>, sum[c][v]);
  };
  for_each_group_of_rows<T, add_vectors<N>>(rows, update);
}

/// Columns of the large matrix, and of the panel, that `panel_dot` multiplies at once.
inline constexpr index_t dot_left = 4;
inline constexpr index_t dot_right = vector_bytes == 64 ? 6 : 3;

/// Z(P x N) += alpha A(rows x P)ᵀ Y(rows x N), with `Ahead` columns to be asked for.
template <Real T, index_t N, index_t P, index_t Ahead = P>
void panel_dot(index_t rows, T alpha, const T* a, index_t lda, const T* y, index_t ldy, T* z,
               index_t ldz, upcoming<T> next) {
  vec<T> sum[static_cast<std::size_t>(N)][static_cast<std::size_t>(P)] = {};
  const auto step = [&](auto get, index_t i) __attribute__((always_inline)) {
    vec<T> right[static_cast<std::size_t>(N)];
#pragma GCC unroll 16
    for (index_t c = 0; c < N; ++c) hold(right[c] = get(y + i + c * ldy));
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) {
      vec<T> left = get(a + i + p * lda);
      hold(left);
#pragma GCC unroll 16
      for (index_t c = 0; c < N; ++c) sum[c][p] += left * right[c];
    }
  };
  index_t i = 0;
  for (; i + lanes<T> <= rows; i += lanes<T>) {
    prefetch<T, 1, Ahead>(next, i, 0);
    step([](const T* p) { return load<T>(p); }, i);
  }
  if (i < rows) step([n = rows - i](const T* p) { return load_part<T>(p, n); }, i);
#pragma GCC unroll 16
  for (index_t c = 0; c < N; ++c) {
    T total[static_cast<std::size_t>(P)];
    lane_sums<T, P>(sum[c], total);
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) z[p + c * ldz] += alpha * total[p];
  }
}

/// Y(rows x P) = X(rows x depth) W + b Y, W packed by columns of X: P numbers each. `next` is the
/// panel of Y that comes then.
template <Real T, index_t P>
void panel_outer(index_t rows, index_t depth, const T* x, index_t ldx, const T* w, T b, T* y,
                 index_t ldy, upcoming<T> next) {
  const auto update = [&]<index_t V>(index_t i, auto get, auto put) __attribute__((always_inline)) {
    vec<T> sum[static_cast<std::size_t>(P)][static_cast<std::size_t>(V)];
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) {
      prefetch<T, V, 1>(next, i, p);
#pragma GCC unroll 8
      for (index_t v = 0; v < V; ++v)
        sum[p][v] = b == T(0) ? vec<T>{} : b * get(y + i + p * ldy + v * lanes<T>);
    }
    for (index_t c = 0; c < depth; ++c) {
      vec<T> column[static_cast<std::size_t>(V)];
#pragma GCC unroll 8
      for (index_t v = 0; v < V; ++v) column[v] = get(x + i + c * ldx + v * lanes<T>);
#pragma GCC unroll 16
      for (index_t p = 0; p < P; ++p) {
        const vec<T> factor = broadcast<T>(w[c * P + p]);
#pragma GCC unroll 8
        for (index_t v = 0; v < V; ++v) sum[p][v] += column[v] * factor;
      }
    }
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p)
#pragma GCC unroll 8
      for (index_t v = 0; v < V; ++v) put(y + i + p * ldy + v * lanes<T>, sum[p][v]);
  };
  for_each_group_of_rows<T, tile_vectors>(rows, update);
}

}  // namespace fanion::dense
