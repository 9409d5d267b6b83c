// Exact line search asks the objective for its curvature.
// expect: ObjectiveFor
#include <fanion/eigen.hpp>

struct plain {
  double value(const Eigen::MatrixXd& x) const { return x.squaredNorm(); }
  void gradient(const Eigen::MatrixXd& x, Eigen::MatrixXd& g) const { g = 2 * x; }
};

void run(Eigen::MatrixXd& x) {
  (void)fanion::frank_wolfe(fanion::nuclear(), plain{}, x, {.radius = 2},
                            fanion::exact_line_search{});
}
