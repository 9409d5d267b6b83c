// An S-combination around a closed dual: its ball has an oracle, its value no formula.
// expect: (no matching function for call to|constraints not satisfied)
// expect: Evaluable
#include <fanion/eigen.hpp>

using namespace fanion;

auto run(const Eigen::MatrixXf& x) {
  return value(dual(dual(ky_fan(3) + frobenius()) + sum_abs()), x);
}
