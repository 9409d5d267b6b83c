// The ball of a sum with an entrywise term has no oracle: its dual has no formula. The message
// names the concepts.
// expect: (no matching function for call to|is_sum|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)fanion::lmo(fanion::frobenius() + fanion::max_abs(), m, d);
}
