// The ball of a sum has no oracle: the dual of a sum has no formula here. The message names the
// concepts.
// expect: (no matching function for call to|is_sum|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)fanion::lmo(fanion::frobenius() + fanion::spectral(), m, d);
}
