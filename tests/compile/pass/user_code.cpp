// The user code of the documentation, word for word.
#include <fanion/eigen.hpp>
using namespace fanion;

Eigen::MatrixXf gradient();

constexpr auto n = dual(0.5 * ky_fan(5) + 0.5 * frobenius());      // F-Fanion-5's ball
static_assert(dual(n) == 0.5 * ky_fan(5) + 0.5 * frobenius());

void train(Eigen::MatrixXf& X, float rate) {
  Eigen::MatrixXf M = gradient(), D;
  auto report = lmo(n, M, D);              // D <- argmin { <M, X> : n(X) <= 1 }; one shot

  auto plan = plan_lmo(n, M, automatic{.gap = 1e-2});                 // allocates here, and only here
  for (;;) { report = plan.execute(M, D);  X += rate * D; }           // warm from the second call on
}
