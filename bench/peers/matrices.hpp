/// @file  The matrices of the comparison, each from a seed, a prescribed spectrum or a file.
#pragma once

#include "../support/momenta.hpp"
#include "contender.hpp"

#include <fanion/core/random.hpp>

#include <Eigen/QR>

#include <cmath>
#include <cstdint>
#include <string>

namespace peers {

inline constexpr std::uint64_t matrix_seed = 1;

inline Eigen::MatrixXd gaussian(index_t m, index_t n, std::uint64_t seed = matrix_seed) {
  Eigen::MatrixXd a(m, n);
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < m; ++i) a(i, j) = fanion::random_normal(seed, i, j);
  return a;
}

/// U diag(σ) Vᵀ with random frames; fewer σ than the shorter side has: the rest is zero.
inline Eigen::MatrixXd with_spectrum(index_t m, index_t n, const Eigen::VectorXd& sigma) {
  const auto frame = [&](index_t rows, std::uint64_t seed) {
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(gaussian(rows, sigma.size(), seed));
    return Eigen::MatrixXd(qr.householderQ() * Eigen::MatrixXd::Identity(rows, sigma.size()));
  };
  return frame(m, matrix_seed + 1) * sigma.asDiagonal() * frame(n, matrix_seed + 2).transpose();
}

/// σᵢ = 1 / i.
inline Eigen::VectorXd decaying(index_t r) {
  return Eigen::VectorXd::LinSpaced(r, 1, static_cast<double>(r)).cwiseInverse();
}

/// Five values within 1e-9 of each other, then 0.9 / sqrt(i - 5).
inline Eigen::VectorXd clustered(index_t r) {
  Eigen::VectorXd sigma(r);
  for (index_t i = 0; i < r; ++i)
    sigma(i) =
        i < 5 ? 1 - 2e-10 * static_cast<double>(i) : 0.9 / std::sqrt(static_cast<double>(i - 4));
  return sigma;
}

/// Rank 20, values from 1 down to 0.05 in equal steps.
inline Eigen::VectorXd rank_deficient() { return Eigen::VectorXd::LinSpaced(20, 1, 0.05); }

/// The last matrix of a recorded training run.
inline Eigen::MatrixXd momentum(const std::string& path) {
  return bench::read_momenta(path).back().cast<double>();
}

}  // namespace peers
