// A product has no memory to view.
// expect: Matrix
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b, Eigen::MatrixXf& d) {
  (void)fanion::lmo(fanion::max_abs(), a * b, d);
}
