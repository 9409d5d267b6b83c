/// @file  The norms that look at whole rows or columns: the largest of their lengths and the sum of
/// them, dual to each other.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/entrywise.hpp>

#include <algorithm>

namespace fanion {

template <lines Along>
class line_sum;

namespace detail {

/// Room for the length of every line of a matrix, whichever way it is stored.
[[nodiscard]] constexpr index_t room_for_lengths(index_t rows, index_t cols) noexcept {
  return std::max(rows, cols);
}

/// The lengths of X's lines, in `work`: a column of as many numbers as there are lines.
template <class B, class T, class Space>
[[nodiscard]] matrix_view<T, Space> lengths_of(B& b, const oriented_view<const T, Space>& x,
                                               lines along,
                                               std::type_identity_t<std::span<T>> work) {
  const index_t count = along == lines::columns ? x.cols() : x.rows();
  const matrix_view<T, Space> lengths(work.data(), count, 1);
  b.template line_norms<T>(x.storage, x.transposed ? other(along) : along, lengths);
  return lengths;
}

}  // namespace detail

/// max ‖line‖₂. Of the columns: the operator norm from ℓ₁ to ℓ₂; of the rows: from ℓ₂ to ℓ_∞. Its
/// ball's oracle divides every line by its length (a zero line stays zero), as Scion does for
/// embeddings and for output layers.
template <lines Along>
class largest_line : public norm_base {
 public:
  using category = entrywise_tag;

  [[nodiscard]] constexpr line_sum<Along> dual() const noexcept { return {}; }
  [[nodiscard]] constexpr largest_line<other(Along)> transposed() const noexcept { return {}; }
  /// Scalars that `value` and `add_subgradient` are lent.
  [[nodiscard]] static constexpr index_t workspace(index_t rows, index_t cols) noexcept {
    return detail::room_for_lengths(rows, cols);
  }

  template <class B, class T, class Space>
  [[nodiscard]] static T value(B& b, matrix_view<const T, Space> x,
                               std::type_identity_t<std::span<T>> work) {
    return b.reduce_entries(
        detail::lengths_of(b, oriented_view<const T, Space>{x, false}, Along, work).as_const(),
        reduction::max_abs);
  }

  /// The direction of one longest line, in its place; of several, the first.
  template <class B, class T, class Space>
  static void add_subgradient(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                              T scale, std::type_identity_t<std::span<T>> work) {
    if (x.storage.empty()) return;
    const auto lengths = detail::lengths_of(b, x, Along, work).as_const();
    const index_t at = b.locate_max_abs(lengths).row;
    const T length = b.reduce_entries(lengths, reduction::max_abs);
    if (!(length > T(0))) return;
    const auto line = [at](auto m, bool columns) {
      return columns ? m.columns(at, 1) : m.block(at, 0, 1, m.cols());
    };
    const bool columns = Along == lines::columns;
    map_oriented(
        b, oriented_view<const T, Space>{line(x.storage, columns != x.transposed), x.transposed},
        line(d, columns), [=](T xi, T di) { return di + scale * (xi / length); });
  }

  friend constexpr bool operator==(const largest_line&, const largest_line&) = default;
};

/// Σ ‖line‖₂. Its ball's oracle moves one longest line.
template <lines Along>
class line_sum : public norm_base {
 public:
  using category = entrywise_tag;
  /// Reads of X: one for the lengths.
  static constexpr index_t subgradient_passes = 2;

  [[nodiscard]] constexpr largest_line<Along> dual() const noexcept { return {}; }
  [[nodiscard]] constexpr line_sum<other(Along)> transposed() const noexcept { return {}; }
  [[nodiscard]] static constexpr index_t workspace(index_t rows, index_t cols) noexcept {
    return detail::room_for_lengths(rows, cols);
  }

  template <class B, class T, class Space>
  [[nodiscard]] static T value(B& b, matrix_view<const T, Space> x,
                               std::type_identity_t<std::span<T>> work) {
    return b.reduce_entries(
        detail::lengths_of(b, oriented_view<const T, Space>{x, false}, Along, work).as_const(),
        reduction::sum_abs);
  }

  /// Every line over its length; zero lines stay zero.
  template <class B, class T, class Space>
  static void add_subgradient(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                              T scale, std::type_identity_t<std::span<T>> work) {
    const auto lengths = detail::lengths_of(b, x, Along, work).as_const();
    b.template map_lines<T>(x, Along, lengths, d, [scale](T xi, T length, T di) {
      return length > T(0) ? di + scale * (xi / length) : di;
    });
  }

  friend constexpr bool operator==(const line_sum&, const line_sum&) = default;
};

using max_col = largest_line<lines::columns>;
using max_row = largest_line<lines::rows>;
using sum_col = line_sum<lines::columns>;
using sum_row = line_sum<lines::rows>;

static_assert(EntrywiseNorm<max_col> && EntrywiseNorm<sum_row> &&
              max_col().dual().dual() == max_col() &&
              std::same_as<decltype(max_col().transposed()), max_row>);

}  // namespace fanion
