/// @file  The register tile that all products share: C(rows x cols) = α A B + β C for a few vectors
/// of rows and a handful of columns.
#pragma once

#include <fanion/backend/dense/vector.hpp>

namespace fanion::dense {

/// Shape of the full tile: vectors of rows, and columns, chosen so that the accumulators, one
/// column of A and a broadcast fit the registers (32, 16 and 16 of them).
#if defined(__AVX512F__)
inline constexpr index_t tile_vectors = 3;
inline constexpr index_t tile_cols = 8;
#elif defined(__AVX__)
inline constexpr index_t tile_vectors = 2;
inline constexpr index_t tile_cols = 6;
#else
inline constexpr index_t tile_vectors = 2;
inline constexpr index_t tile_cols = 4;
#endif

template <Real T>
inline constexpr index_t tile_rows = tile_vectors* lanes<T>;

/// C = α A B + β C over V vectors of rows and N columns. A is `depth` columns, lda apart; B is
/// packed, N numbers per step. Only the first `rows` rows of C are touched, of which the last
/// vector has at least one, and β == 0 reads none.
template <Real T, index_t V, index_t N>
void tile(index_t depth, T alpha, const T* a, index_t lda, const T* b, T beta, T* c, index_t ldc,
          index_t rows) {
  vec<T> sum[static_cast<std::size_t>(N)][static_cast<std::size_t>(V)] = {};
  for (index_t p = 0; p < depth; ++p, a += lda, b += N) {
    vec<T> column[static_cast<std::size_t>(V)];
#pragma GCC unroll 16
    for (index_t v = 0; v < V; ++v) column[v] = load<T>(a + v * lanes<T>);
#pragma GCC unroll 16
    for (index_t j = 0; j < N; ++j) {
      const vec<T> x = broadcast<T>(b[j]);
#pragma GCC unroll 16
      for (index_t v = 0; v < V; ++v) sum[j][v] += column[v] * x;
    }
  }
  const index_t left = rows - (V - 1) * lanes<T>;
  T part[static_cast<std::size_t>(N * lanes<T>)];
#pragma GCC unroll 16
  for (index_t j = 0; j < N; ++j) {
#pragma GCC unroll 16
    for (index_t v = 0; v < V; ++v) {
      T* out = c + j * ldc + v * lanes<T>;
      const vec<T> product = alpha * sum[j][v];
      if (v == V - 1 && left < lanes<T>)
        store<T>(part + j * lanes<T>, product);
      else
        store<T>(out, beta == T(0) ? product : product + beta * load<T>(out));
    }
  }
  if (left == lanes<T>) return;
  for (index_t j = 0; j < N; ++j)
    for (index_t i = 0; i < left; ++i) {
      T* out = c + (V - 1) * lanes<T> + i + j * ldc;
      *out = part[j * lanes<T> + i] + (beta == T(0) ? T(0) : beta * *out);
    }
}

/// Calls f with `n` as a compile-time constant, 1 <= n <= Most.
template <index_t Most, class F>
void with_count(index_t n, const F& f) {
  if constexpr (Most > 1)
    if (n < Most) return with_count<Most - 1>(n, f);
  f.template operator()<Most>();
}

}  // namespace fanion::dense
