// The same expression, asked for its value.
// expect: (no matching function for call to|constraints not satisfied)
// expect: Evaluable
#include <fanion/eigen.hpp>

using namespace fanion;

auto run(const Eigen::MatrixXf& x) {
  return value(dual(dual(ky_fan(3) + sum_abs()) + frobenius()), x);
}
