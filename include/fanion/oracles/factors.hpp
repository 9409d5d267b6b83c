/// @file  The oracle's answer in factors, for matrices too large to write D down, or known by their
/// products alone.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/core/outcome.hpp>
#include <fanion/norms/capabilities.hpp>
#include <fanion/oracles/terms.hpp>
#include <fanion/spectral/block_krylov.hpp>
#include <fanion/spectral/lanczos.hpp>

#include <cmath>
#include <concepts>
#include <span>
#include <vector>

namespace fanion {

/// D = -U diag(weights) Vᵀ, and what it certifies. Views into the plan, good until it runs again.
/// The report's `bound` is infinite where nothing is proven: the Frobenius norm of an operator is
/// not known, so `lanczos` proves nothing about one.
template <class T, class Space>
struct lmo_factors {
  matrix_view<const T, Space> u;  ///< m x c
  matrix_view<const T, Space> v;  ///< n x c
  std::span<const T> weights;     ///< c of them, positive, largest first
  lmo_report report;
};

/// A method that works from products alone.
template <class M>
concept OperatorMethod = std::same_as<M, block_krylov> || std::same_as<M, lanczos>;

/// `plan_lmo_factors(n, …)` compiles: the oracle reads singular vectors and nothing else.
template <class N>
concept FactorTractable = LmoTractable<N> && detail::has_only_spectral_terms<dual_type<N>>;

/// The oracle of N's ball for m x n matrices, in factors. Movable, not copyable; one thread at a
/// time. Starts each call from the vectors of the last, as lmo_plan does.
template <FactorTractable N, Real T, class B, OperatorMethod Method>
class lmo_factor_plan {
 public:
  using space = typename B::space;
  using solver =
      std::conditional_t<std::same_as<Method, lanczos>, lanczos_solver<T, B>, krylov_solver<T, B>>;

  /// @throws std::invalid_argument where n does not fit the shape, is zero times a norm, the shape
  /// is empty, or an option of the method is out of its range.
  lmo_factor_plan(const N& n, index_t rows, index_t cols, const Method& method, B backend = B())
      : norm_(checked_dual(n, rows, cols)),
        rows_(rows),
        cols_(cols),
        depth_(need_of(norm_, std::min(rows, cols)).depth),
        backend_(std::move(backend)),
        solver_(backend_, rows, cols, depth_, checked(method)),
        weights_(static_cast<std::size_t>(depth_)),
        more_weights_(weights_.size()),
        work_(static_cast<std::size_t>(workspace_of(norm_, std::min(rows, cols)))),
        probe_(backend_.template make_workspace<T>(rows + cols)) {}
  lmo_factor_plan(lmo_factor_plan&&) = default;
  lmo_factor_plan& operator=(lmo_factor_plan&&) = default;

  /// Costs the method's products and one more. Allocates nothing. A zero or non-finite matrix has
  /// no factors; a product with a random vector tells.
  /// @throws std::invalid_argument where A has another shape than the plan.
  template <LinearOperator A>
  requires std::same_as<typename A::scalar, T> lmo_factors<T, space> execute(A& a) {
    if (a.rows() != rows_ || a.cols() != cols_)
      refuse("lmo: the shape of the operator", shape_text(rows_, cols_).c_str(),
             shape_text(a.rows(), a.cols()));
    const matrix_view<T, space> x(probe_.data(), cols_, 1), y(probe_.data() + cols_, rows_, 1);
    backend_.random(x, 0x5eed, 0, 0);
    a.apply(x.as_const(), y);
    return answer(backend_.norm(y.as_const()), black_box<A>{.matrix = &a});
  }
  /// The same for a matrix in memory, of which one read finds the Frobenius norm.
  template <Matrix M>
  requires std::same_as<scalar_of<M>, T> &&
      matrix_adapter<std::remove_cvref_t<M>>::viewable lmo_factors<T, space>
      execute(const M& m) {
    using adapter = matrix_adapter<M>;
    if (adapter::rows(m) != rows_ || adapter::cols(m) != cols_)
      refuse("lmo: the shape of M", shape_text(rows_, cols_).c_str(),
             shape_text(adapter::rows(m), adapter::cols(m)));
    const auto view = adapter::view(m);
    const T length = backend_.norm(view.storage);
    return answer(
        length, operand<T, space>{
                    {view.storage.as_const(), view.transposed}, T(1), static_cast<double>(length)});
  }

  void reset() { solver_.reset(); }

 private:
  static const Method& checked(const Method& method) {
    if constexpr (std::same_as<Method, block_krylov>)
      if (method.in_float)
        refuse("block_krylov: in_float", "false where the answer is in factors", "true");
    return method;
  }
  static dual_type<N> checked_dual(const N& n, index_t rows, index_t cols) {
    expects_positive_norm(n);
    check_shape_of(n, rows, cols);
    (void)expects_at_least(std::min(rows, cols), 1, "plan_lmo_factors: the shorter side");
    return dual(n);
  }

  /// `length` is of the order of the matrix.
  template <class Operand>
  lmo_factors<T, space> answer(T length, Operand a) {
    lmo_factors<T, space> out;
    out.report.passes = 1;
    if (!is_finite(length) || length == T(0)) {
      out.report.outcome = is_finite(length) ? outcome::zero_input : outcome::non_finite;
      if (!is_finite(length))
        out.report.objective = out.report.bound = std::numeric_limits<double>::quiet_NaN();
      return out;
    }
    a.scale = unit_scale(length);
    a.frobenius *= static_cast<double>(a.scale);
    const auto found = solver_.solve(backend_, a);
    const index_t r = std::min(rows_, cols_);
    spectral_weights(norm_, r, found.sigma, std::span(weights_), std::span(more_weights_),
                     std::span(work_));
    std::size_t count = 0;
    double attained = 0;
    while (count < weights_.size() && weights_[count] > T(0)) {
      attained += static_cast<double>(weights_[count]) * static_cast<double>(found.sigma[count]);
      ++count;
    }
    const double unit = 1 / static_cast<double>(a.scale);
    const double slack = 1 + 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
    const auto c = static_cast<index_t>(count);
    out.u = found.u.columns(0, c);
    out.v = found.v.columns(0, c);
    out.weights = std::span<const T>(weights_).first(count);
    out.report.objective = -attained * unit;
    out.report.bound = spectral_value(norm_, r, found.upper, std::span(work_)) * unit * slack;
    out.report.feasibility = std::max(1.0, found.contraction) * slack;
    out.report.failure_probability = found.effort.failure_probability;
    out.report.residual = found.effort.residual;
    out.report.passes += found.effort.passes;
    out.report.iterations = found.effort.iterations;
    out.report.outcome = found.effort.outcome;
    return out;
  }

  dual_type<N> norm_;
  index_t rows_, cols_, depth_;
  B backend_;
  solver solver_;
  std::vector<T> weights_, more_weights_;
  std::vector<double> work_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) probe_;
};

/// A plan for operators, or matrices in memory, of the shape and scalar of `like`. Allocates.
template <FactorTractable N, LinearOperator A, OperatorMethod Method = block_krylov>
[[nodiscard]] auto plan_lmo_factors(const N& n, const A& like, const Method& method = {}) {
  using backend = typename default_backend<host_space>::type;
  return lmo_factor_plan<N, typename A::scalar, backend, Method>(n, like.rows(), like.cols(),
                                                                 method);
}
template <FactorTractable N, Matrix M, OperatorMethod Method = block_krylov>
[[nodiscard]] auto plan_lmo_factors(const N& n, const M& like, const Method& method = {}) {
  using adapter = matrix_adapter<M>;
  using backend = typename default_backend<space_of<M>>::type;
  return lmo_factor_plan<N, scalar_of<M>, backend, Method>(n, adapter::rows(like),
                                                           adapter::cols(like), method);
}

}  // namespace fanion
