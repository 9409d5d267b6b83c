// The ball of 0.5 Ky Fan-1 + 0.5 Frobenius, dual: its oracle at M = diag(3, 4, 0) is minus half the
// sum of the leading pair e₂e₂ᵀ and of M/5, so D = -diag(0.3, 0.9, 0) and <M, D> = -4.5.
#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>

int main() {
  using namespace fanion;
  constexpr auto n = dual(0.5 * ky_fan(1) + 0.5 * frobenius());

  const Eigen::MatrixXd M = Eigen::Vector3d(3, 4, 0).asDiagonal();
  Eigen::MatrixXd D;
  const lmo_report report = lmo(n, M, D);

  const Eigen::MatrixXd expected = Eigen::Vector3d(-0.3, -0.9, 0).asDiagonal();
  const double error = (D - expected).norm();
  std::printf("<M, D> = %.12g, distance to the exact D %.3g\n", report.objective, error);
  return error < 1e-5 && std::abs(report.objective + 4.5) < 1e-5 ? 0 : 1;
}
