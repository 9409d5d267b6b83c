// The same gauge, asked for as a value.
// expect: (no matching function for call to|constraints not satisfied)
// expect: Evaluable
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXf& x) {
  return fanion::value(dual(fanion::schatten(3) + fanion::frobenius()), x);
}
