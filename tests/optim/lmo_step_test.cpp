/// @file  The step against its definition: gradient check, momentum, oracle, decay, update, written
/// out in long double with a full decomposition.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/parameters.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

using namespace fanion;
using namespace steps;

namespace {

auto mixed() { return f_fanion_k(2, 0.5); }
using mixed_norm = decltype(mixed().norm);
using step_type = lmo_step<mixed_norm, double, eigen_backend>;

lmo_rule<mixed_norm> rule(const lmo_options& o) { return {mixed().norm, o}; }

/// ½ (u₁v₁ᵀ + u₂v₂ᵀ) + ½ M/‖M‖_F, negated.
table oracle_by_hand(const table& m) { return -0.5L * leading(m, 2) - 0.5L * m / length_of(m); }

/// The whole trajectory by hand, one block after another where there are several.
table by_hand(table x, const std::vector<table>& gradients, const lmo_options& o, real rate,
              std::vector<matrix_block> blocks = {}) {
  if (blocks.empty()) blocks.push_back({0, 0, x.rows(), x.cols()});
  table m = table::Zero(x.rows(), x.cols());
  const real beta = static_cast<real>(o.momentum.beta);
  for (const table& g : gradients) {
    const bool ema = o.momentum.accumulation == accumulation::ema;
    m = beta * m + (ema ? 1 - beta : 1) * g;
    const table seen = o.momentum.lookahead == lookahead::none ? m
                       : ema                                   ? table(beta * m + (1 - beta) * g)
                                                               : table(g + beta * m);
    for (const auto& b : blocks) {
      const table d = oracle_by_hand(seen.block(b.row, b.col, b.rows, b.cols));
      const real ratio = static_cast<real>(b.rows) / static_cast<real>(b.cols);
      const real factor = o.scaling == shape_scaling::rms ? std::sqrt(ratio) : 1;
      auto window = x.block(b.row, b.col, b.rows, b.cols);
      if (o.form == step_form::constrained)
        window = (1 - rate) * window + rate * static_cast<real>(o.radius) * factor * d;
      else
        window = (1 - rate * static_cast<real>(o.decay)) * window + rate * factor * d;
    }
  }
  return x;
}

struct problem {
  columns start;
  std::vector<columns> gradients;
  std::vector<table> exact;
};
problem make_problem(Eigen::Index m, Eigen::Index n, std::uint64_t count = 6) {
  problem p{matrices::gaussian(m, n, 11), {}, {}};
  for (std::uint64_t t = 0; t < count; ++t) {
    p.gradients.push_back(matrices::gaussian(m, n, 20 + t));
    p.exact.push_back(reference::widen(p.gradients.back()));
  }
  return p;
}

/// Six steps, each with the backward error of a small decomposition over a gap of Gaussian
/// spectra, which is never below a thousandth here.
constexpr double tolerance = 1e-12;

template <class W, class G>
void check_against_hand(const problem& p, const lmo_options& o, double rate,
                        const std::vector<matrix_block>& blocks = {}) {
  eigen_backend backend;
  step_type step(rule(o), p.start.rows(), p.start.cols(), backend, blocks);
  W x = p.start;
  for (const columns& g : p.gradients) {
    const G gradient = g;
    const step_report report = take(step, x, gradient, rate);
    CHECK_FALSE(report.skipped);
    CHECK(report.outcome == outcome::converged);
    CHECK(report.gap <= 1e-12);
    CHECK(report.passes > 0);
  }
  CHECK(step.steps() == static_cast<index_t>(p.gradients.size()));
  const table want =
      by_hand(reference::widen(p.start), p.exact, o, static_cast<real>(rate), blocks);
  CHECK(error(reference::widen(x), want) <= tolerance);
}

}  // namespace

TEST_CASE("every momentum, with decay and scaling, in both storage orders") {
  for (const auto& [m, n] : {std::pair(7, 4), std::pair(4, 7), std::pair(5, 5), std::pair(1, 6)}) {
    const problem p = make_problem(m, n);
    for (const auto form : {accumulation::ema, accumulation::heavy_ball})
      for (const auto ahead : {lookahead::none, lookahead::nesterov}) {
        const lmo_options o{
            .momentum = {0.9, form, ahead}, .decay = 0.5, .scaling = shape_scaling::rms};
        check_against_hand<columns, columns>(p, o, 0.1);
        check_against_hand<rows, rows>(p, o, 0.1);
        check_against_hand<rows, columns>(p, o, 0.1);
        check_against_hand<columns, rows>(p, o, 0.1);
      }
  }
}

TEST_CASE("the constrained form is decoupled decay with γ = η·decay and radius 1/decay") {
  const problem p = make_problem(6, 4);
  const double rate = 0.05, decay = 2;
  check_against_hand<columns, columns>(p, {.form = step_form::constrained, .radius = 0.5}, 0.1);
  eigen_backend backend;
  step_type free(rule({.decay = decay}), 6, 4, backend);
  step_type bound(rule({.form = step_form::constrained, .radius = 1 / decay}), 6, 4, backend);
  columns x = p.start, y = p.start;
  for (const columns& g : p.gradients) {
    take(free, x, g, rate);
    take(bound, y, g, rate * decay);
  }
  CHECK((x - y).cwiseAbs().maxCoeff() <= 1e-14 * x.cwiseAbs().maxCoeff());
}

TEST_CASE("the constrained form keeps X in its ball, and rate 1 jumps to its boundary") {
  eigen_backend backend;
  const double radius = 3;
  lmo_step<spectral, double, eigen_backend> step(
      muon({.form = step_form::constrained, .radius = radius}), 6, 4, backend);
  const auto spectral_norm = [](const columns& x) {
    return static_cast<double>(reference::svd(reference::widen(x)).sigma.front());
  };
  columns x = columns::Zero(6, 4);
  for (int t = 0; t < 40; ++t) {
    const columns g = x - matrices::gaussian(6, 4, 77) * 10;  // pulls far outside
    step.step(matrix_adapter<columns>::view(x), matrix_adapter<columns>::view(g),
              t == 20 ? 1 : 0.3);
    CHECK(spectral_norm(x) <= radius * (1 + 1e-14));
  }
  CHECK(spectral_norm(x) >= 0.99 * radius);
}

TEST_CASE("blocks: a fused matrix moves as its parts do, each with its own shape factor") {
  const problem p = make_problem(9, 5);
  const auto thirds = split_qkv(9, 5);
  const lmo_options o{.momentum = {0.9}, .decay = 0.1, .scaling = shape_scaling::rms};
  check_against_hand<columns, columns>(p, o, 0.1, thirds);
  check_against_hand<rows, rows>(p, o, 0.1, thirds);
  check_against_hand<rows, columns>(p, o, 0.1, thirds);
  check_against_hand<columns, columns>(p, o, 0.1, {{0, 0, 4, 2}, {4, 0, 5, 2}, {0, 2, 9, 3}});

  // Three separate matrices, up to the order in which sums over differently spaced columns are
  // added.
  eigen_backend backend;
  step_type fused(rule(o), 9, 5, backend, thirds);
  columns x = p.start;
  std::vector<step_type> parts;
  std::vector<columns> weights;
  for (int i = 0; i < 3; ++i) {
    parts.emplace_back(rule(o), 3, 5, backend);
    weights.push_back(p.start.middleRows(3 * i, 3));
  }
  for (const columns& g : p.gradients) {
    take(fused, x, g, 0.1);
    for (int i = 0; i < 3; ++i) {
      const columns part = g.middleRows(3 * i, 3);
      take(parts[static_cast<std::size_t>(i)], weights[static_cast<std::size_t>(i)], part, 0.1);
    }
  }
  for (int i = 0; i < 3; ++i)
    CHECK((x.middleRows(3 * i, 3) - weights[static_cast<std::size_t>(i)]).cwiseAbs().maxCoeff() <=
          1e-14 * x.cwiseAbs().maxCoeff());
}

TEST_CASE("what no block covers stays, and momentum belongs to the whole") {
  eigen_backend backend;
  const problem p = make_problem(5, 4, 1);
  step_type step(rule({.momentum = {0}, .decay = 1}), 5, 4, backend, {{0, 0, 2, 4}});
  columns x = p.start;
  take(step, x, p.gradients[0], 0.1);
  CHECK(x.bottomRows(3) == p.start.bottomRows(3));
  CHECK(error(reference::widen(x), by_hand(reference::widen(p.start), p.exact,
                                           {.momentum = {0}, .decay = 1}, 0.1L, {{0, 0, 2, 4}})) <=
        tolerance);
  const auto m = step.momentum_buffer();
  CHECK(Eigen::Map<const columns>(m.data(), 5, 4) == p.gradients[0]);
}

TEST_CASE("the worst block's outcome is the report's") {
  eigen_backend backend;
  columns x = columns::Ones(4, 4), g = columns::Zero(4, 4);
  step_type step(rule({}), 4, 4, backend, {{0, 0, 2, 4}, {2, 0, 2, 4}});
  g(0, 0) = 1;
  CHECK(take(step, x, g, 0.1).outcome == outcome::zero_input);
  step.reset();
  g.setZero();
  g(3, 0) = 1;
  CHECK(take(step, x, g, 0.1).outcome == outcome::zero_input);
  CHECK(worse(outcome::budget_spent, outcome::zero_input) == outcome::budget_spent);
  CHECK(worse(outcome::zero_input, outcome::vectors_not_identified) ==
        outcome::vectors_not_identified);
  CHECK(worse(outcome::non_finite, outcome::budget_spent) == outcome::non_finite);
  CHECK(worse(outcome::converged, outcome::converged) == outcome::converged);
}

TEST_CASE("a zero gradient decays the weight and nothing else") {
  eigen_backend backend;
  step_type step(rule({.decay = 0.5}), 3, 4, backend);
  columns x = columns::Ones(3, 4);
  const columns g = columns::Zero(3, 4);
  const step_report report = take(step, x, g, 0.5);
  CHECK(report.outcome == outcome::zero_input);
  CHECK(report.gap == 0);
  CHECK_FALSE(report.skipped);
  CHECK(step.steps() == 1);
  CHECK(x == columns::Constant(3, 4, 0.75));
}

TEST_CASE("a non-finite gradient changes neither weight, momentum nor step count") {
  eigen_backend backend;
  const problem p = make_problem(5, 4, 3);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    step_type step(rule({.decay = 0.1}), 5, 4, backend), twin(rule({.decay = 0.1}), 5, 4, backend);
    columns x = p.start, y = p.start;
    take(step, x, p.gradients[0], 0.1);
    take(twin, y, p.gradients[0], 0.1);
    columns spoiled = p.gradients[1];
    spoiled(4, 2) = bad;
    const step_report report = take(step, x, spoiled, 0.1);
    CHECK(report.skipped);
    CHECK(report.outcome == outcome::non_finite);
    CHECK(step.steps() == 1);
    CHECK(x == y);
    const auto m = step.momentum_buffer(), m2 = twin.momentum_buffer();
    CHECK(Eigen::Map<const columns>(m.data(), 5, 4) == Eigen::Map<const columns>(m2.data(), 5, 4));
    take(step, x, p.gradients[2], 0.1);
    take(twin, y, p.gradients[2], 0.1);
    CHECK(x == y);
  }
}

TEST_CASE("scale: gradients of 1e±300 move the weight as those of 1 do") {
  eigen_backend backend;
  const problem p = make_problem(5, 4, 2);
  const auto end = [&](double scale) {
    step_type step(rule({}), 5, 4, backend);
    columns x = p.start;
    for (const columns& g : p.gradients) {
      const columns scaled = scale * g;
      take(step, x, scaled, 0.1);
    }
    return x;
  };
  const columns want = end(1);
  CHECK((end(1e300) - want).cwiseAbs().maxCoeff() <= tolerance);
  CHECK((end(1e-300) - want).cwiseAbs().maxCoeff() <= tolerance);
  CHECK(end(0x1p900) == want);
}

TEST_CASE("reset forgets everything") {
  eigen_backend backend;
  const problem p = make_problem(5, 4, 2);
  step_type step(rule({}), 5, 4, backend);
  columns x = p.start, y = p.start;
  take(step, x, p.gradients[0], 0.1);
  step.reset();
  CHECK(step.steps() == 0);
  take(step, y, p.gradients[1], 0.1);
  step_type fresh(rule({}), 5, 4, backend);
  columns z = p.start;
  take(fresh, z, p.gradients[1], 0.1);
  CHECK(y == z);
}

TEST_CASE("misuse names what is wrong, and changes nothing") {
  eigen_backend backend;
  step_type step(rule({}), 3, 2, backend);
  columns x = columns::Ones(3, 2), g = columns::Ones(3, 2), other = columns::Ones(2, 3), w = other;
  CHECK_THROWS_WITH_AS(take(step, x, other, 0.1),
                       "step: the shape of the gradient must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(take(step, w, other, 0.1),
                       "step: the shape of the weight must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(take(step, x, g, -0.5), "step: rate must be finite and at least 0, got -0.5",
                       std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, g, std::numeric_limits<double>::quiet_NaN()),
                  std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, x, 0.1), std::invalid_argument);
  CHECK(x == columns::Ones(3, 2));
  CHECK(step.steps() == 0);
  step_type bound(rule({.form = step_form::constrained}), 3, 2, backend);
  CHECK_THROWS_WITH_AS(take(bound, x, g, 1.5),
                       "step: rate of the constrained form must be between 0 and 1, got 1.5",
                       std::invalid_argument);

  const auto refused = [&](const lmo_options& o, const char* message) {
    CHECK_THROWS_WITH_AS(step_type(rule(o), 3, 2, backend), message, std::invalid_argument);
  };
  refused({.momentum = {.beta = 1}}, "momentum: beta must be at least 0 and below 1, got 1");
  refused({.decay = -1}, "lmo_step: decay must be finite and at least 0, got -1");
  refused({.radius = 0}, "lmo_step: radius must be finite and above 0, got 0");
  refused({.gap = 0}, "lmo_step: gap must be finite and above 0, got 0");
  refused({.decay = 1, .form = step_form::constrained},
          "lmo_step: decay must be 0 in the constrained form, which shrinks X itself, got 1");
  const auto cut = [&](std::vector<matrix_block> blocks, const char* message) {
    CHECK_THROWS_WITH_AS(step_type(rule({}), 3, 2, backend, std::move(blocks)), message,
                         std::invalid_argument);
  };
  cut({{1, 0, 3, 2}}, "lmo_step: a block must be inside 3 x 2, got 3 x 2 at (1, 0)");
  cut({{0, -1, 1, 1}}, "lmo_step: a block must be inside 3 x 2, got 1 x 1 at (0, -1)");
  cut({{0, 0, 2, 2}, {1, 0, 2, 2}}, "lmo_step: blocks must be disjoint, got 0 and 1");
}
