/// @file  Sums and maxima over entries and lines, in stages of fixed shape: the same bits every
/// time.
///
/// A reduction is a class with a type `part`, `take(i, part)` that adds element i, `join(part,
/// part)` and `result(part)`. Workers add elements a stride apart, so that neighbours read
/// neighbours; their parts are added by fewer workers, and so on. Nothing is allocated and nothing
/// waits.
#pragma once

#include <fanion/backend/device/entries.cuh>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fanion::device {

/// Element i of a line: base + i · stride. With `rows` > 0, of a matrix: a walk down its columns.
template <Real T>
struct elements {
  const T* base;
  index_t stride = 1;
  index_t rows = 0;
  FANION_HD T operator()(index_t i) const {
    return rows > 0 ? base[i % rows + i / rows * stride] : base[i * stride];
  }
};

/// Element i of a walk down the columns of the transpose, which has `rows` rows.
template <Real T>
struct turned_elements {
  const T* base;
  index_t ld, rows;
  FANION_HD T operator()(index_t i) const { return base[i / rows + i % rows * ld]; }
};

/// A sum of products in three parts, so that neither over- nor underflow of a product matters where
/// the whole can be represented: products above 2^1024, times 2^-1200; below 2^-900, times 2^1200;
/// and the rest, infinity and NaN among it.
struct binned_sum {
  double big = 0, mid = 0, small = 0;

  FANION_HD void add(double x, double y) {
    const double p = x * y, size = p < 0 ? -p : p;
    if (size >= 0x1p-900 && p - p == 0)
      mid += p;
    else if (size < 0x1p-900 && x != 0 && y != 0)
      small += (x * 0x1p600) * (y * 0x1p600);
    else if (x - x == 0 && y - y == 0 && size > 0)
      big += (x * 0x1p-600) * (y * 0x1p-600);
    else
      mid += p;
  }
  FANION_HD void add(const binned_sum& other) {
    big += other.big;
    mid += other.mid;
    small += other.small;
  }
  FANION_HD double total() const {
    return (big == 0 ? 0 : big * 0x1p600 * 0x1p600) + (mid + small * 0x1p-600 * 0x1p-600);
  }
  /// Of a sum of squares.
  FANION_HD double root() const {
    if (big > 0) return std::sqrt(big + mid * 0x1p-600 * 0x1p-600) * 0x1p600;
    if (mid != 0) return std::sqrt(mid + small * 0x1p-600 * 0x1p-600);
    return std::sqrt(small) * 0x1p-600;
  }
};

/// Σ x(i) y(i).
template <Real T, class X = elements<T>>
struct dot_reduction {
  using part = binned_sum;
  X x;
  elements<T> y;
  FANION_HD void take(index_t i, part& p) const {
    p.add(static_cast<double>(x(i)), static_cast<double>(y(i)));
  }
  FANION_HD static void join(part& p, const part& q) { p.add(q); }
  FANION_HD static T result(const part& p) { return static_cast<T>(p.total()); }
};

/// sqrt(Σ x(i)²).
template <Real T>
struct norm_reduction {
  using part = binned_sum;
  elements<T> x;
  FANION_HD void take(index_t i, part& p) const {
    const double value = static_cast<double>(x(i));
    p.add(value, value);
  }
  FANION_HD static void join(part& p, const part& q) { p.add(q); }
  FANION_HD static T result(const part& p) { return static_cast<T>(p.root()); }
};

/// Σ |x(i)|.
template <Real T>
struct sum_abs_reduction {
  struct part {
    double sum = 0;
  };
  elements<T> x;
  FANION_HD void take(index_t i, part& p) const {
    const double value = static_cast<double>(x(i));
    p.sum += value < 0 ? -value : value;
  }
  FANION_HD static void join(part& p, const part& q) { p.sum += q.sum; }
  FANION_HD static T result(const part& p) { return static_cast<T>(p.sum); }
};

/// The largest |x(i)| and the first i that has it. NaN is above infinity, as in the order of the
/// bits of non-negative floating-point numbers.
template <Real T>
struct max_abs_reduction {
  struct part {
    std::int64_t bits = -1;
    index_t at = 0;
  };
  elements<T> x;
  FANION_HD void take(index_t i, part& p) const {
    const double value = static_cast<double>(x(i));
    join(p, {std::bit_cast<std::int64_t>(value) & std::numeric_limits<std::int64_t>::max(), i});
  }
  FANION_HD static void join(part& p, const part& q) {
    if (q.bits > p.bits || (q.bits == p.bits && q.at < p.at)) p = q;
  }
  FANION_HD static T result(const part& p) {
    return p.bits < 0 ? T(0) : static_cast<T>(std::bit_cast<double>(p.bits));
  }
};

/// Worker w adds the elements w, w + workers, … of the whole.
template <class R>
struct take_stage {
  R reduction;
  index_t count, workers;
  typename R::part* parts;
  FANION_HD void operator()(index_t w) const {
    typename R::part p;
    for (index_t i = w; i < count; i += workers) reduction.take(i, p);
    parts[w] = p;
  }
};

/// Worker w adds the parts w, w + workers, ….
template <class R>
struct join_stage {
  const typename R::part* from;
  index_t count, workers;
  typename R::part* parts;
  FANION_HD void operator()(index_t w) const {
    typename R::part p;
    for (index_t i = w; i < count; i += workers) R::join(p, from[i]);
    parts[w] = p;
  }
};

/// What the last part says.
template <class R, Real T>
struct result_stage {
  const typename R::part* from;
  T* to;
  FANION_HD void operator()(index_t) const { *to = R::result(*from); }
};

/// Worker w = chunk · lines + line (rows), or line · chunks + chunk (columns) adds its share of a
/// line's products: neighbours read neighbours in both.
template <Real T>
struct line_take_stage {
  device_view<const T> X, Y;
  bool columns;
  index_t lines, chunks;
  binned_sum* parts;  ///< of line l: parts[l * chunks + chunk]
  FANION_HD void operator()(index_t w) const {
    const index_t line = columns ? w / chunks : w % lines;
    const index_t chunk = columns ? w % chunks : w / lines;
    const index_t length = columns ? X.rows() : X.cols();
    binned_sum p;
    for (index_t t = chunk; t < length; t += chunks)
      p.add(static_cast<double>(columns ? X(t, line) : X(line, t)),
            static_cast<double>(columns ? Y(t, line) : Y(line, t)));
    parts[line * chunks + chunk] = p;
  }
};

/// out[line] = the line's sum, or the root of it.
template <Real T>
struct line_result_stage {
  const binned_sum* parts;
  index_t chunks;
  bool root;
  T* out;
  FANION_HD void operator()(index_t line) const {
    binned_sum p;
    for (index_t c = 0; c < chunks; ++c) p.add(parts[line * chunks + c]);
    out[line] = static_cast<T>(root ? p.root() : p.total());
  }
};

}  // namespace fanion::device
