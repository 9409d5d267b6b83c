/// @file  D = U f(σ) Vᵀ for a function f of the singular values: clipping, thresholds, powers.
///
/// Same decompositions as the oracles', but no ball and no certificate: what a report says of the
/// error is what the solver measured.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/core/outcome.hpp>
#include <fanion/norms/spectral_maps.hpp>
#include <fanion/oracles/engine.hpp>
#include <fanion/spectral/automatic.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

namespace fanion {

/// How an execution of a map went.
struct map_report {
  double residual = 0;  ///< of the triplets or the polar factors, relative
  index_t depth = 0;    ///< singular values with f(σ) > 0; -1 where a polar method does not know
  index_t passes = 0;   ///< full reads of M
  index_t iterations = 0;  ///< of the solver, in its own unit
  fanion::outcome outcome = fanion::outcome::converged;
};

/// Whether a method serves a map: full decompositions serve all, leading parts those that are zero
/// for small σ, polar factors those with a corner.
template <class Method, class F>
concept MapMethod = SpectralMap<F> &&
    (std::same_as<Method, exact> || (LeadingMethod<Method> && ThresholdingMap<F>) ||
     (PolarMethod<Method> && CornerMap<F>));

/// U f(σ) Vᵀ for one shape. Made by plan_spectral_map. Movable, not copyable; one thread at a time.
///
///   exact          all triplets
///   leading parts  as many triplets as exceed the threshold: the plan asks for more until one does
///                  not, and starts with as many the next time. It allocates where it has to grow.
///                  A gap g of the method is one of values: D may be off by sqrt(g) ‖M‖
///   polar factors  with P the polar factor, H = PᵀM, symmetric, and S the polar factor of H - cI:
///                  min(σ, c) is P (H + cI - S(H - cI))/2, and (σ - c)₊ is P (H - cI + S(H -
///                  cI))/2. A gap g of the method means errors of at most about g (‖M‖_* + c r) in
///                  the nuclear norm. 5 r²L + 4 r³ flops beside the factors'
template <SpectralMap F, Real T, class Method>
requires MapMethod<Method, F>
class spectral_map_plan {
 public:
  using backend = typename default_backend<host_space>::type;
  using space = host_space;

  /// @throws std::invalid_argument for an empty shape, or an option of the method out of its range.
  spectral_map_plan(const F& f, index_t rows, index_t cols, const Method& method)
      : f_(f),
        rows_(rows),
        cols_(cols),
        r_(std::min(rows, cols)),
        l_(std::max(rows, cols)),
        method_(method) {
    (void)expects_at_least(r_, 1, "plan_spectral_map: the shorter side");
    if constexpr (PolarMethod<Method>) {
      solver_ = make_solver<T>(backend_, rows, cols, {r_, true}, method);
      inner_ = make_solver<T>(backend_, r_, r_, {r_, true}, method);
      memory_ = backend_.template make_workspace<T>(
          r_ * l_ + 2 * r_ * r_ +
          std::max({backend_.template multiply_outer_size<T>(r_, r_, l_),
                    backend_.template multiply_size<T>(r_, r_, r_),
                    backend_.template multiply_size<T>(r_, l_, r_)}));
    } else {
      prepare(LeadingMethod<Method> ? std::min<index_t>(r_, 4) : r_);
    }
  }

  /// D <- U f(σ) Vᵀ. Zero M, zero D; for a non-finite M D is zero and the outcome says so. Views of
  /// one shape that do not overlap.
  map_report execute_views(const oriented_view<const T, space>& m,
                           const oriented_view<T, space>& d) {
    map_report report;
    const T length = backend_.norm(m.storage);
    report.passes = 1;
    if (!is_finite(length) || length == T(0)) {
      backend_.fill(d.storage, T(0));
      report.outcome = is_finite(length) ? outcome::zero_input : outcome::non_finite;
      return report;
    }
    if constexpr (PolarMethod<Method>)
      by_polar_factors(m, length, d, report);
    else
      by_triplets(operand_of(m, length), d, report);
    return report;
  }

  /// The same for matrices of foreign types. An owning D of another shape is resized.
  /// @throws std::invalid_argument where M has another shape than the plan, D cannot be resized to
  /// it, or the two overlap; D is then as it was.
  template <Matrix M, WritableMatrix D>
  requires std::same_as<scalar_of<M>, T> && std::same_as<scalar_of<D>, T> &&
      (matrix_adapter<std::remove_cvref_t<M>>::viewable&&
           matrix_adapter<std::remove_cvref_t<D>>::viewable)map_report execute(const M& m, D&& d) {
    using from = matrix_adapter<std::remove_cvref_t<M>>;
    using to = matrix_adapter<std::remove_cvref_t<D>>;
    if (from::rows(m) != rows_ || from::cols(m) != cols_)
      refuse("spectral_map: the shape of M", shape_text(rows_, cols_).c_str(),
             shape_text(from::rows(m), from::cols(m)));
    if (overlaps(from::lattice(m), to::lattice(d)))
      refuse("spectral_map: the memory of D", "apart from that of M", "an overlap");
    if (to::rows(d) != rows_ || to::cols(d) != cols_) {
      bool resized = false;
      if constexpr (to::resizable) {
        resized = to::can_hold(rows_, cols_);
        if (resized) to::resize(d, rows_, cols_);
      }
      if (!resized)
        refuse("spectral_map: the shape of D", shape_text(rows_, cols_).c_str(),
               shape_text(to::rows(d), to::cols(d)));
    }
    const auto view = from::view(m);
    return execute_views({view.storage.as_const(), view.transposed}, to::view(d));
  }

 private:
  using panel = matrix_view<T, space>;

  /// Solver and room for `depth` triplets.
  void prepare(index_t depth) {
    depth_ = depth;
    // A block nearly as wide as the matrix does the full decomposition's work without its answer.
    if (3 * (depth + 8) >= r_) depth_ = r_;
    if constexpr (LeadingMethod<Method>) {
      if (depth_ < r_) solver_ = make_solver<T>(backend_, rows_, cols_, {depth_, false}, method_);
    }
    if (depth_ == r_) solver_ = make_solver<T>(backend_, rows_, cols_, {r_, false}, exact{});
    memory_ = backend_.template make_workspace<T>(
        rows_ * depth_ + cols_ * depth_ +
        std::max(backend_.template multiply_outer_size<T>(rows_, cols_, depth_),
                 backend_.template multiply_outer_size<T>(cols_, rows_, depth_)));
  }

  [[nodiscard]] static operand<T, space> operand_of(const oriented_view<const T, space>& m,
                                                    T length) {
    const T power = unit_scale(length);
    return {m, power, static_cast<double>(length) * static_cast<double>(power)};
  }

  void by_triplets(const operand<T, space>& a, const oriented_view<T, space>& d,
                   map_report& report) {
    for (;;) {
      const triplets<T, space> found = std::visit(
          [&]<class S>(S& s) -> triplets<T, space> {
            if constexpr (std::same_as<S, std::monostate> || yields_polar_factor<S>)
              return {};
            else if constexpr (std::same_as<S, block_solver<T, backend>>) {
              arrived<T, space> all(static_cast<T>(a.frobenius) / a.scale);
              return s.solve(backend_, a, all);
            } else {
              return s.solve(backend_, a);
            }
          },
          solver_);
      report.passes += found.effort.passes;
      report.iterations += found.effort.iterations;
      const double unit = 1 / static_cast<double>(a.scale);
      index_t count = 0;
      bool settled = depth_ == r_;
      for (std::size_t i = 0; i < found.sigma.size(); ++i) {
        const double weight = f_(static_cast<double>(found.sigma[i]) * unit);
        if (weight > 0) count = static_cast<index_t>(i) + 1;
        if constexpr (ThresholdingMap<F>) settled = settled || !(weight > 0);
      }
      if (!settled) {
        prepare(std::min(r_, 2 * depth_ + 4));
        continue;
      }
      report.residual = found.effort.residual;
      report.outcome = found.effort.outcome;
      report.depth = count;
      compose(found, unit, count, d);
      return;
    }
  }

  void compose(const triplets<T, space>& found, double unit, index_t count,
               const oriented_view<T, space>& d) {
    const auto& u = d.transposed ? found.v : found.u;
    const auto& v = d.transposed ? found.u : found.v;
    const panel scaled(memory_.data(), u.rows(), count);
    for (index_t i = 0; i < count; ++i) {
      const double s = static_cast<double>(found.sigma[static_cast<std::size_t>(i)]) * unit;
      backend_.template axpby<T>(static_cast<T>(f_(s)), u.columns(i, 1), T(0),
                                 scaled.columns(i, 1));
    }
    backend_.template multiply_outer<T>(
        T(1), scaled.as_const(), v.columns(0, count), T(0), d.storage,
        memory_.span().subspan(static_cast<std::size_t>((rows_ + cols_) * depth_)));
  }

  [[nodiscard]] polar_factor<T, space> polar_of(any_solver<T, backend>& solver,
                                                const operand<T, space>& a, map_report& report) {
    const polar_factor<T, space> found = std::visit(
        [&]<class S>(S& s) -> polar_factor<T, space> {
          if constexpr (yields_polar_factor<S>)
            return s.solve(backend_, a);
          else
            return {};
        },
        solver);
    report.iterations += found.effort.iterations;
    report.residual = std::max(report.residual, found.effort.residual);
    if (found.effort.outcome != outcome::converged) report.outcome = found.effort.outcome;
    return found;
  }

  void by_polar_factors(const oriented_view<const T, space>& m, T length,
                        const oriented_view<T, space>& d, map_report& report) {
    report.depth = -1;
    const operand<T, space> a = operand_of(m, length);
    const polar_factor<T, space> p = polar_of(solver_, a, report);
    report.passes += p.effort.passes;
    view_cutter<T, space> cut(memory_.data());
    const panel x = cut(r_, l_), h = cut(r_, r_), k = cut(r_, r_);
    const std::span<T> scratch =
        memory_.span().subspan(static_cast<std::size_t>(r_ * l_ + 2 * r_ * r_));
    // Everything on the short side and in the operand's units: H = A Pᵀ.
    const bool turned = rows_ > cols_;
    lay(a.scale, m.storage, turned != m.transposed, x);
    ++report.passes;
    backend_.template multiply_outer<T>(T(1), x.as_const(), p.x.storage, T(0), h, scratch);
    backend_.template axpby_adjoint<T>(T(0.5), h.as_const(), T(0), k);
    backend_.template axpby<T>(T(0.5), h.as_const(), T(1), k);
    backend_.template copy<T>(k.as_const(), h);
    const T corner = static_cast<T>(f_.corner() * static_cast<double>(a.scale));
    const auto shift = [&](panel matrix, T by) {
      const panel diagonal(matrix.data(), 1, r_, r_ + 1);
      backend_.template map_entries<T>(diagonal.as_const(), diagonal, entry::plus<T>{by});
    };
    shift(h, -corner);  // H - cI
    const T inner_length = backend_.norm(h.as_const());
    if (inner_length > T(0)) {
      const operand<T, space> shifted =
          operand_of(oriented_view<const T, space>{h.as_const(), false}, inner_length);
      const polar_factor<T, space> s = polar_of(inner_, shifted, report);
      backend_.template multiply<T>(T(0.5), s.x.storage, h.as_const(), T(0), k, scratch);
    } else {
      backend_.template fill<T>(k, T(0));
    }
    // k = |H - cI|/2; the part below is (H + cI)/2 - k, the part above (H - cI)/2 + k.
    backend_.template axpby<T>(T(0.5), h.as_const(), F::keeps_part_below ? T(-1) : T(1), k);
    if (F::keeps_part_below) shift(k, corner);
    backend_.template multiply<T>(T(1) / a.scale, k.as_const(), p.x.storage, T(0), x, scratch);
    lay(T(1), x.as_const(), turned != d.transposed, d.storage);
  }

  /// to <- scale·from, or its transpose.
  void lay(T scale, matrix_view<const T, space> from, bool transpose, panel to) {
    if (transpose)
      backend_.template axpby_adjoint<T>(scale, from, T(0), to);
    else
      backend_.template axpby<T>(scale, from, T(0), to);
  }

  F f_;
  index_t rows_, cols_, r_, l_, depth_ = 0;
  Method method_;
  backend backend_;
  any_solver<T, backend> solver_, inner_;
  decltype(std::declval<backend&>().template make_workspace<T>(0)) memory_;
};

/// A plan for matrices of the shape and scalar of `like`. Allocates.
template <SpectralMap F, Matrix M, class Method = exact>
requires MapMethod<Method, F>
[[nodiscard]] auto plan_spectral_map(const F& f, const M& like, const Method& method = {}) {
  using adapter = matrix_adapter<M>;
  return spectral_map_plan<F, scalar_of<M>, Method>(f, adapter::rows(like), adapter::cols(like),
                                                    method);
}

/// D <- U f(σ) Vᵀ, one shot. Allocates.
template <SpectralMap F, Matrix M, WritableMatrix D, class Method = exact>
requires MapMethod<Method, F> && std::same_as<scalar_of<M>, scalar_of<D>> map_report
spectral_map(const F& f, const M& m, D&& d, const Method& method = {}) {
  auto plan = plan_spectral_map(f, m, method);
  return plan.execute(m, std::forward<D>(d));
}

}  // namespace fanion
