/// @file  What the odd functions applied so far do to every singular value, and what that proves.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace fanion {

/// The images of [0, 1], cell by cell, under a composition p of odd functions: cells reach from
/// 10^(-(j+1)/16) to 10^(-j/16), the last one to 0. Exact up to rounding: each function knows its
/// image of an interval.
class polynomial_record {
 public:
  static constexpr std::size_t cells = 257;

  polynomial_record() {
    for (std::size_t j = 0; j < cells; ++j)
      top_[j] = std::pow(10.0, -static_cast<double>(j) / per_decade);
    top_[cells] = 0;
    reset();
  }

  void reset() {
    for (std::size_t j = 0; j < cells; ++j) {
      low_[j] = top_[j + 1];
      high_[j] = top_[j];
    }
    proofs_ = 0;
  }

  /// Cell j is [top(j + 1), top(j)].
  [[nodiscard]] double top(std::size_t j) const { return top_[j]; }

  template <class Function>
  void apply(const Function& p) {
    for (std::size_t j = 0; j < cells; ++j)
      std::tie(low_[j], high_[j]) = p.image(low_[j], high_[j]);
    proofs_ = 0;
  }

  [[nodiscard]] double low(std::size_t j) const { return low_[j]; }
  [[nodiscard]] double high(std::size_t j) const { return high_[j]; }

  /// Bounds on the image of [l, 1], by whole cells.
  [[nodiscard]] std::pair<double, double> image(double l) const {
    double least = low_[0], most = high_[0];
    for (std::size_t j = 1; j < cells && top_[j] > l; ++j) {
      least = std::min(least, low_[j]);
      most = std::max(most, high_[j]);
    }
    return {least, most};
  }

  /// Bounds on the image of [0, 1].
  [[nodiscard]] double floor() const { return *std::min_element(low_.begin(), low_.end()); }
  [[nodiscard]] double ceiling() const { return *std::max_element(high_.begin(), high_.end()); }

  /// At least ‖A‖_*, for ‖A‖₂ <= unit and X = p(A/unit), given product = <A, X> and
  /// energy = ‖X‖_F². For any numbers a and b >= 0, every σ of A/unit satisfies
  ///   σ <= a σ p(σ) + b (1 - p(σ)²) + κ,   κ = max over [0, 1] of σ - a σ p - b (1 - p²),
  /// and the sum over r of them is known. Tried: a = 1 / min p above a lower end l, the least b
  /// that keeps κ near 0, for many l; the least sum counts.
  [[nodiscard]] double nuclear_bound(double product, double energy, double unit, index_t r) {
    if (proofs_ == 0) prove();
    const double size = static_cast<double>(r);
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < proofs_; ++i) {
      const auto& [a, b, rest] = proof_[i];
      best = std::min(best, a * product + unit * (b * (size - energy) + size * rest));
    }
    return best;
  }

 private:
  static constexpr double per_decade = 16;
  static constexpr std::size_t stride = 4;

  struct multipliers {
    double a = 0, b = 0, rest = 0;
  };

  /// The largest f(σ, p) over the corners of cell j, which is that over the cell for an f that is
  /// linear in σ and convex in p.
  template <class F>
  [[nodiscard]] double largest(std::size_t j, F f) const {
    const double s = top_[j + 1];
    return std::max({f(s, low_[j]), f(s, high_[j]), f(top_[j], low_[j]), f(top_[j], high_[j])});
  }

  void prove() {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t l = 0; l + 1 < cells; ++l) {
      least = std::min(least, low_[l]);
      if (!(least > 0)) break;
      if (l % stride != stride - 1) continue;
      const double a = 1 / least;
      double b = 0, rest = -std::numeric_limits<double>::infinity();
      for (std::size_t j = l + 1; j < cells; ++j)
        b = std::max(b, largest(j, [a](double s, double p) {
                       return p * p < 1 ? s * (1 - a * p) / (1 - p * p) : 0.0;
                     }));
      for (std::size_t j = 0; j < cells; ++j)
        rest = std::max(rest, largest(j, [a, b](double s, double p) {
                          return s * (1 - a * p) - b * (1 - p * p);
                        }));
      proof_[proofs_++] = {a, b, rest};
    }
  }

  std::array<double, cells> low_, high_;
  std::array<double, cells + 1> top_;
  std::array<multipliers, cells / stride + 1> proof_;
  std::size_t proofs_ = 0;
};

}  // namespace fanion
