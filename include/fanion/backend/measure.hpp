/// @file  Several numbers at once: where a number costs a wait for the device, all of them cost
/// one.
#pragma once

#include <fanion/backend/concepts.hpp>

#include <array>
#include <cstddef>

namespace fanion {

/// Questions to a backend: `of(b)` is the number, `into(b, to)` writes it where the matrices are.
namespace measured {

/// Σ X(i, j) Y(i, j), or Σ X(j, i) Y(i, j) where X is turned.
template <Real T, class Space>
struct dot {
  using scalar = T;
  matrix_view<const T, Space> x, y;
  bool turned = false;

  template <class B>
  [[nodiscard]] T of(B& b) const {
    return turned ? b.dot_adjoint(x, y) : b.dot(x, y);
  }
  template <class B>
  void into(B& b, matrix_view<T, Space> to) const {
    if (turned)
      b.template dot_adjoint_to<T>(x, y, to);
    else
      b.template dot_to<T>(x, y, to);
  }
};
/// ‖X‖_F.
template <Real T, class Space>
struct norm {
  using scalar = T;
  matrix_view<const T, Space> x;

  template <class B>
  [[nodiscard]] T of(B& b) const {
    return b.norm(x);
  }
  template <class B>
  void into(B& b, matrix_view<T, Space> to) const {
    b.template norm_to<T>(x, to);
  }
};
/// Σ |X(i, j)| or max |X(i, j)|.
template <Real T, class Space>
struct entries {
  using scalar = T;
  matrix_view<const T, Space> x;
  reduction op;

  template <class B>
  [[nodiscard]] T of(B& b) const {
    return b.reduce_entries(x, op);
  }
  template <class B>
  void into(B& b, matrix_view<T, Space> to) const {
    b.template reduce_entries_to<T>(x, op, to);
  }
};

}  // namespace measured

/// The answers, one after another. A backend whose numbers cost waits has a verb of this name, for
/// up to 8.
template <class B, class First, class... Rest>
[[nodiscard]] auto measure(B& b, const First& first, const Rest&... rest) {
  using T = typename First::scalar;
  if constexpr (requires { b.template measure<T>(first, rest...); })
    return b.template measure<T>(first, rest...);
  else
    return std::array<T, 1 + sizeof...(rest)>{first.of(b), rest.of(b)...};
}

}  // namespace fanion
