/// Warm subspace iteration on matrices that move: the estimate that ends a call has to notice.
#include <fanion/eigen.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using namespace fanion;
using Eigen::MatrixXd;

MatrixXd noise(index_t m, index_t n, std::uint64_t seed) {
  MatrixXd x(m, n);
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < m; ++i) x(i, j) = random_normal(seed, i, j);
  return x;
}

/// What D misses of the Ky Fan value, which an exact decomposition gives.
double missed(index_t k, const MatrixXd& m, const lmo_report& report) {
  return 1 + report.objective / value(ky_fan(k), m);
}

TEST_CASE("a momentum that turns by a third each step is followed within twice the gap") {
  constexpr index_t k = 4;
  constexpr double gap = 1e-2;
  MatrixXd momentum = MatrixXd::Zero(70, 110);
  auto plan = plan_lmo(dual(ky_fan(k)), momentum, subspace{.oversample = 3, .gap = gap});
  MatrixXd d;
  for (std::uint64_t t = 0; t < 40; ++t) {
    // Gradients of rank 12 whose right side is new every time, as that of a batch is.
    momentum = 0.7 * momentum + noise(70, 12, 5) * noise(12, 110, 1000 + t);
    const auto report = plan.execute(momentum, d);
    CAPTURE(t);
    CHECK(missed(k, momentum, report) <= 2 * gap);
  }
}

TEST_CASE("a direction that appears from nowhere is found within the call") {
  constexpr double gap = 1e-2;
  MatrixXd m = MatrixXd::Zero(70, 110);
  for (index_t i = 0; i < 30; ++i) m(i, i) = 30.0 - static_cast<double>(i);
  auto plan = plan_lmo(nuclear(), m, subspace{.oversample = 4, .gap = gap});
  MatrixXd d;
  for (int t = 0; t < 6; ++t) (void)plan.execute(m, d);
  m(60, 100) = 90;  // orthogonal to all that the plan remembers
  const auto report = plan.execute(m, d);
  CHECK(missed(1, m, report) <= 2 * gap);
}

}  // namespace
