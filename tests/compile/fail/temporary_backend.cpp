// A plan keeps a reference to the backend it is given, so a temporary is refused.
// expect: (use of deleted function|call to deleted function|attempt to use a deleted function)
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXf& m) {
  return fanion::plan_lmo(fanion::spectral(), m, fanion::exact{}, fanion::eigen_backend());
}
