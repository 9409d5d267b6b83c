// A rescaled norm is an outermost layer: a term of a sum would need a decomposition of its own.
// expect: (no matching function for call to|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

using namespace fanion;

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)lmo(dual(rescaled({1, 2}, spectral(), {3, 4}) + frobenius()), m, d);
}
