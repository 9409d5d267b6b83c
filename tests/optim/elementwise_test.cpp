/// @file  AdamW, SGD and Lion against the published formulas, one entry at a time in long double.
#include <support/matrices.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/elementwise_steps.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace fanion;
using real = long double;

namespace {

real wide(double x) { return static_cast<real>(x); }

/// One entry's weight after the gradients `g`, from the weight `x`.
real by_hand(const adamw& r, real x, const std::vector<real>& g, real rate) {
  for (std::size_t t = 1; t <= g.size(); ++t) {
    real m = 0, v = 0;  // the weighted means themselves, not the recursion
    for (std::size_t s = 1; s <= t; ++s) {
      const real age = static_cast<real>(t - s);
      m += (1 - wide(r.beta1)) * std::pow(wide(r.beta1), age) * g[s - 1];
      v += (1 - wide(r.beta2)) * std::pow(wide(r.beta2), age) * g[s - 1] * g[s - 1];
    }
    m /= 1 - std::pow(wide(r.beta1), static_cast<real>(t));
    v /= 1 - std::pow(wide(r.beta2), static_cast<real>(t));
    x = x - rate * wide(r.decay) * x - rate * m / (std::sqrt(v) + wide(r.eps));
  }
  return x;
}
real by_hand(const sgd& r, real x, const std::vector<real>& g, real rate) {
  real m = 0;
  const bool ema = r.momentum.accumulation == accumulation::ema;
  const real beta = wide(r.momentum.beta), share = ema ? 1 - beta : 1;
  for (const real gt : g) {
    m = beta * m + share * gt;
    const real d = r.momentum.lookahead == lookahead::nesterov ? share * gt + beta * m : m;
    x = x - rate * wide(r.decay) * x - rate * d;
  }
  return x;
}
real by_hand(const lion& r, real x, const std::vector<real>& g, real rate) {
  real m = 0;
  for (const real gt : g) {
    const real c = wide(r.beta1) * m + (1 - wide(r.beta1)) * gt;
    x = x - rate * wide(r.decay) * x - rate * (c > 0 ? 1 : c < 0 ? -1 : 0);
    m = wide(r.beta2) * m + (1 - wide(r.beta2)) * gt;
  }
  return x;
}

template <class T, int Order, class Rule>
void check_rule(const Rule& rule, Eigen::Index rows, Eigen::Index cols) {
  using dense = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Order>;
  using adapter = matrix_adapter<dense>;
  eigen_backend backend;
  elementwise_step<Rule, T, eigen_backend> step(rule, rows, cols, backend);
  const dense start = matrices::gaussian(rows, cols, 90).cast<T>();
  dense x = start, g;
  std::vector<dense> history;
  constexpr double rate = 0.03125;  // exact in float
  for (std::uint64_t t = 0; t < 50; ++t) {
    g = matrices::gaussian(rows, cols, 100 + t).cast<T>();
    if (t == 7) g.setZero();
    history.push_back(g);
    const auto in = adapter::view(g);
    const step_report report =
        step.step(adapter::view(x), {in.storage.as_const(), in.transposed}, rate);
    CHECK_FALSE(report.skipped);
  }
  CHECK(step.steps() == 50);
  for (Eigen::Index j = 0; j < cols; ++j)
    for (Eigen::Index i = 0; i < rows; ++i) {
      std::vector<real> g_ij;
      for (const dense& past : history) g_ij.push_back(static_cast<real>(past(i, j)));
      const real x0 = static_cast<real>(start(i, j));
      const real want = by_hand(rule, x0, g_ij, rate);
      // Fifty steps of a few roundings each, of numbers up to max(|x|, 1).
      const real allowed = 50 * 8 * static_cast<real>(std::numeric_limits<T>::epsilon()) *
                           std::max<real>(1, std::fabs(x0));
      CHECK(std::fabs(static_cast<real>(x(i, j)) - want) <= allowed);
    }
}

template <class T, class Rule>
void check_shapes(const Rule& rule) {
  check_rule<T, Eigen::ColMajor>(rule, 1, 1);
  check_rule<T, Eigen::ColMajor>(rule, 37, 1);
  check_rule<T, Eigen::ColMajor>(rule, 7, 5);
  check_rule<T, Eigen::RowMajor>(rule, 7, 5);
}

}  // namespace

TEST_CASE_TEMPLATE("fifty steps", T, float, double) {
  check_shapes<T>(adamw{});
  check_shapes<T>(adamw{.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .decay = 0.1});
  check_shapes<T>(sgd{});
  check_shapes<T>(sgd{.momentum = {0.9, accumulation::heavy_ball, lookahead::none}, .decay = 0.1});
  check_shapes<T>(sgd{.momentum = {0.9, accumulation::ema, lookahead::nesterov}, .decay = 0.1});
  check_shapes<T>(sgd{.momentum = {0, accumulation::ema, lookahead::none}});
  check_shapes<T>(lion{.decay = 0.1});
}

namespace {

template <class Rule>
step_report one_step(elementwise_step<Rule, float, eigen_backend>& step, Eigen::MatrixXf& x,
                     const Eigen::MatrixXf& g, double rate = 0.1) {
  return step.step(matrix_adapter<Eigen::MatrixXf>::view(x),
                   matrix_adapter<Eigen::MatrixXf>::view(g), rate);
}

}  // namespace

TEST_CASE("adamw: entries whose gradient was always zero stay, even with eps = 0") {
  eigen_backend backend;
  for (const double eps : {1e-8, 0.0, 1e-60}) {
    elementwise_step<adamw, float, eigen_backend> step({.eps = eps}, 3, 1, backend);
    Eigen::MatrixXf x(3, 1), g(3, 1);
    x << 1, 2, 3;
    g << 0, 1, 0;
    one_step(step, x, g);
    CHECK(x(0) == 1);
    CHECK(x(1) == doctest::Approx(1.9).epsilon(1e-6));
    CHECK(x(2) == 3);
  }
}

TEST_CASE("a non-finite gradient changes nothing") {
  eigen_backend backend;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    elementwise_step<adamw, float, eigen_backend> step({}, 3, 2, backend), twin({}, 3, 2, backend);
    Eigen::MatrixXf x = Eigen::MatrixXf::Ones(3, 2), g = Eigen::MatrixXf::Constant(3, 2, 0.5f),
                    y = x;
    one_step(step, x, g);
    one_step(twin, y, g);
    Eigen::MatrixXf spoiled = g;
    spoiled(2, 1) = bad;
    const step_report report = one_step(step, x, spoiled);
    CHECK(report.skipped);
    CHECK(report.outcome == outcome::non_finite);
    CHECK(step.steps() == 1);
    CHECK(x == y);
    one_step(step, x, g);  // and the next step is as if it had not been
    one_step(twin, y, g);
    CHECK(x == y);
  }
}

TEST_CASE("misuse names what is wrong") {
  eigen_backend backend;
  elementwise_step<sgd, float, eigen_backend> step({}, 3, 2, backend);
  Eigen::MatrixXf x = Eigen::MatrixXf::Ones(3, 2), g = x, wide = Eigen::MatrixXf::Ones(2, 3),
                  w = wide;
  CHECK_THROWS_WITH_AS(one_step(step, x, wide),
                       "step: the shape of the gradient must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(one_step(step, w, wide),
                       "step: the shape of the weight must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(one_step(step, x, g, -1), "step: rate must be finite and at least 0, got -1",
                       std::invalid_argument);
  CHECK_THROWS_AS(one_step(step, x, x), std::invalid_argument);

  using turned = Eigen::Matrix<float, 3, 2, Eigen::RowMajor>;
  turned y = turned::Ones(), h = turned::Ones();
  const auto weight = matrix_adapter<turned>::view(y);
  CHECK_THROWS_WITH_AS(
      step.step(weight, matrix_adapter<Eigen::MatrixXf>::view(std::as_const(g)), 1),
      "step: weight and gradient must be stored in one order", std::invalid_argument);
  CHECK(x == Eigen::MatrixXf::Ones(3, 2));
  one_step(step, x, g);
  // The momentum is in column-major order now.
  CHECK_THROWS_WITH_AS(step.step(weight, matrix_adapter<turned>::view(std::as_const(h)), 1),
                       "step: the weight must be stored in the order of earlier steps",
                       std::invalid_argument);

  CHECK_THROWS_WITH_AS(check(adamw{.beta1 = 1}),
                       "adamw: beta1 must be at least 0 and below 1, got 1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(check(adamw{.beta2 = -1}),
                       "adamw: beta2 must be at least 0 and below 1, got -1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(check(adamw{.eps = -1}), "adamw: eps must be finite and at least 0, got -1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(check(adamw{.decay = -1}),
                       "adamw: decay must be finite and at least 0, got -1", std::invalid_argument);
  CHECK_THROWS_AS(check(sgd{.momentum = {.beta = 2}}), std::invalid_argument);
  CHECK_THROWS_AS(check(sgd{.decay = -1}), std::invalid_argument);
  CHECK_THROWS_AS(check(lion{.beta1 = 1}), std::invalid_argument);
  CHECK_THROWS_AS(check(lion{.beta2 = 1}), std::invalid_argument);
  CHECK_THROWS_AS(check(lion{.decay = -1}), std::invalid_argument);
}

TEST_CASE("after reset the bits are those of a new one") {
  eigen_backend backend;
  const auto check = [&]<class Rule>(const Rule& rule) {
    const Eigen::MatrixXd start = Eigen::MatrixXd::Constant(5, 3, 2), slope = start / 3;
    const auto run = [&](auto& step, Eigen::MatrixXd x) {
      for (int t = 1; t < 4; ++t) {
        const Eigen::MatrixXd g = slope * t;
        (void)step.step({matrix_view<double>(x.data(), 5, 3), false},
                        {matrix_view<const double>(g.data(), 5, 3), false}, 0.1);
      }
      return x;
    };
    elementwise_step<Rule, double, eigen_backend> used(rule, 5, 3, backend),
        fresh(rule, 5, 3, backend);
    (void)run(used, start * 7);
    used.reset();
    CHECK(used.steps() == 0);
    CHECK(run(used, start) == run(fresh, start));
  };
  check(adamw{});
  check(sgd{});
  check(lion{});
}
