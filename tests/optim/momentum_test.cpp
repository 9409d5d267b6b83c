/// @file  Momentum against scalars written out one by one, and what the oracle makes of its forms.
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/momentum.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace fanion;
using reference::table;

namespace {

constexpr auto ema = accumulation::ema;
constexpr auto heavy = accumulation::heavy_ball;

/// What the oracle is to see after these gradients of one entry, from the definitions.
long double seen_by_hand(const std::vector<long double>& g, const momentum& rule) {
  const long double beta = static_cast<long double>(rule.beta);
  // The buffer is the sum of all gradients so far, each β smaller for each step of age.
  long double m = 0;
  for (std::size_t s = 0; s < g.size(); ++s) {
    long double weight = rule.accumulation == ema ? 1 - beta : 1;
    for (std::size_t age = s + 1; age < g.size(); ++age) weight *= beta;
    m += weight * g[s];
  }
  if (rule.lookahead == lookahead::none) return m;
  return rule.accumulation == ema ? beta * m + (1 - beta) * g.back() : g.back() + beta * m;
}

template <class T>
void check_rule(Eigen::Index rows, Eigen::Index cols, const momentum& rule, bool turned) {
  using dense = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  eigen_backend backend;
  dense m = dense::Zero(rows, cols);
  dense seen = dense::Constant(rows, cols, std::numeric_limits<T>::quiet_NaN());
  const auto view = [](dense& x) { return matrix_view<T>(x.data(), x.rows(), x.cols()); };
  std::vector<dense> history;
  for (std::uint64_t step = 0; step < 6; ++step) {
    history.push_back(matrices::gaussian(rows, cols, step + 1).cast<T>());
    dense g = turned ? dense(history.back().transpose()) : history.back();
    const bool ahead = rule.lookahead == lookahead::nesterov;
    momentum_pass<eigen_backend, T, host_space> pass(backend, rule, {view(g).as_const(), turned},
                                                     view(m), ahead ? view(seen) : matrix_view<T>(),
                                                     m.norm(), g.norm());
    // In pieces, as an oracle asks for them; what was asked for is there, and what comes is told.
    for (index_t j = 0; j < cols; j += 2) {
      const auto next = pass(j, std::min<index_t>(2, cols - j));
      if (!next.empty()) CHECK(next.data() >= g.data() + (j + 2) * rows);
    }
    const T length = pass.length();
    CHECK(length <= pass.bound());
    CHECK(pass.momentum_length() == doctest::Approx(m.norm()).epsilon(1e-5));
    const dense& got = ahead ? seen : m;
    long double worst = 0, size = 0, squares = 0;
    for (Eigen::Index j = 0; j < cols; ++j)
      for (Eigen::Index i = 0; i < rows; ++i) {
        std::vector<long double> g_ij;
        for (const dense& past : history) g_ij.push_back(static_cast<long double>(past(i, j)));
        const long double want = seen_by_hand(g_ij, rule);
        const long double error = std::fabs(static_cast<long double>(got(i, j)) - want);
        if (!(error <= worst)) worst = error;
        size = std::max(size, std::fabs(want));
        squares += want * want;
      }
    // A handful of roundings in each of at most six steps.
    const long double eps = static_cast<long double>(std::numeric_limits<T>::epsilon());
    CHECK(worst <= 32 * eps * size);
    CHECK(std::fabs(static_cast<long double>(length) - std::sqrt(squares)) <=
          32 * eps * std::sqrt(squares));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("every form, shape and storage", T, float, double) {
  for (const auto form : {ema, heavy})
    for (const auto ahead : {lookahead::none, lookahead::nesterov})
      for (const double beta : {0.0, 0.5, 0.95})
        for (const bool turned : {false, true}) {
          const momentum rule{beta, form, ahead};
          check_rule<T>(1, 1, rule, turned);
          check_rule<T>(5, 3, rule, turned);
          check_rule<T>(1, 9, rule, turned);
          check_rule<T>(9, 1, rule, turned);
          // Several groups of columns: 700 rows go two at a time, 2100 one at a time.
          check_rule<T>(700, 5, rule, turned);
          check_rule<T>(2100, 2, rule, turned);
        }
}

TEST_CASE("the two right forms show an oracle the same direction, the misprinted one does not") {
  const Eigen::Index m = 6, n = 4;
  const long double beta = 0.9L;
  table slow = table::Zero(m, n), heavy_ball = table::Zero(m, n);
  long double worst = 0, misprint = 0;
  for (std::uint64_t step = 0; step < 5; ++step) {
    const table g = reference::widen(matrices::gaussian(m, n, 40 + step));
    slow = beta * slow + (1 - beta) * g;
    heavy_ball = beta * heavy_ball + g;
    const auto answer = [](const table& x) {
      return reference::polar_factor(reference::svd(x), 1e-12L);
    };
    const table want = answer(g + beta * heavy_ball);
    worst = std::max(worst, (answer(beta * slow + (1 - beta) * g) - want).cwiseAbs().maxCoeff());
    // As printed in "The Ky Fan Norms and Beyond", equation (2): an averaged buffer beside a whole
    // g.
    misprint = std::max(misprint, (answer(g + beta * slow) - want).cwiseAbs().maxCoeff());
  }
  CHECK(worst < 1e-15L);
  CHECK(misprint > 0.1L);

  // And the library's two forms are the right ones: parallel, by the factor 1 - β.
  eigen_backend backend;
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(m, n), b = a, seen_a(m, n), seen_b(m, n);
  const auto view = [](Eigen::MatrixXd& x) { return matrix_view<double>(x.data(), m, n); };
  for (std::uint64_t step = 0; step < 5; ++step) {
    Eigen::MatrixXd g = matrices::gaussian(m, n, 40 + step);
    const oriented_view<const double> in{view(g).as_const(), false};
    using pass = momentum_pass<eigen_backend, double, host_space>;
    const momentum averaged{0.9, ema, lookahead::nesterov}, summed{0.9, heavy, lookahead::nesterov};
    (void)pass(backend, averaged, in, view(a), view(seen_a), a.norm(), g.norm())(0, n);
    (void)pass(backend, summed, in, view(b), view(seen_b), b.norm(), g.norm())(0, n);
    CHECK((seen_a - 0.1 * seen_b).cwiseAbs().maxCoeff() <= 1e-15 * seen_b.cwiseAbs().maxCoeff());
  }
}

TEST_CASE("beta outside [0, 1) is refused by name and value") {
  CHECK_NOTHROW(check(momentum{.beta = 0}));
  CHECK_THROWS_WITH_AS(check(momentum{.beta = 1}),
                       "momentum: beta must be at least 0 and below 1, got 1",
                       std::invalid_argument);
  CHECK_THROWS_AS(check(momentum{.beta = -0.1}), std::invalid_argument);
  CHECK_THROWS_AS(check(momentum{.beta = std::numeric_limits<double>::quiet_NaN()}),
                  std::invalid_argument);
}
