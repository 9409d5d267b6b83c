/// @file  Products of many matrices of one shape, and dots of many columns: one call each where the
/// backend has a verb of that name, one after another otherwise.
#pragma once

#include <fanion/backend/concepts.hpp>

#include <algorithm>
#include <span>
#include <type_traits>

namespace fanion {

/// Scalars that multiply_each is lent for factors whose sides are at most `longest` and `shortest`,
/// in any order.
template <Real T, class B>
[[nodiscard]] index_t multiply_each_size(const B& b, index_t longest, index_t shortest) {
  index_t most = 0;
  for (const index_t m : {longest, shortest})
    for (const index_t n : {longest, shortest})
      for (const index_t k : {longest, shortest})
        most = std::max({most, b.template multiply_size<T>(m, n, k),
                         b.template multiply_adjoint_size<T>(m, n, k),
                         b.template multiply_outer_size<T>(m, n, k)});
  return most;
}

/// C[i] = a op(A[i]) op(B[i]) + b C[i]; not both factors are turned.
template <Real T, class B>
void multiply_each(B& backend, std::type_identity_t<T> a,
                   const batch_view<const T, typename B::space>& A, bool a_turned,
                   const batch_view<const T, typename B::space>& X, bool x_turned,
                   std::type_identity_t<T> b, const batch_view<T, typename B::space>& C,
                   std::type_identity_t<std::span<T>> scratch) {
  if constexpr (requires {
                  backend.template multiply_each<T>(a, A, a_turned, X, x_turned, b, C);
                }) {
    backend.template multiply_each<T>(a, A, a_turned, X, x_turned, b, C);
  } else {
    for (index_t i = 0; i < C.count; ++i) {
      if (a_turned)
        backend.template multiply_adjoint<T>(a, A[i], X[i], b, C[i], scratch);
      else if (x_turned)
        backend.template multiply_outer<T>(a, A[i], X[i], b, C[i], scratch);
      else
        backend.template multiply<T>(a, A[i], X[i], b, C[i], scratch);
    }
  }
}

/// out(j) = Σᵢ X(i, j) Y(i, j), as rule 4 has it for dots. Does not wait.
template <Real T, class B>
void column_dots(B& backend, input<T, typename B::space> X, input<T, typename B::space> Y,
                 matrix_view<T, typename B::space> out) {
  if constexpr (requires { backend.template column_dots<T>(X, Y, out); })
    backend.template column_dots<T>(X, Y, out);
  else
    for (index_t j = 0; j < X.cols(); ++j)
      backend.template dot_to<T>(X.columns(j, 1), Y.columns(j, 1), out.block(j, 0, 1, 1));
}

}  // namespace fanion
