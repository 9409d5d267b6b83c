// M and D have one scalar type.
// expect: (same_as|is_same)
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXd& d) {
  (void)fanion::lmo(fanion::max_abs(), m, d);
}
