// Only float and double.
// expect: Matrix
#include <fanion/eigen.hpp>

auto run(const Eigen::MatrixXi& m) { return fanion::value(fanion::max_abs(), m); }
