// The gauge of a Minkowski sum that is not unitarily invariant has no formula.
// expect: (no matching function for call to|constraints not satisfied)
// expect: Evaluable
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXf& x) {
  return fanion::value(dual(fanion::ky_fan(3) + fanion::sum_row()), x);
}
