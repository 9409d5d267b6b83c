// The value of the dual of a sum is the gauge of a Minkowski sum, which has no formula with an
// entrywise term.
// expect: Evaluable
// expect: is_subdifferentiable
#include <fanion/eigen.hpp>

float run(const Eigen::MatrixXf& m) {
  return fanion::value(dual(fanion::frobenius() + fanion::max_abs()), m);
}
