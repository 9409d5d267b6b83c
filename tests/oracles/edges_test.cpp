// Inputs at the edge, one case each.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <concepts>
#include <stdexcept>
#include <string>

using namespace fanion;
using oracle_check::matrix_of;

namespace {

/// f(norm) for one norm of each kind: entrywise, leading parts, polar factor, sum, closed dual. In
/// double for one of each way to an answer, since a plan takes a second to compile.
template <class T, class F>
void for_each_norm(F&& f) {
  f(frobenius());
  f(max_row());
  f(spectral());
  f(dual(0.5 * ky_fan(2) + 0.5 * sum_abs()));
  f(0.5 * nuclear() + 0.5 * frobenius());
  if constexpr (std::same_as<T, float>) {
    f(max_abs());
    f(sum_abs());
    f(nuclear());
    f(ky_fan(2));
    f(dual(ky_fan(2)));
    f(dual(0.5 * ky_fan(2) + 0.5 * frobenius()));
    f(owl({1, 0.5}));
    f(schatten(3));
    f(max_of(spectral(), 0.5 * nuclear()));
    f(quadrature(0.6 * nuclear(), 0.8 * frobenius()));
  }
}

/// f(method) for each method that serves this need.
template <class F>
void for_each_method(bool polar, F&& f) {
  f(exact{});
  f(automatic{});
  f(subspace{});
  f(power{.gap = 1e-2});
  f(randomized{});
  f(lanczos{});
  f(block_krylov{.gap = 1e-2});
  if (!polar) return;
  f(newton_schulz{});
  f(newton_schulz{.compute = compute::bfloat16});
  f(polar_express{});
}

template <class T>
matrix_of<T> gaussian(Eigen::Index m, Eigen::Index n, std::uint64_t seed = 1) {
  return matrices::gaussian(m, n, seed).cast<T>();
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "nothing was thrown";
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_TEMPLATE("a zero matrix gives a zero D, gap 0, and the outcome says so", T, float,
                   double) {
  for (const Eigen::Index size : {1, 5, 80})
    for_each_norm<T>([&](const auto& n) {
      const matrix_of<T> m = matrix_of<T>::Zero(size + 3, size);
      for_each_method(false, [&](const auto& method) {
        matrix_of<T> d = gaussian<T>(size + 3, size);
        const auto report = lmo(n, m, d, method);
        CHECK(report.outcome == outcome::zero_input);
        CHECK(report.objective == 0);
        CHECK(report.bound == 0);
        CHECK(report.gap() == 0);
        CHECK(d.cwiseAbs().maxCoeff() == T(0));
        if constexpr (Evaluable<std::remove_cvref_t<decltype(n)>>) CHECK(value(n, m) == T(0));
      });
    });
  matrix_of<T> d = gaussian<T>(70, 70);
  CHECK(lmo(spectral(), matrix_of<T>(matrix_of<T>::Zero(70, 70)), d, newton_schulz{}).outcome ==
        outcome::zero_input);
  CHECK(d.cwiseAbs().maxCoeff() == T(0));
}

TEST_CASE_TEMPLATE("one NaN or infinity anywhere gives D = 0 and value NaN", T, float, double) {
  for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                      -std::numeric_limits<T>::infinity()})
    for (const Eigen::Index size : {3, 70})
      for (const Eigen::Index at : {Eigen::Index{0}, size - 1}) {
        matrix_of<T> m = gaussian<T>(size + 1, size);
        m(at, size - 1 - at) = bad;
        for_each_norm<T>([&](const auto& n) {
          for_each_method(false, [&](const auto& method) {
            matrix_of<T> d = gaussian<T>(size + 1, size);
            const auto report = lmo(n, m, d, method);
            CHECK(report.outcome == outcome::non_finite);
            CHECK(d.cwiseAbs().maxCoeff() == T(0));
            CHECK(std::isnan(report.gap()));
            CHECK(std::isnan(report.objective));
          });
          if constexpr (Evaluable<std::remove_cvref_t<decltype(n)>>) CHECK(std::isnan(value(n, m)));
        });
        matrix_of<T> d = gaussian<T>(size + 1, size);
        CHECK(lmo(spectral(), m, d, polar_express{}).outcome == outcome::non_finite);
        CHECK(d.cwiseAbs().maxCoeff() == T(0));
      }
}

TEST_CASE_TEMPLATE("NaN in D or in an empty part of it does not survive", T, float, double) {
  const matrix_of<T> m = gaussian<T>(70, 66);
  for_each_norm<T>([&](const auto& n) {
    for_each_method(false, [&](const auto& method) {
      matrix_of<T> d = matrix_of<T>::Constant(70, 66, std::numeric_limits<T>::quiet_NaN());
      (void)lmo(n, m, d, method);
      CHECK(d.allFinite());
    });
  });
}

TEST_CASE_TEMPLATE("empty matrices", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{0, 0}, {0, 4}, {4, 0}}) {
    const matrix_of<T> m(s.rows, s.cols);
    for_each_norm<T>([&](const auto& n) {
      for_each_method(false, [&](const auto& method) {
        matrix_of<T> d;
        const auto report = lmo(n, m, d, method);
        CHECK(report.outcome == outcome::zero_input);
        CHECK(report.gap() == 0);
        CHECK(d.rows() == s.rows);
        CHECK(d.cols() == s.cols);
      });
      if constexpr (Evaluable<std::remove_cvref_t<decltype(n)>>) CHECK(value(n, m) == T(0));
    });
    matrix_of<T> d;
    CHECK(lmo(spectral(), m, d, newton_schulz{}).outcome == outcome::zero_input);
  }
}

TEST_CASE_TEMPLATE("1x1: D is minus the sign over the norm of one", T, float, double) {
  for (const T x : {T(3), T(-0.25)}) {
    const matrix_of<T> m = matrix_of<T>::Constant(1, 1, x);
    for_each_norm<T>([&](const auto& n) {
      for_each_method(false, [&](const auto& method) {
        matrix_of<T> d;
        (void)lmo(n, m, d, method);
        // n(1) = 1 for all of these but the dual of Ky Fan 2, whose ball is larger by nothing at r
        // = 1.
        CHECK(static_cast<double>(d(0, 0)) == doctest::Approx(x > 0 ? -1 : 1).epsilon(1e-4));
      });
    });
  }
}

TEST_CASE_TEMPLATE("vectors: every unitarily invariant norm is the length", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{1, 90}, {90, 1}}) {
    const matrix_of<T> m = gaussian<T>(s.rows, s.cols);
    const matrix_of<T> expected = -m / m.norm();
    const auto same = [&](const auto& n, const auto& method) {
      matrix_of<T> d;
      (void)lmo(n, m, d, method);
      CHECK((d - expected).norm() <= T(1e-3));
    };
    for_each_method(false, [&](const auto& method) { same(spectral(), method); });
    same(spectral(), polar_express{});
    same(spectral(), newton_schulz{.steps = 10, .coefficients = schulz::classic});
    for_each_method(false, [&](const auto& method) { same(nuclear(), method); });
    for_each_method(false, [&](const auto& method) { same(dual(ky_fan(4)), method); });
    for_each_method(false, [&](const auto& method) { same(frobenius(), method); });
  }
}

TEST_CASE_TEMPLATE("1e30 in float and 1e300 in double, and their inverses", T, float, double) {
  for (const double scale : matrices::extreme_scales<T>())
    for (const auto& s : std::vector<matrices::shape>{{5, 4}, {70, 66}}) {
      CAPTURE(scale);
      const matrix_of<T> m = (matrices::gaussian(s.rows, s.cols) * scale).cast<T>();
      const auto f = reference::facts_of(m);
      const auto tries = [&](const auto& e) {
        for_each_method(e.polar, [&](const auto& method) {
          oracle_check::check_method<T>(e, f, m, "some method", method,
                                        {.gap = 0.5, .over = 0.21, .proven = false});
        });
        oracle_check::check_method<T>(e, f, m, "exact", exact{}, {});
        if (e.primal)
          if constexpr (Evaluable<std::remove_cvref_t<decltype(e.norm)>>)
            CHECK(std::fabs(static_cast<reference::real>(value(e.norm, m)) / e.primal(f) - 1) <=
                  oracle_check::tolerance<T>(s.rows, s.cols));
      };
      const auto all = expressions::single(s.rows, s.cols, 2);
      tries(std::get<0>(all));
      tries(std::get<1>(all));
      tries(std::get<2>(all));
      tries(std::get<3>(all));
      tries(std::get<6>(all));
      tries(std::get<0>(expressions::sums(s.rows, s.cols, 2, 0.5)));
    }
}

TEST_CASE_TEMPLATE("rows of very different size: the small ones are not lost", T, float, double) {
  // sum_abs's dual is the largest entry, wherever it stands; max_abs's D is a sign everywhere.
  matrix_of<T> m = gaussian<T>(6, 5);
  m.row(2) *= T(1e-20);
  matrix_of<T> d;
  (void)lmo(max_abs(), m, d);
  for (Eigen::Index j = 0; j < 5; ++j) CHECK(d(2, j) == (m(2, j) > 0 ? T(-1) : T(1)));
}

TEST_CASE_TEMPLATE("a tie for the largest entry goes to the first in storage order", T, float,
                   double) {
  const matrix_of<T> m = matrix_of<T>::Ones(4, 3);
  matrix_of<T> d;
  (void)lmo(sum_abs(), m, d);
  CHECK(d(0, 0) == T(-1));
  CHECK(d.cwiseAbs().sum() == T(1));
}

TEST_CASE_TEMPLATE("sign of zero is zero", T, float, double) {
  matrix_of<T> m = matrix_of<T>::Ones(4, 3);
  m(1, 2) = 0;
  m(2, 1) = -T(0);
  matrix_of<T> d;
  (void)lmo(max_abs(), m, d);
  CHECK(d(1, 2) == T(0));
  CHECK(d(2, 1) == T(0));
  CHECK(d.cwiseAbs().sum() == T(10));
}

TEST_CASE_TEMPLATE("an overlap of M and D throws and leaves D alone", T, float, double) {
  matrix_of<T> a = gaussian<T>(9, 9);
  const matrix_of<T> before = a;
  for_each_norm<T>([&](const auto& n) {
    CHECK(mentions(message_of([&] { (void)lmo(n, a, a); }), "overlap"));
    CHECK(mentions(message_of([&] { (void)lmo(n, a.block(0, 0, 5, 5), a.block(2, 2, 5, 5)); }),
                   "overlap"));
    CHECK(mentions(message_of([&] { (void)lmo(n, a, a.transpose()); }), "overlap"));
    CHECK(a == before);
  });
  // Disjoint windows of one matrix are fine, even where their columns interleave.
  CHECK_NOTHROW((void)lmo(nuclear(), a.topRows(4), a.bottomRows(4)));
}

TEST_CASE_TEMPLATE("an overlap throws where M and D are strided too", T, float, double) {
  using strided = Eigen::Map<matrix_of<T>, 0, Eigen::Stride<Eigen::Dynamic, 2>>;
  matrix_of<T> memory = gaussian<T>(20, 9);
  const matrix_of<T> before = memory;
  strided m(memory.data(), 9, 9, Eigen::Stride<Eigen::Dynamic, 2>(20, 2));
  CHECK(mentions(message_of([&] { (void)lmo(nuclear(), m, m); }), "overlap"));
  CHECK(memory == before);
}

TEST_CASE_TEMPLATE("a D that would have to be resized and holds M throws too", T, float, double) {
  matrix_of<T> a = gaussian<T>(9, 9);
  const matrix_of<T> before = a;
  auto plan = plan_lmo(nuclear(), matrix_of<T>(4, 4));
  CHECK(mentions(message_of([&] { (void)plan.execute(a.block(1, 1, 4, 4), a); }), "overlap"));
  CHECK(a == before);
}

TEST_CASE_TEMPLATE("a wrong shape throws, naming the argument and the shapes", T, float, double) {
  const matrix_of<T> m = gaussian<T>(6, 4);
  matrix_of<T> big = gaussian<T>(9, 9);
  const matrix_of<T> before = big;
  const auto complains = [&](auto&& d) {
    const std::string text = message_of([&] { (void)lmo(nuclear(), m, d); });
    CAPTURE(text);
    CHECK(mentions(text, "D"));
    CHECK(mentions(text, "6 x 4"));
    CHECK(mentions(text, "5 x 4"));
  };
  complains(big.block(0, 0, 5, 4));
  complains(Eigen::Map<matrix_of<T>>(big.data(), 5, 4));
  matrix_of<T> five(5, 4);
  Eigen::Ref<matrix_of<T>> ref(five);
  complains(ref);
  complains(matrix_view<T>(big.data(), 5, 4));
  CHECK(big == before);

  auto plan = plan_lmo(nuclear(), m);
  matrix_of<T> d;
  const std::string text = message_of([&] { (void)plan.execute(big, d); });
  CHECK(mentions(text, "M"));
  CHECK(mentions(text, "6 x 4"));
  CHECK(mentions(text, "9 x 9"));
  CHECK(mentions(message_of([&] { (void)plan.update(m, big, 1, 1); }), "X"));
  const std::string shaped = message_of([&] { (void)lmo(rms_to_rms(4, 6), m, d); });
  CHECK(mentions(shaped, "rms_to_rms"));
  CHECK(mentions(shaped, "4 x 6"));
  CHECK(mentions(shaped, "6 x 4"));
  CHECK_THROWS_AS((void)value(rms_to_rms(4, 6), m), std::invalid_argument);
  CHECK_THROWS_AS((void)value(2 * dual(rms_to_rms(4, 6)) + frobenius(), m), std::invalid_argument);
  CHECK_THROWS_AS((void)plan_lmo(dual(rms_to_rms(4, 6) + frobenius()), m), std::invalid_argument);
}

TEST_CASE_TEMPLATE("an owning D of another shape is resized", T, float, double) {
  const matrix_of<T> m = gaussian<T>(6, 4);
  matrix_of<T> d(2, 9);
  (void)lmo(spectral(), m, d);
  CHECK(d.rows() == 6);
  CHECK(d.cols() == 4);
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> row;
  (void)lmo(spectral(), m, row);
  CHECK(row == d);
  Eigen::Matrix<T, Eigen::Dynamic, 1> column;
  (void)lmo(spectral(), matrix_of<T>(m.col(0)), column);
  CHECK(column.size() == 6);
}

TEST_CASE_TEMPLATE("an owning D that cannot take the shape throws", T, float, double) {
  const matrix_of<T> m = gaussian<T>(6, 4);
  Eigen::Matrix<T, 3, 3> fixed = Eigen::Matrix<T, 3, 3>::Zero();
  CHECK(mentions(message_of([&] { (void)lmo(spectral(), m, fixed); }), "3 x 3"));
  Eigen::Matrix<T, Eigen::Dynamic, 1> vector = Eigen::Matrix<T, Eigen::Dynamic, 1>::Zero(6);
  CHECK(mentions(message_of([&] { (void)lmo(spectral(), m, vector); }), "6 x 1"));
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, 0, 3, 3> small(2, 2);
  CHECK(mentions(message_of([&] { (void)lmo(spectral(), m, small); }), "2 x 2"));
  Eigen::Matrix<T, 6, 4> fits;
  CHECK_NOTHROW((void)lmo(spectral(), m, fits));
}

TEST_CASE_TEMPLATE("zero coefficients: legal inside a sum, refused alone", T, float, double) {
  const matrix_of<T> m = gaussian<T>(6, 4);
  matrix_of<T> d, expected;
  (void)lmo(dual(0 * ky_fan(2) + 1 * frobenius()), m, d);
  (void)lmo(frobenius(), m, expected);
  CHECK((d - expected).norm() <= T(1e-6) * expected.norm());
  (void)lmo(dual(1 * ky_fan(2) + 0 * frobenius()), m, d);
  (void)lmo(dual(ky_fan(2)), m, expected);
  CHECK((d - expected).norm() <= T(1e-6) * expected.norm());
  CHECK(value(0 * spectral() + frobenius(), m) == value(frobenius(), m));
  for (const double none : {0.0, -0.0}) {
    CHECK_THROWS_AS((void)dual(none * frobenius()), std::invalid_argument);
    CHECK_THROWS_AS((void)value(none * spectral(), m), std::invalid_argument);
    CHECK_THROWS_AS((void)lmo(none * spectral(), m, d), std::invalid_argument);
    CHECK_THROWS_AS((void)plan_lmo(none * max_abs(), m), std::invalid_argument);
    CHECK_THROWS_AS((void)dual(none * frobenius() + none * spectral()), std::invalid_argument);
    CHECK_THROWS_AS((void)value(none * frobenius() + none * spectral(), m), std::invalid_argument);
  }
  CHECK_THROWS_AS((void)(-1.0 * frobenius()), std::invalid_argument);
  CHECK_THROWS_AS((void)(std::numeric_limits<double>::quiet_NaN() * frobenius()),
                  std::invalid_argument);
  CHECK_THROWS_AS((void)(std::numeric_limits<double>::infinity() * frobenius()),
                  std::invalid_argument);
  CHECK_THROWS_AS((void)ky_fan(0), std::invalid_argument);
  CHECK_THROWS_AS((void)ky_fan(-3), std::invalid_argument);
  CHECK_THROWS_AS((void)rms_to_rms(0, 3), std::invalid_argument);
  CHECK(mentions(message_of([] { (void)ky_fan(-3); }), "-3"));
}

TEST_CASE("misuse of methods throws and says what is wrong") {
  const Eigen::MatrixXf m = gaussian<float>(90, 80);
  Eigen::MatrixXf d;
  const std::string text = message_of([&] { (void)lmo(dual(ky_fan(3)), m, d, newton_schulz{}); });
  CAPTURE(text);
  CHECK(mentions(text, "polar"));
  CHECK_THROWS_AS((void)lmo(nuclear(), m, d, polar_express{}), std::invalid_argument);
  CHECK_THROWS_AS((void)lmo(ky_fan(3), m, d, newton_schulz{}), std::invalid_argument);
  CHECK_THROWS_AS((void)lmo(dual(nuclear() + spectral()), m, d, newton_schulz{}),
                  std::invalid_argument);
  CHECK_NOTHROW((void)lmo(dual(nuclear() + frobenius()), m, d, newton_schulz{}));

  const auto refused = [&](const auto& n, const auto& method) {
    CHECK_THROWS_AS((void)lmo(n, m, d, method), std::invalid_argument);
    CHECK_THROWS_AS((void)plan_lmo(n, m, method), std::invalid_argument);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {0.0, -1e-3, nan, std::numeric_limits<double>::infinity()}) {
    refused(nuclear(), subspace{.gap = bad});
    refused(nuclear(), power{.gap = bad});
    refused(nuclear(), lanczos{.gap = bad});
    refused(nuclear(), lanczos{.tol = bad});
    refused(nuclear(), block_krylov{.gap = bad});
    refused(nuclear(), block_krylov{.tol = bad});
    refused(spectral(), polar_express{.gap = bad});
    refused(spectral(), polar_express{.lower = bad});
    refused(spectral(), polar_express{.safety = bad});
    refused(spectral(), automatic{.gap = bad});
    refused(nuclear(), automatic{.gap = bad});
    const Eigen::MatrixXf small = gaussian<float>(5, 5);
    CHECK_THROWS_AS((void)plan_lmo(nuclear(), small, automatic{.gap = bad}), std::invalid_argument);
  }
  refused(spectral(), polar_express{.lower = 1.5});
  refused(spectral(), polar_express{.steps = -1});
  refused(spectral(), newton_schulz{.steps = 0});
  refused(spectral(), newton_schulz{.steps = -2});
  refused(nuclear(), subspace{.oversample = -1});
  refused(nuclear(), subspace{.passes = -1});
  refused(nuclear(), power{.passes = -1});
  refused(nuclear(), randomized{.oversample = -1});
  refused(nuclear(), randomized{.iterations = -1});
  refused(nuclear(), lanczos{.basis = -1});
  refused(nuclear(), lanczos{.passes = -1});
  refused(nuclear(), block_krylov{.block = -1});
  refused(nuclear(), block_krylov{.basis = -1});
  refused(nuclear(), block_krylov{.passes = -1});
}
