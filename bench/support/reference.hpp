/// @file  Singular values to check against, by Eigen in double.
#pragma once

#include <Eigen/Eigenvalues>

namespace bench {

/// All singular values, largest first, as roots of the smaller Gram matrix's eigenvalues. Absolute
/// error about 1e-8 σ₁: sums of them are good to far more digits than a gap of interest, and it
/// takes a fraction of a full decomposition's time.
inline Eigen::VectorXd singular_values(const Eigen::MatrixXd& m) {
  const bool wide = m.cols() > m.rows();
  const Eigen::MatrixXd gram =
      wide ? Eigen::MatrixXd(m * m.transpose()) : Eigen::MatrixXd(m.transpose() * m);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram, Eigen::EigenvaluesOnly);
  return solver.eigenvalues().reverse().cwiseMax(0.0).cwiseSqrt();
}

}  // namespace bench
