/// @file  The synthetic problem: F(X) = <X, M X N>/2 with random spectra, and what is known of it.
#pragma once

#include <fanion/eigen.hpp>
#include <fanion/norms/smoothness.hpp>

#include <Eigen/QR>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace least_squares {

using fanion::index_t;
using matrix = Eigen::MatrixXf;

/// n x n matrices M and N = Q diag(λ) Qᵀ with λ uniform on (0, 1) and a random orthogonal Q; the
/// minimum is 0, at 0. X₀ has normal entries of deviation 0.1. Kravatskiy et al. 2025 have n = 500.
struct problem {
  matrix m, n, start;
  std::vector<double> curvatures;  ///< λᵢ(M) λᵢ(N), largest first

  [[nodiscard]] matrix gradient(const matrix& x) const { return m * x * n; }
  /// From the gradient at x.
  [[nodiscard]] static double value(const matrix& x, const matrix& gradient) {
    return 0.5 * x.cast<double>().cwiseProduct(gradient.cast<double>()).sum();
  }
};

[[nodiscard]] inline Eigen::MatrixXd normal_matrix(index_t size, std::uint64_t seed) {
  Eigen::MatrixXd x(size, size);
  for (index_t j = 0; j < size; ++j)
    for (index_t i = 0; i < size; ++i) x(i, j) = fanion::random_normal(seed, i, j);
  return x;
}

[[nodiscard]] inline problem make_problem(index_t size, std::uint64_t seed) {
  const auto definite = [&](std::uint64_t part) {
    const Eigen::MatrixXd q =
        Eigen::HouseholderQR<Eigen::MatrixXd>(normal_matrix(size, 16 * seed + part)).householderQ();
    std::vector<double> values;
    for (index_t i = 0; i < size; ++i)
      values.push_back(fanion::random_uniform(16 * seed + part + 1, i, 0));
    const Eigen::Map<const Eigen::VectorXd> d(values.data(), size);
    return std::pair(matrix((q * d.asDiagonal() * q.transpose()).cast<float>()), values);
  };
  auto [m, of_m] = definite(0);
  auto [n, of_n] = definite(2);
  return {std::move(m), std::move(n), (0.1 * normal_matrix(size, 16 * seed + 4)).cast<float>(),
          fanion::curvatures(std::move(of_m), std::move(of_n))};
}

}  // namespace least_squares
