/// @file  Verbs that read matrices and return a scalar: dot, norm, sums and maxima of |x|.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/dense/vector.hpp>
#include <fanion/core/contract.hpp>

#include <bit>
#include <cmath>
#include <limits>

namespace fanion::dense {

/// A sum in the order of a binary tree: its error grows with the logarithm of the number of terms,
/// and infinity passes (which it would not through a compensated sum).
class pairwise_sum {
 public:
  void add(double x) {
    int level = 0;
    for (index_t c = count_++; c % 2 == 1; c /= 2) x += partial_[level++];
    partial_[level] = x;
  }
  [[nodiscard]] double total() const {
    double sum = 0;
    int level = 0;
    for (index_t c = count_; c > 0; c /= 2, ++level)
      if (c % 2 == 1) sum += partial_[level];
    return sum;
  }

 private:
  double partial_[64] = {};
  index_t count_ = 0;
};

/// Σ f(X(i, j), Y(i, j)) for matrices of one shape. Lanes add a hundred terms or so before they are
/// folded into a tree of doubles, so both scalars keep their precision at any size.
template <Real T, class F>
[[nodiscard]] double blocked_sum(input<T> X, input<T> Y, F f) {
  constexpr index_t width = 4 * lanes<T>;
  constexpr index_t block = 64 * width;
  const bool whole = X.ld() == X.rows() && Y.ld() == Y.rows();
  const index_t rows = whole ? X.size() : X.rows();
  const index_t cols = whole ? index_t(X.size() > 0) : X.cols();
  pairwise_sum sum;
  vec<T> a = {}, b = {}, c = {}, d = {};
  T rest = T(0);
  index_t pending = 0;
  const auto fold = [&] {
    sum.add(static_cast<double>(lane_sum<T>((a + b) + (c + d))) + static_cast<double>(rest));
    a = b = c = d = vec<T>{};
    rest = T(0);
    pending = 0;
  };
  for (index_t j = 0; j < cols; ++j) {
    const T* x = X.col(j);
    const T* y = Y.col(j);
    for (index_t i = 0; i < rows;) {
      const index_t end = std::min(rows, i + block);
      pending += end - i;
      for (; i + width <= end; i += width) {
        a += f(load<T>(x + i), load<T>(y + i));
        b += f(load<T>(x + i + lanes<T>), load<T>(y + i + lanes<T>));
        c += f(load<T>(x + i + 2 * lanes<T>), load<T>(y + i + 2 * lanes<T>));
        d += f(load<T>(x + i + 3 * lanes<T>), load<T>(y + i + 3 * lanes<T>));
      }
      for (; i < end; ++i) rest += f(x[i], y[i]);
      if (pending >= block) fold();
    }
  }
  fold();
  return sum.total();
}

/// The unsigned integers of T's width: for non-negative floats their order is the floats' order,
/// with infinity above every number and NaN above infinity.
template <Real T>
using bits_of = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// The bits of |x|.
template <Real T>
[[nodiscard]] constexpr bits_of<T> magnitude_bits(T x) noexcept {
  return std::bit_cast<bits_of<T>>(x) & std::numeric_limits<bits_of<T>>::max();
}

/// max |X(i, j)|; NaN if any entry is. 0 for an empty matrix.
template <Real T>
[[nodiscard]] T max_abs(input<T> X) {
  typedef bits_of<T> word __attribute__((vector_size(vector_bytes)));
  word top = {};
  bits_of<T> rest = 0;
  for (index_t j = 0; j < X.cols(); ++j) {
    const T* x = X.col(j);
    index_t i = 0;
    for (; i + lanes<T> <= X.rows(); i += lanes<T>) {
      word w;
      std::memcpy(&w, x + i, sizeof w);
      w &= std::numeric_limits<bits_of<T>>::max();
      top = w > top ? w : top;
    }
    for (; i < X.rows(); ++i) rest = std::max(rest, magnitude_bits(x[i]));
  }
  for (index_t i = 0; i < lanes<T>; ++i) rest = std::max<bits_of<T>>(rest, top[i]);
  return std::bit_cast<T>(rest);
}

/// The first entry, column by column, of the largest magnitude (NaN above all). (0, 0) when empty.
template <Real T>
[[nodiscard]] entry_position locate_max_abs(input<T> X) {
  const bits_of<T> top = magnitude_bits(max_abs<T>(X));
  for (index_t j = 0; j < X.cols(); ++j)
    for (index_t i = 0; i < X.rows(); ++i)
      if (magnitude_bits(X(i, j)) == top) return {i, j};
  return {};
}

/// Σ |X(i, j)|.
template <Real T>
[[nodiscard]] T sum_abs(input<T> X) {
  return static_cast<T>(blocked_sum<T>(X, X, [](auto x, auto) { return x < 0 ? -x : x; }));
}

/// The power of two that brings a positive finite x into [1, 2).
template <Real T>
[[nodiscard]] T scale_to_one(T x) noexcept {
  // One below the top exponent, so that the inverse of the smallest numbers stays finite.
  return std::ldexp(T(1), std::min(-std::ilogb(x), std::numeric_limits<T>::max_exponent - 1));
}

/// Whether a plain sum of `count` products may stand: finite, and so large that the products which
/// underflowed cannot have mattered.
template <Real T>
[[nodiscard]] bool trusted(double sum, index_t count) noexcept {
  using limits = std::numeric_limits<T>;
  const double tiny = static_cast<double>(limits::min()) / static_cast<double>(limits::epsilon());
  return is_finite(sum) && std::abs(sum) > static_cast<double>(count) * tiny;
}

/// Σ X(i, j) Y(i, j). One read of each; a second, scaled, only where the first over- or
/// underflowed.
template <Real T>
[[nodiscard]] T dot(input<T> X, input<T> Y) {
  const double plain = blocked_sum<T>(X, Y, [](auto x, auto y) { return x * y; });
  if (trusted<T>(plain, X.size())) return static_cast<T>(plain);
  const T x_top = max_abs<T>(X), y_top = max_abs<T>(Y);
  if (x_top == T(0) || y_top == T(0) || !is_finite(x_top) || !is_finite(y_top))
    return static_cast<T>(plain);
  const T p = scale_to_one(x_top), q = scale_to_one(y_top);
  const double sum = blocked_sum<T>(X, Y, [p, q](auto x, auto y) { return (p * x) * (q * y); });
  return static_cast<T>(std::ldexp(sum, -std::ilogb(p) - std::ilogb(q)));
}

/// Σ X(i, j) Y(i, j) without the second look, for operands scaled by their owner.
template <Real T>
[[nodiscard]] T blocked_dot(input<T> X, input<T> Y) {
  return static_cast<T>(blocked_sum<T>(X, Y, [](auto x, auto y) { return x * y; }));
}

/// Σ X(i, j)², as it comes: infinite where a square overflows.
template <Real T>
[[nodiscard]] double sum_of_squares(input<T> X) {
  return blocked_sum<T>(X, X, [](auto x, auto) { return x * x; });
}

/// sqrt(Σ X(i, j)²), as dot.
template <Real T>
[[nodiscard]] T norm(input<T> X) {
  const double plain = sum_of_squares<T>(X);
  if (trusted<T>(plain, X.size())) return static_cast<T>(std::sqrt(plain));
  const T top = max_abs<T>(X);
  if (top == T(0) || !is_finite(top)) return top;
  const T p = scale_to_one(top);
  const double sum = blocked_sum<T>(X, X, [p](auto x, auto) { return (p * x) * (p * x); });
  return static_cast<T>(std::ldexp(std::sqrt(sum), -std::ilogb(p)));
}

/// The lengths of the columns, as norm.
template <Real T>
void column_norms(input<T> X, T* out) {
  for (index_t j = 0; j < X.cols(); ++j) out[j] = norm<T>(X.columns(j, 1));
}

/// The lengths of the rows, as norm. A strip of rows at a time, so that a column's share of it is
/// one run of memory and the sums stay in the first-level cache.
template <Real T>
void row_norms(input<T> X, T* out) {
  constexpr index_t strip = 256;
  double sums[static_cast<std::size_t>(strip)];
  for (index_t i0 = 0; i0 < X.rows(); i0 += strip) {
    const index_t rows = std::min(strip, X.rows() - i0);
    std::fill_n(sums, rows, 0.0);
    for (index_t j = 0; j < X.cols(); ++j) {
      const T* x = X.col(j) + i0;
      for (index_t i = 0; i < rows; ++i)
        sums[i] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    }
    for (index_t i = 0; i < rows; ++i)
      out[i0 + i] = trusted<double>(sums[i], X.cols()) ? static_cast<T>(std::sqrt(sums[i]))
                                                       : norm<T>(X.block(i0 + i, 0, 1, X.cols()));
  }
}

}  // namespace fanion::dense
