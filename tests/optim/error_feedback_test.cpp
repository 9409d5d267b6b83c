/// @file  Error feedback against its definition in long double, and what it promises: nothing is
/// lost.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/owl.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/error_feedback.hpp>
#include <fanion/optim/makers.hpp>
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
using step_of = error_feedback_step<N, T, eigen_backend>;

/// Σ_{i<=k} σᵢuᵢvᵢᵀ.
table best_of_rank(const table& m, std::size_t k) {
  const auto d = reference::svd(m);
  std::vector<real> s(d.sigma.begin(),
                      d.sigma.begin() + static_cast<std::ptrdiff_t>(std::min(k, d.sigma.size())));
  return reference::compose(d, s);
}
table direction(const table& m) { return m / std::sqrt(reference::dot(m, m)); }

/// Six steps with D by `oracle` and T by `sent`, one block after another.
template <class W, class G, class N, class Oracle, class Sent>
void check_against_hand(Eigen::Index m, Eigen::Index n, const N& norm, const feedback_options& o,
                        Oracle oracle, Sent sent, std::vector<matrix_block> blocks = {}) {
  eigen_backend backend;
  step_of<N> step(error_feedback(norm, o), m, n, backend, blocks);
  if (blocks.empty()) blocks.push_back({0, 0, m, n});
  W x = matrices::gaussian(m, n, 11);
  table want = reference::widen(x), e = table::Zero(m, n);
  const real mu = static_cast<real>(o.mu), decay = static_cast<real>(o.decay);
  for (std::uint64_t t = 0; t < 6; ++t) {
    const G g = matrices::gaussian(m, n, 20 + t);
    const step_report report = take(step, x, g, 0.1);
    CHECK_FALSE(report.skipped);
    CHECK(report.gap <= 1e-12);
    const table wide = reference::widen(g);
    for (const auto& b : blocks) {
      const table sum =
          e.block(b.row, b.col, b.rows, b.cols) + wide.block(b.row, b.col, b.rows, b.cols);
      const real s = o.scaling == shape_scaling::rms
                         ? std::sqrt(static_cast<real>(b.rows) / static_cast<real>(b.cols))
                         : 1;
      auto window = want.block(b.row, b.col, b.rows, b.cols);
      window = (1 - 0.1L * decay) * window - 0.1L * s * oracle(sum);
      e.block(b.row, b.col, b.rows, b.cols) = sum - (1 - mu) * sent(sum);
    }
  }
  CHECK(step.steps() == 6);
  // As lmo_step's own test: six small decompositions over the gaps of Gaussian spectra.
  CHECK(error(reference::widen(x), want) <= 1e-11);
}

/// The largest entry of E beside that of g.
template <class S>
double left_over(const S& step, const columns& g) {
  const auto e = step.residual();
  return Eigen::Map<const columns>(e.data(), e.rows(), e.cols()).cwiseAbs().maxCoeff() /
         g.cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("the projection sends the best answer of rank k") {
  const auto top2 = [](const table& m) { return leading(m, 2); };
  const auto sent2 = [](const table& m) { return best_of_rank(m, 2); };
  for (const auto& [m, n] : {std::pair(7, 4), std::pair(4, 7), std::pair(5, 5), std::pair(1, 6),
                             std::pair(6, 1), std::pair(1, 1)}) {
    const auto norm = dual(ky_fan(2));
    const feedback_options o{.mu = 0.5, .decay = 0.5, .scaling = shape_scaling::rms};
    check_against_hand<columns, columns>(m, n, norm, o, top2, sent2);
    check_against_hand<rows, rows>(m, n, norm, o, top2, sent2);
    check_against_hand<rows, columns>(m, n, norm, {}, top2, sent2);
    check_against_hand<columns, rows>(m, n, norm, {}, top2, sent2);
    check_against_hand<columns, columns>(
        m, n, nuclear(), {}, [](const table& x) { return leading(x, 1); },
        [](const table& x) { return best_of_rank(x, 1); });
    check_against_hand<columns, columns>(
        m, n, spectral(), {.mu = 0.5}, [](const table& x) { return leading(x, 99); },
        [](const table& x) { return x; });
  }
  check_against_hand<columns, rows>(9, 5, dual(ky_fan(2)), {.scaling = shape_scaling::rms}, top2,
                                    sent2, split_qkv(9, 5));
  check_against_hand<rows, columns>(9, 5, dual(ky_fan(2)), {.mu = 0.25}, top2, sent2,
                                    {{0, 0, 4, 2}, {4, 0, 5, 2}, {0, 2, 9, 3}});
}

TEST_CASE("the multiple sends the nearest one, under any norm") {
  const auto nearest = [](auto oracle) {
    return [oracle](const table& m) {
      const table d = oracle(m);
      return table(reference::dot(m, d) / reference::dot(d, d) * d);
    };
  };
  const auto check = [&]<class N>(const N& norm, auto oracle) {
    const feedback_options o{.mu = 0.25, .sent = transmission::multiple};
    for (const auto& [m, n] : {std::pair(7, 4), std::pair(4, 7), std::pair(1, 6)}) {
      check_against_hand<columns, columns>(m, n, norm, o, oracle, nearest(oracle));
      check_against_hand<rows, columns>(m, n, norm, o, oracle, nearest(oracle));
    }
    check_against_hand<columns, rows>(9, 5, norm, o, oracle, nearest(oracle), split_qkv(9, 5));
  };
  check(dual(ky_fan(2)), [](const table& m) { return leading(m, 2); });
  check(spectral(), [](const table& m) { return leading(m, 99); });
  check(max_abs(), [](const table& m) { return signs(m); });
  check(frobenius(), [](const table& m) { return direction(m); });
  check(dual(0.5 * ky_fan(2) + 0.5 * frobenius()),
        [](const table& m) { return table(0.5L * leading(m, 2) + 0.5L * direction(m)); });
}

TEST_CASE("one gradient is sent in ceil(rank/k) steps, and not before") {
  const auto sent_after = [](index_t rank, index_t k, auto weight) {
    const columns g =
        matrices::with_spectrum(9, 7, [&](auto i) { return i < rank ? weight(i) : 0; });
    eigen_backend backend;
    step_of<decltype(dual(ky_fan(1)))> step(error_feedback(dual(ky_fan(k))), 9, 7, backend);
    columns x = columns::Zero(9, 7);
    const columns none = columns::Zero(9, 7);
    for (int t = 0; t < 10; ++t) {
      take(step, x, t == 0 ? g : none, 1);
      if (left_over(step, g) <= 1e-13) return t + 1;
    }
    return 99;
  };
  for (const index_t rank : {1, 4, 5, 7})
    for (const index_t k : {1, 2, 3, 7}) {
      const auto want = static_cast<int>((rank + k - 1) / k);
      CHECK(sent_after(rank, k, [](auto i) { return std::pow(0.8, i); }) == want);
      CHECK(sent_after(rank, k, [](auto) { return 1.0; }) == want);
    }
}

TEST_CASE("a gradient that stays: E is bounded, so the mean of what is sent goes to it") {
  const index_t k = 2;
  const columns g = matrices::with_spectrum(8, 6, [](auto i) { return std::pow(0.7, i); });
  eigen_backend backend;
  step_of<decltype(dual(ky_fan(k)))> step(error_feedback(dual(ky_fan(k))), 8, 6, backend);
  columns x = columns::Zero(8, 6);
  // ‖E‖ <= q (‖E‖ + ‖G‖) with q² = 1 - k/r, since the k leading directions hold their share.
  const double q = std::sqrt(1 - 2.0 / 6), most = q / (1 - q) * g.norm();
  double largest = 0;
  for (int t = 0; t < 60; ++t) {
    take(step, x, g, 1);
    const auto e = step.residual();
    largest = std::max(largest, Eigen::Map<const columns>(e.data(), 8, 6).norm());
  }
  CHECK(largest <= most * (1 + 1e-12));
  CHECK(largest > 0.1 * g.norm());
  // Every direction of the gradient has had its turn.
  const auto d = reference::svd(reference::widen(g));
  const table moved = reference::product(
      reference::product(reference::transposed(d.u), reference::widen(columns(-x))), d.v);
  for (Eigen::Index i = 0; i < 6; ++i) CHECK(moved(i, i) >= 1);
}

TEST_CASE("where D has full rank E is heavy ball") {
  eigen_backend backend;
  step_of<spectral> step(error_feedback(spectral(), {.mu = 0.75}), 6, 4, backend);
  lmo_step<spectral, double, eigen_backend> ball(
      muon({.momentum = {0.75, accumulation::heavy_ball, lookahead::none}}), 6, 4, backend);
  columns x = columns::Zero(6, 4), y = x;
  for (std::uint64_t t = 0; t < 5; ++t) {
    const columns g = matrices::gaussian(6, 4, 30 + t);
    take(step, x, g, 0.1);
    take(ball, y, g, 0.1);
  }
  CHECK((x - y).cwiseAbs().maxCoeff() <= 1e-13 * y.cwiseAbs().maxCoeff());
}

TEST_CASE("zero, non-finite and extreme gradients") {
  using single = Eigen::MatrixXf;
  using norm = decltype(dual(ky_fan(2)));
  eigen_backend backend;
  for (const auto sent : {transmission::projection, transmission::multiple}) {
    const auto rule = error_feedback(dual(ky_fan(2)), {.decay = 0.5, .sent = sent});
    step_of<norm, float> step(rule, 5, 4, backend), twin(rule, 5, 4, backend);
    single x = single::Ones(5, 4);
    CHECK(take(step, x, single(single::Zero(5, 4)), 0.5).outcome == outcome::zero_input);
    CHECK(x == single::Constant(5, 4, 0.75f));
    step.reset();
    CHECK(step.steps() == 0);

    single y = x;
    const single g = matrices::gaussian(5, 4, 2).cast<float>();
    take(step, x, g, 0.1);
    take(twin, y, g, 0.1);
    single spoiled = g;
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      spoiled(3, 2) = bad;
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
      step_of<norm, float> fresh(rule, 5, 4, backend);
      single z = single::Zero(5, 4);
      for (std::uint64_t t = 0; t < 4; ++t)
        take(fresh, z, single(scale * matrices::gaussian(5, 4, 60 + t).cast<float>()), 0.1);
      return z;
    };
    CHECK(end(0x1p90f) == end(1));
    CHECK((end(1e30f) - end(1)).cwiseAbs().maxCoeff() <= 1e-4f);
    CHECK((end(1e-30f) - end(1)).cwiseAbs().maxCoeff() <= 1e-4f);
  }
}

TEST_CASE("a rule for an optimizer: text, and checkpoints that resume bit for bit") {
  using rule_type = optimizer<double>::rule_type;
  const auto rule = error_feedback(dual(ky_fan(2)), {.mu = 0.5, .seed = 7});
  CHECK(rule_type(rule).text() ==
        "error_feedback(dual(ky_fan(2))), mu 0.5, decay 0, scaling none, projection, seed 7");
  CHECK(rule_type(error_feedback(max_abs(), {.sent = transmission::multiple, .gap = 0.5})).text() ==
        "error_feedback(max_abs()), mu 0, decay 0, scaling none, multiple, gap 0.5, seed 0");
  CHECK(rule_type(rule).has_oracle());

  // Large enough for a solver that remembers a subspace.
  check_resume(
      rule, 6, 3, 997,
      [](std::uint64_t t) -> columns {
        return 5 * matrices::gaussian(96, 3, 5) * matrices::gaussian(3, 80, 6) +
               matrices::gaussian(96, 80, 100 + t);
      },
      [](optimizer<double>& opt, columns& w, columns& slope) {
        opt.add(make_parameter("w", w, slope));
      });
  columns y = matrices::gaussian(6, 5, 1), h = y;
  optimizer<double> second(rule, adamw{});
  second.add(make_parameter("w", y, h));
  optimizer<double> other(error_feedback(dual(ky_fan(3))), adamw{});
  other.add(make_parameter("w", y, h));
  CHECK_THROWS_WITH_AS(restore(second, saved(other)), doctest::Contains("expected rule error_"),
                       std::invalid_argument);
}

TEST_CASE("misuse names what is wrong") {
  CHECK_THROWS_WITH_AS((void)error_feedback(nuclear(), {.mu = 1}),
                       "error_feedback: mu must be at least 0 and below 1, got 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)error_feedback(nuclear(), {.decay = -1}),
                       "error_feedback: decay must be finite and at least 0, got -1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)error_feedback(nuclear(), {.gap = 0}),
                       "error_feedback: gap must be finite and above 0, got 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)error_feedback(max_abs()),
                       "error_feedback: sent must be a multiple for a norm with terms that are not "
                       "spectral, got a projection",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)error_feedback(dual(0.5 * ky_fan(2) + 0.5 * frobenius())),
                  std::invalid_argument);
  eigen_backend backend;
  step_of<nuclear> step(error_feedback(nuclear()), 3, 2, backend);
  columns x = columns::Ones(3, 2), g = x, other = columns::Ones(2, 3);
  CHECK_THROWS_AS(take(step, x, other, 0.1), std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, g, -0.5), std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, x, 0.1), std::invalid_argument);
  CHECK(x == columns::Ones(3, 2));
  CHECK(step.steps() == 0);
}
