/// @file  From a method to a solver, and the choice that `automatic` makes.
#pragma once

#include <fanion/spectral/block_iteration.hpp>
#include <fanion/spectral/block_krylov.hpp>
#include <fanion/spectral/cheaper_polar.hpp>
#include <fanion/spectral/exact.hpp>
#include <fanion/spectral/gram_eigen.hpp>
#include <fanion/spectral/lanczos.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/narrow_krylov.hpp>
#include <fanion/spectral/polar.hpp>
#include <fanion/spectral/qdwh.hpp>

#include <concepts>
#include <variant>

namespace fanion {

/// What an expression asks of a spectrum: the leading `depth` triplets, or, where every weight at
/// full depth is the same, only the polar factor.
struct spectral_need {
  index_t depth = 0;
  bool polar = false;
};

/// A method that yields polar factors and nothing else.
template <class M>
concept PolarMethod = std::same_as<M, newton_schulz> || std::same_as<M, polar_express> ||
    std::same_as<M, qdwh> || std::same_as<M, gram_eigen>;

/// A method that yields leading triplets.
template <class M>
concept LeadingMethod = std::same_as<M, subspace> || std::same_as<M, power> ||
    std::same_as<M, randomized> || std::same_as<M, block_krylov> || std::same_as<M, lanczos>;

template <class M>
concept SpectralMethod =
    PolarMethod<M> || LeadingMethod<M> || std::same_as<M, exact> || std::same_as<M, automatic>;

/// One of the solvers, chosen when a plan is made.
template <Real T, class B>
using any_solver =
    std::variant<std::monostate, exact_solver<T, B>, polar_solver<T, B>, block_solver<T, B>,
                 lanczos_solver<T, B>, krylov_solver<T, B>, qdwh_solver<T, B>,
                 gram_eigen_solver<T, B>, narrow_krylov_solver<T, B>,
                 cheaper_polar_solver<T, B, qdwh_solver<T, B>>,
                 cheaper_polar_solver<T, B, gram_eigen_solver<T, B>>>;

/// Whether a solver answers with a polar factor, rather than with triplets.
template <class S>
inline constexpr bool yields_polar_factor = false;
template <Real T, class B>
inline constexpr bool yields_polar_factor<polar_solver<T, B>> = true;
template <Real T, class B>
inline constexpr bool yields_polar_factor<qdwh_solver<T, B>> = true;
template <Real T, class B>
inline constexpr bool yields_polar_factor<gram_eigen_solver<T, B>> = true;
template <Real T, class B, class Other>
inline constexpr bool yields_polar_factor<cheaper_polar_solver<T, B, Other>> = true;

enum class polar_choice { polynomials, halley, polynomials_or_halley, polynomials_or_eigenvectors };

/// The cheapest way to a polar factor, for r = min(m, n) > 64 and a = L/r. In units of r³ flops at
/// the speed of products, which is what symmetric halves cost:
///
///   polynomials    steps (3a + 1), less in blocks; about log(1/gap)/2 steps for noise, twice that
///                  for graded spectra
///   halley         3 to 5 steps of 3a + 2: the inverse runs at half the speed of products
///   eigenvectors   3a + 1 and, for the eigenvectors of r x r, 30 for each thread that shares the
///                  products; twice that in float
///
/// In double and for small gaps the rational steps win where the matrix is near square. Elsewhere
/// the spectrum decides: for noise the polynomials win, for a graded spectrum another method, and
/// cheaper_polar.hpp finds out from call to call. Eigenvectors are no choice where the gap is
/// beyond what Gram matrices certify, nor in float.
template <Real T>
[[nodiscard]] constexpr polar_choice polar_choice_for(index_t m, index_t n, double gap) {
  const bool wide = std::same_as<T, double>, near_square = 2 * std::max(m, n) < 3 * std::min(m, n);
  if (near_square)
    return wide && gap < 1e-4 ? polar_choice::halley : polar_choice::polynomials_or_halley;
  if (!wide || gap >= 1e-2) return polar_choice::polynomials;
  return gap >= 1e-8 ? polar_choice::polynomials_or_eigenvectors
                     : polar_choice::polynomials_or_halley;
}

/// The solver for a need and a method.
/// @throws std::invalid_argument where the method cannot serve the need.
template <Real T, class B, SpectralMethod M>
[[nodiscard]] any_solver<T, B> make_solver(B& b, index_t m, index_t n, spectral_need need,
                                           const M& method) {
  using solver = any_solver<T, B>;
  const index_t r = std::min(m, n);
  if (need.depth == 0) return solver();
  if constexpr (std::same_as<M, exact>) {
    return solver(std::in_place_type<exact_solver<T, B>>, b, m, n);
  } else if constexpr (PolarMethod<M>) {
    if (!need.polar)
      refuse("method",
             "one that yields singular triplets for this norm and shape (a polar factor "
             "serves equal weights on all singular values only)",
             "a polar method");
    if constexpr (std::same_as<M, qdwh>)
      return solver(std::in_place_type<qdwh_solver<T, B>>, b, m, n, method);
    else if constexpr (std::same_as<M, gram_eigen>)
      return solver(std::in_place_type<gram_eigen_solver<T, B>>, b, m, n, method);
    else
      return solver(std::in_place_type<polar_solver<T, B>>, b, m, n, method);
  } else if constexpr (std::same_as<M, lanczos>) {
    return solver(std::in_place_type<lanczos_solver<T, B>>, b, m, n, need.depth, method);
  } else if constexpr (std::same_as<M, block_krylov>) {
    if (method.in_float && std::same_as<T, double>)
      return solver(std::in_place_type<narrow_krylov_solver<T, B>>, b, m, n, need.depth, method);
    return solver(std::in_place_type<krylov_solver<T, B>>, b, m, n, need.depth, method);
  } else if constexpr (LeadingMethod<M>) {
    return solver(std::in_place_type<block_solver<T, B>>, b, m, n, need.depth, method);
  } else {
    if (method.gap) (void)expects_positive(*method.gap, "automatic: gap");
    // Short sides: a full decomposition costs less than any iteration's overhead.
    if (r <= 64) return make_solver<T>(b, m, n, need, exact{});
    if (need.polar) {
      const double gap = method.gap.value_or(default_gap<T>);
      const polar_express polynomials{.gap = gap};
      // On a device factorisations are slow beside products, and wait: not until nothing else
      // helps.
      const double slower = std::same_as<typename B::space, host_space> ? 1 : 1000;
      switch (polar_choice_for<T>(m, n, gap)) {
        case polar_choice::halley:
          return make_solver<T>(b, m, n, need, qdwh{.gap = gap});
        case polar_choice::polynomials:
          return make_solver<T>(b, m, n, need, polynomials);
        case polar_choice::polynomials_or_halley: {
          using halley = qdwh_solver<T, B>;
          const index_t steps = gap < 1e-8 ? 5 : 3;
          return solver(std::in_place_type<cheaper_polar_solver<T, B, halley>>, b, m, n,
                        polynomials, qdwh{.gap = gap},
                        slower * halley::work_of(r, std::max(m, n), steps));
        }
        case polar_choice::polynomials_or_eigenvectors: {
          using eigenvectors = gram_eigen_solver<T, B>;
          return solver(std::in_place_type<cheaper_polar_solver<T, B, eigenvectors>>, b, m, n,
                        polynomials, gram_eigen{.gap = gap},
                        slower * eigenvectors::work_of(r, std::max(m, n), threads_of(b)));
        }
      }
    }
    // A block nearly as wide as the matrix does the full decomposition's work without its answer.
    if (3 * (need.depth + 8) >= r) return make_solver<T>(b, m, n, need, exact{});
    // A loose gap is what training asks for, where the last subspace is nearly right already.
    if (method.gap.value_or(default_gap<T>) >= 1e-3)
      return make_solver<T>(b, m, n, need,
                            subspace{.oversample = std::max<index_t>(4, 3 * need.depth / 8),
                                     .gap = method.gap,
                                     .seed = method.seed});
    return make_solver<T>(b, m, n, need, lanczos{.gap = method.gap, .seed = method.seed});
  }
}

}  // namespace fanion
