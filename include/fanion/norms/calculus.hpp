/// @file  Norms from norms:  c * n,  a + b,  dual(n).
///
/// An expression keeps the shape in which it was written: nothing is evaluated here, `==` compares
/// structure, and `dual(dual(n)) == n` holds exactly, coefficients included.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>

#include <utility>

namespace fanion {

/// (numerator / denominator) times a norm. Both are kept because 1 / (1 / c) is not always c.
template <class N>
class scaled : public norm_base {
 public:
  using category = composite_tag;

  constexpr scaled(double numerator, double denominator, N inner)
      : numerator_(expects_coefficient(numerator, "norm coefficient")),
        denominator_(expects_positive(denominator, "norm coefficient of a dual")),
        inner_(std::move(inner)) {}

  [[nodiscard]] constexpr double numerator() const noexcept { return numerator_; }
  [[nodiscard]] constexpr double denominator() const noexcept { return denominator_; }
  [[nodiscard]] constexpr double coefficient() const noexcept { return numerator_ / denominator_; }
  [[nodiscard]] constexpr const N& inner() const noexcept { return inner_; }
  [[nodiscard]] constexpr auto transposed() const {
    return scaled<decltype(inner_.transposed())>(numerator_, denominator_, inner_.transposed());
  }

  friend constexpr bool operator==(const scaled& a, const scaled& b) {
    return a.coefficient() == b.coefficient() && a.inner_ == b.inner_;
  }

 private:
  double numerator_;
  double denominator_;
  N inner_;
};

/// The sum of two norms.
template <class A, class B>
class sum : public norm_base {
 public:
  using category = composite_tag;

  constexpr sum(A first, B second) : first_(std::move(first)), second_(std::move(second)) {}

  [[nodiscard]] constexpr const A& first() const noexcept { return first_; }
  [[nodiscard]] constexpr const B& second() const noexcept { return second_; }
  [[nodiscard]] constexpr auto transposed() const {
    return sum<decltype(first_.transposed()), decltype(second_.transposed())>(first_.transposed(),
                                                                              second_.transposed());
  }

  friend constexpr bool operator==(const sum&, const sum&) = default;

 private:
  A first_;
  B second_;
};

/// The dual of a norm that has no closed dual of its own. For a sum, its unit ball is the Minkowski
/// sum of the balls dual to the terms (Yu 2012), so its oracle is the sum of theirs.
template <class N>
class dual_of : public norm_base {
 public:
  using category = composite_tag;

  explicit constexpr dual_of(N primal) : primal_(std::move(primal)) {}

  [[nodiscard]] constexpr N dual() const { return primal_; }
  [[nodiscard]] constexpr auto transposed() const {
    return dual_of<decltype(primal_.transposed())>(primal_.transposed());
  }

  friend constexpr bool operator==(const dual_of&, const dual_of&) = default;

 private:
  N primal_;
};

template <class N>
inline constexpr bool is_scaled = false;
template <class N>
inline constexpr bool is_scaled<scaled<N>> = true;
template <class N>
inline constexpr bool is_sum = false;
template <class A, class B>
inline constexpr bool is_sum<sum<A, B>> = true;
template <class N>
inline constexpr bool is_dual_of = false;
template <class N>
inline constexpr bool is_dual_of<dual_of<N>> = true;

/// Whether some term has a positive coefficient. 0 * n alone is a seminorm, not a norm.
template <Norm N>
[[nodiscard]] constexpr bool is_positive(const N& n) {
  if constexpr (is_scaled<N>)
    return n.numerator() > 0 && is_positive(n.inner());
  else if constexpr (is_sum<N>)
    return is_positive(n.first()) || is_positive(n.second());
  else if constexpr (is_dual_of<N>)
    return is_positive(n.dual());
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

/// Calls f(coefficient, leaf) for each term of n that has a positive coefficient, left to right.
template <Norm N, class F>
constexpr void for_each_term(const N& n, F&& f, double coefficient = 1) {
  if constexpr (is_scaled<N>) {
    if (n.numerator() > 0) for_each_term(n.inner(), f, coefficient * n.coefficient());
  } else if constexpr (is_sum<N>) {
    for_each_term(n.first(), f, coefficient);
    for_each_term(n.second(), f, coefficient);
  } else {
    f(coefficient, n);
  }
}

}  // namespace fanion
