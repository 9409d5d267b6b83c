/// @file  Products with a tall or wide panel of few columns: the large matrix is read once, where
/// it lies, and never packed.
#pragma once

#include <fanion/backend/dense/gemm.hpp>

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
  const index_t whole = rows / lanes<T> * lanes<T>;
  for (index_t i = 0; i < whole; i += lanes<T>)
    step([i](const T* from) { return load<T>(from + i); },
         [i](T* to, const vec<T>& v) { store<T>(to + i, v); });
  if (whole == rows) return;
  const auto bytes = static_cast<std::size_t>(rows - whole) * sizeof(T);
  step([=](const T* from) { return load_part<T>(from + whole, rows - whole); },
       [=](T* to, const vec<T>& v) { std::memcpy(to + whole, &v, bytes); });
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
  const index_t whole = rows / lanes<T> * lanes<T>;
  for (index_t i = 0; i < whole; i += lanes<T>)
    step([i](const T* from) { return load<T>(from + i); },
         [i](T* to, const vec<T>& v) { store<T>(to + i, v); });
  if (whole == rows) return;
  const auto bytes = static_cast<std::size_t>(rows - whole) * sizeof(T);
  step([=](const T* from) { return load_part<T>(from + whole, rows - whole); },
       [=](T* to, const vec<T>& v) { std::memcpy(to + whole, &v, bytes); });
}

/// `outer_stream` for a number of columns of X known at run time, at most K.
template <Real T, index_t P, index_t K = stream_most>
void outer_stream_of(index_t k, index_t rows, T a, const T* x, index_t ldx, const T* w, index_t ldw,
                     T b, T* y, index_t ldy) {
  if (k == K) return outer_stream<T, K, P>(rows, a, x, ldx, w, ldw, b, y, ldy);
  if constexpr (K > 1) outer_stream_of<T, P, K - 1>(k, rows, a, x, ldx, w, ldw, b, y, ldy);
}

/// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y for k <= skinny_depth: one write of Y, and one read
/// unless b is 0. `packed` holds tile_cols k scalars.
template <Real T>
void skinny_outer(T a, input<T> X, input<T> W, T b, matrix_view<T> Y, T* packed) {
  const index_t m = Y.rows(), n = Y.cols(), k = X.cols();
  if (k <= stream_most) {
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
    return;
  }
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
