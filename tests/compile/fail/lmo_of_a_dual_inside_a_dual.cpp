// A term without value or subgradient, the dual of a sum with entries, leaves the whole without.
// expect: (no matching function for call to|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

using namespace fanion;

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)lmo(dual(dual(ky_fan(3) + sum_abs()) + frobenius()), m, d);
}
