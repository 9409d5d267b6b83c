/// @file  Spectra that are hard for polar methods, and whether a report on them is true: by Eigen's
/// decomposition in double.
#pragma once

#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace polar_zoo {

using namespace fanion;
using oracle_check::matrix_of;

inline Eigen::MatrixXd quick_frame(Eigen::Index m, Eigen::Index k, std::uint64_t seed) {
  return Eigen::HouseholderQR<Eigen::MatrixXd>(matrices::gaussian(m, k, seed)).householderQ() *
         Eigen::MatrixXd::Identity(m, k);
}

template <class F>
Eigen::MatrixXd spectrum(Eigen::Index m, Eigen::Index n, F sigma) {
  const Eigen::Index r = std::min(m, n);
  Eigen::VectorXd s(r);
  for (Eigen::Index k = 0; k < r; ++k) s(k) = sigma(static_cast<double>(k), static_cast<double>(r));
  return quick_frame(m, r, 5) * s.asDiagonal() * quick_frame(n, r, 6).transpose();
}

/// Noise whose rows shrink.
inline Eigen::MatrixXd noise_of_four_decades(Eigen::Index m, Eigen::Index n) {
  Eigen::MatrixXd x = matrices::gaussian(m, n);
  for (Eigen::Index i = 0; i < m; ++i)
    x.row(i) *= std::pow(10, -4 * static_cast<double>(i) / static_cast<double>(m));
  return x;
}

struct named {
  const char* name;
  Eigen::MatrixXd matrix;
};

/// Noise, a signal in noise as momenta have it, half the rank, seven and three decades, 1/k, one
/// value, one large and the rest in the last digits of float.
inline std::vector<named> zoo(Eigen::Index m, Eigen::Index n) {
  const Eigen::Index r = std::min(m, n), few = std::max<Eigen::Index>(1, r / 10), half = r / 2 + 1;
  const auto decades = [=](double d) {
    return spectrum(m, n, [d](double k, double size) { return std::pow(10, -d * k / size); });
  };
  return {{"noise", matrices::gaussian(m, n)},
          {"signal in noise", matrices::gaussian(m, few, 2) * matrices::gaussian(few, n, 3) +
                                  0.05 * matrices::gaussian(m, n, 4)},
          {"half the rank", matrices::gaussian(m, half, 2) * matrices::gaussian(half, n, 3)},
          {"seven decades", decades(7)},
          {"three decades", decades(3)},
          {"1/k", spectrum(m, n, [](double k, double) { return 1 / (1 + k); })},
          {"one value", spectrum(m, n, [](double, double) { return 1.0; })},
          {"one large",
           spectrum(m, n, [](double k, double) { return k == 0 ? 1.0 : 1e-5 / (1 + k); })}};
}

struct truth {
  double nuclear;
  Eigen::MatrixXd matrix;
};

template <class T>
truth truth_of(const matrix_of<T>& m) {
  truth t;
  t.matrix = m.template cast<double>();
  t.nuclear = Eigen::BDCSVD<Eigen::MatrixXd>(t.matrix).singularValues().sum();
  return t;
}

template <class T, class Method>
void check(const truth& known, const matrix_of<T>& m, const Method& method, double gap,
           bool meets = true, int calls = 2) {
  CAPTURE(gap);
  matrix_of<T> d;
  auto plan = plan_lmo(spectral(), m, method);
  // The second call starts from what the first has learned; the third may use another method.
  for (int call = 0; call < calls; ++call) {
    const lmo_report report = plan.execute(m, d);
    CAPTURE(call);
    CAPTURE(report.iterations);
    CAPTURE(report.gap());
    const Eigen::MatrixXd answer = d.template cast<double>();
    const double size = Eigen::BDCSVD<Eigen::MatrixXd>(answer).singularValues()(0);
    const double product = known.matrix.cwiseProduct(answer).sum();
    CHECK(report.bound >= known.nuclear * (1 - 1e-13));
    CHECK(report.feasibility >= size);
    CHECK(report.gap() >= 1 + product / (std::max(1.0, size) * known.nuclear) - 1e-13);
    CHECK(report.objective == doctest::Approx(product).epsilon(sizeof(T) == 4 ? 1e-5 : 1e-12));
    // 32 ε sqrt(L): what rounding alone may leave in the certificate.
    const double rounding_left = 32 * static_cast<double>(std::numeric_limits<T>::epsilon()) *
                                 std::sqrt(static_cast<double>(std::max(m.rows(), m.cols())));
    if (meets) {
      CHECK(report.outcome == outcome::converged);
      CHECK(report.gap() <= std::max(gap, rounding_left));
    }
  }
}

template <class T, class F>
void for_zoo(F&& f) {
  for (const matrices::shape& s :
       std::vector<matrices::shape>{{96, 96}, {90, 100}, {64, 256}, {300, 80}})
    for (const named& kind : zoo(s.rows, s.cols)) {
      CAPTURE(std::string(kind.name));
      CAPTURE(s.name());
      const matrix_of<T> m = kind.matrix.cast<T>();
      f(truth_of<T>(m), m);
    }
}

}  // namespace polar_zoo
