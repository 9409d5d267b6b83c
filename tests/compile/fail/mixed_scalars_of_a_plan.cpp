// A plan made for float takes float.
// expect: (same_as|is_same)
#include <fanion/eigen.hpp>

void run(const Eigen::MatrixXd& m, Eigen::MatrixXd& d) {
  auto plan = fanion::plan_lmo(fanion::max_abs(), Eigen::MatrixXf(3, 3));
  (void)plan.execute(m, d);
}
