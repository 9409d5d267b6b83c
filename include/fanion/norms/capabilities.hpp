/// @file  What an expression can do, found from its parts: Evaluable, Subdifferentiable,
/// LmoTractable.
#pragma once

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/rescaled.hpp>

namespace fanion {

namespace detail {

/// Every leaf is a gauge of σ or a norm of the entries. The dual of a sum, as a leaf, is a
/// gauge of σ where that has a closed form, and neither elsewhere.
template <class N>
inline constexpr bool has_sum_rule = SpectralNorm<N> || EntrywiseNorm<N>;
template <class N>
inline constexpr bool has_sum_rule<scaled<N>> = has_sum_rule<N>;
template <class A, class B>
inline constexpr bool has_sum_rule<sum<A, B>> = has_sum_rule<A>&& has_sum_rule<B>;

/// A rescaled norm is as good as the one inside, and stands alone: has_sum_rule says no.
template <class N>
inline constexpr bool is_subdifferentiable = has_sum_rule<N>;
template <class N>
inline constexpr bool is_subdifferentiable<rescaled<N>> = has_sum_rule<N>;

/// Whether every leaf needs singular values and vectors, and nothing else.
template <class N>
inline constexpr bool has_only_spectral_terms = SpectralNorm<N>;
template <class N>
inline constexpr bool has_only_spectral_terms<scaled<N>> = has_only_spectral_terms<N>;
template <class A, class B>
inline constexpr bool has_only_spectral_terms<sum<A, B>> =
    has_only_spectral_terms<A>&& has_only_spectral_terms<B>;

}  // namespace detail

/// `value(n, X)` compiles.
template <class N>
concept Evaluable = Norm<N> && detail::is_subdifferentiable<N>;

/// A subgradient can be written: by the sum rule, from the subgradients of the terms.
template <class N>
concept Subdifferentiable = Norm<N> && detail::is_subdifferentiable<N>;

/// `lmo(n, M, D)` compiles: the oracle of n's ball is minus a subgradient of the dual of n, so the
/// dual of n has to be Subdifferentiable.
template <class N>
concept LmoTractable = Norm<N> && Subdifferentiable<dual_type<N>>;

}  // namespace fanion
