/// @file  The packed product C = a op(A) op(B) + b C, and the one whose result is symmetric.
#pragma once

#include <fanion/backend/dense/elementwise.hpp>
#include <fanion/backend/dense/scratch.hpp>
#include <fanion/backend/dense/threads.hpp>
#include <fanion/backend/dense/tile.hpp>
#include <fanion/backend/dense/transpose.hpp>

#include <cmath>

namespace fanion::dense {

/// A matrix or its transpose, as a factor.
template <Real T>
using factor = std::type_identity_t<oriented_view<const T>>;

[[nodiscard]] constexpr index_t round_up(index_t n, index_t unit) noexcept {
  return (n + unit - 1) / unit * unit;
}

/// Blocking: a packed block of A (block_rows x block_depth) stays in the second-level cache while
/// the packed B (block_depth x block_cols) passes by, a sliver of tile_cols columns at a time.
inline constexpr index_t block_depth = 384;
inline constexpr index_t block_cols = 192 * tile_cols;
inline constexpr index_t block_bytes = vector_bytes == 64 ? 720 << 10 : 384 << 10;
template <Real T>
inline constexpr index_t block_rows = block_bytes / static_cast<index_t>(sizeof(T)) / block_depth
                                      / tile_rows<T>* tile_rows<T>;

/// The size of a piece when n is cut evenly into as few as `most` allows. No thin last piece: its
/// packing would cost as much as that of a full one.
[[nodiscard]] constexpr index_t even_piece(index_t n, index_t most, index_t unit) noexcept {
  const index_t pieces = (n + most - 1) / most;
  return round_up((n + pieces - 1) / pieces, unit);
}

/// Scratch of one slice of a product.
template <Real T>
[[nodiscard]] constexpr index_t slice_size(index_t m, index_t n, index_t k) noexcept {
  const index_t depth = std::min(k, block_depth);
  return padded<T>(std::min(round_up(m, tile_rows<T>), block_rows<T>) * depth) +
         padded<T>(std::min(round_up(n, tile_cols), block_cols) * depth);
}

/// Rows i0 .. i0+rows and columns p0 .. p0+depth of A, in slivers of Width rows, each stored step
/// after step. The last sliver is completed with zeros: its products are thrown away, but whatever
/// the scratch held before might be subnormal, and slow.
template <Real T, index_t Width>
void pack(factor<T> A, index_t i0, index_t rows, index_t p0, index_t depth, T* out) {
  const index_t ld = A.storage.ld(), whole = rows / Width * Width, left = rows - whole;
  T* last = out + whole * depth;
  if (left > 0) std::fill_n(last, Width * depth, T(0));
  if (A.transposed) {
    const T* source = A.storage.data() + p0 + i0 * ld;
    for (index_t i = 0; i < whole; i += Width)
      transpose<T>(depth, Width, source + i * ld, ld, out + i * depth, Width);
    transpose<T>(depth, left, source + whole * ld, ld, last, Width);
    return;
  }
  // A few columns at a time: long runs to read, and to write.
  constexpr index_t steps = 16;
  for (index_t q = 0; q < depth; q += steps) {
    const T* source = A.storage.data() + i0 + (p0 + q) * ld;
    const index_t count = std::min(steps, depth - q);
    for (index_t i = 0; i < whole; i += Width)
      for (index_t p = 0; p < count; ++p)
        std::memcpy(out + i * depth + (q + p) * Width, source + i + p * ld,
                    static_cast<std::size_t>(Width) * sizeof(T));
    for (index_t p = 0; p < count; ++p)
      std::copy_n(source + whole + p * ld, left, last + (q + p) * Width);
  }
}

[[nodiscard]] inline constexpr auto flipped(auto A) noexcept {
  A.transposed = !A.transposed;
  return A;
}

/// C = a A B + beta C for packed A and B, of row i only the columns up to i + diagonal and what
/// shares a vector with them.
template <Real T>
void multiply_packed(index_t depth, T a, const T* a_pack, const T* b_pack, T beta, matrix_view<T> C,
                     index_t diagonal) {
  constexpr index_t mr = tile_rows<T>, nr = tile_cols;
  for (index_t j = 0; j < C.cols(); j += nr, b_pack += nr * depth)
    for (index_t i = 0; i < C.rows(); i += mr) {
      const index_t above = std::max<index_t>(j - diagonal - i, 0) / lanes<T> * lanes<T>;
      const index_t rows = std::min(mr, C.rows() - i) - above, cols = std::min(nr, C.cols() - j);
      if (rows <= 0) continue;
      const T* rows_of_a = a_pack + i * depth + above;
      T* c = &C(i + above, j);
      with_count<tile_vectors>((rows + lanes<T> - 1) / lanes<T>, [&]<index_t V>() {
        if (cols == nr)
          return tile<T, V, nr>(depth, a, rows_of_a, mr, b_pack, beta, c, C.ld(), rows);
        // The last columns: a full tile into a buffer, of which the live part is added.
        T buffer[static_cast<std::size_t>(V * lanes<T> * nr)];
        tile<T, V, nr>(depth, a, rows_of_a, mr, b_pack, T(0), buffer, V * lanes<T>, V * lanes<T>);
        axpby<T>(T(1), matrix_view<const T>(buffer, rows, cols, V * lanes<T>), beta,
                 matrix_view<T>(c, rows, cols, C.ld()));
      });
    }
}

/// C(m x n) = a A(m x k) B(k x n) + b C, of row i only the columns up to i + diagonal and what
/// shares a vector with them. What an entry's sum goes through follows from k alone.
template <Real T>
void gemm_slice(T a, factor<T> A, factor<T> B, T b, matrix_view<T> C, index_t diagonal,
                std::span<T> scratch) {
  if (C.empty()) return;
  const index_t m = C.rows(), n = C.cols(), k = A.cols();
  const index_t depth_step = even_piece(k, block_depth, 1);
  const index_t row_step = even_piece(m, block_rows<T>, tile_rows<T>);
  const index_t col_step = even_piece(n, block_cols, tile_cols);
  scratch_stack<T> stack(scratch);
  T* a_pack = stack.take(row_step * depth_step);
  T* b_pack = stack.take(col_step * depth_step);
  for (index_t p = 0; p < k; p += depth_step) {
    const index_t depth = std::min(depth_step, k - p);
    for (index_t j = 0; j < n; j += col_step) {
      const index_t cols = std::min(col_step, n - j);
      pack<T, tile_cols>(flipped(B), j, cols, p, depth, b_pack);
      for (index_t i = 0; i < m; i += row_step) {
        const index_t rows = std::min(row_step, m - i);
        if (i + rows + diagonal <= j) continue;
        pack<T, tile_rows<T>>(A, i, rows, p, depth, a_pack);
        multiply_packed<T>(depth, a, a_pack, b_pack, p == 0 ? b : T(1), C.block(i, j, rows, cols),
                           i + diagonal - j);
      }
    }
  }
}

/// Slices of a product: one for as many multiplications as some twenty microseconds allow.
[[nodiscard]] constexpr index_t product_slices(index_t threads, index_t m, index_t n,
                                               index_t k) noexcept {
  return slices_for(threads, m * n * k / 32);
}

/// Scratch of gemm and symmetric_gemm, for C m x n and inner size k. Grows with each of them.
template <Real T>
[[nodiscard]] constexpr index_t gemm_size(index_t m, index_t n, index_t k,
                                          index_t threads = 1) noexcept {
  return product_slices(threads, m, n, k) * slice_size<T>(m, n, k);
}

/// f(s, scratch) for all slices of a product, each with its part of the scratch.
/// @throws std::invalid_argument when the scratch is too small.
template <Real T, class F>
void for_each_product_slice(index_t slices, index_t each, std::span<T> scratch, const F& f) {
  if (static_cast<index_t>(scratch.size()) < slices * each)
    refuse("scratch: scalars", "as many as the size query says", scratch.size());
  for_each_slice(slices, [&](index_t s) {
    f(s, scratch.subspan(static_cast<std::size_t>(s * each), static_cast<std::size_t>(each)));
  });
}

/// Rows i .. i+count of a factor.
template <Real T>
[[nodiscard]] oriented_view<const T> factor_rows(factor<T> A, index_t i, index_t count) {
  const auto& X = A.storage;
  return {A.transposed ? X.columns(i, count) : X.block(i, 0, count, X.cols()), A.transposed};
}

/// C(m x n) = a A(m x k) B(k x n) + b C. 2mnk flops. The longer side of C is cut into slices, which
/// changes no bit.
template <Real T>
void gemm(T a, factor<T> A, factor<T> B, T b, matrix_view<T> C, std::span<T> scratch,
          index_t threads = 1) {
  const index_t m = C.rows(), n = C.cols(), k = A.cols();
  if (k == 0) return scale<T>(b, C);
  const index_t slices = product_slices(threads, m, n, k);
  const auto work = [&](index_t s, std::span<T> part) {
    const bool tall = m >= n;
    const index_t unit = tall ? tile_rows<T> : tile_cols, length = tall ? m : n;
    const index_t from = slice_begin(length, unit, slices, s);
    const index_t count = slice_begin(length, unit, slices, s + 1) - from;
    if (tall)
      gemm_slice<T>(a, factor_rows<T>(A, from, count), B, b, C.block(from, 0, count, n), n, part);
    else
      gemm_slice<T>(a, A, flipped(factor_rows<T>(flipped(B), from, count)), b,
                    C.columns(from, count), n, part);
  };
  for_each_product_slice<T>(slices, slice_size<T>(m, n, k), scratch, work);
}

/// Copies rows `from` .. `to` of the lower half over the upper one. By way of a buffer, so that
/// every line of C is written at once: where columns lie a power of two apart, they evict each
/// other.
template <Real T>
void mirror(matrix_view<T> C, index_t from, index_t to) {
  constexpr index_t side = 32;
  T buffer[static_cast<std::size_t>(side * side)];
  for (index_t i = from; i < to; i += side) {
    const index_t rows = std::min(side, to - i);
    for (index_t j = 0; j < i + rows; j += side) {
      const index_t cols = std::min(side, C.cols() - j);
      transpose<T>(rows, cols, &C(i, j), C.ld(), buffer, side);
      for (index_t l = 0; l < rows; ++l)
        std::copy_n(buffer + l * side, std::clamp<index_t>(i + l - j, 0, cols), &C(j, i + l));
    }
  }
}

/// Where slice s begins when the rows of a triangle are cut into slices of one area.
template <Real T>
[[nodiscard]] index_t triangle_begin(index_t n, index_t slices, index_t s) {
  const double share = std::sqrt(static_cast<double>(s) / static_cast<double>(slices));
  const auto rows = static_cast<index_t>(share * static_cast<double>(n));
  return s == slices ? n : std::min(n, round_up(rows, lanes<T>));
}

/// C(n x n) = a A(n x k) B(k x n) + b C where C and A B are symmetric: the lower half, n²k flops,
/// and its mirror image. The rows are cut into slices, which changes no bit.
template <Real T>
void symmetric_gemm(T a, factor<T> A, factor<T> B, T b, matrix_view<T> C, std::span<T> scratch,
                    index_t threads = 1) {
  const index_t n = C.rows(), k = A.cols();
  if (k == 0) return scale<T>(b, C);
  const index_t slices = product_slices(threads, n, n, k);
  const auto work = [&](index_t s, std::span<T> part) {
    const index_t from = triangle_begin<T>(n, slices, s), to = triangle_begin<T>(n, slices, s + 1);
    gemm_slice<T>(a, factor_rows<T>(A, from, to - from), flipped(factor_rows<T>(flipped(B), 0, to)),
                  b, C.block(from, 0, to - from, to), from, part);
    mirror<T>(C, from, to);
  };
  for_each_product_slice<T>(slices, slice_size<T>(n, n, k), scratch, work);
}

}  // namespace fanion::dense
