/// @file  From an orthonormal basis of one side to triplets.
#pragma once

#include <fanion/backend/concepts.hpp>

#include <algorithm>
#include <span>

namespace fanion {

/// Room for `triplets_from_side` with k columns: three k x k matrices, and scratch.
template <Real T, class B>
[[nodiscard]] index_t one_sided_scratch_size(const B& b, index_t m, index_t n, index_t k) {
  index_t most = b.template small_svd_size<T>(k, k);
  for (const index_t rows : {m, n})
    most = std::max({most, b.template orthonormalize_size<T>(rows, k),
                     b.template multiply_adjoint_size<T>(rows, k, k),
                     b.template multiply_size<T>(rows, k, k)});
  return 3 * k * k + most;
}

/// For orthonormal columns X and F = AᵀX: U spans what X spans, V is orthonormal where σ > 0, and
/// AᵀU = V diag(sigma), by an orthonormal basis of F, which is lost, and a small decomposition.
template <class B, class T, class Space>
void triplets_from_side(B& b, matrix_view<const T, Space> x, matrix_view<T, Space> f,
                        matrix_view<T, Space> u, std::span<T> sigma, matrix_view<T, Space> v,
                        std::span<T> scratch) {
  const index_t k = f.cols();
  const matrix_view<T, Space> core(scratch.data(), k, k), lefts(core.data() + k * k, k, k),
      rights(lefts.data() + k * k, k, k);
  const auto rest = scratch.subspan(static_cast<std::size_t>(3 * k * k));
  b.copy(f.as_const(), v);
  (void)b.template orthonormalize<T>(f, rest);
  b.multiply_adjoint(T(1), f.as_const(), v.as_const(), T(0), core, rest);
  b.small_svd(core.as_const(), lefts, sigma, rights, rest);
  b.multiply(T(1), f.as_const(), lefts.as_const(), T(0), v, rest);
  b.multiply(T(1), x, rights.as_const(), T(0), u, rest);
}

}  // namespace fanion
