// value(n, X) and value(dual(n), X) against the definitions.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;

namespace {

template <class T, class N>
void check_value(const char* name, const N& n, const matrix_of<T>& x, reference::real expected) {
  CAPTURE(name);
  CAPTURE(x.rows());
  CAPTURE(x.cols());
  const auto found = static_cast<reference::real>(value(n, x));
  CHECK(static_cast<double>(std::fabs(found - expected)) <=
        static_cast<double>(tolerance<T>(x.rows(), x.cols()) * expected));
}

template <class T>
void check_matrix(const matrix_of<T>& x) {
  const auto f = reference::facts_of(x);
  for (const std::ptrdiff_t k :
       {std::ptrdiff_t{1}, std::ptrdiff_t{3}, std::min(x.rows(), x.cols()) + 2}) {
    CAPTURE(k);
    expressions::for_each(expressions::single(x.rows(), x.cols(), k), [&](const auto& e) {
      check_value<T>(e.name.c_str(), e.norm, x, e.primal(f));
      check_value<T>(("dual of " + e.name).c_str(), dual(e.norm), x, e.dual(f));
    });
    expressions::for_each(expressions::closed(x.rows(), x.cols(), k), [&](const auto& e) {
      check_value<T>(e.name.c_str(), e.norm, x, e.primal(f));
    });
    // Sums have a value, their duals an oracle.
    expressions::for_each(expressions::sums(x.rows(), x.cols(), k, 0.25), [&](const auto& e) {
      check_value<T>(("dual of " + e.name).c_str(), dual(e.norm), x, e.dual(f));
    });
  }
}

}  // namespace

TEST_CASE_TEMPLATE("values, every kind and shape", T, float, double) {
  for (const auto& s : matrices::small_shapes())
    for (const auto& kind : matrices::kinds()) {
      INFO(kind.name);
      check_matrix<T>(kind.make(s.rows, s.cols).template cast<T>());
    }
  check_matrix<T>(matrices::gaussian(70, 66).cast<T>());
  check_matrix<T>(matrices::clustered(40, 100).cast<T>());
}

TEST_CASE_TEMPLATE("values at 1e30 and 1e300, and their inverses", T, float, double) {
  for (const double scale : matrices::extreme_scales<T>())
    check_matrix<T>((scale * matrices::gaussian(6, 9)).cast<T>());
}

TEST_CASE("values by hand") {
  Eigen::MatrixXd x(2, 3);
  x << 3, 0, 0, 0, -4, 0;
  CHECK(value(frobenius(), x) == doctest::Approx(5));
  CHECK(value(spectral(), x) == doctest::Approx(4));
  CHECK(value(nuclear(), x) == doctest::Approx(7));
  CHECK(value(ky_fan(1), x) == doctest::Approx(4));
  CHECK(value(ky_fan(2), x) == doctest::Approx(7));
  CHECK(value(dual(ky_fan(1)), x) == doctest::Approx(7));
  CHECK(value(dual(ky_fan(2)), x) == doctest::Approx(4));
  CHECK(value(max_abs(), x) == 4);
  CHECK(value(sum_abs(), x) == 7);
  x(0, 1) = 4;  // rows (3, 4, 0), (0, -4, 0); columns (3, 0), (4, -4), (0, 0)
  CHECK(value(max_row(), x) == doctest::Approx(5));
  CHECK(value(sum_row(), x) == doctest::Approx(9));
  CHECK(value(max_col(), x) == doctest::Approx(std::sqrt(32.0)));
  CHECK(value(sum_col(), x) == doctest::Approx(3 + std::sqrt(32.0)));
  x(0, 1) = 0;
  CHECK(value(rms_to_rms(2, 3), x) == doctest::Approx(4 * std::sqrt(1.5)));
  CHECK(value(dual(rms_to_rms(2, 3)), x) == doctest::Approx(7 / std::sqrt(1.5)));
  CHECK(value(2 * frobenius() + 0.5 * sum_abs(), x) == doctest::Approx(13.5));
}

TEST_CASE("S-Fanion's dual has coefficient (1 - a) eta, not (1 - a) / eta") {
  const Eigen::MatrixXd x = matrices::gaussian(6, 9);
  const auto f = reference::facts_of(x);
  const double a = 0.5, eta = 0.25;
  const double right =
      static_cast<double>(0.5L * reference::leading_sum(f, 3) + 0.125L * reference::sum_abs(f));
  const double printed =
      static_cast<double>(0.5L * reference::leading_sum(f, 3) + 2 * reference::sum_abs(f));
  CHECK(value(a * ky_fan(3) + (1 - a) * (eta * sum_abs()), x) == doctest::Approx(right));
  CHECK(value(a * ky_fan(3) + (1 - a) * eta * sum_abs(), x) == doctest::Approx(right));
  Eigen::MatrixXd d;
  const double objective = lmo(dual(a * ky_fan(3) + (1 - a) * eta * sum_abs()), x, d).objective;
  CHECK(objective == doctest::Approx(-right).epsilon(1e-5));
  CHECK(std::abs(objective + printed) > 0.5 * right);
}
