// Only float and double.
// expect: (no matching function|constraints not satisfied)
// expect: Matrix
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXi& m, Eigen::MatrixXi& d) {
  (void)fanion::lmo(fanion::max_abs(), m, d);
}
