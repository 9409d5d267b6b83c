// As for lmo: no plan for the ball of a sum.
// expect: LmoTractable
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXf& m) {
  return fanion::plan_lmo(fanion::frobenius() + fanion::max_abs(), m);
}
