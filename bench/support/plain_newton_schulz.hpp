/// @file  Newton-Schulz as one would write it with Eigen: what polar factors are compared with.
#pragma once

#include <Eigen/Core>

namespace bench {

/// X <- 3.4445 X - 4.7750 (XXᵀ)X + 2.0315 (XXᵀ)²X from M/‖M‖_F, for m x n matrices with m <= n.
template <class T>
class plain_newton_schulz {
 public:
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

  plain_newton_schulz(Eigen::Index m, Eigen::Index n)
      : x_(m, n), gram_(m, m), half_(m, m), product_(m, n) {}

  void run(const matrix& m, int steps) {
    x_ = m / m.norm();
    for (int i = 0; i < steps; ++i) {
      gram_.noalias() = x_ * x_.transpose();
      half_.noalias() = gram_ * gram_;
      half_ = T(-4.7750) * gram_ + T(2.0315) * half_;
      product_.noalias() = half_ * x_;
      x_ = T(3.4445) * x_ + product_;
    }
  }
  [[nodiscard]] const matrix& x() const { return x_; }

 private:
  matrix x_, gram_, half_, product_;
};

}  // namespace bench
