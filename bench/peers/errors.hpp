/// @file  How far an answer is from the leading triplets: the seeds' two columns and two more.
#pragma once

#include "../support/reference.hpp"
#include "contender.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>

namespace peers {

/// Leading triplets to some 1e-10, one more value than is asked for, and how far a second solver's
/// answer to the same question is from them.
struct truth {
  Eigen::MatrixXd u, v;
  Eigen::VectorXd sigma;
  double residual = unknown;  ///< sqrt(‖AV - UΣ‖² + ‖AᵀU - VΣ‖²) / σ₁, Frobenius
  double cross_check = unknown;  ///< err_1 of the other solver's answer
};

struct errors {
  double err1 = unknown;  ///< ‖Σ ûᵢv̂ᵢᵀ - Σ uᵢvᵢᵀ‖_F / sqrt(k); for polar questions k = r
  double err2 = unknown;   ///< ‖Σ σ̂ᵢûᵢv̂ᵢᵀ - Σ σᵢuᵢvᵢᵀ‖_F / ‖σ‖
  double sigma = unknown;  ///< max |σ̂ᵢ - σᵢ| / σ₁
  double gap = unknown;  ///< 1 - <A, D> / (max(1, N(D)) (σ₁ + … + σₖ)), D = Σ ûᵢv̂ᵢᵀ
};

/// The triangle of a thin QR factorisation.
inline Eigen::MatrixXd triangle(const Eigen::MatrixXd& x) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(x);
  const index_t r = std::min(x.rows(), x.cols());
  return qr.matrixQR().topRows(r).template triangularView<Eigen::Upper>();
}

/// ‖W₁Z₁ᵀ - W₂Z₂ᵀ‖_F without forming either product and without cancellation.
inline double difference(const Eigen::MatrixXd& w1, const Eigen::MatrixXd& z1,
                         const Eigen::MatrixXd& w2, const Eigen::MatrixXd& z2) {
  Eigen::MatrixXd w(w1.rows(), w1.cols() + w2.cols()), z(z1.rows(), w.cols());
  w << w1, w2;
  z << z1, -z2;
  return (triangle(w) * triangle(z).transpose()).norm();
}

/// Of the first k triplets; all `unknown` where an answer has fewer.
inline errors errors_of(const answer& got, const truth& exact, const Eigen::MatrixXd& a,
                        index_t k) {
  errors e;
  if (got.sigma.size() < k || got.u.cols() < k || got.v.cols() < k) return e;
  const Eigen::MatrixXd u = got.u.leftCols(k), v = got.v.leftCols(k);
  const Eigen::VectorXd s = got.sigma.head(k), want = exact.sigma.head(k);
  const Eigen::MatrixXd exact_u = exact.u.leftCols(k), exact_v = exact.v.leftCols(k);
  if (!u.allFinite() || !v.allFinite() || !s.allFinite()) return e;

  e.err1 = difference(u, v, exact_u, exact_v) / std::sqrt(static_cast<double>(k));
  e.err2 = difference(u * s.asDiagonal(), v, exact_u * want.asDiagonal(), exact_v) / want.norm();
  e.sigma = (s - want).cwiseAbs().maxCoeff() / want(0);
  // D's place in the ball of dual(ky_fan(k)), from its own singular values.
  const Eigen::VectorXd d =
      Eigen::JacobiSVD<Eigen::MatrixXd>(triangle(u) * triangle(v).transpose()).singularValues();
  const double ball = std::max({1.0, d(0), d.sum() / static_cast<double>(k)});
  e.gap = 1 - u.cwiseProduct(a * v).sum() / (ball * want.sum());
  return e;
}

/// Of a polar factor. `exact` holds every triplet.
inline errors errors_of_polar(const answer& got, const truth& exact, const Eigen::MatrixXd& a) {
  errors e;
  if (!got.polar.allFinite()) return e;
  const double r = static_cast<double>(exact.sigma.size());
  e.err1 = (got.polar - exact.u * exact.v.transpose()).norm() / std::sqrt(r);
  const double largest = bench::singular_values(got.polar)(0);
  e.gap = 1 - a.cwiseProduct(got.polar).sum() / (std::max(1.0, largest) * exact.sigma.sum());
  return e;
}

/// sqrt(‖AV - UΣ‖² + ‖AᵀU - VΣ‖²) / σ₁.
inline double residual_of(const truth& t, const Eigen::MatrixXd& a) {
  const double right = (a * t.v - t.u * t.sigma.asDiagonal()).norm();
  const double left = (a.transpose() * t.u - t.v * t.sigma.asDiagonal()).norm();
  return std::hypot(left, right) / t.sigma(0);
}

}  // namespace peers
