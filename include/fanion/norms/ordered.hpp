/// @file  Sums of ordered weights and the Frobenius norm, and their duals in closed form.
///
/// A norm Σ wᵢ σᵢ with weights that do not increase is an ordered-weighted gauge (OWL, Figueiredo
/// and Nowak 2016): spectral, nuclear and Ky Fan norms are, and so is every sum of multiples of
/// them. Let g(s) = <w, s> + b ‖s‖ be such a sum with a Frobenius term. Over the cone of
/// non-increasing non-negative u the dual gauge is
///   g°(s) = max { <u, s> / (<w, u> + b ‖u‖) },
/// attained where u is the projection of s/g°(s) - w on that cone, and attained by a vector of ones
/// and zeros, max_j (s₁ + … + sⱼ) / (w₁ + … + wⱼ), where b = 0.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/concepts.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/sums.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>

namespace fanion {

namespace detail {

template <class N>
inline constexpr bool is_ordered_sum = OrderedNorm<N> || std::same_as<N, frobenius>;
template <class N>
inline constexpr bool is_ordered_sum<scaled<N>> = is_ordered_sum<N>;
template <class A, class B>
inline constexpr bool is_ordered_sum<sum<A, B>> = is_ordered_sum<A>&& is_ordered_sum<B>;

}  // namespace detail

/// A sum of multiples of ordered-weighted norms and of the Frobenius norm.
template <class N>
concept OrderedSum = Norm<N> && detail::is_ordered_sum<N>;

/// Σ cᵢ wᵢ(j): the weight of the singular value j, counted from 0.
template <OrderedSum N>
[[nodiscard]] double ordered_weight(const N& n, index_t j) {
  double weight = 0;
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (OrderedNorm<L>) weight += c * leaf.weight(j);
  });
  return weight;
}

/// The coefficient of ‖·‖_F.
template <OrderedSum N>
[[nodiscard]] double euclidean_weight(const N& n) {
  double weight = 0;
  for_each_term(n, [&]<class L>(double c, const L&) {
    if constexpr (std::same_as<L, frobenius>) weight += c;
  });
  return weight;
}

/// Groups of equal entries of the projection on non-increasing vectors, by pooling adjacent
/// violators (Barlow et al. 1972): each group holds the sums of s and of w over its entries.
class pools {
 public:
  /// Doubles for r entries.
  [[nodiscard]] static constexpr index_t workspace(index_t r) noexcept { return 3 * r; }

  explicit pools(std::span<double> work)
      : capacity_(work.size() / 3),
        s_(work.first(capacity_)),
        w_(work.subspan(capacity_, capacity_)),
        count_(work.subspan(2 * capacity_, capacity_)) {}

  /// Projects t s - w.
  template <class W>
  void project(std::span<const double> s, const W& weight, double t) {
    size_ = 0;
    t_ = t;
    for (std::size_t j = 0; j < s.size(); ++j) {
      push(s[j], weight(static_cast<index_t>(j)), 1);
      while (size_ > 1 && level(size_ - 1) > level(size_ - 2)) merge();
    }
    // Negative entries become zero: they stand last.
    while (size_ > 0 && !(level(size_ - 1) > 0)) --size_;
  }

  struct products {
    double with_s = 0, with_w = 0, length = 0;
  };
  /// <u, s>, <u, w> and ‖u‖ of the projection u.
  [[nodiscard]] products measure() const {
    products p;
    for (std::size_t i = size_; i-- > 0;) {
      const double u = level(i);
      p.with_s += u * s_[i];
      p.with_w += u * w_[i];
      p.length = std::hypot(p.length, u * std::sqrt(count_[i]));
    }
    return p;
  }

  /// out = u / scale.
  void write(std::span<double> out, double scale) const {
    std::size_t at = 0;
    for (std::size_t i = 0; i < size_; ++i)
      for (double left = count_[i]; left > 0; --left) out[at++] = level(i) / scale;
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), 0.0);
  }

 private:
  [[nodiscard]] double level(std::size_t i) const { return (t_ * s_[i] - w_[i]) / count_[i]; }
  void push(double s, double w, double count) {
    s_[size_] = s;
    w_[size_] = w;
    count_[size_++] = count;
  }
  void merge() {
    --size_;
    s_[size_ - 1] += s_[size_];
    w_[size_ - 1] += w_[size_];
    count_[size_ - 1] += count_[size_];
  }

  std::size_t capacity_, size_ = 0;
  double t_ = 0;
  std::span<double> s_, w_, count_;
};

/// The maximum of <u, s> / (<w, u> + b ‖u‖) for an s whose largest entry is 1, and in `u` where it
/// is attained, with <w, u> + b ‖u‖ = 1, non-increasing, zero where s is. Infinite where w and b
/// are zero. `work` has pools::workspace(r) doubles.
template <class W>
[[nodiscard]] double ordered_maximum(std::span<const double> s, const W& weight, double b,
                                     std::span<double> u, std::span<double> work) {
  constexpr int most_steps = 100;
  double sum = 0, total = 0, best = 0, divisor = 1;
  std::size_t ones = 0;
  for (std::size_t j = 0; j < s.size() && s[j] > 0; ++j) {
    sum += s[j];
    total += weight(static_cast<index_t>(j));
    const double bound = total + b * std::sqrt(static_cast<double>(j + 1));
    if (bound > 0 && sum > best * bound) {
      best = sum / bound;
      divisor = bound;
      ones = j + 1;
    }
  }
  if (ones == 0) {
    std::fill(u.begin(), u.end(), 0.0);
    return std::numeric_limits<double>::infinity();
  }
  // Dinkelbach: each u gives a lower bound, and the projection at that bound a better u, until none
  // is better.
  pools projected(work);
  double scale = 0, trial = best;
  for (int step = 0; step < most_steps && b > 0; ++step) {
    projected.project(s, weight, 1 / trial);
    const pools::products p = projected.measure();
    scale = p.with_w + b * p.length;
    if (!(scale > 0)) {  // rounding has put the bound above the maximum
      trial *= 1 - 1e-12;
      continue;
    }
    const double better = p.with_s / scale;
    const bool settled = !(better > best);
    best = trial = std::max(best, better);
    if (settled) break;
  }
  if (scale > 0) {
    projected.write(u, scale);
  } else {
    std::fill(u.begin(), u.end(), 0.0);
    std::fill_n(u.begin(), ones, 1 / divisor);
  }
  return best;
}

/// How the dual of a norm N is computed from singular values, where that has a closed form.
/// `workspace(r)`: the doubles lent to `solve`; `solve(n, s, u, work)` for an s whose largest entry
/// is 1: a bound from above on the dual gauge, attained up to rounding by the u that it writes,
/// with n(u) = 1 at most.
template <class N>
struct dual_gauge;

template <OrderedSum N>
struct dual_gauge<N> {
  [[nodiscard]] static constexpr index_t workspace(index_t r) noexcept {
    return pools::workspace(r);
  }
  [[nodiscard]] static double solve(const N& n, std::span<const double> s, std::span<double> u,
                                    std::span<double> work) {
    return ordered_maximum(
        s, [&n](index_t j) { return ordered_weight(n, j); }, euclidean_weight(n), u, work);
  }
};

/// The dual of N has a closed form.
template <class N>
concept ClosedDual = Norm<N> && requires(index_t r) {
  { dual_gauge<N>::workspace(r) } -> std::convertible_to<index_t>;
};

/// The gauge dual to n at s, and where it is attained in `weights`, unless that is empty. Zero
/// where s is; infinite and NaN where s is, with zero weights. `work` has
/// closed_dual_workspace<N>(r) doubles.
template <ClosedDual N>
[[nodiscard]] constexpr index_t closed_dual_workspace(index_t r) noexcept {
  return 2 * r + dual_gauge<N>::workspace(r);
}
template <ClosedDual N, class T>
double closed_dual(const N& n, std::span<const T> s, std::span<T> weights, std::span<double> work) {
  std::fill(weights.begin(), weights.end(), T(0));
  const double first = s.empty() ? 0 : static_cast<double>(s[0]);
  if (!(first > 0) || !is_finite(first)) return first;
  // Of values near 1 no square over- or underflows.
  const auto scaled = work.first(s.size()), u = work.subspan(s.size(), s.size());
  for (std::size_t j = 0; j < s.size(); ++j) scaled[j] = static_cast<double>(s[j]) / first;
  const double value = dual_gauge<N>::solve(n, scaled, u, work.subspan(2 * s.size()));
  for (std::size_t j = 0; j < weights.size(); ++j) weights[j] = static_cast<T>(u[j]);
  return value * first;
}

}  // namespace fanion
