/// @file  The Chebyshev norm  max |xᵢⱼ|  and the sum norm  Σ |xᵢⱼ|, dual to each other.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/norms/concepts.hpp>

namespace fanion {

class sum_abs;

/// -1, 0 or 1.
template <Real T>
[[nodiscard]] constexpr T sign(T x) noexcept {
  return T(x > T(0)) - T(x < T(0));
}

/// Largest absolute entry. Its ball's oracle is -sign(X): SignSGD's step.
class max_abs : public norm_base {
 public:
  using category = entrywise_tag;

  [[nodiscard]] constexpr sum_abs dual() const noexcept;
  [[nodiscard]] constexpr max_abs transposed() const noexcept { return *this; }

  template <class B, class T, class Space>
  [[nodiscard]] static T value(B& b, matrix_view<const T, Space> x) {
    return b.reduce_entries(x, reduction::max_abs);
  }

  /// The sign of one largest entry; of several, the first in the order in which X is stored.
  template <class B, class T, class Space>
  static void add_subgradient(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                              T scale) {
    if (x.storage.empty()) return;
    const auto at = b.locate_max_abs(x.storage);
    const index_t row = x.transposed ? at.col : at.row, col = x.transposed ? at.row : at.col;
    b.map_entries(x.storage.block(at.row, at.col, 1, 1), d.block(row, col, 1, 1),
                  entry::plus_sign<T>{scale});
  }

  friend constexpr bool operator==(const max_abs&, const max_abs&) = default;
};

/// Sum of the absolute entries. Its ball's oracle moves one largest entry.
class sum_abs : public norm_base {
 public:
  using category = entrywise_tag;

  [[nodiscard]] constexpr max_abs dual() const noexcept { return {}; }
  [[nodiscard]] constexpr sum_abs transposed() const noexcept { return *this; }

  template <class B, class T, class Space>
  [[nodiscard]] static T value(B& b, matrix_view<const T, Space> x) {
    return b.reduce_entries(x, reduction::sum_abs);
  }

  /// sign(X), with sign(0) = 0.
  template <class B, class T, class Space>
  static void add_subgradient(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                              T scale) {
    map_oriented(b, x, d, entry::plus_sign<T>{scale});
  }

  friend constexpr bool operator==(const sum_abs&, const sum_abs&) = default;
};

constexpr sum_abs max_abs::dual() const noexcept { return {}; }

static_assert(EntrywiseNorm<max_abs> && EntrywiseNorm<sum_abs> &&
              max_abs().dual().dual() == max_abs());

}  // namespace fanion
