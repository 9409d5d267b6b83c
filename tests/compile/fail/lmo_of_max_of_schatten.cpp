// max_of has an oracle where each of its mixtures has a closed dual; with a Schatten norm none has.
// expect: (no matching function for call to|constraints not satisfied)
// expect: LmoTractable
// expect: Subdifferentiable
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)fanion::lmo(max_of(fanion::schatten(3), fanion::spectral()), m, d);
}
