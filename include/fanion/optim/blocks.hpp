/// @file  The rectangles of a parameter that are stepped one by one: thirds of a fused QKV matrix.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>

#include <string>
#include <vector>

namespace fanion {

/// A rectangle of a parameter that gets an oracle of its own: a third of a fused QKV matrix, say.
struct matrix_block {
  index_t row = 0;
  index_t col = 0;
  index_t rows = 0;
  index_t cols = 0;

  [[nodiscard]] bool meets(const matrix_block& b) const {
    return row < b.row + b.rows && b.row < row + rows && col < b.col + b.cols && b.col < col + cols;
  }
  friend bool operator==(const matrix_block&, const matrix_block&) = default;
};

/// The blocks themselves; all of the matrix where there are none.
/// @throws std::invalid_argument for blocks that are empty, meet, or leave the matrix.
[[nodiscard]] inline std::vector<matrix_block> checked_blocks(std::vector<matrix_block> blocks,
                                                              index_t rows, index_t cols,
                                                              const std::string& who) {
  if (blocks.empty()) blocks.push_back({0, 0, rows, cols});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const matrix_block& at = blocks[i];
    if (at.row < 0 || at.col < 0 || at.rows < 1 || at.cols < 1 || at.row + at.rows > rows ||
        at.col + at.cols > cols)
      refuse((who + ": a block").c_str(), ("inside " + shape_text(rows, cols)).c_str(),
             shape_text(at.rows, at.cols) + " at (" + std::to_string(at.row) + ", " +
                 std::to_string(at.col) + ")");
    for (std::size_t j = 0; j < i; ++j)
      if (blocks[j].meets(at))
        refuse((who + ": blocks").c_str(), "disjoint",
               std::to_string(j) + " and " + std::to_string(i));
  }
  return blocks;
}

/// A block of a matrix whose memory is `storage`, or the transpose of it.
template <class T, class Space>
[[nodiscard]] matrix_view<T, Space> window(matrix_view<T, Space> storage, const matrix_block& at,
                                           bool transposed) {
  return transposed ? storage.block(at.col, at.row, at.cols, at.rows)
                    : storage.block(at.row, at.col, at.rows, at.cols);
}
template <class T, class Space>
[[nodiscard]] oriented_view<T, Space> window(const oriented_view<T, Space>& m,
                                             const matrix_block& at) {
  return {window(m.storage, at, m.transposed), m.transposed};
}

}  // namespace fanion
