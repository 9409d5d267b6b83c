/// @file  Norms from norms:  c * n,  a + b,  dual(n).
///
/// An expression keeps the shape in which it was written: nothing is evaluated here, `==` compares
/// structure, and `dual(dual(n)) == n` holds exactly, coefficients included.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/ordered.hpp>
#include <fanion/norms/pairs.hpp>
#include <fanion/norms/sums.hpp>

#include <span>
#include <type_traits>
#include <utility>

namespace fanion {

/// The dual of a norm that has no norm of the library for its dual. For a sum, its unit ball is the
/// Minkowski sum of the balls dual to the terms (Yu 2012), so its oracle is the sum of theirs. Its
/// value is the gauge of that ball; where every term is an ordered-weighted gauge or a multiple of
/// the Frobenius norm, or N is two such sums under max_of or quadrature, that has a closed form,
/// and this is a spectral norm.
template <class N>
class dual_of : public norm_base {
 public:
  using category = std::conditional_t<ClosedDual<N>, spectral_tag, composite_tag>;

  explicit constexpr dual_of(N primal) : primal_(std::move(primal)) {}

  [[nodiscard]] constexpr N dual() const { return primal_; }
  [[nodiscard]] constexpr auto transposed() const {
    return dual_of<decltype(primal_.transposed())>(primal_.transposed());
  }

  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept requires ClosedDual<N> {
    return r;
  }
  /// Whether small σ may get no weight. With a Frobenius term they do where every σ has a weight in
  /// the primal, which is the threshold.
  [[nodiscard]] bool cuts_off(index_t r) const requires ClosedDual<N> {
    if constexpr (OrderedSum<N>)
      return r > 0 && (ordered_weight(primal_, r - 1) > 0 || euclidean_weight(primal_) == 0);
    else
      return true;
  }
  [[nodiscard]] static constexpr index_t workspace(index_t depth) noexcept requires ClosedDual<N> {
    return closed_dual_workspace<N>(depth);
  }
  template <Real T>
  [[nodiscard]] T gauge(spectrum_view<T> s, std::span<double> work) const requires ClosedDual<N> {
    return static_cast<T>(closed_dual<N, T>(primal_, s, weight_view<T>(), work));
  }
  template <Real T>
  void subgradient(spectrum_view<T> s, weight_view<T> w,
                   std::span<double> work) const requires ClosedDual<N> {
    (void)closed_dual<N, T>(primal_, s, w, work);
  }

  friend constexpr bool operator==(const dual_of&, const dual_of&) = default;

 private:
  N primal_;
};

template <class N>
inline constexpr bool is_dual_of = false;
template <class N>
inline constexpr bool is_dual_of<dual_of<N>> = true;

/// Whether some term has a positive coefficient. 0 * n alone is a seminorm, not a norm.
template <Norm N>
[[nodiscard]] constexpr bool is_positive(const N& n) {
  if constexpr (is_scaled<N>)
    return n.numerator() > 0 && is_positive(n.inner());
  else if constexpr (is_sum<N> || is_pair<N>)
    return is_positive(n.first()) || is_positive(n.second());
  else if constexpr (is_dual_of<N>)
    return is_positive(n.dual());
  else if constexpr (requires { n.is_positive(); })
    return n.is_positive();
  else
    return true;
}

/// @throws std::invalid_argument where every coefficient is zero; does not compile in a constant
/// expression.
template <Norm N>
constexpr void expects_positive_norm(const N& n) {
  if (!is_positive(n)) refuse("norm", "positive: some term needs a coefficient above 0", 0);
}

/// c * n. The coefficient is converted to double; c * (d * n) becomes (c d) * n, while c * (a + b)
/// is not distributed. @throws std::invalid_argument unless c is finite and at least 0.
template <Norm N>
[[nodiscard]] constexpr auto operator*(double c, const N& n) {
  if constexpr (is_scaled<N>)
    return N(expects_coefficient(c, "norm coefficient") * n.numerator(), n.denominator(),
             n.inner());
  else
    return scaled<N>(c, 1, n);
}

/// a + b.
template <Norm A, Norm B>
[[nodiscard]] constexpr auto operator+(const A& a, const B& b) {
  return sum<A, B>(a, b);
}

/// The dual norm  n*(Y) = max { <X, Y> : n(X) <= 1 }.
/// @throws std::invalid_argument where every coefficient of n is zero.
template <Norm N>
[[nodiscard]] constexpr auto dual(const N& n) {
  expects_positive_norm(n);
  if constexpr (is_scaled<N>) {
    auto inner = dual(n.inner());
    if constexpr (is_scaled<decltype(inner)>)
      return decltype(inner)(n.denominator() * inner.numerator(),
                             n.numerator() * inner.denominator(), inner.inner());
    else
      return scaled<decltype(inner)>(n.denominator(), n.numerator(), inner);
  } else if constexpr (Dualizable<N>) {
    return n.dual();
  } else {
    return dual_of<N>(n);
  }
}

template <Norm N>
using dual_type = decltype(dual(std::declval<const N&>()));

}  // namespace fanion
