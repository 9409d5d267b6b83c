/// @file  Products with a tall or wide panel of few columns: the large matrix is read once, where
/// it lies, and never packed.
#pragma once

#include <fanion/backend/dense/gemm.hpp>
#include <fanion/backend/dense/stream.hpp>

namespace fanion::dense {

/// Columns up to which these kernels beat the packed product.
inline constexpr index_t skinny_most = 64;

/// C(rows x cols) = α A B + β C for at most tile_rows rows and tile_cols columns. A (rows x depth,
/// depth <= skinny_depth) lies where it is; B is packed for `cols`.
inline constexpr index_t skinny_depth = 64;
template <Real T>
void strip(index_t rows, index_t cols, index_t depth, T alpha, const T* a, index_t lda, const T* b,
           T beta, T* c, index_t ldc) {
  if (rows == tile_rows<T>)
    return tile_of<T, tile_vectors>(cols, depth, alpha, a, lda, b, beta, c, ldc, rows);
  for (index_t i = 0; i < rows; i += lanes<T>) {
    const index_t live = std::min(lanes<T>, rows - i);
    if (live == lanes<T>) {
      tile_of<T, 1>(cols, depth, alpha, a + i, lda, b, beta, c + i, ldc, live);
      continue;
    }
    // A whole vector would read past the end of A: complete the last rows with zeros.
    T edge[static_cast<std::size_t>(skinny_depth * lanes<T>)];
    for (index_t p = 0; p < depth; ++p)
      store<T>(edge + p * lanes<T>, load_part<T>(a + i + p * lda, live));
    tile_of<T, 1>(cols, depth, alpha, edge, lanes<T>, b, beta, c + i, ldc, live);
  }
}

/// Columns of a group when n columns are shared evenly among groups of at most `most`.
[[nodiscard]] constexpr index_t group_width(index_t n, index_t most) noexcept {
  const index_t groups = (n + most - 1) / most;
  return groups == 0 ? 1 : (n + groups - 1) / groups;
}

/// Y(m x k) = a A(m x n) X(n x k) + b Y, k small. Panels of A's columns, so that the pages at work
/// stay few; in a panel each strip of rows meets every group of X's columns while it is in cache.
/// `packed` holds n k scalars.
template <Real T>
void skinny_multiply(T a, input<T> A, input<T> X, T b, matrix_view<T> Y, T* packed) {
  const index_t m = Y.rows(), n = X.rows(), k = Y.cols();
  if (k <= stream_cols) return stream_multiply<T>(a, A, X, b, Y);
  constexpr index_t panel = 32;
  const index_t width = group_width(k, tile_cols);
  for (index_t j = 0; j < k; j += width)
    pack<T>({X, true}, j, std::min(width, k - j), 0, n, std::min(width, k - j), packed + j * n);
  for (index_t p = 0; p < n; p += panel) {
    const index_t depth = std::min(panel, n - p);
    for (index_t i = 0; i < m; i += tile_rows<T>) {
      // The strip that comes next, a few cache lines of every column: no hardware prefetcher
      // follows that many short pieces.
      const bool below = i + tile_rows<T> < m;
      const T* next = &A(below ? i + tile_rows<T> : 0, below ? p : std::min(p + depth, n - 1));
      const index_t ahead = below ? depth : std::min(panel, n - p - depth);
      for (index_t q = 0; q < ahead; ++q)
        for (index_t v = 0; v < tile_vectors; ++v)
          __builtin_prefetch(next + q * A.ld() + v * lanes<T>);
      for (index_t j = 0; j < k; j += width) {
        const index_t cols = std::min(width, k - j);
        strip<T>(std::min(tile_rows<T>, m - i), cols, depth, a, &A(i, p), A.ld(),
                 packed + j * n + p * cols, p == 0 ? b : T(1), &Y(i, j), Y.ld());
      }
    }
  }
}

/// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y for k <= skinny_depth: one write of Y, and one read
/// unless b is 0. `packed` holds tile_cols k scalars.
template <Real T>
void skinny_outer(T a, input<T> X, input<T> W, T b, matrix_view<T> Y, T* packed) {
  const index_t m = Y.rows(), n = Y.cols(), k = X.cols();
  if (k <= stream_most) return stream_outer<T>(a, X, W, b, Y);
  for (index_t j = 0; j < n; j += tile_cols) {
    const index_t cols = std::min(tile_cols, n - j);
    pack<T>({W, false}, j, cols, 0, k, cols, packed);
    for (index_t i = 0; i < m; i += tile_rows<T>)
      strip<T>(std::min(tile_rows<T>, m - i), cols, k, a, X.data() + i, X.ld(), packed, b, &Y(i, j),
               Y.ld());
  }
}

/// The dot products of P columns of A with Q columns of Y, added to Z(P x Q) times α.
template <Real T, index_t P, index_t Q>
void dot_tile(index_t rows, T alpha, const T* a, index_t lda, const T* y, index_t ldy, T* z,
              index_t ldz) {
  vec<T> sum[static_cast<std::size_t>(P)][static_cast<std::size_t>(Q)] = {};
  const auto step = [&](auto get) {
    vec<T> right[static_cast<std::size_t>(Q)];
#pragma GCC unroll 16
    for (index_t q = 0; q < Q; ++q) right[q] = get(y + q * ldy);
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) {
      const vec<T> left = get(a + p * lda);
#pragma GCC unroll 16
      for (index_t q = 0; q < Q; ++q) sum[p][q] += left * right[q];
    }
  };
  const index_t whole = rows / lanes<T> * lanes<T>;
  for (index_t i = 0; i < whole; i += lanes<T>) step([i](const T* x) { return load<T>(x + i); });
  if (whole < rows) step([&](const T* x) { return load_part<T>(x + whole, rows - whole); });
#pragma GCC unroll 16
  for (index_t q = 0; q < Q; ++q) {
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) z[p + q * ldz] += alpha * lane_sum<T>(sum[p][q]);
  }
}

/// `dot_tile` for a number of columns of Y known at run time, at most Q.
template <Real T, index_t P, index_t Q>
void dot_tile_of(index_t cols, index_t rows, T alpha, const T* a, index_t lda, const T* y,
                 index_t ldy, T* z, index_t ldz) {
  if (cols == Q) return dot_tile<T, P, Q>(rows, alpha, a, lda, y, ldy, z, ldz);
  if constexpr (Q > 1) dot_tile_of<T, P, Q - 1>(cols, rows, alpha, a, lda, y, ldy, z, ldz);
}

/// Z(n x k) = a A(m x n)ᵀ Y(m x k) + b Z, k small. Chunks of rows, so that a few columns of A stay
/// in the first-level cache while every group of Y's columns meets them.
template <Real T>
void skinny_adjoint(T a, input<T> A, input<T> Y, T b, matrix_view<T> Z) {
  constexpr index_t chunk = 8192 / static_cast<index_t>(sizeof(T));
  constexpr index_t left = 4, most = vector_bytes == 64 ? 6 : 3;
  const index_t m = A.rows(), n = A.cols(), k = Y.cols();
  const index_t width = group_width(k, most);
  scale<T>(b, Z);
  for (index_t i = 0; i < m; i += chunk) {
    const index_t rows = std::min(chunk, m - i);
    for (index_t p = 0; p < n;) {
      const bool four = p + left <= n;
      for (index_t j = 0; j < k; j += width) {
        const index_t cols = std::min(width, k - j);
        if (four)
          dot_tile_of<T, left, most>(cols, rows, a, &A(i, p), A.ld(), &Y(i, j), Y.ld(), &Z(p, j),
                                     Z.ld());
        else
          dot_tile_of<T, 1, most>(cols, rows, a, &A(i, p), A.ld(), &Y(i, j), Y.ld(), &Z(p, j),
                                  Z.ld());
      }
      p += four ? left : 1;
    }
  }
}

}  // namespace fanion::dense
