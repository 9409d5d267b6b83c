/// @file  What is handed to map_entries, map_lines and for_each_entry: function objects with names,
/// since a device takes no closure of the host's. x is what is read, y what stands at the place, s
/// the line's number.
#pragma once

#include <fanion/core/types.hpp>

#include <limits>

namespace fanion::entry {

/// f x.
template <Real T>
struct times {
  T factor;
  FANION_HD constexpr T operator()(T x, T) const noexcept { return factor * x; }
};

/// x / d.
template <Real T>
struct divided_by {
  T divisor;
  FANION_HD constexpr T operator()(T x, T) const noexcept { return x / divisor; }
};

/// |x|.
template <Real T>
struct magnitude {
  FANION_HD constexpr T operator()(T x, T) const noexcept { return x < T(0) ? -x : x; }
};

/// y + a.
template <Real T>
struct plus {
  T constant;
  FANION_HD constexpr T operator()(T, T y) const noexcept { return y + constant; }
};

/// y + a sign(x), with sign(0) = 0.
template <Real T>
struct plus_sign {
  T scale;
  FANION_HD constexpr T operator()(T x, T y) const noexcept {
    return y + scale * (T(x > T(0)) - T(x < T(0)));
  }
};

/// y + a (x / d).
template <Real T>
struct plus_direction {
  T scale, length;
  FANION_HD constexpr T operator()(T x, T y) const noexcept { return y + scale * (x / length); }
};

/// y + a (x / s), and y where the line is zero.
template <Real T>
struct plus_line_direction {
  T scale;
  FANION_HD constexpr T operator()(T x, T s, T y) const noexcept {
    return s > T(0) ? y + scale * (x / s) : y;
  }
};

/// s x.
template <Real T>
struct times_line {
  FANION_HD constexpr T operator()(T x, T s, T) const noexcept { return s * x; }
};

/// keep y + s x, where keep = 0 forgets y.
template <Real T>
struct plus_times_line {
  T keep;
  FANION_HD constexpr T operator()(T x, T s, T y) const noexcept {
    return keep == T(0) ? s * x : keep * y + s * x;
  }
};

/// x / s, and 0 where s is.
template <Real T>
struct over_line {
  FANION_HD constexpr T operator()(T x, T s, T) const noexcept { return s > T(0) ? x / s : T(0); }
};

/// A positive finite number with all its digits. Below it a norm is not what its entries say.
template <Real T>
[[nodiscard]] FANION_HD constexpr bool is_normal(T x) noexcept {
  return x >= std::numeric_limits<T>::min() && x - x == T(0);
}

/// x / (s slack), and 0 where s is not normal.
template <Real T>
struct over_finite_line {
  T slack;
  FANION_HD constexpr T operator()(T x, T s, T) const noexcept {
    return is_normal(s) ? x / s / slack : T(0);
  }
};

/// y - 1 of a diagonal that is near 1, or 0 where the column is.
template <Real T>
struct less_one_if_there {
  FANION_HD constexpr T operator()(T, T y) const noexcept { return y > T(0.5) ? y - T(1) : y; }
};

/// x, y <- y, x.
struct exchange {
  template <Real T>
  FANION_HD constexpr void operator()(T& x, T& y) const noexcept {
    const T there = y;
    y = x;
    x = there;
  }
};

/// m <- a m + b g, seen <- a m + b g of the new m.
template <Real T>
struct look_ahead {
  T a, b;
  FANION_HD constexpr void operator()(T& m, const T& g, T& seen) const noexcept {
    m = a * m + b * g;
    seen = a * m + b * g;
  }
};

/// The same where the number at `size` is finite; nothing otherwise.
template <Real T>
struct look_ahead_if_finite {
  look_ahead<T> update;
  const T* size;
  FANION_HD constexpr void operator()(T& m, const T& g, T& seen) const noexcept {
    if (*size - *size == T(0)) update(m, g, seen);
  }
};

/// x <- x / (d slack) for the number at `size`, and 0 where that is not normal.
template <Real T>
struct over_number {
  const T* size;
  T slack;
  FANION_HD constexpr void operator()(T& x) const noexcept {
    x = is_normal(*size) ? x / *size / slack : T(0);
  }
};

/// (1 - η decay) w - η y for the number η at `rate`, and w where η is none, below 0, or the number
/// at `size` is not finite.
template <Real T>
struct rate_against {
  const T* size;
  const T* rate;
  T decay;
  FANION_HD constexpr T operator()(T w, T y) const noexcept {
    const T eta = *rate;
    const bool taken = *size - *size == T(0) && eta >= T(0) && eta - eta == T(0);
    return taken ? (T(1) - eta * decay) * w - eta * y : w;
  }
};

/// a x / d + b sign(x) for the number d at `length`, and 0 where that is not normal.
template <Real T>
struct direction_and_sign {
  const T* length;
  T direction, signs;
  FANION_HD constexpr T operator()(T x) const noexcept {
    const T d = *length;
    if (!is_normal(d)) return T(0);
    return direction * (x / d) + signs * (T(x > T(0)) - T(x < T(0)));
  }
};

/// w moves against a y, against what `others` make of x, or against both.
template <Real T>
struct step_against {
  rate_against<T> move;
  T polar;
  FANION_HD constexpr void operator()(T& w, const T& y) const noexcept { w = move(w, polar * y); }
};
template <Real T>
struct step_against_entries {
  rate_against<T> move;
  direction_and_sign<T> others;
  FANION_HD constexpr void operator()(T& w, const T& x) const noexcept { w = move(w, others(x)); }
};
template <Real T>
struct step_against_sum {
  rate_against<T> move;
  direction_and_sign<T> others;
  T polar;
  FANION_HD constexpr void operator()(T& w, const T& y, const T& x) const noexcept {
    w = move(w, polar * y + others(x));
  }
};

/// x, y <- x + c (x - y), x: as far again, c times, as x has come from y.
template <Real T>
struct go_on {
  T c;
  FANION_HD constexpr void operator()(T& x, T& y) const noexcept {
    const T here = x;
    x = here + c * (here - y);
    y = here;
  }
};

}  // namespace fanion::entry
