// With `feasible` the answer lies in its ball, by Eigen's decomposition in double; without, methods
// that overshoot do overshoot, so that the test can tell.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <Eigen/SVD>

using namespace fanion;
using oracle_check::matrix_of;

namespace {

template <class T>
double largest(const matrix_of<T>& d) {
  return Eigen::BDCSVD<Eigen::MatrixXd>(d.template cast<double>()).singularValues()(0);
}
template <class T>
double nuclear_norm(const matrix_of<T>& m) {
  return Eigen::BDCSVD<Eigen::MatrixXd>(m.template cast<double>()).singularValues().sum();
}

/// Rounding of the decomposition that judges, in double.
constexpr double judge = 1e-13;

template <class T, class Method>
void check(const matrix_of<T>& m, Method method, bool overshoots) {
  matrix_of<T> d, plain;
  const auto loose = lmo(spectral(), m, plain, method);
  method.feasible = true;
  const auto report = lmo(spectral(), m, d, method);
  const double size = largest<T>(d), best = nuclear_norm<T>(m);
  CHECK(size <= 1 + judge);
  CHECK(report.feasibility == 1.0);
  const double attained = m.template cast<double>().cwiseProduct(d.template cast<double>()).sum();
  CHECK(report.objective == doctest::Approx(attained).epsilon(sizeof(T) == 4 ? 1e-5 : 1e-12));
  CHECK(report.gap() >= 1 + attained / best - judge);
  CHECK(report.gap() == doctest::Approx(loose.gap()).epsilon(1e-9));
  if (overshoots) {
    CHECK(largest<T>(plain) > 1 + 1e-7);
    CHECK(loose.feasibility >= largest<T>(plain));
    CHECK(report.objective == doctest::Approx(loose.objective / loose.feasibility).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("feasible means N(D) <= 1", T, float, double) {
  for (const matrices::shape& s :
       std::vector<matrices::shape>{{1, 1}, {1, 9}, {9, 1}, {20, 20}, {70, 90}, {120, 66}})
    for (const auto& kind : matrices::kinds()) {
      CAPTURE(kind.name);
      CAPTURE(s.name());
      const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
      const bool plain = kind.name == "gaussian" && s.shorter() >= 20;
      check<T>(m, newton_schulz{}, plain);
      check<T>(m, newton_schulz{.steps = 3}, false);
      check<T>(m, newton_schulz{.steps = 30, .coefficients = schulz::classic}, false);
      check<T>(m, polar_express{.gap = 1e-2}, plain);
      check<T>(m, polar_express{.gap = 1e-3}, plain);
      check<T>(m, polar_express{.steps = 2}, plain);
      check<T>(m, qdwh{.gap = 1e-2}, false);
      check<T>(m, gram_eigen{}, false);
      check<T>(m, automatic{.gap = 1e-2}, false);
      check<T>(m, exact{}, false);
    }
}

TEST_CASE_TEMPLATE("feasible at the ends of the exponent's range, stored by rows, and in a sum", T,
                   float, double) {
  const matrices::dense base = matrices::gaussian(80, 70);
  for (const double scale : matrices::extreme_scales<T>()) {
    const matrix_of<T> m = (scale * base).cast<T>();
    matrix_of<T> d;
    (void)lmo(spectral(), m, d, newton_schulz{.feasible = true});
    CHECK(largest<T>(d) <= 1 + judge);
    CHECK(largest<T>(d) > 0.9);
  }
  const Eigen::Matrix<T, -1, -1, Eigen::RowMajor> rows = base.cast<T>();
  Eigen::Matrix<T, -1, -1, Eigen::RowMajor> answer(80, 70);
  (void)lmo(spectral(), rows, answer, polar_express{.gap = 1e-2, .feasible = true});
  CHECK(largest<T>(answer) <= 1 + judge);
  // D = a UVᵀ + b M/‖M‖ has norm n(D) <= 1 where each part has at most its share: D - b M/‖M‖ is
  // at most a in the spectral norm, once both are scaled alike.
  const matrix_of<T> m = base.cast<T>();
  matrix_of<T> d;
  const auto n = dual(0.5 * nuclear() + 0.5 * frobenius());
  const auto report = lmo(n, m, d, newton_schulz{.feasible = true});
  CHECK(report.feasibility == 1.0);
  const Eigen::MatrixXd dense = d.template cast<double>();
  const double share = -report.objective / (-lmo(n, m, d, newton_schulz{}).objective);
  CHECK(share < 1);
  const Eigen::MatrixXd rest = dense + 0.5 * share * base.cast<T>().template cast<double>() /
                                           base.cast<T>().template cast<double>().norm();
  CHECK(Eigen::BDCSVD<Eigen::MatrixXd>(rest).singularValues()(0) <= 0.5 * (1 + 1e-6));
}

TEST_CASE_TEMPLATE("feasible answers to inputs without a direction", T, float, double) {
  const matrix_of<T> zero = matrix_of<T>::Zero(70, 66);
  matrix_of<T> d;
  const auto report = lmo(spectral(), zero, d, polar_express{.feasible = true});
  CHECK(report.outcome == outcome::zero_input);
  CHECK(d.isZero(0));
  matrix_of<T> bad = zero;
  bad(1, 1) = std::numeric_limits<T>::infinity();
  CHECK(lmo(spectral(), bad, d, newton_schulz{.feasible = true}).outcome == outcome::non_finite);
  CHECK(d.isZero(0));
}
