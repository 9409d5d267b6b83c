// Plans own buffers and memory: they move, and do not copy.
// expect: (use of deleted function|call to implicitly-deleted copy constructor)
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXf& m) {
  auto plan = fanion::plan_lmo(fanion::spectral(), m);
  auto copy = plan;
}
