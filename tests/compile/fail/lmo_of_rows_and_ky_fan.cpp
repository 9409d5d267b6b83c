// Rows beside singular values: the dual of the sum has no formula, so its ball has no oracle.
// expect: (no matching function for call to|is_sum|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)fanion::lmo(fanion::ky_fan(3) + fanion::sum_row(), m, d);
}
