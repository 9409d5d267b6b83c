/// @file  Small matrices brought to where solvers can read their entries.
#pragma once

#include <fanion/core/view.hpp>

#include <concepts>

namespace fanion {

/// Y = X, Y in memory of the host. A backend of another space has the verb `download`, which waits.
template <Real T, class B>
void to_host(B& b, input<T, typename B::space> X, matrix_view<T> Y) {
  if constexpr (std::same_as<typename B::space, host_space>)
    b.copy(X, Y);
  else
    b.download(X, Y);
}

}  // namespace fanion
