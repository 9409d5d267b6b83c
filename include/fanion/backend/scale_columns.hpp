/// @file  Columns times numbers of the host, such as weights or singular values.
#pragma once

#include <fanion/backend/concepts.hpp>

#include <cstddef>
#include <span>

namespace fanion {

/// Y(i, j) = keep Y(i, j) + w[j] X(i, j). A backend for which a column at a time is slow has a verb
/// of this name.
template <Real T, class B>
void scale_columns(B& b, std::type_identity_t<std::span<const T>> w, input<T, typename B::space> X,
                   std::type_identity_t<T> keep, matrix_view<T, typename B::space> Y) {
  if constexpr (requires { b.template scale_columns<T>(w, X, keep, Y); })
    b.template scale_columns<T>(w, X, keep, Y);
  else
    for (index_t j = 0; j < X.cols(); ++j)
      b.template axpby<T>(w[static_cast<std::size_t>(j)], X.columns(j, 1), keep, Y.columns(j, 1));
}

}  // namespace fanion
