/// @file  `value(n, X)`: what a norm is at a matrix.
#pragma once

#include <fanion/oracles/engine.hpp>
#include <fanion/oracles/rescaled_engine.hpp>

namespace fanion {

/// n(X), in X's scalar. Allocates. Costs a full decomposition where n has spectral terms, one read
/// otherwise; another method gives the value that its vectors attain, from below.
/// Zero for an empty X; NaN where X holds NaN or infinity.
/// @throws std::invalid_argument where n does not fit X's shape, or is zero times a norm.
template <Norm N, Matrix M, SpectralMethod Method = exact>
requires Evaluable<N>
[[nodiscard]] scalar_of<M> value(const N& n, const M& x, const Method& method = {}) {
  using T = scalar_of<M>;
  using adapter = matrix_adapter<M>;
  using backend = typename default_backend<space_of<M>>::type;
  expects_positive_norm(n);
  const index_t rows = adapter::rows(x), cols = adapter::cols(x);
  check_shape_of(n, rows, cols);
  if (rows == 0 || cols == 0) return T(0);
  backend b;
  subgradient_engine<N, T, backend> engine(b, n, rows, cols, method);
  if constexpr (adapter::viewable) {
    const auto view = adapter::view(x);
    return engine.value(b, {view.storage.as_const(), view.transposed});
  } else {
    const auto staging = b.template make_workspace<T>(rows * cols);
    const matrix_view<T, space_of<M>> copy(staging.data(), rows, cols);
    adapter::gather(x, copy);
    return engine.value(b, {copy.as_const(), false});
  }
}

}  // namespace fanion
