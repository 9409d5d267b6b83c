// The infimal convolution of the parts' duals has no formula with a Schatten norm.
// expect: (no matching function for call to|constraints not satisfied)
// expect: Evaluable
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXf& x) {
  return fanion::value(dual(max_of(fanion::schatten(3), fanion::spectral())), x);
}
