/// @file  What a norm is, and what can be done with it.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/types.hpp>
#include <fanion/core/view.hpp>

#include <concepts>
#include <span>
#include <type_traits>

namespace fanion {

/// The base of every norm, empty: it lets the operators `c * n` and `a + b` be found for norms
/// that users write in namespaces of their own.
struct norm_base {
  friend constexpr bool operator==(const norm_base&, const norm_base&) = default;
};

struct spectral_tag {};   ///< a gauge of the singular values
struct entrywise_tag {};  ///< computed from the entries by backend verbs
struct composite_tag {};  ///< an expression over other norms

/// A regular value that names its category. Requirements beyond syntax: positive homogeneous,
/// convex, zero only at zero; `==` is structural.
template <class N>
concept Norm =
    std::derived_from<N, norm_base> && std::copyable<N> && std::equality_comparable<N> && requires {
  typename N::category;
};

/// A gauge that needs no memory to think.
template <class N>
concept PlainGauge = requires(const N& n, spectrum_view<double> s, weight_view<double> w) {
  { n.gauge(s) } -> std::convertible_to<double>;
  n.subgradient(s, w);
};

/// A gauge that is lent `workspace(depth)` doubles as a last argument.
template <class N>
concept WorkingGauge = requires(const N& n, index_t depth, spectrum_view<double> s,
                                weight_view<double> w, std::span<double> work) {
  { n.workspace(depth) } -> std::convertible_to<index_t>;
  { n.gauge(s, work) } -> std::convertible_to<double>;
  n.subgradient(s, w, work);
};

/// n.gauge(s), with `work` where n wants it.
template <class N, class S>
[[nodiscard]] constexpr auto gauge_of(const N& n, std::span<const S> s, std::span<double> work) {
  if constexpr (WorkingGauge<N>)
    return n.gauge(s, work);
  else
    return n.gauge(s);
}
/// n.subgradient(s, w), with `work` where n wants it.
template <class N, class S>
constexpr void subgradient_of(const N& n, std::span<const S> s, std::span<S> w,
                              std::span<double> work) {
  if constexpr (WorkingGauge<N>)
    n.subgradient(s, w, work);
  else
    n.subgradient(s, w);
}

/// A norm of the singular values σ₁ >= σ₂ >= … >= 0.
///  1. `depth(r)`: how many leading σ it reads when the shorter side of the matrix is r; at most r.
///  2. `gauge(s)`: its value, from exactly depth(r) of them. Monotone in each σ.
///  3. `subgradient(s, w)`: writes w with <w, s> = gauge(s) and dual gauge(w) <= 1, zero wherever
///     s is zero, non-increasing. A subgradient of the matrix norm is then U diag(w) Vᵀ.
///  4. `cuts_off(r)`, if it has that member: whether its weights may end before the r values do. An
///     oracle then starts from few triplets and asks for more until they end.
///  Example: class ky_fan in ky_fan.hpp.
template <class N>
concept SpectralNorm = Norm<N> && std::same_as<typename N::category, spectral_tag> &&
    (PlainGauge<N> || WorkingGauge<N>)&&requires(const N& n, index_t r) {
  { n.depth(r) } -> std::convertible_to<index_t>;
};

/// A spectral norm Σ wᵢ σᵢ with weights that do not increase: `weight(j)` is w of the singular
/// value j, counted from 0. Sums of such norms have duals in closed form.
template <class N>
concept OrderedNorm = SpectralNorm<N> && requires(const N& n, index_t j) {
  { n.weight(j) } -> std::convertible_to<double>;
};

/// A spectral norm whose weights do not look at σ: each positive σ that it reads gets
/// `flat_weight()`. At full depth its subgradient is a multiple of the polar factor UVᵀ, which
/// needs no singular value: Newton-Schulz iterations qualify.
template <class N>
concept FlatSpectralNorm = SpectralNorm<N> && requires(const N& n) {
  { n.flat_weight() } -> std::convertible_to<double>;
};

/// A norm of the entries, in backend verbs. A subgradient G has <G, X> = value and dual value 1.
///  1. `value(b, X)`: one read of X, a column-major view; NaN in, NaN out.
///  2. `add_subgradient(b, X, D, scale)`: D += scale * G, where X is an oriented_view that has D's
///     shape once oriented; D and X do not overlap; nothing is added where X = 0.
///  Both are lent `workspace(rows, cols)` scalars as a last argument where the norm has that
///  member. A norm that is not its own transpose says so by another type or value of
///  `transposed()`.
template <class N>
concept EntrywiseNorm = Norm<N> && std::same_as<typename N::category, entrywise_tag>;

/// An entrywise norm that is lent memory.
template <class N>
concept WorkingEntries = EntrywiseNorm<N> && requires(const N& n, index_t r) {
  { n.workspace(r, r) } -> std::convertible_to<index_t>;
};

/// A norm that a shape may not fit: `check_shape(rows, cols)` throws std::invalid_argument.
template <class N>
concept ShapedNorm = requires(const N& n, index_t r) {
  n.check_shape(r, r);
};

/// The dual is another norm of the library.
template <class N>
concept Dualizable = Norm<N> && requires(const N& n) {
  { n.dual() } -> Norm;
};

/// Y(i, j) = f(X(i, j), Y(i, j)) for an X that may be stored transposed.
template <class B, class T, class Space, class F>
void map_oriented(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> y, F f) {
  if (x.transposed)
    b.map_entries_adjoint(x.storage, y, f);
  else
    b.map_entries(x.storage, y, f);
}

}  // namespace fanion
