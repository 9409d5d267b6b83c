/// @file  `lmo(n, M, D)` and `steepest(n, λ, M, D)`: the oracle in one call.
#pragma once

#include <fanion/oracles/plan.hpp>

#include <utility>

namespace fanion {

/// D <- argmin { <M, X> : n(X) <= 1 }, so <M, D> = -n*(M). Allocates: for many matrices of one
/// shape make a plan. The report says how good D is; see lmo_report.
/// @throws std::invalid_argument as lmo_plan and its `execute`.
template <LmoTractable N, Matrix M, WritableMatrix D, SpectralMethod Method = automatic>
requires std::same_as<scalar_of<M>, scalar_of<D>> lmo_report lmo(const N& n, const M& m, D&& d,
                                                                 const Method& method = {}) {
  using scalar = scalar_of<M>;
  using backend = typename default_backend<space_of<M>>::type;
  constexpr bool staged =
      !matrix_adapter<M>::viewable || !matrix_adapter<std::remove_cvref_t<D>>::viewable;
  lmo_plan<N, scalar, backend> plan(n, matrix_adapter<M>::rows(m), matrix_adapter<M>::cols(m),
                                    staged, method, backend());
  return plan.execute(m, std::forward<D>(d));
}

/// D <- argmin { <M, X> + λ n(X)² }; see lmo_plan::steepest. Allocates.
/// @throws std::invalid_argument as `lmo`, and unless lambda is above 0.
template <LmoTractable N, Matrix M, WritableMatrix D, SpectralMethod Method = automatic>
requires std::same_as<scalar_of<M>, scalar_of<D>> lmo_report steepest(const N& n, double lambda,
                                                                      const M& m, D&& d,
                                                                      const Method& method = {}) {
  using backend = typename default_backend<space_of<M>>::type;
  constexpr bool staged =
      !matrix_adapter<M>::viewable || !matrix_adapter<std::remove_cvref_t<D>>::viewable;
  lmo_plan<N, scalar_of<M>, backend> plan(n, matrix_adapter<M>::rows(m), matrix_adapter<M>::cols(m),
                                          staged, method, backend());
  return plan.steepest(m, std::forward<D>(d), lambda);
}

}  // namespace fanion
