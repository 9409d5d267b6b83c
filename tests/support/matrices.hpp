/// @file  Named kinds of test matrices, and the shapes they come in. Entries are made in double by
/// a generator of their own and rounded to the scalar under test.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace matrices {

using dense = Eigen::MatrixXd;
using position = Eigen::Index;

struct shape {
  position rows, cols;
  [[nodiscard]] std::string name() const {
    return std::to_string(rows) + "x" + std::to_string(cols);
  }
  [[nodiscard]] position shorter() const { return std::min(rows, cols); }
};

[[nodiscard]] inline dense gaussian(position m, position n, std::uint64_t seed = 1) {
  std::mt19937_64 generator(seed * 1000003 + static_cast<std::uint64_t>(m * 131 + n));
  std::normal_distribution<double> normal;
  dense x(m, n);
  for (position j = 0; j < n; ++j)
    for (position i = 0; i < m; ++i) x(i, j) = normal(generator);
  return x;
}

/// Orthonormal columns by modified Gram and Schmidt, twice; c <= m.
[[nodiscard]] inline dense frame(position m, position c, std::uint64_t seed = 2) {
  dense q = gaussian(m, c, seed);
  for (int pass = 0; pass < 2; ++pass)
    for (position j = 0; j < c; ++j) {
      for (position k = 0; k < j; ++k) q.col(j) -= q.col(k).dot(q.col(j)) * q.col(k);
      q.col(j) /= q.col(j).norm();
    }
  return q;
}

/// U diag(sigma) Vᵀ with random U, V.
template <class F>
[[nodiscard]] dense with_spectrum(position m, position n, F sigma, std::uint64_t seed = 3) {
  const position r = std::min(m, n);
  const dense u = frame(m, r, seed), v = frame(n, r, seed + 1);
  dense x = dense::Zero(m, n);
  for (position k = 0; k < r; ++k)
    x += static_cast<double>(sigma(k)) * u.col(k) * v.col(k).transpose();
  return x;
}

[[nodiscard]] inline dense zero(position m, position n) { return dense::Zero(m, n); }
[[nodiscard]] inline dense identity(position m, position n) { return dense::Identity(m, n); }
[[nodiscard]] inline dense ones(position m, position n) { return dense::Ones(m, n); }
[[nodiscard]] inline dense orthogonal(position m, position n) {
  return with_spectrum(m, n, [](position) { return 1.0; });
}
[[nodiscard]] inline dense rank_one(position m, position n) {
  return gaussian(m, 1, 5) * gaussian(1, n, 6);
}
[[nodiscard]] inline dense rank_deficient(position m, position n) {
  const position rank = std::max<position>(1, std::min(m, n) / 2);
  return gaussian(m, rank, 7) * gaussian(rank, n, 8);
}
/// σ from 1 down to 1e-6, evenly in the exponent.
[[nodiscard]] inline dense graded(position m, position n) {
  const double last = static_cast<double>(std::max<position>(1, std::min(m, n) - 1));
  return with_spectrum(
      m, n, [=](position k) { return std::pow(10.0, -6.0 * static_cast<double>(k) / last); });
}
/// Groups of three equal σ, each group a tenth smaller.
[[nodiscard]] inline dense clustered(position m, position n) {
  return with_spectrum(m, n, [](position k) { return std::pow(0.9, static_cast<double>(k / 3)); });
}
/// Zeros and ones, about a fifth of them ones, and at least one.
[[nodiscard]] inline dense sparse(position m, position n) {
  dense x = gaussian(m, n, 9);
  for (position j = 0; j < n; ++j)
    for (position i = 0; i < m; ++i) x(i, j) = x(i, j) > 0.85 ? 1.0 : 0.0;
  x(m - 1, 0) = 1;
  return x;
}

struct kind {
  std::string name;
  dense (*make)(position, position);
};

[[nodiscard]] inline dense plain_gaussian(position m, position n) { return gaussian(m, n); }

/// Everything that is finite and not zero.
[[nodiscard]] inline std::vector<kind> kinds() {
  return {{"gaussian", plain_gaussian},
          {"identity", identity},
          {"orthogonal", orthogonal},
          {"rank one", rank_one},
          {"rank deficient", rank_deficient},
          {"graded", graded},
          {"clustered", clustered},
          {"ones", ones},
          {"sparse", sparse}};
}

/// Those on which solvers differ, for large shapes.
[[nodiscard]] inline std::vector<kind> hard_kinds() {
  return {{"gaussian", plain_gaussian},
          {"orthogonal", orthogonal},
          {"rank deficient", rank_deficient},
          {"graded", graded},
          {"clustered", clustered}};
}

/// Beside the obvious ones: both sides of 64, where `automatic` changes its solver.
[[nodiscard]] inline std::vector<shape> small_shapes() {
  return {{1, 1}, {1, 7}, {7, 1}, {12, 5}, {5, 12}, {9, 9}};
}
[[nodiscard]] inline std::vector<shape> large_shapes() {
  return {{70, 64}, {65, 65}, {66, 90}, {130, 80}};
}

/// 1e±30 in float, 1e±300 in double.
template <class T>
[[nodiscard]] std::vector<double> extreme_scales() {
  const double big = sizeof(T) == 4 ? 1e30 : 1e300;
  return {big, 1 / big};
}

}  // namespace matrices
