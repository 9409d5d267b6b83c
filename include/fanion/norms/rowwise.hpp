/// @file  The norms that look at whole rows or columns: the largest of their lengths and the sum of
/// them, dual to each other.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/entrywise.hpp>

#include <algorithm>

namespace fanion {

/// The largest of the lengths of the rows or columns, or their sum. The largest column is the
/// operator norm from ℓ₁ to ℓ₂, the largest row that from ℓ₂ to ℓ_∞; their balls' oracles divide
/// every line by its length, as Scion does for embeddings and output layers. The balls of the sums
/// have oracles that move one longest line.
template <lines Along, reduction Fold>
class line_norm : public norm_base {
  static constexpr bool columns = Along == lines::columns, sums = Fold == reduction::sum_abs;
  static constexpr reduction dual_fold = sums ? reduction::max_abs : reduction::sum_abs;

 public:
  using category = entrywise_tag;
  /// Reads of X: one for the lengths, and for a sum one more.
  static constexpr index_t subgradient_passes = sums ? 2 : 1;

  [[nodiscard]] constexpr line_norm<Along, dual_fold> dual() const noexcept { return {}; }
  [[nodiscard]] constexpr line_norm<transposed_lines(Along), Fold> transposed() const noexcept {
    return {};
  }
  /// Scalars that `value` and `add_subgradient` are lent: a length for every line, whichever way X
  /// is stored.
  [[nodiscard]] static constexpr index_t workspace(index_t rows, index_t cols) noexcept {
    return std::max(rows, cols);
  }

  template <class B, class T, class Space>
  [[nodiscard]] static T value(B& b, matrix_view<const T, Space> x,
                               std::type_identity_t<std::span<T>> work) {
    return b.reduce_entries(lengths<B, T, Space>(b, {x, false}, work), Fold);
  }

  /// For a sum every line over its length, where zero lines stay zero; for the largest that of one
  /// longest line, in its place: of several, the first.
  template <class B, class T, class Space>
  static void add_subgradient(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                              T scale, std::type_identity_t<std::span<T>> work) {
    if (x.storage.empty()) return;
    const auto all = lengths(b, x, work);
    if constexpr (sums) {
      b.template map_lines<T>(x, Along, all, d, entry::plus_line_direction<T>{scale});
    } else {
      const index_t at = b.locate_max_abs(all).row;
      const T length = b.reduce_entries(all, reduction::max_abs);
      if (!(length > T(0))) return;
      const auto line = [at](auto m, bool column) {
        return column ? m.columns(at, 1) : m.block(at, 0, 1, m.cols());
      };
      map_oriented(
          b, oriented_view<const T, Space>{line(x.storage, columns != x.transposed), x.transposed},
          line(d, columns), entry::plus_direction<T>{scale, length});
    }
  }

  friend constexpr bool operator==(const line_norm&, const line_norm&) = default;

 private:
  /// In `work`: a column of as many numbers as X has lines.
  template <class B, class T, class Space>
  [[nodiscard]] static matrix_view<const T, Space> lengths(
      B& b, const oriented_view<const T, Space>& x, std::type_identity_t<std::span<T>> work) {
    const matrix_view<T, Space> out(work.data(), columns ? x.cols() : x.rows(), 1);
    b.template line_norms<T>(x.storage, x.transposed ? transposed_lines(Along) : Along, out);
    return out.as_const();
  }
};

using max_col = line_norm<lines::columns, reduction::max_abs>;
using max_row = line_norm<lines::rows, reduction::max_abs>;
using sum_col = line_norm<lines::columns, reduction::sum_abs>;
using sum_row = line_norm<lines::rows, reduction::sum_abs>;

static_assert(EntrywiseNorm<max_col> && EntrywiseNorm<sum_row> && max_col().dual() == sum_col() &&
              max_col().dual().dual() == max_col() && max_col().transposed() == max_row());

}  // namespace fanion
