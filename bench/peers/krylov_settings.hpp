/// @file  The basis sizes and tolerances that a restarted Krylov peer is tried with.
#pragma once

#include "contender.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace peers {

/// 2k + 1, k + 10, 20, 30, 60 and, for many triplets, 3k/2 beside them: the usual advice.
inline std::vector<index_t> basis_sizes(index_t r, index_t k) {
  std::vector<index_t> sizes = {30, 60, 20, 2 * k + 1, k + 10};
  if (k >= 50) sizes.push_back(3 * k / 2);
  std::vector<index_t> fit;
  for (const index_t s : sizes)
    if (s >= k + 2 && s <= r && std::find(fit.begin(), fit.end(), s) == fit.end()) fit.push_back(s);
  return fit;
}

inline constexpr std::array tolerances = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5,
                                          1e-6, 1e-7, 1e-8, 1e-9, 1e-10};

/// Every basis with every tolerance; run(question, basis, tolerance).
template <class F>
std::vector<setting> krylov_settings(index_t r, index_t k, const F& run) {
  std::vector<setting> all;
  for (const index_t basis : basis_sizes(r, k))
    for (const double tolerance : tolerances) {
      std::array<char, 64> label{};
      std::snprintf(label.data(), label.size(), "basis %d, tol %.0e", static_cast<int>(basis),
                    tolerance);
      all.push_back(
          {label.data(), basis, [=](const question& q) { return run(q, basis, tolerance); }});
    }
  return all;
}

/// The answer that others are measured by.
template <class F>
answer tight_answer(const question& q, const F& run) {
  return run(q, std::min(std::min(q.a.rows(), q.a.cols()), 2 * q.k + 20), 1e-14);
}

}  // namespace peers
