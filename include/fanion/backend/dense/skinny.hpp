/// @file  Products with a tall or wide panel of few columns: the large matrix is read once, where
/// it lies, and never packed.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/dense/elementwise.hpp>
#include <fanion/backend/dense/panel.hpp>
#include <fanion/backend/dense/threads.hpp>
#include <fanion/core/view.hpp>

#include <span>

namespace fanion::dense {

/// Columns up to which these kernels beat the packed product.
inline constexpr index_t skinny_most = 64;

/// Columns of a group when n columns are shared evenly among groups of at most `most`.
[[nodiscard]] constexpr index_t group_width(index_t n, index_t most) noexcept {
  const index_t groups = (n + most - 1) / most;
  return groups == 0 ? 1 : (n + groups - 1) / groups;
}

/// Rows of a panel of k columns that fill `bytes`, a multiple of the tile's.
template <Real T>
[[nodiscard]] constexpr index_t rows_that_fill(index_t bytes, index_t k) noexcept {
  const index_t rows = bytes / static_cast<index_t>(sizeof(T)) / std::max<index_t>(k, 1);
  return std::max(rows / tile_rows<T> * tile_rows<T>, tile_rows<T>);
}

/// What of a panel stays in the second-level cache while the large matrix passes by.
inline constexpr index_t resident_bytes = index_t(1) << 19;

/// Y(rows x k) += a A(rows x P) X(P x k), all columns of X in turn.
template <Real T, index_t P>
void add_columns(T a, index_t rows, const T* A, index_t lda, const T* x, index_t ldx, index_t k,
                 T* y, index_t ldy, upcoming<T> next) {
  const index_t width = group_width(k, add_cols);
  for (index_t c = 0; c < k; c += width) {
    const index_t cols = std::min(width, k - c);
    T packed[static_cast<std::size_t>(P * add_cols)];
    for (index_t p = 0; p < P; ++p)
      for (index_t q = 0; q < cols; ++q) packed[p * cols + q] = a * x[p + (c + q) * ldx];
    with_count<add_cols>(cols, [&]<index_t N>() {
      panel_add<T, N, P>(rows, A, lda, packed, y + c * ldy, ldy, c == 0 ? next : upcoming<T>());
    });
  }
}

/// Z(P x k) += a A(rows x P)ᵀ Y(rows x k), all columns of Y in turn. Where they come in groups, the
/// first two ask for half of what is next each, so that memory and arithmetic overlap.
template <Real T, index_t P>
void dot_columns(T a, index_t rows, const T* A, index_t lda, const T* y, index_t ldy, index_t k,
                 T* z, index_t ldz, upcoming<T> next) {
  const index_t width = group_width(k, dot_right);
  constexpr index_t half = (P + 1) / 2;
  for (index_t c = 0; c < k; c += width)
    with_count<dot_right>(std::min(width, k - c), [&]<index_t N>() {
      if (width == k) return panel_dot<T, N, P>(rows, a, A, lda, y, ldy, z, ldz, next);
      panel_dot<T, N, P, half>(rows, a, A, lda, y + c * ldy, ldy, z + c * ldz, ldz, next);
      if (c > 0 || P == 1)
        next = {};
      else if (next.data != nullptr)
        next.data += half * next.ld;
    });
}

/// Calls f<P>(p) for panels of P = `Most` columns p, p+1, … of n and then one by one.
template <index_t Most, class F>
void for_each_panel(index_t n, const F& f) {
  index_t p = 0;
  for (; p + Most <= n; p += Most) f.template operator()<Most>(p);
  for (; p < n; ++p) f.template operator()<1>(p);
}

/// The same rows of the panel after column p, where there is a whole one.
template <Real T>
[[nodiscard]] upcoming<T> after(input<T> A, index_t row, index_t p, index_t width) noexcept {
  if (p + 2 * width > A.cols()) return {};
  return {&A(row, p + width), A.ld()};
}

/// Asks for what two panels from now will need of the small factor: one short run a column, which
/// no hardware prefetcher follows.
template <class T>
[[gnu::always_inline]] inline void prefetch_rows(matrix_view<T> X, index_t p) noexcept {
  for (index_t c = 0; c < X.cols(); ++c) __builtin_prefetch(&X(p, c) + 4 * panel_cols);
}

/// Looks at nothing: the default of `skinny_multiply`.
struct no_look {
  void operator()(index_t, index_t, index_t, index_t) const noexcept {}
};

/// Y(m x k) = a A(m x n) X(n x k) + b Y, k small. `look(row, rows, col, cols)` is called for blocks
/// that partition A, each just before it is multiplied.
template <Real T, class Look = no_look>
void skinny_multiply(T a, input<T> A, input<T> X, T b, matrix_view<T> Y, const Look& look = {}) {
  const index_t m = Y.rows(), n = X.rows(), k = Y.cols();
  const index_t chunk = rows_that_fill<T>(resident_bytes, k);
  scale<T>(b, Y);
  for (index_t i = 0; i < m; i += chunk) {
    const index_t rows = std::min(chunk, m - i);
    for_each_panel<panel_cols>(n, [&]<index_t P>(index_t p) {
      look(i, rows, p, P);
      prefetch_rows(X, p);
      add_columns<T, P>(a, rows, &A(i, p), A.ld(), &X(p, 0), X.ld(), k, &Y(i, 0), Y.ld(),
                        after<T>(A, i, p, P));
    });
  }
}

/// f(s, rows of A, rows of Y) for slices that share out the rows.
template <Real T, class F>
void for_each_row_slice(index_t slices, input<T> A, matrix_view<T> Y, const F& f) {
  for_each_slice(slices, [&](index_t s) {
    const index_t i = slice_begin(A.rows(), tile_rows<T>, slices, s);
    const index_t rows = slice_begin(A.rows(), tile_rows<T>, slices, s + 1) - i;
    f(s, A.block(i, 0, rows, A.cols()), Y.block(i, 0, rows, Y.cols()));
  });
}

/// Z(n x k) = a A(m x n)ᵀ Y(m x k) + b Z, k small, by slices of A's columns.
template <Real T>
void skinny_adjoint(index_t slices, T a, input<T> A, input<T> Y, T b, matrix_view<T> Z) {
  const index_t m = A.rows(), n = A.cols(), k = Y.cols();
  const index_t chunk = rows_that_fill<T>(resident_bytes, k);
  for_each_slice(slices, [&](index_t s) {
    const index_t j = slice_begin(n, dot_left, slices, s);
    const index_t cols = slice_begin(n, dot_left, slices, s + 1) - j;
    const auto part = A.columns(j, cols);
    const auto out = Z.block(j, 0, cols, k);
    scale<T>(b, out);
    for (index_t i = 0; i < m; i += chunk)
      for_each_panel<dot_left>(cols, [&]<index_t P>(index_t p) {
        prefetch_rows(out, p);
        dot_columns<T, P>(a, std::min(chunk, m - i), &part(i, p), A.ld(), &Y(i, 0), Y.ld(), k,
                          &out(p, 0), Z.ld(), after<T>(part, i, p, P));
      });
  });
}

/// Whether X and Y of `skinny_pair` stay in the second-level cache, so that one read of A pays.
template <Real T>
[[nodiscard]] constexpr bool pairs_in_one_read(index_t m, index_t k) noexcept {
  return k <= skinny_most && 2 * m * k * static_cast<index_t>(sizeof(T)) <= 2 * resident_bytes;
}

/// Z(n x k) = a AᵀX and Y(m x k) = a A Z for A(m x n), in one read of A: each panel of columns is
/// still in the first-level cache when its rows of Z are complete. `prepare(col, cols)` is called
/// for panels that partition A's columns, each just before it is read, and returns what the next
/// call is going to read.
template <Real T, class Prepare>
void skinny_pair(T a, input<T> A, input<T> X, matrix_view<T> Z, matrix_view<T> Y,
                 Prepare&& prepare) {
  const index_t m = A.rows(), n = A.cols(), k = X.cols();
  fill<T>(Z, T(0));
  fill<T>(Y, T(0));
  if (m == 0 || k == 0) {
    (void)prepare(0, n);
    return;
  }
  for_each_panel<panel_cols>(n, [&]<index_t P>(index_t p) {
    const matrix_view<const T> wanted = prepare(p, P);
    prefetch_rows(Z, p);
    upcoming<T> next = after<T>(A, 0, p, P);
    constexpr index_t Q = P % dot_left == 0 ? dot_left : 1;
    for (index_t q = 0; q < P; q += Q) {
      dot_columns<T, Q>(a, m, &A(0, p + q), A.ld(), X.data(), X.ld(), k, &Z(p + q, 0), Z.ld(),
                        next);
      if (next.data != nullptr) next.data += Q * A.ld();
    }
    add_columns<T, P>(a, m, &A(0, p), A.ld(), &Z(p, 0), Z.ld(), k, Y.data(), Y.ld(),
                      wanted.rows() == m && wanted.cols() == P
                          ? upcoming<T>{wanted.data(), wanted.ld()}
                          : upcoming<T>());
  });
}

/// `skinny_pair` by slices of A's columns, all of them there already. Every slice but the first
/// adds up in a Y of its own, m k scalars of `private_sums`, and they are added in order.
template <Real T>
void skinny_pair_sliced(index_t slices, T a, input<T> A, input<T> X, matrix_view<T> Z,
                        matrix_view<T> Y, std::span<T> private_sums) {
  const auto sum_of = [&](index_t s) {
    return s == 0 ? Y
                  : matrix_view<T>(private_sums.data() + (s - 1) * Y.size(), Y.rows(), Y.cols());
  };
  for_each_slice(slices, [&](index_t s) {
    const index_t j = slice_begin(A.cols(), panel_cols, slices, s);
    const index_t cols = slice_begin(A.cols(), panel_cols, slices, s + 1) - j;
    skinny_pair<T>(a, A.columns(j, cols), X, Z.block(j, 0, cols, Z.cols()), sum_of(s),
                   ignore_columns<T>());
  });
  for (index_t s = 1; s < slices; ++s) axpby<T>(T(1), sum_of(s).as_const(), T(1), Y);
}

/// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y for k <= skinny_most: one write of Y, and one read unless
/// b is 0.
template <Real T>
void skinny_outer(T a, input<T> X, input<T> W, T b, matrix_view<T> Y) {
  const index_t m = Y.rows(), n = Y.cols(), k = X.cols();
  const index_t chunk = rows_that_fill<T>(resident_bytes, k);
  for (index_t i = 0; i < m; i += chunk)
    for_each_panel<panel_cols>(n, [&]<index_t P>(index_t p) {
      T packed[static_cast<std::size_t>(P * skinny_most)];
      prefetch_rows(W, p);
      for (index_t c = 0; c < k; ++c)
        for (index_t q = 0; q < P; ++q) packed[c * P + q] = a * W(p + q, c);
      panel_outer<T, P>(std::min(chunk, m - i), k, X.data() + i, X.ld(), packed, b, &Y(i, p),
                        Y.ld(), after<T>(Y.as_const(), i, p, P));
    });
}

}  // namespace fanion::dense
