/// @file  Thrust's device vectors as matrices.
#pragma once

#include <fanion/core/view.hpp>

#include <thrust/device_vector.h>

#include <string>

namespace fanion {

namespace detail {

template <class Vector>
[[nodiscard]] auto storage_of(Vector& entries, index_t inner, index_t outer) {
  using T = std::remove_pointer_t<decltype(thrust::raw_pointer_cast(entries.data()))>;
  (void)expects_at_least(inner, 0, "device_vector: rows or columns");
  (void)expects_at_least(outer, 0, "device_vector: rows or columns");
  if (entries.size() != static_cast<std::size_t>(inner * outer))
    refuse("device_vector: entries", std::to_string(inner * outer).c_str(), entries.size());
  return matrix_view<T, device_space>(thrust::raw_pointer_cast(entries.data()), inner, outer);
}

}  // namespace detail

/// rows x cols, column after column in a thrust::device_vector; good until the vector grows.
/// @throws std::invalid_argument where the vector has another size.
template <class Vector>
[[nodiscard]] auto column_major(Vector& entries, index_t rows, index_t cols) {
  const auto storage = detail::storage_of(entries, rows, cols);
  return oriented_view<std::remove_pointer_t<decltype(storage.data())>, device_space>{storage,
                                                                                      false};
}
/// rows x cols, row after row.
template <class Vector>
[[nodiscard]] auto row_major(Vector& entries, index_t rows, index_t cols) {
  const auto storage = detail::storage_of(entries, cols, rows);
  return oriented_view<std::remove_pointer_t<decltype(storage.data())>, device_space>{storage,
                                                                                      true};
}

}  // namespace fanion
