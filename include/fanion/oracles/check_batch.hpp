/// @file  What every oracle of a batch asks of its views.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace fanion {

namespace detail {

/// All memory between the first and the last element of a batch, as one line.
template <class T, class Space>
[[nodiscard]] element_lattice<std::remove_const_t<T>> extent(const batch_view<T, Space>& b) {
  if (b.count == 0 || b.rows == 0 || b.cols == 0) return {};
  const index_t last = (b.count - 1) * b.stride;
  return {b.pointer + std::min<index_t>(0, last), std::abs(last) + (b.cols - 1) * b.ld + b.rows, 1,
          1, 0};
}

}  // namespace detail

/// @throws std::invalid_argument unless M and D are `count` matrices of rows x cols, there is a
/// report for each, and no D[i] shares memory with an M[j] or another D[j].
template <class T, class Space>
void check_batch(index_t count, index_t rows, index_t cols, const batch_view<const T, Space>& m,
                 const batch_view<T, Space>& d, std::size_t reports) {
  const auto check_shape = [&](const char* what, const auto& b) {
    if (b.rows != rows || b.cols != cols || b.count != count)
      refuse(what, (std::to_string(count) + " of " + shape_text(rows, cols)).c_str(),
             std::to_string(b.count) + " of " + shape_text(b.rows, b.cols));
  };
  check_shape("batch: M", m);
  check_shape("batch: D", d);
  if (static_cast<index_t>(reports) != count) refuse("batch: reports", "one a matrix", reports);
  // All pairs (i, j) with one difference j - i stand alike.
  for (index_t i = 1; i < count; ++i)
    if (overlaps(d[0], d[i])) refuse("batch: the memory of D", "apart for each matrix", i);
  if (!overlaps(detail::extent(m), detail::extent(d))) return;
  for (index_t i = 0; i < count; ++i)
    for (index_t j = 0; j < count; ++j)
      if (overlaps(m[i], d[j])) refuse("batch: the memory of D", "apart from that of every M", j);
}

}  // namespace fanion
