// Polar factors by steps in fewer bits: what is rounded where, and a certificate that is true
// although nothing on the way was exact.
#include "spectral/polar_zoo.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string>

using namespace polar_zoo;

namespace {

constexpr std::array<compute, 3> fewer{compute::tf32, compute::float16, compute::bfloat16};

/// To `bits` significant bits and a smallest exponent, ties to even; nothing here is near overflow.
double to_bits(double x, int bits, int least) {
  if (x == 0) return 0;
  const int exponent = std::max(std::ilogb(x), least) - (bits - 1);
  return std::ldexp(std::nearbyint(std::ldexp(x, -exponent)), exponent);
}
double in(compute how, double x) {
  switch (how) {
    case compute::float16:
      return to_bits(x, 11, -14);
    case compute::bfloat16:
      return to_bits(x, 8, -126);
    default:
      return static_cast<double>(static_cast<float>(x));
  }
}
double factor_in(compute how, double x) {
  return how == compute::tf32 ? to_bits(x, 11, -126) : in(how, x);
}

/// One step by its definition, in double, with the roundings in their places.
Eigen::MatrixXd one_step(compute how, const Eigen::MatrixXd& m, double slack, const quintic& p) {
  const auto stored = [how](const Eigen::MatrixXd& x) -> Eigen::MatrixXd {
    return x.unaryExpr([how](double e) { return in(how, e); });
  };
  const auto read = [how](const Eigen::MatrixXd& x) -> Eigen::MatrixXd {
    return x.unaryExpr([how](double e) { return factor_in(how, e); });
  };
  const bool tall = m.rows() > m.cols();
  const Eigen::MatrixXd x =
      stored((tall ? m.transpose() : Eigen::MatrixXd(m)) / (m.norm() * (1 + slack)));
  const Eigen::MatrixXd r = stored(read(x) * read(x).transpose());
  const Eigen::MatrixXd h = stored(p.b * r + p.c * read(r) * read(r));
  const Eigen::MatrixXd y = stored(p.a * x + read(h) * read(x));
  return tall ? y.transpose() : y;
}

}  // namespace

TEST_CASE_TEMPLATE("what is stored and what is rounded in a step", T, float, double) {
  for (const compute how : fewer)
    for (const schulz kind : {schulz::keller_jordan, schulz::classic})
      for (const matrices::shape& s : std::vector<matrices::shape>{{12, 30}, {30, 12}, {9, 9}}) {
        CAPTURE(std::string(name_of(how)));
        CAPTURE(s.name());
        const matrix_of<T> m = matrices::gaussian(s.rows, s.cols).cast<T>();
        matrix_of<T> d;
        (void)lmo(spectral(), m, d,
                  newton_schulz{.steps = 1, .coefficients = kind, .compute = how});
        const Eigen::MatrixXd expected =
            one_step(how, m.template cast<double>(), rounding<T>(s.rows, s.cols),
                     kind == schulz::classic ? classic_step : keller_jordan_step);
        int other = 0;
        for (Eigen::Index i = 0; i < m.size(); ++i) {
          const double x = -static_cast<double>(d(i)), y = expected(i);
          CHECK(x == in(how, x));  // it is a number of that kind
          // Sums of floats round too, and may tip a rounding over.
          CHECK(std::abs(x - y) <= 3 * unit_roundoff(how) * std::abs(y) + 1e-6);
          other += how == compute::tf32 ? std::abs(x - y) > 1e-6 : x != y;
        }
        CHECK(other <= m.size() / 10);
      }
}

TEST_CASE_TEMPLATE("the certificate is true in fewer bits", T, float, double) {
  for_zoo<T>([](const truth& known, const matrix_of<T>& m) {
    for (const compute how : fewer) {
      CAPTURE(std::string(name_of(how)));
      check<T>(known, m, newton_schulz{.compute = how}, 1, false, 1);
      check<T>(known, m, newton_schulz{.compute = how, .feasible = true}, 1, false, 1);
      check<T>(known, m, polar_express{.lower = 1e-3, .steps = 7, .compute = how},
               45 * unit_roundoff(how), true, 1);
    }
  });
}

TEST_CASE("what rounding takes from a small tail, the certificate misses") {
  Eigen::MatrixXf m = 1e-3f * matrices::gaussian(100, 300).cast<float>();
  m.array() += 1;
  const truth known = truth_of<float>(m);
  Eigen::MatrixXf d;
  const lmo_report full = lmo(spectral(), m, d, polar_express{.lower = 1e-6, .steps = 14}),
                   less =
                       lmo(spectral(), m, d,
                           polar_express{.lower = 1e-3, .steps = 8, .compute = compute::bfloat16});
  CHECK(full.gap() < 1e-3);
  const double lost = 1 + known.matrix.cwiseProduct(d.cast<double>()).sum() / known.nuclear;
  CHECK(lost > 0.004);
  CHECK(less.gap() > lost);
  CHECK(less.gap() < 0.2);
}

TEST_CASE("the bound on ‖X‖ is kept where the expected one fails") {
  // An odd polynomial that goes far above 1: safety below 1 makes each for σ that are exceeded.
  const Eigen::MatrixXf m = matrices::gaussian(40, 60).cast<float>();
  check<float>(truth_of<float>(m), m,
               polar_express{.lower = 0.3, .safety = 1, .steps = 2, .compute = compute::bfloat16},
               1, false, 1);
}

TEST_CASE_TEMPLATE("edges", T, float, double) {
  const auto answer = [](const matrix_of<T>& m, matrix_of<T>& d, compute how) {
    return lmo(spectral(), m, d, newton_schulz{.compute = how});
  };
  for (const compute how : fewer) {
    CAPTURE(std::string(name_of(how)));
    matrix_of<T> d;
    CHECK(answer(matrix_of<T>::Zero(3, 4), d, how).outcome == outcome::zero_input);
    CHECK(d == matrix_of<T>::Zero(3, 4));
    CHECK(answer(matrix_of<T>(0, 4), d, how).outcome == outcome::zero_input);
    for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
      matrix_of<T> m = matrices::gaussian(3, 4).cast<T>();
      m(1, 2) = bad;
      CHECK(answer(m, d, how).outcome == outcome::non_finite);
    }
    for (const matrices::shape& s : std::vector<matrices::shape>{{1, 1}, {1, 9}, {9, 1}, {7, 5}})
      for (const T size : {T(1e-30), T(1), T(1e30)}) {
        CAPTURE(s.name());
        CAPTURE(size);
        const matrix_of<T> m = size * matrices::gaussian(s.rows, s.cols).cast<T>();
        check<T>(truth_of<T>(m), m, newton_schulz{.compute = how}, 1, false, 1);
        check<T>(truth_of<T>(m), m, polar_express{.lower = 1e-2, .steps = 6, .compute = how}, 0.1,
                 true, 1);
      }
    // Row by row, and a window of something larger: the same numbers.
    const matrix_of<T> m = matrices::gaussian(8, 13).cast<T>();
    const Eigen::Matrix<T, -1, -1, Eigen::RowMajor> turned = m;
    matrix_of<T> larger = matrix_of<T>::Constant(20, 20, T(7)), e, f;
    larger.block(3, 2, 8, 13) = m;
    (void)answer(m, d, how);
    (void)lmo(spectral(), turned, e, newton_schulz{.compute = how});
    (void)lmo(spectral(), larger.block(3, 2, 8, 13), f, newton_schulz{.compute = how});
    const T near = static_cast<T>(8 * unit_roundoff(how)) * d.norm();
    CHECK((d - e).norm() <= near);
    CHECK((d - f).norm() <= near);
  }
}

TEST_CASE("fewer bits want work that is fixed") {
  const Eigen::MatrixXf m = matrices::gaussian(70, 70).cast<float>();
  const auto refuses = [&](const polar_express& method, const char* words) {
    CHECK_THROWS_WITH_AS((void)plan_lmo(spectral(), m, method), words, std::invalid_argument);
  };
  refuses({.compute = compute::bfloat16},
          "polar_express: compute must be full, unless steps and lower are given, got bfloat16");
  refuses({.steps = 5, .compute = compute::tf32},
          "polar_express: compute must be full, unless steps and lower are given, got tf32");
  refuses({.lower = 0.1, .compute = compute::float16},
          "polar_express: compute must be full, unless steps and lower are given, got float16");
}
