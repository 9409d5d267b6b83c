// D is written.
// expect: WritableMatrix
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, const Eigen::MatrixXf& d) {
  (void)fanion::lmo(fanion::max_abs(), m, d);
}
