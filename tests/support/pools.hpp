/// @file  Duals of ordered sums by trying every way to pool, and spectra to try them on.
#pragma once

#include <fanion/norms/ordered.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace pooled {

using real = long double;
using spectrum = std::vector<double>;

inline const std::vector<spectrum> spectra = {{2},
                                              {0},
                                              {3, 2, 1},
                                              {1, 1, 1},
                                              {5, 0, 0},
                                              {0, 0, 0, 0},
                                              {4, 4, 1, 0},
                                              {10, 1, 1, 1, 1},
                                              {1, 0.9, 0.9, 0.8, 0.7, 0.1, 0},
                                              {8, 7, 6, 5, 4, 3, 2, 1},
                                              {1, 1e-3, 1e-6, 1e-9, 1e-12},
                                              {3, 3, 3, 2.999, 2.999, 1e-20},
                                              {1e300, 1e299, 1e290},
                                              {3e-300, 2e-300, 1e-300}};

/// max <u, s> / (<w, u> + b ‖u‖) over all ways to cut off a tail of zeros and to pool the rest into
/// groups of equal entries. For one way the best groups have a formula; where it does not decrease
/// from group to group another way has the maximum.
inline real by_all_pools(const spectrum& s, const std::vector<double>& w, double b) {
  real best = 0;
  for (std::size_t used = 1; used <= s.size(); ++used)
    for (unsigned cuts = 0; cuts < 1u << (used - 1); ++cuts) {
      std::vector<real> S(1, 0), W(1, 0), count(1, 0);
      for (std::size_t i = 0; i < used; ++i) {
        if (i > 0 && (cuts >> (i - 1) & 1)) {
          S.push_back(0);
          W.push_back(0);
          count.push_back(0);
        }
        S.back() += static_cast<real>(s[i]) / s[0];
        W.back() += w[i];
        count.back() += 1;
      }
      // ‖(S t - W)/sqrt(count)‖ = b, for t = 1/λ.
      // The discriminant by Lagrange's identity, which does not cancel.
      real A = 0, B = 0, spread = 0;
      for (std::size_t i = 0; i < S.size(); ++i) {
        A += S[i] * S[i] / count[i];
        B += S[i] * W[i] / count[i];
        for (std::size_t k = 0; k < i; ++k)
          spread += std::pow(S[i] * W[k] - S[k] * W[i], 2) / (count[i] * count[k]);
      }
      const real root = A * b * b - spread;
      if (!(A > 0) || root < 0) continue;
      const real t = (B + std::sqrt(root)) / A;
      bool sorted = t > 0;
      real last = std::numeric_limits<real>::infinity();
      for (std::size_t i = 0; i < S.size(); ++i) {
        const real u = (S[i] * t - W[i]) / count[i];
        sorted = sorted && u >= -1e-15L && u <= last + 1e-15L;
        last = u;
      }
      if (sorted) best = std::max(best, 1 / t);
    }
  return best * s[0];
}

template <class N>
std::vector<double> weights_of(const N& n, std::size_t r) {
  std::vector<double> w(r);
  for (std::size_t j = 0; j < r; ++j) w[j] = ordered_weight(n, static_cast<fanion::index_t>(j));
  return w;
}

/// g(u) = <w, u> + b ‖u‖ for a non-increasing u.
inline real primal(const std::vector<double>& w, double b, const std::vector<real>& u) {
  real sum = 0, squares = 0;
  for (std::size_t j = 0; j < u.size(); ++j) {
    sum += static_cast<real>(w[j]) * u[j];
    squares += u[j] * u[j];
  }
  return sum + static_cast<real>(b) * std::sqrt(squares);
}

}  // namespace pooled
