// Polar factors by steps in fewer bits: what is rounded where, and a certificate that is true
// although nothing on the way was exact.
#include "spectral/polar_zoo.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

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

TEST_CASE_TEMPLATE("what any X proves, far from a polar factor too", T, float, double) {
  using certificate = measured_certificate<T, eigen_backend>;
  eigen_backend b;
  const index_t r = 12, l = 20;
  const Eigen::MatrixXd m = matrices::gaussian(r, l), factor = [&] {
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(m, Eigen::ComputeThinU | Eigen::ComputeThinV);
    return Eigen::MatrixXd(svd.matrixU() * svd.matrixV().transpose());
  }();
  const double best = truth_of<double>(m).nuclear;
  auto scratch = b.make_workspace<T>(certificate::scratch_size(b, r, l));
  std::vector<T> lines(r * l), squares(2 * r * r);
  // Every way in which M and X may be stored.
  for (const bool m_turned : {false, true})
    for (const bool x_turned : {false, true}) {
      CAPTURE(m_turned);
      CAPTURE(x_turned);
      const auto laid = [](const Eigen::MatrixXd& x, bool turned) -> matrix_of<T> {
        return (turned ? Eigen::MatrixXd(x.transpose()) : x).template cast<T>();
      };
      const matrix_of<T> stored = laid(m, m_turned);
      const operand<T, host_space> a{
          {matrix_view<const T>(stored.data(), stored.rows(), stored.cols()), m_turned},
          T(1),
          m.norm()};
      const auto ask = [&](const Eigen::MatrixXd& x) {
        const matrix_of<T> there = laid(x, x_turned);
        polar_factor<T, host_space> answer;
        certificate(lines.data(), squares.data(), scratch.span())(
            b, a, {matrix_view<const T>(there.data(), there.rows(), there.cols()), x_turned}, 1.0,
            0x1p-8, answer);
        return answer;
      };
      const Eigen::MatrixXd noise = matrices::gaussian(r, l, 3);
      // Within the first bound, the second, and beyond both.
      for (const double size : {0.5, 1.0, 1.01, 1.04, 1.3, 3.0}) {
        CAPTURE(size);
        const auto answer = ask(size * factor);
        CHECK(answer.spectral_bound >= size);
        CHECK(answer.spectral_bound <= std::max(1.07, 1.2 * size));
        CHECK(answer.nuclear_bound >= best);
        CHECK(answer.nuclear_bound <= 1.05 * std::max(1.0, 1 / size) * best);
        CHECK(answer.product == doctest::Approx(size * best).epsilon(1e-5));
      }
      for (const double share : {0.02, 0.3, 1.0}) {
        const Eigen::MatrixXd x = factor + share / noise.norm() * noise;
        const auto answer = ask(x);
        CHECK(answer.spectral_bound >= Eigen::BDCSVD<Eigen::MatrixXd>(x).singularValues()(0));
        CHECK(answer.nuclear_bound >= best);
        CHECK(answer.nuclear_bound <= std::sqrt(double(r)) * m.norm() * 1.001);
        CHECK(answer.product == doctest::Approx(x.cwiseProduct(m).sum()).epsilon(1e-5));
      }
      // Against M, nothing, and no number: the bound that needs no X.
      for (const double none : {-1.0, 0.0, std::numeric_limits<double>::quiet_NaN()}) {
        const auto answer = ask(none * factor);
        CHECK(answer.nuclear_bound ==
              doctest::Approx(std::sqrt(double(r)) * m.norm()).epsilon(1e-3));
        CHECK((std::isnan(none) ? answer.spectral_bound == std::numeric_limits<double>::infinity()
                                : answer.spectral_bound >= std::abs(none)));
      }
    }
}

TEST_CASE_TEMPLATE("an X that M itself speaks against proves nothing by S", T, float, double) {
  using certificate = measured_certificate<T, eigen_backend>;
  eigen_backend b;
  const index_t r = 12, l = 20;
  const Eigen::MatrixXd u = quick_frame(r, r, 1), v = quick_frame(l, r, 2);
  auto scratch = b.make_workspace<T>(certificate::scratch_size(b, r, l));
  std::vector<T> lines(r * l), squares(2 * r * r);
  // X = U diag(±1) Vᵀ: then S X = M, with nothing left over, and tr S is short by twice the value
  // whose sign is wrong.
  const Eigen::VectorXd sigma = Eigen::VectorXd::LinSpaced(r, 3, 1);
  Eigen::VectorXd signs = Eigen::VectorXd::Ones(r);
  signs(r - 1) = -1;
  const matrix_of<T> m = (u * sigma.asDiagonal() * v.transpose()).template cast<T>(),
                     x = (u * signs.asDiagonal() * v.transpose()).template cast<T>();
  const truth known = truth_of<T>(m);
  polar_factor<T, host_space> answer;
  certificate(lines.data(), squares.data(), scratch.span())(
      b, {{matrix_view<const T>(m.data(), r, l), false}, T(1), known.matrix.norm()},
      {matrix_view<const T>(x.data(), r, l), false}, 1.0, 0.0, answer);
  CHECK(answer.product < known.nuclear);
  CHECK(answer.nuclear_bound >= known.nuclear);
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
    // The norm of a few subnormal numbers is one too.
    const matrix_of<T> tiny =
        matrix_of<T>::Constant(3, 4, 1000 * std::numeric_limits<T>::denorm_min());
    CHECK(answer(tiny, d, how).outcome == outcome::converged);
    CHECK(d.allFinite());
    CHECK(d.norm() > T(0.6));
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
