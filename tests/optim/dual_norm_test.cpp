/// @file  What a step says of the dual norm of its momentum, against definitions by loops.
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/elementwise_steps.hpp>
#include <fanion/optim/makers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace fanion;
using reference::facts;
using reference::table;
using real = long double;

namespace {

/// What the oracle sees in step t, in long double.
table seen_by_hand(const std::vector<table>& gradients, const momentum& rule) {
  table m = table::Zero(gradients[0].rows(), gradients[0].cols());
  const real beta = static_cast<real>(rule.beta);
  const bool ema = rule.accumulation == accumulation::ema;
  table seen = m;
  for (const table& g : gradients) {
    m = beta * m + (ema ? 1 - beta : 1) * g;
    seen = rule.lookahead == lookahead::none ? m
           : ema                             ? table(beta * m + (1 - beta) * g)
                                             : table(g + beta * m);
  }
  return seen;
}

/// Three steps; the last report against Σ n*(block), which `want` computes from facts.
template <class T, class N, class Want>
void check(const char* name, const lmo_rule<N>& rule, index_t rows, index_t cols, Want want,
           const std::vector<matrix_block>& blocks = {}, double scale = 1) {
  INFO(std::string(name));
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  eigen_backend backend;
  lmo_step<N, T, eigen_backend> step(rule, rows, cols, backend, blocks);
  matrix x = matrix::Zero(rows, cols);
  std::vector<table> exact;
  step_report report;
  for (std::uint64_t t = 0; t < 3; ++t) {
    const matrix g = (scale * matrices::gaussian(rows, cols, 40 + t)).template cast<T>();
    exact.push_back(reference::widen(g));
    report = step.step(matrix_adapter<matrix>::view(x), matrix_adapter<matrix>::view(g), 0.1);
  }
  const table seen = seen_by_hand(exact, rule.options.momentum);
  real total = 0;
  for (const matrix_block& b :
       blocks.empty() ? std::vector<matrix_block>{{0, 0, rows, cols}} : blocks)
    total += want(reference::facts_of(seen.block(b.row, b.col, b.rows, b.cols)));
  const double exactly = static_cast<double>(total);
  // Sums over 64 values, each rounded in T a few times, and momentum of three steps.
  const double rounding = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(report.dual_norm >= 0.95 * exactly);  // the solvers were asked for a hundredth
  CHECK(report.dual_norm <= exactly * (1 + rounding));
  CHECK(report.dual_norm >= exactly * (1 - report.gap - rounding));
}

template <class T>
void check_family(index_t rows, index_t cols, const lmo_options& o) {
  check<T>("muon", muon(o), rows, cols, reference::nuclear);
  check<T>("neon", neon(o), rows, cols, reference::spectral);
  check<T>("nsgd", nsgd(o), rows, cols, reference::frobenius);
  check<T>("sign", sign_sgd(o), rows, cols, reference::sum_abs);
  check<T>("fanion-2", fanion_k(2, o), rows, cols,
           [](const facts& f) { return reference::leading_sum(f, 2); });
  check<T>("f-muon", f_muon(0.25, o), rows, cols, [](const facts& f) {
    return 0.25L * reference::nuclear(f) + 0.75L * reference::frobenius(f);
  });
  check<T>("s-fanion-2", s_fanion_k(2, 0.5, 0.125, o), rows, cols, [](const facts& f) {
    return 0.5L * reference::leading_sum(f, 2) + 0.0625L * reference::sum_abs(f);
  });
}

}  // namespace

TEST_CASE("the dual norm of what the oracle saw, for every momentum and shape") {
  for (const auto& s :
       std::vector<matrices::shape>{{1, 1}, {1, 6}, {6, 1}, {7, 4}, {4, 7}, {70, 66}})
    for (const auto form : {accumulation::ema, accumulation::heavy_ball})
      for (const auto ahead : {lookahead::none, lookahead::nesterov}) {
        if (s.rows == 70 && form == accumulation::heavy_ball) continue;
        const lmo_options o{.momentum = {0.75, form, ahead}, .gap = 1e-2};
        check_family<double>(s.rows, s.cols, o);
        check_family<float>(s.rows, s.cols, o);
      }
}

TEST_CASE("blocks add up, and neither rate, radius, penalty nor scaling takes part") {
  const std::vector<matrix_block> thirds{{0, 0, 3, 5}, {3, 0, 3, 5}, {6, 0, 3, 5}};
  check<double>("blocks", muon(), 9, 5, reference::nuclear, thirds);
  check<float>("some blocks", muon({.scaling = shape_scaling::rms}), 9, 5, reference::nuclear,
               {{0, 0, 2, 2}, {4, 1, 5, 4}});
  check<double>("radius", muon({.form = step_form::constrained, .radius = 7}), 6, 4,
                reference::nuclear);
  check<double>("penalty", steepest(spectral(), 3), 6, 4, reference::nuclear);
}

TEST_CASE("it scales with the gradient") {
  for (const double scale : {1e30, 1e-30})
    check<float>(
        "float", f_muon(0.5), 6, 4,
        [](const facts& f) {
          return 0.5L * reference::nuclear(f) + 0.5L * reference::frobenius(f);
        },
        {}, scale);
}

TEST_CASE("an answer that leaves its ball counts for no more than one inside") {
  using matrix = Eigen::MatrixXd;
  eigen_backend backend;
  bool left = false;
  for (const auto& kind : matrices::hard_kinds())
    for (const double gap : {0.3, 0.1, 0.03}) {
      const matrix g = kind.make(70, 66);
      matrix x = matrix::Zero(70, 66), d = x;
      const lmo_options o{.momentum = {.beta = 0}, .gap = gap};
      lmo_step<spectral, double, eigen_backend> step(muon(o), 70, 66, backend);
      const step_report report =
          step.step(matrix_adapter<matrix>::view(x), matrix_adapter<matrix>::view(g), 1);
      const double exactly = static_cast<double>(reference::nuclear(reference::quick_facts_of(g)));
      CHECK(report.dual_norm <= exactly * (1 + 1e-13));
      left = left || -(g.array() * x.array()).sum() > exactly * (1 + 1e-6);
    }
  CHECK(left);  // or the case shows nothing
}

TEST_CASE("zero, skipped and overflowed steps, and rules without an oracle") {
  using matrix = Eigen::MatrixXf;
  eigen_backend backend;
  const auto view = [](matrix& m) { return matrix_adapter<matrix>::view(m); };
  const auto seen = [](const matrix& m) { return matrix_adapter<matrix>::view(m); };
  matrix x = matrix::Ones(3, 4), g = matrix::Zero(3, 4);
  lmo_step<spectral, float, eigen_backend> step(muon(), 3, 4, backend);
  CHECK(step.step(view(x), seen(g), 0.1).dual_norm == 0);
  g(1, 1) = std::numeric_limits<float>::quiet_NaN();
  const step_report skipped = step.step(view(x), seen(g), 0.1);
  CHECK(skipped.skipped);
  CHECK(skipped.dual_norm == 0);

  elementwise_step<adamw, float, eigen_backend> other(adamw{}, 3, 4, backend);
  g.setOnes();
  CHECK(other.step(view(x), seen(g), 0.1).dual_norm == 0);

  lmo_step<spectral, float, eigen_backend> heavy(
      muon({.momentum = {0.99, accumulation::heavy_ball, lookahead::none}}), 3, 4, backend);
  g.setConstant(8e37f);
  step_report last;
  for (int t = 0; t < 6; ++t) last = heavy.step(view(x), seen(g), 0.1);
  CHECK(last.outcome == outcome::non_finite);
  CHECK(std::isnan(last.dual_norm));
}
