/// @file  The small factor of Cholesky's QR, on the host.
#pragma once

#include <fanion/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fanion::device {

/// R with RᵀR = G, from G's lower half, into the upper; zeros below. False where a pivot says that
/// the columns behind G are near to dependent: then a second round would not make up for what the
/// first has lost, or what is left of a column might be rounding. Sums in double.
template <Real T>
[[nodiscard]] bool cholesky_upper(matrix_view<T> G) {
  const index_t k = G.cols();
  const double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  double longest = 0;
  for (index_t j = 0; j < k; ++j) longest = std::max(longest, static_cast<double>(G(j, j)));
  const double rounding = 64 * static_cast<double>(k + 1) * eps * eps * longest;
  for (index_t j = 0; j < k; ++j) {
    for (index_t i = 0; i <= j; ++i) {
      double rest = static_cast<double>(G(j, i));
      for (index_t p = 0; p < i; ++p)
        rest -= static_cast<double>(G(p, i)) * static_cast<double>(G(p, j));
      if (i < j) {
        G(i, j) = static_cast<T>(rest / static_cast<double>(G(i, i)));
        continue;
      }
      const double least = 100 * static_cast<double>(k) * eps * static_cast<double>(G(j, j));
      if (!(rest > least && rest > rounding)) return false;
      G(j, j) = static_cast<T>(std::sqrt(rest));
    }
  }
  for (index_t j = 0; j < k; ++j)
    for (index_t i = j + 1; i < k; ++i) G(i, j) = T(0);
  return true;
}

}  // namespace fanion::device
