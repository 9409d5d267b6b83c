// Schatten norms have no ordered weights: a sum with one has no closed dual.
// expect: (no matching function for call to|is_sum|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)fanion::lmo(fanion::schatten(3) + fanion::frobenius(), m, d);
}
