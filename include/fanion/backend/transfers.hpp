/// @file  Matrices between a backend's memory, the host's, and archives.
///
/// A backend of another space than the host's has the verbs `upload` and `download`, which wait and
/// do not change it.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

namespace fanion {

namespace detail {

template <Real T>
void copy_on_host(input<T> X, matrix_view<T> Y) {
  for (index_t j = 0; j < X.cols(); ++j) std::copy_n(X.col(j), X.rows(), Y.col(j));
}

}  // namespace detail

/// Y = X, Y in memory of the host.
template <Real T, class B>
void to_host([[maybe_unused]] const B& b, input<T, typename B::space> X, matrix_view<T> Y) {
  if constexpr (std::same_as<typename B::space, host_space>)
    detail::copy_on_host<T>(X, Y);
  else
    b.download(X, Y);
}

/// Y = X, X in memory of the host.
template <Real T, class B>
void from_host([[maybe_unused]] const B& b, input<T> X, matrix_view<T, typename B::space> Y) {
  if constexpr (std::same_as<typename B::space, host_space>)
    detail::copy_on_host<T>(X, Y);
  else
    b.upload(X, Y);
}
/// The same from memory that holds Y's entries column after column.
template <Real T, class B>
void from_host(const B& b, const T* entries, matrix_view<T, typename B::space> Y) {
  from_host<T>(b, matrix_view<const T>(entries, Y.rows(), Y.cols()), Y);
}

/// X's entries, column after column.
template <Real T, class B>
void write_entries(archive_writer& out, const B& b, input<T, typename B::space> X) {
  std::vector<T> entries(static_cast<std::size_t>(X.size()));
  to_host<T>(b, X, matrix_view<T>(entries.data(), X.rows(), X.cols()));
  out.write(std::span<const T>(entries));
}
/// @throws std::invalid_argument where the data ends early; X is as it was then.
template <Real T, class B>
void read_entries(archive_reader& in, const B& b, matrix_view<T, typename B::space> X) {
  std::vector<T> entries(static_cast<std::size_t>(X.size()));
  in.read(std::span<T>(entries));
  from_host<T>(b, entries.data(), X);
}

}  // namespace fanion
