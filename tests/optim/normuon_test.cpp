/// @file  NorMuon against its published pseudo-code in long double, one entry at a time.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/normuon.hpp>
#include <fanion/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;
using namespace steps;

namespace {

template <class N, class T = double>
using step_of = row_normalized_step<N, T, eigen_backend>;

/// The published step on one block: v is the state, the answer the change of the weight for a step
/// of length 1. `whole` is the length of the whole step.
table by_hand(std::vector<real>& v, const table& o, real beta2, real whole) {
  table scaled = o;
  for (Eigen::Index i = 0; i < o.rows(); ++i) {
    real mean = 0;
    for (Eigen::Index j = 0; j < o.cols(); ++j)
      mean += o(i, j) * o(i, j) / static_cast<real>(o.cols());
    real& moment = v[static_cast<std::size_t>(i)];
    moment = beta2 * moment + (1 - beta2) * mean;
    for (Eigen::Index j = 0; j < o.cols(); ++j)
      scaled(i, j) = mean > 0 ? o(i, j) / std::sqrt(moment) : 0;
  }
  return -whole / length_of(scaled) * scaled;
}

/// Five steps with the spectral ball and Nesterov's momentum; the step is as long as the answer, or
/// 0.2 sqrt(mn) as published.
template <class W, class G>
void check_against_hand(Eigen::Index m, Eigen::Index n, double beta2, bool published,
                        std::vector<matrix_block> blocks = {}) {
  eigen_backend backend;
  const lmo_options o{.momentum = {.beta = 0.9},
                      .decay = 0.5,
                      .scaling = published ? shape_scaling::adamw : shape_scaling::none,
                      .gap = 1e-14};
  step_of<spectral> step(normuon(beta2, o), m, n, backend, blocks);
  if (blocks.empty()) blocks.push_back({0, 0, m, n});
  std::vector<std::vector<real>> v;
  for (const auto& b : blocks) v.emplace_back(static_cast<std::size_t>(b.rows), real(0));
  W x = matrices::gaussian(m, n, 11);
  table want = reference::widen(x), momentum = table::Zero(m, n);
  for (std::uint64_t t = 0; t < 5; ++t) {
    columns g = matrices::gaussian(m, n, 20 + t);
    // Rows of very different size, or the second moment would have little to do.
    for (Eigen::Index i = 0; i < m; ++i) g.row(i) *= std::pow(0.3, (i + static_cast<int>(t)) % 4);
    const G gradient = g;
    const step_report report = take(step, x, gradient, 0.1);
    CHECK(report.gap <= 1e-12);
    const table wide = reference::widen(g);
    momentum = 0.9L * momentum + 0.1L * wide;
    // 0.9L is not the double 0.9: the difference is far below the tolerance.
    const table seen = 0.9L * momentum + 0.1L * wide;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto& b = blocks[i];
      const table answer = leading(seen.block(b.row, b.col, b.rows, b.cols), 99);
      const real whole =
          published ? 0.2L * std::sqrt(static_cast<real>(b.rows * b.cols)) : length_of(answer);
      auto window = want.block(b.row, b.col, b.rows, b.cols);
      window = (1 - 0.1L * 0.5L) * window +
               0.1L * by_hand(v[i], answer, static_cast<real>(beta2), whole);
    }
  }
  CHECK(step.steps() == 5);
  CHECK(static_cast<double>((reference::widen(x) - want).cwiseAbs().maxCoeff() /
                            want.cwiseAbs().maxCoeff()) <= 1e-11);
}

}  // namespace

TEST_CASE("five steps, in both storage orders and both lengths") {
  for (const auto& [m, n] : {std::pair(7, 4), std::pair(4, 7), std::pair(5, 5), std::pair(1, 6),
                             std::pair(6, 1), std::pair(1, 1)})
    for (const double beta2 : {0.0, 0.5, 0.95})
      for (const bool published : {false, true}) {
        check_against_hand<columns, columns>(m, n, beta2, published);
        check_against_hand<rows, rows>(m, n, beta2, published);
        check_against_hand<rows, columns>(m, n, beta2, published);
        check_against_hand<columns, rows>(m, n, beta2, published);
      }
  check_against_hand<columns, rows>(9, 5, 0.9, true, split_qkv(9, 5));
  check_against_hand<rows, columns>(9, 5, 0.9, false, {{0, 0, 4, 2}, {4, 0, 5, 2}, {0, 2, 9, 3}});
}

TEST_CASE("the step is as long as the oracle's, and in the first one all rows are equally long") {
  eigen_backend backend;
  const row_normalized<decltype(dual(ky_fan(2)))> rule{fanion_k(2)};
  step_of<decltype(dual(ky_fan(2)))> step(rule, 6, 9, backend);
  columns x = columns::Zero(6, 9);
  take(step, x, matrices::gaussian(6, 9, 3), 1);
  CHECK(x.norm() == doctest::Approx(std::sqrt(2.0)).epsilon(1e-13));
  for (Eigen::Index i = 0; i < 6; ++i)
    CHECK(x.row(i).norm() == doctest::Approx(std::sqrt(2.0 / 6)).epsilon(1e-13));
  for (std::uint64_t t = 0; t < 4; ++t) {
    const columns before = x;
    take(step, x, matrices::gaussian(6, 9, 10 + t), 1);
    CHECK((x - before).norm() == doctest::Approx(std::sqrt(2.0)).epsilon(1e-13));
  }
}

TEST_CASE("rows that are always 0 stay, and a zero gradient decays the weight") {
  eigen_backend backend;
  step_of<spectral> step(normuon(0.9, {.momentum = {.beta = 0}, .decay = 0.5}), 4, 3, backend);
  columns x = columns::Ones(4, 3), g = matrices::gaussian(4, 3, 5);
  CHECK(take(step, x, columns(columns::Zero(4, 3)), 0.5).outcome == outcome::zero_input);
  CHECK(x == columns::Constant(4, 3, 0.75));
  g.row(2).setZero();
  for (int t = 0; t < 3; ++t) take(step, x, g, 0);
  CHECK(x == columns::Constant(4, 3, 0.75));
  take(step, x, g, 0.5);
  CHECK(x.row(2) == columns::Constant(1, 3, 0.5625));
  CHECK(x.allFinite());
  CHECK((x.row(0).array() != 0.5625).all());
  // A row that falls silent, and one that wakes.
  g.row(0).setZero();
  g.row(2).setOnes();
  for (int t = 0; t < 3; ++t) take(step, x, g, 0.1);
  CHECK(x.allFinite());
}

TEST_CASE("non-finite gradients change nothing; the scale of gradients does not matter") {
  using single = Eigen::MatrixXf;
  eigen_backend backend;
  step_of<spectral, float> step(normuon(), 5, 4, backend), twin(normuon(), 5, 4, backend);
  single x = single::Ones(5, 4), y = x;
  const single g = matrices::gaussian(5, 4, 2).cast<float>();
  take(step, x, g, 0.1);
  take(twin, y, g, 0.1);
  single spoiled = g;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    spoiled(1, 3) = bad;
    const step_report report = take(step, x, spoiled, 0.1);
    CHECK(report.skipped);
    CHECK(report.outcome == outcome::non_finite);
    CHECK(step.steps() == 1);
    CHECK(x == y);
  }
  take(step, x, g, 0.1);
  take(twin, y, g, 0.1);
  CHECK(x == y);
  const auto end = [&](float scale) {
    step_of<spectral, float> fresh(normuon(), 5, 4, backend);
    single z = single::Zero(5, 4);
    for (std::uint64_t t = 0; t < 4; ++t)
      take(fresh, z, single(scale * matrices::gaussian(5, 4, 60 + t).cast<float>()), 0.1);
    return z;
  };
  CHECK(end(0x1p90f) == end(1));
  CHECK((end(1e30f) - end(1)).cwiseAbs().maxCoeff() <= 1e-4f);
  CHECK((end(1e-30f) - end(1)).cwiseAbs().maxCoeff() <= 1e-4f);
}

TEST_CASE(
    "reset forgets both moments; a rule for an optimizer, checkpoints, and a change of rule") {
  using rule_type = optimizer<double>::rule_type;
  eigen_backend backend;
  step_of<spectral> step(normuon(), 5, 4, backend), fresh(normuon(), 5, 4, backend);
  columns a = columns::Ones(5, 4), b = a, c = a;
  take(step, a, matrices::gaussian(5, 4, 1), 0.1);
  step.reset();
  take(step, b, matrices::gaussian(5, 4, 2), 0.1);
  take(fresh, c, matrices::gaussian(5, 4, 2), 0.1);
  CHECK(b == c);

  CHECK(rule_type(normuon(0.9)).text() ==
        "row_normalized, beta2 0.9, lmo(spectral()), momentum 0.95 ema nesterov, decay 0, scaling "
        "none, seed 0");
  check_resume(
      normuon(), 6, 3, 7, [](std::uint64_t t) { return matrices::gaussian(9, 5, 50 + t); },
      [](optimizer<double>& opt, columns& weight, columns& gradient) {
        opt.add(make_parameter("w", weight, gradient, parameter_kind::hidden, split_qkv(9, 5)));
      });

  // Momentum goes on from Muon: an opposite gradient does not turn the step at once.
  columns w = columns::Zero(5, 4), slope = matrices::gaussian(5, 4, 8);
  optimizer<double> opt(muon(), adamw{});
  opt.add(make_parameter("w", w, slope));
  for (int t = 0; t < 5; ++t) opt.step(0.1);
  opt.set_rule("w", normuon());
  const columns before = w;
  slope *= -1e-3;
  opt.step(0.1);
  CHECK((w - before).cwiseProduct(slope).sum() > 0);
}

TEST_CASE("misuse names what is wrong") {
  CHECK_THROWS_WITH_AS((void)normuon(1),
                       "row_normalized: beta2 must be at least 0 and below 1, got 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)normuon(0.9, {.form = step_form::constrained}),
                       "row_normalized: form must be unconstrained, got another",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)normuon(0.9, {.decay = -1}), std::invalid_argument);
  eigen_backend backend;
  step_of<spectral> step(normuon(), 3, 2, backend);
  columns x = columns::Ones(3, 2), g = x, other = columns::Ones(2, 3), w = other;
  CHECK_THROWS_AS(take(step, x, other, 0.1), std::invalid_argument);
  CHECK_THROWS_AS(take(step, w, other, 0.1), std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, g, -0.5), std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, x, 0.1), std::invalid_argument);
  CHECK(x == columns::Ones(3, 2));
  CHECK(step.steps() == 0);
}
