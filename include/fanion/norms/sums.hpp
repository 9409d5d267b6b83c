/// @file  Multiples and sums of norms as types, and the walk over their terms.
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

template <class N>
inline constexpr bool is_scaled = false;
template <class N>
inline constexpr bool is_scaled<scaled<N>> = true;
template <class N>
inline constexpr bool is_sum = false;
template <class A, class B>
inline constexpr bool is_sum<sum<A, B>> = true;

/// Calls f(coefficient, leaf) for each term of n that has a positive coefficient, left to right.
template <Norm N, class F>
constexpr void for_each_term(const N& n, F&& f, double coefficient = 1) {
  if constexpr (is_scaled<N>) {
    if (n.numerator() > 0) for_each_term(n.inner(), f, coefficient * n.coefficient());
  } else if constexpr (is_sum<N>) {
    for_each_term(n.first(), f, coefficient);
    for_each_term(n.second(), f, coefficient);
  } else if constexpr (requires { n.for_each(f, coefficient); }) {
    n.for_each(f, coefficient);  // terms known at run time
  } else {
    f(coefficient, n);
  }
}

}  // namespace fanion
