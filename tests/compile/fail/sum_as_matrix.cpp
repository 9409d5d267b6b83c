// Neither has a sum.
// expect: Matrix
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) {
  return fanion::value(fanion::max_abs(), a + b);
}
