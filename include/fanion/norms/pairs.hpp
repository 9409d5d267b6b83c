/// @file  Two norms under one:  max_of(a, b)  and  quadrature(a, b) = sqrt(a² + b²).
///
/// Both are largest among mixtures, max { α a + β b : (α, β) on a curve }: a segment for max_of, a
/// quarter of a circle for quadrature. A point of the smaller ball obeys every mixture, so each
/// mixture's dual is a bound from above on the dual of the two, and by Lagrange duality the least
/// of those bounds is the dual itself: one search in one number, and where a and b are sums of
/// ordered and Frobenius terms each mixture has a closed form (ordered.hpp). NuMuon's ball,
/// spectral and nuclear together, and that of F*-Neon, a quadrature of Frobenius and nuclear, are
/// of this kind.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/ordered.hpp>
#include <fanion/norms/spectral_sum.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace fanion {

/// Two norms under the larger of their values, or the root of the sum of their squares.
enum class pairing { largest, squares };

/// The curve of mixtures: `at(x)` for x in [0, 1], the second norm alone at 0, the first at 1.
template <pairing P>
struct mixture {
  double first = 0, second = 0;

  [[nodiscard]] static mixture at(double x) {
    if constexpr (P == pairing::largest)
      return {x, 1 - x};
    else
      return {std::sin(x * half_pi), std::cos(x * half_pi)};
  }
  /// Whether a point where the norms are a and b has more of this mixture at a larger x.
  [[nodiscard]] bool grows(double a, double b) const {
    if constexpr (P == pairing::largest)
      return a > b;
    else
      return second * a > first * b;
  }
  [[nodiscard]] static double together(double a, double b) {
    return P == pairing::largest ? std::max(a, b) : std::hypot(a, b);
  }

 private:
  static constexpr double half_pi = 1.5707963267948966;
};

/// max(a, b), or sqrt(a² + b²). A gauge of all singular values; the subgradient of max(a, b) is
/// that of the larger, of the first where they are equal.
template <pairing P, SpectralSum A, SpectralSum B>
class pair_of : public norm_base {
 public:
  using category = spectral_tag;

  constexpr pair_of(A first, B second) : first_(std::move(first)), second_(std::move(second)) {}

  [[nodiscard]] constexpr const A& first() const noexcept { return first_; }
  [[nodiscard]] constexpr const B& second() const noexcept { return second_; }
  [[nodiscard]] static constexpr pairing kind() noexcept { return P; }
  [[nodiscard]] constexpr auto transposed() const {
    return pair_of<P, decltype(first_.transposed()), decltype(second_.transposed())>(
        first_.transposed(), second_.transposed());
  }

  [[nodiscard]] static constexpr index_t depth(index_t r) noexcept { return r; }
  [[nodiscard]] constexpr index_t workspace(index_t depth) const {
    return 3 * depth + std::max(sum_workspace(first_, depth), sum_workspace(second_, depth));
  }

  template <Real T>
  [[nodiscard]] T gauge(spectrum_view<T> s, std::span<double> work) const {
    const values v = evaluate(s, work);
    return static_cast<T>(v.largest * mixture<P>::together(v.first, v.second));
  }
  template <Real T>
  void subgradient(spectrum_view<T> s, weight_view<T> w, std::span<double> work) const {
    const values v = evaluate(s, work);
    std::fill(w.begin(), w.end(), T(0));
    const double together = mixture<P>::together(v.first, v.second);
    if (!(together > 0) || !is_finite(v.largest)) return;
    const auto x = std::span<const double>(work.first(s.size()));
    const auto out = work.subspan(s.size(), s.size());
    const auto scratch = work.subspan(2 * s.size(), s.size()), rest = work.subspan(3 * s.size());
    std::fill(out.begin(), out.end(), 0.0);
    if constexpr (P == pairing::largest) {
      if (v.first >= v.second)
        add_sum_weights(first_, 1, x, out, scratch, rest);
      else
        add_sum_weights(second_, 1, x, out, scratch, rest);
    } else {
      add_sum_weights(first_, v.first / together, x, out, scratch, rest);
      add_sum_weights(second_, v.second / together, x, out, scratch, rest);
    }
    for (std::size_t j = 0; j < w.size(); ++j) w[j] = static_cast<T>(out[j]);
  }

  friend constexpr bool operator==(const pair_of&, const pair_of&) = default;

 private:
  struct values {
    double largest = 0, first = 0, second = 0;  ///< σ₁, and the norms of σ/σ₁
  };
  /// σ/σ₁ goes to the first r doubles of `work`.
  template <Real T>
  [[nodiscard]] values evaluate(spectrum_view<T> s, std::span<double> work) const {
    values v;
    v.largest = s.empty() ? 0 : static_cast<double>(s[0]);
    if (!(v.largest > 0) || !is_finite(v.largest)) {
      v.first = v.second = 1;
      return v;
    }
    const auto x = work.first(s.size());
    for (std::size_t j = 0; j < s.size(); ++j) x[j] = static_cast<double>(s[j]) / v.largest;
    const auto rest = work.subspan(3 * s.size());
    v.first = sum_gauge(first_, std::span<const double>(x), rest);
    v.second = sum_gauge(second_, std::span<const double>(x), rest);
    return v;
  }

  A first_;
  B second_;
};

template <class N>
inline constexpr bool is_pair = false;
template <pairing P, class A, class B>
inline constexpr bool is_pair<pair_of<P, A, B>> = true;

/// max(a, b) for sums of spectral and Frobenius terms.
template <SpectralSum A, SpectralSum B>
[[nodiscard]] constexpr auto max_of(const A& a, const B& b) {
  return pair_of<pairing::largest, A, B>(a, b);
}

/// sqrt(a² + b²) for sums of spectral and Frobenius terms.
template <SpectralSum A, SpectralSum B>
[[nodiscard]] constexpr auto quadrature(const A& a, const B& b) {
  return pair_of<pairing::squares, A, B>(a, b);
}

/// The dual of two ordered sums: the least dual of a mixture, by bisection of the slope. Where two
/// maximisers meet, as they do between ordered gauges, the best point between them is taken.
template <pairing P, OrderedSum A, OrderedSum B>
struct dual_gauge<pair_of<P, A, B>> {
  using norm = pair_of<P, A, B>;

  [[nodiscard]] static constexpr index_t workspace(index_t r) noexcept {
    return 2 * r + pools::workspace(r);
  }

  [[nodiscard]] static double solve(const norm& n, std::span<const double> s, std::span<double> u,
                                    std::span<double> work) {
    const std::size_t r = s.size();
    const std::span<double> below = work.first(r), above = work.subspan(r, r);
    const std::span<double> rest = work.subspan(2 * r);
    double least = maximum(n, 1, s, above, rest), low = 0, high = 1;
    // At an end the slope has one side only.
    const bool first_alone =
        mixture<P>::at(1).grows(value(n.first(), above), value(n.second(), above));
    least = std::min(least, maximum(n, 0, s, below, rest));
    const bool second_alone =
        !mixture<P>::at(0).grows(value(n.first(), below), value(n.second(), below));
    if (first_alone) {
      std::copy(above.begin(), above.end(), u.begin());
    } else if (second_alone) {
      std::copy(below.begin(), below.end(), u.begin());
    } else {
      for (int step = 0; step < 60 && high - low > 1e-16; ++step) {
        const double x = 0.5 * (low + high);
        const double found = maximum(n, x, s, u, rest);
        least = std::min(least, found);
        const bool more = mixture<P>::at(x).grows(value(n.first(), u), value(n.second(), u));
        (more ? low : high) = x;
        std::copy(u.begin(), u.end(), (more ? below : above).begin());
      }
      blend(n, s, below, above, u);
    }
    // 1, but for what bisection and thirds have left.
    const double size = mixture<P>::together(value(n.first(), u), value(n.second(), u));
    for (double& x : u) x /= size;
    return least;
  }

 private:
  /// a and b at a non-increasing u: their formulas, whatever the order of rounding in u.
  template <OrderedSum N>
  [[nodiscard]] static double value(const N& n, std::span<const double> u) {
    double sum = 0, length = 0;
    for (std::size_t j = u.size(); j-- > 0;) {
      sum += ordered_weight(n, static_cast<index_t>(j)) * u[j];
      length = std::hypot(length, u[j]);
    }
    return sum + euclidean_weight(n) * length;
  }

  /// Of the mixture at x.
  [[nodiscard]] static double maximum(const norm& n, double x, std::span<const double> s,
                                      std::span<double> u, std::span<double> work) {
    const auto at = mixture<P>::at(x);
    const auto weight = [&](index_t j) {
      return at.first * ordered_weight(n.first(), j) + at.second * ordered_weight(n.second(), j);
    };
    const double b =
        at.first * euclidean_weight(n.first()) + at.second * euclidean_weight(n.second());
    return ordered_maximum(s, weight, b, u, work);
  }

  /// The point between two with the largest <u, s> / n(u), which has one maximum: by thirds.
  static void blend(const norm& n, std::span<const double> s, std::span<const double> below,
                    std::span<const double> above, std::span<double> u) {
    const auto mix = [&](double share) {
      double product = 0;
      for (std::size_t j = 0; j < u.size(); ++j) {
        u[j] = share * above[j] + (1 - share) * below[j];
        product += u[j] * s[j];
      }
      return product / mixture<P>::together(value(n.first(), u), value(n.second(), u));
    };
    double low = 0, high = 1;
    for (int step = 0; step < 80; ++step) {
      const double third = (high - low) / 3;
      if (mix(low + third) < mix(high - third))
        low += third;
      else
        high -= third;
    }
    (void)mix(0.5 * (low + high));
  }
};

}  // namespace fanion
