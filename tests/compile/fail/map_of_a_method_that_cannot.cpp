// A power of every singular value needs them all: leading parts do not do.
// expect: (no matching function for call to|constraints not satisfied)
// expect: MapMethod
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m, Eigen::MatrixXf& d) {
  (void)fanion::spectral_map(fanion::spectral_power(0.5), m, d, fanion::lanczos{});
}
