/// @file  How long a step is: Gluon's radius and Scion's layers, by hand in long double.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>
#include <fanion/optim/scion.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

using namespace fanion;
using namespace steps;

namespace {

real ky_fan_of(const table& m, std::size_t k) {
  const auto s = reference::svd(m).sigma;
  return std::accumulate(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(std::min(k, s.size())),
                         real(0));
}

/// Five steps of m <- βm + (1-β)g, then `move(x, m)`.
template <class W, class N, class Move>
void check_against_hand(Eigen::Index m, Eigen::Index n, const lmo_rule<N>& rule, double scale,
                        Move move) {
  eigen_backend backend;
  lmo_step<N, double, eigen_backend> step(rule, m, n, backend);
  W x = matrices::gaussian(m, n, 11);
  table want = reference::widen(x), momentum = table::Zero(m, n);
  const real beta = static_cast<real>(rule.options.momentum.beta);
  for (std::uint64_t t = 0; t < 5; ++t) {
    const W g = scale * matrices::gaussian(m, n, 20 + t);
    step.step(matrix_adapter<W>::view(x), matrix_adapter<W>::view(g), 0.125);
    momentum = beta * momentum + (1 - beta) * reference::widen(g);
    want = move(want, momentum);
  }
  CHECK(static_cast<double>((reference::widen(x) - want).cwiseAbs().maxCoeff() /
                            want.cwiseAbs().maxCoeff()) <= 1e-12);
}

constexpr momentum plain{.beta = 0.5, .lookahead = lookahead::none};

}  // namespace

TEST_CASE("gluon: the radius is the dual norm over L0 + L1 times it") {
  for (const auto& shape : {std::pair(7, 4), std::pair(4, 7), std::pair(1, 6), std::pair(1, 1)})
    for (const double scale : {1e-3, 1.0, 1e3}) {
      const Eigen::Index m = shape.first, n = shape.second;
      const real l0 = 2, l1 = 0.5L;
      const auto radius = [&](real size) { return size / (l0 + l1 * size); };
      const auto check = [&](const auto& norm, auto size, auto direction) {
        const auto move = [&](const table& x, const table& g) {
          return table((1 - 0.125L * 0.5L) * x - 0.125L * radius(size(g)) * direction(g));
        };
        const auto rule = gluon(norm, 2, 0.5, {.momentum = plain, .decay = 0.5, .gap = 1e-14});
        check_against_hand<columns>(m, n, rule, scale, move);
        check_against_hand<rows>(m, n, rule, scale, move);
      };
      check(
          spectral(), [](const table& g) { return ky_fan_of(g, 99); },
          [](const table& g) { return leading(g, 99); });
      check(
          dual(ky_fan(2)), [](const table& g) { return ky_fan_of(g, 2); },
          [](const table& g) { return leading(g, 2); });
      check(frobenius(), length_of, [](const table& g) { return table(g / length_of(g)); });
      check(
          dual(0.5 * ky_fan(2) + 0.25 * sum_abs()),
          [](const table& g) { return 0.5L * ky_fan_of(g, 2) + 0.25L * g.cwiseAbs().sum(); },
          [](const table& g) { return table(0.5L * leading(g, 2) + 0.25L * signs(g)); });
    }
}

TEST_CASE("gluon: L1 = 0 is steepest descent of penalty L0/2, and a huge gradient goes 1/L1") {
  eigen_backend backend;
  const columns g = matrices::gaussian(5, 4, 3);
  const auto moved = [&](const auto& rule, const columns& gradient) {
    lmo_step<std::remove_cvref_t<decltype(rule.norm)>, double, eigen_backend> step(rule, 5, 4,
                                                                                   backend);
    columns x = columns::Zero(5, 4);
    step.step(matrix_adapter<columns>::view(x), matrix_adapter<columns>::view(gradient), 1);
    return x;
  };
  CHECK(moved(gluon(frobenius(), 3, 0), g) == moved(steepest(frobenius(), 1.5), g));
  CHECK(moved(gluon(frobenius(), 3, 4), columns(1e200 * g)).norm() ==
        doctest::Approx(0.25).epsilon(1e-14));
  CHECK(moved(gluon(spectral(), 3, 4), columns(columns::Zero(5, 4))) == columns::Zero(5, 4));
  CHECK(optimizer<double>::rule_type(gluon(nuclear(), 3, 4)).text() ==
        "lmo(nuclear()), momentum 0.95 ema nesterov, decay 0, scaling none, smooth with L0 3, L1 4,"
        " seed 0");
  CHECK_THROWS_WITH_AS((void)gluon(nuclear(), 0, 1),
                       "lmo_step: l0 must be finite and above 0, got 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)gluon(nuclear(), 1, -1),
                       "lmo_step: l1 must be finite and at least 0, got -1", std::invalid_argument);
}

TEST_CASE("scion: each layer's answer and both forms") {
  const real rate = 0.125L;
  const scion_options closed{.alpha = 0.25},
      open{.alpha = 0.25, .form = step_form::unconstrained, .decay = 0.5};
  const auto check = [&](Eigen::Index m, Eigen::Index n, const auto& constrained, const auto& free,
                         auto answer) {
    // Muon's answer has a gap of 1e-3 by default.
    auto tight = constrained;
    auto loose = free;
    tight.options.gap = loose.options.gap = 1e-14;
    CHECK(tight.options.momentum.beta == 0.75);
    check_against_hand<columns>(m, n, tight, 1, [&](const table& x, const table& g) {
      return table((1 - rate) * x - rate * answer(g));
    });
    check_against_hand<rows>(m, n, loose, 1, [&](const table& x, const table& g) {
      return table((1 - rate * 0.5L) * x - rate * answer(g));
    });
  };
  for (const auto& shape : {std::pair(7, 4), std::pair(4, 7), std::pair(1, 6), std::pair(6, 1)}) {
    const Eigen::Index m = shape.first, n = shape.second;
    const real rows_of = m, columns_of = n;
    check(m, n, scion_hidden(3, closed), scion_hidden(3, open), [&](const table& g) {
      return table(3 * std::sqrt(rows_of / columns_of) * leading(g, 99));
    });
    check(m, n, scion_head(60, n, closed), scion_head(60, n, open),
          [&](const table& g) { return table(60 / columns_of * signs(g)); });
    check(m, n, scion_embedding(2, m, closed), scion_embedding(2, m, open), [&](const table& g) {
      table d = g;
      for (Eigen::Index j = 0; j < n; ++j) d.col(j) *= 2 * std::sqrt(rows_of) / length_of(g.col(j));
      return d;
    });
    check(m, n, scion_rows(2, n, closed), scion_rows(2, n, open), [&](const table& g) {
      table d = g;
      for (Eigen::Index i = 0; i < m; ++i)
        d.row(i) *= 2 / (std::sqrt(columns_of) * length_of(g.row(i)));
      return d;
    });
    check(m, 1, scion_bias(5, closed), scion_bias(5, open),
          [&](const table& g) { return table(5 * g / (length_of(g) / std::sqrt(rows_of))); });
  }
}

TEST_CASE("scion: the constrained form keeps a layer in its ball; misuse names what is wrong") {
  eigen_backend backend;
  const auto rule = scion_hidden(3);
  lmo_step<std::remove_const_t<decltype(rule.norm)>, double, eigen_backend> step(rule, 6, 4,
                                                                                 backend);
  columns x = columns::Zero(6, 4);
  for (std::uint64_t t = 0; t < 30; ++t) {
    const columns g = x - 100 * matrices::gaussian(6, 4, 5);
    step.step(matrix_adapter<columns>::view(x), matrix_adapter<columns>::view(g), 0.25);
    CHECK(ky_fan_of(reference::widen(x), 1) <= 3 * std::sqrt(1.5L) * (1 + 1e-14L));
  }
  CHECK(ky_fan_of(reference::widen(x), 1) >= 3 * std::sqrt(1.5L) * 0.99L);
  CHECK_THROWS_WITH_AS((void)scion_hidden(0), "scion: radius must be finite and above 0, got 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)scion_head(1, 0), "scion: inputs must be at least 1, got 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)scion_bias(1, {.alpha = 0}),
                       "scion: alpha must be above 0 and at most 1, got 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)scion_bias(1, {.form = step_form::sharp}),
                       "scion: form must be constrained or unconstrained, got another",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)scion_bias(1, {.decay = 1}), std::invalid_argument);
}
