/// @file  One-sided Jacobi: rotates the columns of a matrix until they are orthogonal.
#pragma once

#include <fanion/backend/dense/skinny.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace fanion::dense {

/// Σ aᵢ bᵢ over whole vectors.
template <Real T>
[[nodiscard]] T column_dot(const T* a, const T* b, index_t n) {
  vec<T> s = {}, t = {};
  index_t i = 0;
  for (; i + 2 * lanes<T> <= n; i += 2 * lanes<T>) {
    s += load<T>(a + i) * load<T>(b + i);
    t += load<T>(a + i + lanes<T>) * load<T>(b + i + lanes<T>);
  }
  if (i < n) s += load<T>(a + i) * load<T>(b + i);
  return lane_sum<T>(s + t);
}

/// (a, b) <- (c a − s b, s a + c b); returns their new squared norms.
template <Real T>
std::pair<T, T> rotate(T* a, T* b, index_t n, T c, T s) {
  vec<T> aa = {}, bb = {};
  for (index_t i = 0; i < n; i += lanes<T>) {
    const vec<T> x = load<T>(a + i), y = load<T>(b + i);
    const vec<T> p = c * x - s * y, q = s * x + c * y;
    store<T>(a + i, p);
    store<T>(b + i, q);
    aa += p * p;
    bb += q * q;
  }
  return {lane_sum<T>(aa), lane_sum<T>(bb)};
}

/// Makes the columns of A orthogonal: |aᵢ·aⱼ| <= tolerance ‖aᵢ‖ ‖aⱼ‖ for every pair. A's rows and
/// ld are whole vectors (zero-filled), its largest entry is near 1, and `squares` holds one number
/// a column. A sweep takes n² · rows flops to look, and 12 · rows for each pair that it turns;
/// columns that come longest first need fewest sweeps. Returns the sweeps, at most `most`.
template <Real T>
index_t orthogonalize_columns(matrix_view<T> A, T* squares, T tolerance, index_t most) {
  constexpr index_t side = 4;
  const index_t rows = A.rows(), n = A.cols();
  // A squared norm below this has lost digits to underflow; such a column counts as zero.
  const T nothing = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
  index_t sweep = 0;
  for (bool rotated = true; rotated && sweep < most; ++sweep) {
    rotated = false;
    for (index_t j = 0; j < n; ++j) squares[j] = column_dot<T>(A.col(j), A.col(j), rows);
    // Late sweeps find little to do: sixteen products at once are cheaper than one by one.
    const auto settled = [&](index_t i0, index_t j0) {
      T d[static_cast<std::size_t>(side * side)] = {};
      panel_dot<T, side, side>(rows, T(1), A.col(i0), A.ld(), A.col(j0), A.ld(), d, side, {});
      for (index_t j = j0; j < j0 + side; ++j)
        for (index_t i = i0; i < std::min(i0 + side, j); ++i)
          if (std::abs(d[i - i0 + (j - j0) * side]) >
              tolerance * std::sqrt(squares[i]) * std::sqrt(squares[j]))
            return false;
      return true;
    };
    const auto visit = [&](index_t i, index_t j) {
      T& x = squares[i];
      T& y = squares[j];
      if (!(x > nothing && y > nothing)) return;
      const T d = column_dot<T>(A.col(i), A.col(j), rows);
      if (!(std::abs(d) > tolerance * std::sqrt(x) * std::sqrt(y))) return;
      rotated = true;
      const T zeta = (y - x) / (T(2) * d);
      // Past 1/eps, 1 + ζ² is ζ² and might overflow.
      const T size = std::abs(zeta);
      const T root =
          size * std::numeric_limits<T>::epsilon() > T(1) ? size : std::sqrt(T(1) + zeta * zeta);
      const T t = std::copysign(T(1) / (size + root), zeta);
      const T c = T(1) / std::sqrt(T(1) + t * t), s = c * t;
      const auto [p, q] = rotate<T>(A.col(i), A.col(j), rows, c, s);
      x = p;
      y = q;
    };
    for (index_t i0 = 0; i0 < n; i0 += side)
      for (index_t j0 = i0; j0 < n; j0 += side) {
        const index_t i1 = std::min(i0 + side, n), j1 = std::min(j0 + side, n);
        if (i1 - i0 == side && j1 - j0 == side && settled(i0, j0)) continue;
        for (index_t i = i0; i < i1; ++i)
          for (index_t j = std::max(j0, i + 1); j < j1; ++j) visit(i, j);
      }
  }
  return sweep;
}

}  // namespace fanion::dense
