/// @file  Proven upper bounds on leading eigenvalues from a block Krylov space with a random start.
///
/// Let H be symmetric positive semidefinite, Ω a p x c matrix of independent normal numbers, Q an
/// orthonormal basis of a space that holds Ω, HΩ, …, HᵈΩ, and QᵀHQ = P diag(θ) Pᵀ. Suppose that
/// λ_l(H) >= x > θ_l. The span of the first l eigenvectors is a fixed space, so Ω projected on it,
/// an l x c matrix of independent normal numbers, has no singular value below some t except with a
/// probability that is known. That span holds a unit vector u orthogonal to the first l - 1 Ritz
/// vectors, and for a polynomial f of degree d
///   Ωᵀf(H)u has length >= t min{ |f(λ)| : λ >= x },
/// while f(H)Ω lies in the space, where u meets only the other Ritz vectors:
///   Ωᵀf(H)u has length <= ‖f(Θ) W‖₂ with W = PᵀQᵀΩ, both without their first l - 1 rows.
/// An f for which these contradict each other proves λ_l < x. No gap between eigenvalues is
/// assumed, and copies count. The f taken is that with f(x) = 1 and the least ‖f(Θ) W‖_F, the
/// kernel polynomial of the θ weighted by the rows of W: its zeros lie below x, so it grows beyond.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace fanion {

/// A number that the least singular value of an l x c matrix of independent normal numbers, l <= c,
/// falls below with probability `failure` at most: from the tail of Chen and Dongarra (2005) in the
/// form of Halko, Martinsson and Tropp (2011), proposition A.3.
[[nodiscard]] inline double least_normal_singular_value(index_t l, index_t c, double failure) {
  const double q = static_cast<double>(c - l + 1);
  const double tail = std::pow(failure * std::sqrt(2 * 3.141592653589793 * q), 1 / q);
  return std::min(1.0, tail) * q / (2.718281828459045 * std::sqrt(static_cast<double>(c)));
}

/// O(m (d² + 11 c²)) for each bound, from m Ritz values and a polynomial of degree d. Allocates
/// when made.
class krylov_bound {
 public:
  krylov_bound(index_t most_values, index_t most_columns)
      : theta_(size(most_values)),
        weights_(size(most_values * most_columns)),
        lengths_(theta_.size()),
        values_(theta_.size()),
        alpha_(size(most_degree)),
        beta_(size(most_degree)),
        at_x_(size(most_degree + 1)),
        basis_(theta_.size() * size(most_degree + 1)),
        gram_(size(most_columns * most_columns)),
        square_(gram_.size()) {}

  /// Tells how many Ritz values and how many columns of Ω there are; theta and weights follow.
  void shape(index_t values, index_t columns) {
    count_ = values;
    columns_ = columns;
  }
  /// θ, largest first.
  [[nodiscard]] std::span<double> theta() { return std::span(theta_).first(size(count_)); }
  /// Row j of W.
  [[nodiscard]] std::span<double> weights(index_t j) {
    return std::span(weights_).subspan(size(j * columns_), size(columns_));
  }

  /// Writes bounds on λ₁ … λ_l, l = upper.size(), for a space that holds all polynomials up to
  /// `degree`; all hold together, except with probability `failure`. An index beyond the columns of
  /// Ω has the bound of the one before it.
  void bound(index_t degree, double failure, std::span<double> upper) {
    const auto count = static_cast<index_t>(upper.size());
    const index_t provable = std::min(count, columns_);
    double last = std::numeric_limits<double>::infinity();
    for (index_t l = 1; l <= count; ++l) {
      if (l <= std::min(provable, count_)) {
        const double least =
            least_normal_singular_value(l, columns_, failure / static_cast<double>(provable));
        last = std::min(last, bound_one(l - 1, degree, least));
      }
      upper[size(l - 1)] = last;
    }
  }

 private:
  static constexpr index_t most_degree = 96;  ///< beyond that nothing more is tried

  [[nodiscard]] static std::size_t size(index_t n) { return static_cast<std::size_t>(n); }

  /// The polynomials orthonormal on θ_first, θ_first+1, … with the squared lengths of the rows of W
  /// as weights, by Lanczos' recurrence: basis_ holds their values times those lengths, one
  /// polynomial after another. Where the next one vanishes on all of them, degree_ ends there.
  void orthonormal_polynomials(index_t first, index_t degree) {
    const index_t m = count_ - first;
    double total = 0;
    for (index_t j = 0; j < m; ++j) {
      double sum = 0;
      for (const double w : weights(first + j)) sum += w * w;
      total += sum;
      lengths_[size(j)] = std::sqrt(sum);
    }
    mass_ = std::sqrt(total);
    exhausted_ = !(mass_ > 0);
    degree_ = 0;
    if (exhausted_) return;
    for (index_t j = 0; j < m; ++j) basis_[size(j)] = lengths_[size(j)] / mass_;
    for (index_t i = 0; i < std::min({degree, m, most_degree}); ++i) {
      const double* now = basis_.data() + i * m;
      double* next = basis_.data() + (i + 1) * m;
      for (index_t j = 0; j < m; ++j) next[j] = theta_[size(first + j)] * now[j];
      alpha_[size(i)] = 0;
      for (int pass = 0; pass < 2; ++pass)
        for (index_t h = i; h >= 0; --h) {
          const double* old = basis_.data() + h * m;
          double overlap = 0;
          for (index_t j = 0; j < m; ++j) overlap += old[j] * next[j];
          for (index_t j = 0; j < m; ++j) next[j] -= overlap * old[j];
          if (h == i) alpha_[size(i)] += overlap;
        }
      double sum = 0;
      for (index_t j = 0; j < m; ++j) sum += next[j] * next[j];
      beta_[size(i)] = std::sqrt(sum);
      exhausted_ = !(beta_[size(i)] > noise * theta_[0]);
      if (exhausted_) return;
      for (index_t j = 0; j < m; ++j) next[j] /= beta_[size(i)];
      ++degree_;
    }
  }

  /// ‖f(Θ) W‖₂ from above for an f with f(x) = 1.
  [[nodiscard]] double size_at(double x, index_t first) {
    const index_t m = count_ - first;
    if (!(mass_ > 0)) return 0;
    double before = 0, now = 1 / mass_, kernel = now * now;
    at_x_[0] = now;
    index_t last = 0;  // the degree used: beyond a huge kernel nothing is gained
    for (index_t i = 0; i < degree_ && kernel < 1e200; ++i) {
      const double next = polynomial_after(x, i, before, now) / beta_[size(i)];
      before = now;
      now = next;
      at_x_[size(i + 1)] = now;
      kernel += now * now;
      last = i + 1;
    }
    if (exhausted_ && last == degree_) {
      const double next = std::abs(polynomial_after(x, degree_, before, now));
      if (next > 0 && noise * theta_[0] < next * std::sqrt(1 / kernel))
        return noise * theta_[0] / next;
    }
    std::fill_n(values_.begin(), m, 0.0);
    for (index_t i = 0; i <= last; ++i) {
      const double share = at_x_[size(i)] / kernel;
      for (index_t j = 0; j < m; ++j) values_[size(j)] += share * basis_[size(i * m + j)];
    }
    std::fill_n(gram_.begin(), columns_ * columns_, 0.0);
    for (index_t j = 0; j < m; ++j) {
      if (lengths_[size(j)] == 0) continue;
      const double f = values_[size(j)] / lengths_[size(j)];
      const auto w = weights(first + j);
      for (index_t p = 0; p < columns_; ++p)
        for (index_t q = 0; q < columns_; ++q)
          gram_[size(p * columns_ + q)] += f * f * w[size(p)] * w[size(q)];
    }
    return std::sqrt(largest_eigenvalue());
  }

  /// β times the polynomial of degree i + 1 at x.
  [[nodiscard]] double polynomial_after(double x, index_t i, double before, double now) const {
    const double back = i == 0 ? 0 : beta_[size(i - 1)] * before;
    return (x - alpha_[size(i)]) * now - back;
  }

  /// That of gram_, G, from above, too large by a factor of c^(1/32) at most: ‖G¹⁶‖_F^(1/16).
  [[nodiscard]] double largest_eigenvalue() {
    const auto entries = size(columns_ * columns_);
    double log_length = 0;  // of the power that gram_ would be without the divisions
    for (int squarings = 0;; ++squarings) {
      double sum = 0;
      for (std::size_t i = 0; i < entries; ++i) sum += gram_[i] * gram_[i];
      const double length = std::sqrt(sum);
      if (!(length > 0)) return length;  // NaN is handed on
      log_length = 2 * log_length + std::log(length);
      if (squarings == 4) return std::exp(log_length / 16);
      for (std::size_t i = 0; i < entries; ++i) gram_[i] /= length;
      for (index_t p = 0; p < columns_; ++p)
        for (index_t q = 0; q < columns_; ++q) {
          double entry = 0;
          for (index_t r = 0; r < columns_; ++r)
            entry += gram_[size(p * columns_ + r)] * gram_[size(q * columns_ + r)];
          square_[size(p * columns_ + q)] = entry;
        }
      std::swap(gram_, square_);
    }
  }

  /// The least x found with ‖f(Θ) W‖₂ < least, by bisection of log((x - θ)/θ₁).
  [[nodiscard]] double bound_one(index_t first, index_t degree, double least) {
    const double at = theta_[size(first)], most = theta_[0];
    if (!(most > 0)) return std::numeric_limits<double>::infinity();
    orthonormal_polynomials(first, degree);
    const auto x = [=](double power) { return at + most * std::pow(10.0, power); };
    double low = -14, high = 4;
    if (!(size_at(x(high), first) < least)) return std::numeric_limits<double>::infinity();
    for (int step = 0; step < 11; ++step) {
      const double middle = 0.5 * (low + high);
      (size_at(x(middle), first) < least ? high : low) = middle;
    }
    return x(high);
  }

  /// Share of the largest node below which a polynomial's values on the nodes are rounding.
  static constexpr double noise = 1e-13;

  index_t count_ = 0;
  index_t columns_ = 0;
  index_t degree_ = 0;
  bool exhausted_ = false;
  double mass_ = 0;
  std::vector<double> theta_, weights_, lengths_, values_, alpha_, beta_, at_x_, basis_, gram_,
      square_;
};

}  // namespace fanion
