/// @file  Every named method: its direction from the definition, its pure ends, and that it
/// descends.
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/schedule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace fanion;
using reference::table;
using real = long double;
using matrix = Eigen::MatrixXd;

namespace {

table leading(const table& m, std::size_t k) {
  const auto d = reference::svd(m);
  return reference::compose(d, std::vector<real>(std::min(k, d.sigma.size()), 1));
}
table direction(const table& m) { return m / std::sqrt(reference::dot(m, m)); }
table signs(const table& m) {
  return m.unaryExpr([](real x) { return real(x > 0) - real(x < 0); });
}

/// Before the first gradient the momentum is zero, so one step of length 1 from X = 0 writes the
/// oracle's answer into X.
template <class N>
matrix answer(const lmo_rule<N>& rule, const matrix& gradient) {
  eigen_backend backend;
  lmo_step<N, double, eigen_backend> step(rule, gradient.rows(), gradient.cols(), backend);
  matrix x = matrix::Zero(gradient.rows(), gradient.cols());
  step.step(matrix_adapter<matrix>::view(x), matrix_adapter<matrix>::view(gradient), 1);
  return x;
}

template <class N>
void check_answer(const lmo_rule<N>& rule, const matrix& gradient, const table& want) {
  const table got = reference::widen(answer(rule, gradient));
  CHECK(static_cast<double>((got + want).cwiseAbs().maxCoeff()) <= 1e-12);
}

/// f(X) = ½ ‖X - A‖_F² from X = 0, with a rate that falls to zero.
template <class N>
double remaining_share(const lmo_rule<N>& rule, double rate) {
  const matrix target = matrices::gaussian(6, 4, 3);
  eigen_backend backend;
  lmo_step<N, double, eigen_backend> step(rule, 6, 4, backend);
  const schedule plan{.shape = decay_shape::linear, .steps = 300, .warm_up = 5};
  matrix x = matrix::Zero(6, 4);
  for (index_t t = 0; t < plan.steps; ++t) {
    const matrix gradient = x - target;
    step.step(matrix_adapter<matrix>::view(x), matrix_adapter<matrix>::view(gradient),
              rate * plan.factor(t));
  }
  return (x - target).squaredNorm() / target.squaredNorm();
}

const lmo_options plain = {.momentum = {.beta = 0.5}};

}  // namespace

TEST_CASE("pure methods") {
  for (const auto& [m, n] : {std::pair(6, 4), std::pair(4, 6), std::pair(5, 1)}) {
    const matrix g = matrices::gaussian(m, n, 5);
    const table t = reference::widen(g);
    check_answer(muon(plain), g, leading(t, 99));
    check_answer(neon(plain), g, leading(t, 1));
    check_answer(fanion_k(2, plain), g, leading(t, 2));
    check_answer(fanion_k(99, plain), g, leading(t, 99));
    check_answer(nsgd(plain), g, direction(t));
    check_answer(sign_sgd(plain), g, signs(t));
  }
}

TEST_CASE("mixtures at α = 0, 1/2 and 1") {
  for (const auto& [m, n] : {std::pair(6, 4), std::pair(4, 6)}) {
    const matrix g = matrices::gaussian(m, n, 6);
    const table t = reference::widen(g);
    constexpr double eta = 0.25;  // η tells (1-α) η from the misprinted (1-α)/η
    for (const double alpha : {0.0, 0.5, 1.0}) {
      const real a = static_cast<real>(alpha), b = 1 - a, be = b * static_cast<real>(eta);
      check_answer(f_fanion_k(2, alpha, plain), g, a * leading(t, 2) + b * direction(t));
      check_answer(f_muon(alpha, plain), g, a * leading(t, 99) + b * direction(t));
      check_answer(f_neon(alpha, plain), g, a * leading(t, 1) + b * direction(t));
      check_answer(s_fanion_k(2, alpha, eta, plain), g, a * leading(t, 2) + be * signs(t));
      check_answer(s_muon(alpha, eta, plain), g, a * leading(t, 99) + be * signs(t));
      check_answer(s_neon(alpha, eta, plain), g, a * leading(t, 1) + be * signs(t));
    }
  }
}

TEST_CASE("the ends of a mixture are the pure methods, bit for bit") {
  const matrix g = matrices::gaussian(6, 4, 7);
  CHECK(answer(f_muon(1, plain), g) == answer(muon(plain), g));
  CHECK(answer(f_neon(1, plain), g) == answer(neon(plain), g));
  CHECK(answer(f_fanion_k(2, 1, plain), g) == answer(fanion_k(2, plain), g));
  CHECK(answer(s_muon(1, 0.1, plain), g) == answer(muon(plain), g));
  CHECK(answer(f_muon(0, plain), g) == answer(nsgd(plain), g));
  CHECK(answer(f_neon(0, plain), g) == answer(nsgd(plain), g));
  CHECK(answer(s_neon(0, 1, plain), g) == answer(sign_sgd(plain), g));
}

TEST_CASE("every method descends on a quadratic") {
  // Rates so that 300 steps reach as far as the target is in each method's own norm.
  CHECK(remaining_share(muon(plain), 0.1) < 1e-4);
  CHECK(remaining_share(neon(plain), 0.2) < 1e-3);
  CHECK(remaining_share(fanion_k(2, plain), 0.1) < 1e-4);
  CHECK(remaining_share(nsgd(plain), 0.1) < 1e-4);
  CHECK(remaining_share(sign_sgd(plain), 0.05) < 1e-4);
  CHECK(remaining_share(f_fanion_k(2, 0.5, plain), 0.1) < 1e-4);
  CHECK(remaining_share(s_fanion_k(2, 0.5, 0.1, plain), 0.1) < 1e-4);
  CHECK(remaining_share(f_muon(0.5, plain), 0.1) < 1e-4);
  CHECK(remaining_share(s_muon(0.5, 0.1, plain), 0.1) < 1e-4);
  CHECK(remaining_share(f_neon(0.5, plain), 0.1) < 1e-4);
  CHECK(remaining_share(s_neon(0.5, 0.1, plain), 0.1) < 1e-4);
}

TEST_CASE("impossible arguments are refused by name and value") {
  CHECK_THROWS_WITH_AS((void)f_muon(1.5), "alpha must be between 0 and 1, got 1.5",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)f_neon(-0.5), "alpha must be between 0 and 1, got -0.5",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)s_muon(std::nan(""), 1), std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)s_muon(0.5, 0), "eta must be finite and above 0, got 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)s_neon(0.5, -1), "eta must be finite and above 0, got -1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)fanion_k(0), "ky_fan: k must be at least 1, got 0",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)f_fanion_k(-1, 0.5), std::invalid_argument);
  CHECK_THROWS_AS((void)muon({.decay = -1}), std::invalid_argument);
}
