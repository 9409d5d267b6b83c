/// @file  The packed product C = a op(A) op(B) + b C, whole or lower half only.
#pragma once

#include <fanion/backend/dense/elementwise.hpp>
#include <fanion/backend/dense/scratch.hpp>
#include <fanion/backend/dense/tile.hpp>

namespace fanion::dense {

/// A matrix or its transpose, as a factor.
template <Real T>
using factor = std::type_identity_t<oriented_view<const T>>;

/// Which entries of a product are wanted. `lower` leaves undefined values above the diagonal.
enum class part { whole, lower };

/// Blocking: a packed block of A (block_rows x block_depth) stays in the second-level cache, a
/// packed sliver of B (block_depth x tile_cols) in the first, and the packed B in the third.
inline constexpr index_t block_depth = 256;
inline constexpr index_t block_cols = 96 * tile_cols;
template <Real T>
inline constexpr index_t block_rows = 1024 / vector_bytes* tile_rows<T>;

[[nodiscard]] constexpr index_t round_up(index_t n, index_t unit) noexcept {
  return (n + unit - 1) / unit * unit;
}

/// Scratch of gemm, for C m x n and inner size k.
template <Real T>
[[nodiscard]] constexpr index_t gemm_size(index_t m, index_t n, index_t k) noexcept {
  const index_t depth = std::min(k, block_depth);
  return padded<T>(std::min(round_up(m, tile_rows<T>), block_rows<T>) * depth) +
         padded<T>(std::min(round_up(n, tile_cols), block_cols) * depth);
}

/// Rows i0 .. i0+rows and columns p0 .. p0+depth of A, in slivers of `width` rows, each stored step
/// after step. The last sliver is completed with zeros: its products are thrown away, but whatever
/// the scratch held before might be subnormal, and slow.
template <Real T>
void pack(factor<T> A, index_t i0, index_t rows, index_t p0, index_t depth, index_t width, T* out) {
  for (index_t i = 0; i < rows; i += width, out += width * depth) {
    const index_t live = std::min(width, rows - i);
    if (live < width) std::fill_n(out, width * depth, T(0));
    if (A.transposed) {
      const T* source = A.storage.data() + p0 + (i0 + i) * A.storage.ld();
      for (index_t l = 0; l < live; ++l, source += A.storage.ld())
        for (index_t p = 0; p < depth; ++p) out[p * width + l] = source[p];
    } else {
      const T* source = A.storage.data() + i0 + i + p0 * A.storage.ld();
      for (index_t p = 0; p < depth; ++p, source += A.storage.ld())
        for (index_t l = 0; l < live; ++l) out[p * width + l] = source[l];
    }
  }
}

[[nodiscard]] inline constexpr auto flipped(auto A) noexcept {
  A.transposed = !A.transposed;
  return A;
}

/// C(m x n) = a A(m x k) B(k x n) + b C. 2mnk flops, half of that for the lower part.
template <Real T>
void gemm(T a, factor<T> A, factor<T> B, T b, matrix_view<T> C, part wanted, std::span<T> scratch) {
  const index_t m = C.rows(), n = C.cols(), k = A.cols();
  if (k == 0) return scale<T>(b, C);
  if (C.empty()) return;
  constexpr index_t mr = tile_rows<T>, nr = tile_cols;
  scratch_stack<T> stack(scratch);
  const index_t depth_most = std::min(k, block_depth);
  T* a_pack = stack.take(std::min(round_up(m, mr), block_rows<T>) * depth_most);
  T* b_pack = stack.take(std::min(round_up(n, nr), block_cols) * depth_most);
  for (index_t p0 = 0; p0 < k; p0 += block_depth) {
    const index_t depth = std::min(block_depth, k - p0);
    const T beta = p0 == 0 ? b : T(1);
    for (index_t j0 = 0; j0 < n; j0 += block_cols) {
      const index_t cols = std::min(block_cols, n - j0);
      pack<T>(flipped(B), j0, cols, p0, depth, nr, b_pack);
      for (index_t i0 = 0; i0 < m; i0 += block_rows<T>) {
        const index_t rows = std::min(block_rows<T>, m - i0);
        if (wanted == part::lower && i0 + rows <= j0) continue;
        pack<T>(A, i0, rows, p0, depth, mr, a_pack);
        for (index_t j = 0; j < cols; j += nr)
          for (index_t i = 0; i < rows; i += mr) {
            if (wanted == part::lower && i0 + i + mr <= j0 + j) continue;
            const index_t live_rows = std::min(mr, rows - i), live_cols = std::min(nr, cols - j);
            T* c = &C(i0 + i, j0 + j);
            const T* ap = a_pack + i * depth;
            const T* bp = b_pack + j * depth;
            if (live_cols == nr) {
              tile<T, tile_vectors, nr>(depth, a, ap, mr, bp, beta, c, C.ld(), live_rows);
              continue;
            }
            // The last columns: a full tile into a buffer, of which the live part is added.
            T buffer[static_cast<std::size_t>(mr * nr)];
            tile<T, tile_vectors, nr>(depth, a, ap, mr, bp, T(0), buffer, mr, mr);
            axpby<T>(T(1), matrix_view<const T>(buffer, live_rows, live_cols, mr), beta,
                     C.block(i0 + i, j0 + j, live_rows, live_cols));
          }
      }
    }
  }
}

/// Copies the lower half over the upper one.
template <Real T>
void mirror(matrix_view<T> C) {
  constexpr index_t side = 32;
  for (index_t j0 = 0; j0 < C.cols(); j0 += side)
    for (index_t i0 = 0; i0 <= j0; i0 += side)
      for (index_t j = j0; j < std::min(j0 + side, C.cols()); ++j)
        for (index_t i = i0; i < std::min(i0 + side, j); ++i) C(i, j) = C(j, i);
}

}  // namespace fanion::dense
