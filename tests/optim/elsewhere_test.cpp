/// @file  Rules that want gradients elsewhere: one step back, one step ahead, at the top of a ball.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/extrapolation.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/sharpness.hpp>
#include <fanion/optim/variance_reduction.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;
using namespace steps;

namespace {

using norm = decltype(dual(ky_fan(2)));

template <class W>
auto view(W& w) {
  return matrix_adapter<std::remove_const_t<W>>::view(w);
}

template <class W>
auto read(const W& w) {
  return view(w);
}

/// A gradient that depends on the batch and, not linearly, on X.
template <class W>
W gradient_at(const W& x, std::uint64_t batch) {
  const columns a = matrices::gaussian(x.rows(), x.cols(), 100 + batch);
  W g(x.rows(), x.cols());
  for (Eigen::Index j = 0; j < x.cols(); ++j)
    for (Eigen::Index i = 0; i < x.rows(); ++i)
      g(i, j) = x(i, j) + static_cast<typename W::Scalar>(0.3) * x(i, j) * x(i, j) * x(i, j) +
                static_cast<typename W::Scalar>(a(i, j));
  return g;
}

table oracle(const table& m) { return -leading(m, 2); }

const lmo_options plain{.momentum = {.beta = 0.75, .lookahead = lookahead::none}, .decay = 0.5};

variance_reduced<norm> reduced(double gamma) { return {fanion_k(2, plain), gamma}; }
extrapolated<norm> ahead(std::optional<double> reach = {}) { return {fanion_k(2, plain), reach}; }
using reduced_step = variance_reduced_step<norm, double, eigen_backend>;
using ahead_step = extrapolated_step<norm, double, eigen_backend>;

template <class W, class G>
step_report iterate(reduced_step& step, W& w, std::uint64_t batch) {
  step.go_back(view(w));
  const G before = gradient_at(table(reference::widen(w)), batch).template cast<double>();
  step.come_back(view(w));
  const W here = gradient_at(table(reference::widen(w)), batch).template cast<double>();
  return step.step(view(w), read(here), read(before), 0.125);
}
template <class W>
step_report iterate(ahead_step& step, W& w, std::uint64_t batch) {
  step.look_ahead(view(w));
  const W g = gradient_at(table(reference::widen(w)), batch).template cast<double>();
  return step.step(view(w), read(g), 0.125);
}

}  // namespace

TEST_CASE("variance reduction: the published recursion, with every X kept") {
  for (const auto& shape : {std::pair(6, 4), std::pair(4, 6), std::pair(1, 5), std::pair(1, 1)})
    for (const double gamma : {0.0, 0.25, 1.0}) {
      const Eigen::Index m = shape.first, n = shape.second;
      const auto check = [&]<class W, class G>(W w, G) {
        eigen_backend backend;
        reduced_step step(reduced(gamma), m, n, backend);
        std::vector<table> x{reference::widen(w)};
        table momentum = table::Zero(m, n);
        for (std::uint64_t t = 0; t < 6; ++t) {
          iterate<W, G>(step, w, t);
          const table& now = x.back();
          const table& before = t == 0 ? now : x[x.size() - 2];
          const table g = gradient_at(now, t), h = gradient_at(before, t);
          momentum = 0.75L * momentum + 0.25L * g + static_cast<real>(gamma) * 0.75L * (g - h);
          x.push_back((1 - 0.125L * 0.5L) * now + 0.125L * oracle(momentum));
        }
        CHECK(step.steps() == 6);
        CHECK(error(reference::widen(w), x.back()) <= 1e-11);
      };
      const columns start = matrices::gaussian(m, n, 1);
      check(columns(start), columns());
      check(rows(start), rows());
      check(rows(start), columns());
    }
}

TEST_CASE("STORM without noise: the error of m shrinks by β, however far X moves") {
  eigen_backend backend;
  reduced_step step(reduced(1), 5, 4, backend);
  columns w = matrices::gaussian(5, 4, 2);
  double before = 0;
  for (int t = 0; t < 12; ++t) {
    const columns g = gradient_at(w, 0);
    iterate<columns, columns>(step, w, 0);
    const auto m = step.momentum_buffer();
    const double off = (Eigen::Map<const columns>(m.data(), 5, 4) - g).norm();
    if (t > 0) CHECK(off == doctest::Approx(0.75 * before).epsilon(1e-9));
    before = off;
  }
}

TEST_CASE("go_back shows the weights of one step back, and come_back is bit for bit") {
  eigen_backend backend;
  reduced_step step(reduced(1), 5, 4, backend);
  columns w = matrices::gaussian(5, 4, 3);
  const columns first = w;
  step.go_back(view(w));
  CHECK(w == first);
  CHECK_THROWS_WITH_AS(step.go_back(view(w)), "go_back: the weights are back already",
                       std::invalid_argument);
  const columns g = columns::Ones(5, 4);
  CHECK_THROWS_WITH_AS(step.step(view(w), read(g), read(g), 0.1), "step: come_back must come first",
                       std::invalid_argument);
  std::ostringstream out;
  archive_writer archive(out);
  CHECK_THROWS_AS(step.save(archive), std::invalid_argument);
  step.come_back(view(w));
  CHECK_THROWS_AS(step.come_back(view(w)), std::invalid_argument);
  step.step(view(w), read(g), read(g), 0.1);
  const columns second = w;
  REQUIRE(second != first);
  step.go_back(view(w));
  CHECK(w == first);
  step.come_back(view(w));
  CHECK(w == second);

  // Neither gradient may be non-finite; then nothing changes, the weights of one step back
  // included.
  columns bad = g;
  bad(2, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(step.step(view(w), read(bad), read(g), 0.1).skipped);
  CHECK(step.step(view(w), read(g), read(bad), 0.1).outcome == outcome::non_finite);
  CHECK(w == second);
  CHECK(step.steps() == 1);
  step.go_back(view(w));
  CHECK(w == first);
  step.reset();
  CHECK(step.steps() == 0);

  rows turned = second;
  reduced_step other(reduced(1), 5, 4, backend);
  other.step(view(w), read(g), read(g), 0.1);
  CHECK_THROWS_WITH_AS(other.go_back(view(turned)),
                       "step: the weight must be stored in the order of earlier steps",
                       std::invalid_argument);
  columns small = columns::Ones(4, 4);
  CHECK_THROWS_AS(other.go_back(view(small)), std::invalid_argument);
  CHECK_THROWS_WITH_AS(reduced_step(reduced(1.5), 5, 4, backend),
                       "variance_reduced: gamma must be between 0 and 1, got 1.5",
                       std::invalid_argument);
  CHECK(describe(reduced(1)) ==
        "variance_reduced, gamma 1, lmo(dual(ky_fan(2))), momentum 0.75 ema, decay 0.5, scaling "
        "none, seed 0");
}

TEST_CASE("extrapolation: the published recursion, with every X kept") {
  for (const auto& shape : {std::pair(6, 4), std::pair(4, 6), std::pair(1, 5), std::pair(1, 1)})
    for (const std::optional<double> reach : {std::optional<double>(), std::optional(0.5)}) {
      const Eigen::Index m = shape.first, n = shape.second;
      const auto check = [&]<class W>(W w) {
        eigen_backend backend;
        ahead_step step(ahead(reach), m, n, backend);
        const real c = reach ? static_cast<real>(*reach) : 3;  // 0.75 / 0.25
        std::vector<table> x{reference::widen(w)};
        table momentum = table::Zero(m, n);
        for (std::uint64_t t = 0; t < 6; ++t) {
          iterate(step, w, t);
          const table& now = x.back();
          const table& before = t == 0 ? now : x[x.size() - 2];
          momentum = 0.75L * momentum + 0.25L * gradient_at(table(now + c * (now - before)), t);
          x.push_back((1 - 0.125L * 0.5L) * now + 0.125L * oracle(momentum));
        }
        CHECK(step.steps() == 6);
        CHECK(error(reference::widen(w), x.back()) <= 1e-11);
      };
      const columns start = matrices::gaussian(m, n, 1);
      check(columns(start));
      check(rows(start));
    }
}

TEST_CASE("extrapolation: order of calls, non-finite gradients, text") {
  eigen_backend backend;
  ahead_step step(ahead(), 5, 4, backend);
  columns w = matrices::gaussian(5, 4, 3), g = columns::Ones(5, 4);
  CHECK_THROWS_WITH_AS(step.step(view(w), read(g), 0.1), "step: look_ahead must come first",
                       std::invalid_argument);
  iterate(step, w, 1);
  const columns here = w;
  step.look_ahead(view(w));
  REQUIRE(w != here);
  CHECK_THROWS_AS(step.look_ahead(view(w)), std::invalid_argument);
  std::ostringstream out;
  archive_writer archive(out);
  CHECK_THROWS_AS(step.save(archive), std::invalid_argument);
  g(0, 0) = std::numeric_limits<double>::infinity();
  const step_report report = step.step(view(w), read(g), 0.1);
  CHECK(report.skipped);
  CHECK(w == here);
  CHECK(step.steps() == 1);
  step.look_ahead(view(w));
  CHECK(w == here);
  step.reset();
  CHECK(step.steps() == 0);
  CHECK_THROWS_WITH_AS(ahead_step(ahead(-1.0), 5, 4, backend),
                       "extrapolated: reach must be finite and at least 0, got -1",
                       std::invalid_argument);
  CHECK(describe(ahead()) ==
        "extrapolated, reach 3, lmo(dual(ky_fan(2))), momentum 0.75 ema, decay 0.5, scaling none, "
        "seed 0");
}

TEST_CASE("both resume bit for bit, and refuse what is not theirs") {
  const auto saved = [](const auto& step) {
    std::ostringstream out;
    archive_writer archive(out);
    step.save(archive);
    return out.str();
  };
  const auto load = [](auto& step, const std::string& state) {
    std::istringstream in(state);
    archive_reader archive(in);
    step.load(archive);
  };
  const auto check = [&](auto make, auto move) {
    eigen_backend backend;
    auto straight = make(6, backend), first = make(6, backend), second = make(6, backend);
    columns x = matrices::gaussian(6, 4, 1), y = x;
    for (std::uint64_t t = 0; t < 6; ++t) {
      move(straight, x, t);
      if (t == 3) load(second, saved(first));
      move(t < 3 ? first : second, y, t);
    }
    CHECK(x == y);
    auto other = make(5, backend);
    CHECK_THROWS_WITH_AS(load(other, saved(second)),
                         "checkpoint: the shape must be 5 x 4, got 6 x 4", std::invalid_argument);
    const std::string good = saved(second);
    for (std::size_t length = 0; length < good.size(); length += 11)
      CHECK_THROWS_AS(load(second, good.substr(0, length)), std::invalid_argument);
  };
  check([](index_t m, eigen_backend& b) { return reduced_step(reduced(1), m, 4, b); },
        [](reduced_step& s, columns& w, std::uint64_t t) { iterate<columns, columns>(s, w, t); });
  check([](index_t m, eigen_backend& b) { return ahead_step(ahead(), m, 4, b); },
        [](ahead_step& s, columns& w, std::uint64_t t) { iterate(s, w, t); });
}

TEST_CASE("sharpness: ε is the highest point of the ball, and restore is bit for bit") {
  for (const auto& shape : {std::pair(6, 4), std::pair(4, 6), std::pair(1, 5), std::pair(1, 1)}) {
    const Eigen::Index m = shape.first, n = shape.second;
    const columns g = matrices::gaussian(m, n, 4);
    const auto d = reference::svd(reference::widen(g));
    const auto ones = [&](std::size_t k) {
      return reference::compose(d, std::vector<real>(std::min(k, d.sigma.size()), 1));
    };
    const auto check = [&]<class W, class N>(W w, const N& ball, const table& want) {
      eigen_backend backend;
      sharpness_probe<N, double, eigen_backend> probe(ball, {.rho = 0.25, .gap = 1e-14}, m, n,
                                                      backend);
      const W start = w;
      for (int t = 0; t < 2; ++t) {
        const lmo_report report = probe.perturb(view(w), view(g));
        CHECK(report.gap() <= 1e-12);
        const table moved = reference::widen(w) - reference::widen(start);
        CHECK(static_cast<double>((moved - 0.25L * want).cwiseAbs().maxCoeff()) <= 1e-13);
        CHECK_THROWS_WITH_AS(probe.perturb(view(w), view(g)), "perturb: restore must come first",
                             std::invalid_argument);
        probe.restore(view(w));
        CHECK(w == start);
        CHECK_THROWS_AS(probe.restore(view(w)), std::invalid_argument);
      }
    };
    const columns start = matrices::gaussian(m, n, 9);
    check(columns(start), nuclear(), ones(1));
    check(rows(start), nuclear(), ones(1));
    check(columns(start), dual(ky_fan(2)), ones(2));
    check(rows(start), spectral(), ones(99));
    check(columns(start), frobenius(), reference::widen(columns(g / g.norm())));
    check(rows(start), max_abs(), reference::widen(columns(g.cwiseSign())));
  }
}

TEST_CASE("sharpness: edges, checkpoints and misuse") {
  using single = Eigen::MatrixXf;
  eigen_backend backend;
  sharpness_probe<nuclear, float, eigen_backend> probe(nuclear(), {}, 5, 4, backend);
  single w = single::Ones(5, 4), g = single::Zero(5, 4);
  CHECK(probe.perturb(view(w), read(g)).outcome == outcome::zero_input);
  CHECK(w == single::Ones(5, 4));
  probe.restore(view(w));
  g(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK(probe.perturb(view(w), read(g)).outcome == outcome::non_finite);
  CHECK(w == single::Ones(5, 4));
  probe.restore(view(w));
  for (const float scale : {1e30f, 1e-30f}) {
    g = scale * matrices::gaussian(5, 4, 2).cast<float>();
    probe.perturb(view(w), read(g));
    CHECK((w - single::Ones(5, 4)).norm() == doctest::Approx(0.05).epsilon(1e-4));
    probe.restore(view(w));
  }

  const single tall = single::Ones(4, 4);
  CHECK_THROWS_AS(probe.perturb(view(w), view(tall)), std::invalid_argument);
  CHECK_THROWS_AS(probe.perturb(view(w), read(w)), std::invalid_argument);
  single small = tall;
  CHECK_THROWS_AS(probe.perturb(view(small), view(tall)), std::invalid_argument);
  CHECK(w == single::Ones(5, 4));
  CHECK_THROWS_WITH_AS(
      (sharpness_probe<nuclear, float, eigen_backend>(nuclear(), {.rho = -1}, 5, 4, backend)),
      "sharpness: rho must be finite and at least 0, got -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(
      (sharpness_probe<nuclear, float, eigen_backend>(nuclear(), {.gap = 0}, 5, 4, backend)),
      "sharpness: gap must be finite and above 0, got 0", std::invalid_argument);

  // Large enough for a solver that remembers a subspace.
  sharpness_probe<nuclear, double, eigen_backend> first(nuclear(), {}, 96, 80, backend),
      second(nuclear(), {}, 96, 80, backend), third(nuclear(), {}, 96, 80, backend);
  columns x = columns::Zero(96, 80), y = x;
  const columns a = 5 * matrices::gaussian(96, 3, 5) * matrices::gaussian(3, 80, 6) +
                    matrices::gaussian(96, 80, 7);
  for (int t = 0; t < 3; ++t) {
    first.perturb(view(x), view(a));
    first.restore(view(x));
  }
  std::ostringstream out;
  archive_writer archive(out);
  first.save(archive);
  std::istringstream in(out.str());
  archive_reader reader(in);
  second.load(reader);
  first.perturb(view(x), view(a));
  second.perturb(view(y), view(a));
  CHECK(x == y);
  first.restore(view(x));
  first.reset();
  first.perturb(view(x), view(a));
  third.perturb(view(y = columns::Zero(96, 80)), view(a));
  CHECK(x == y);
  std::istringstream damaged(out.str().substr(0, 40));
  archive_reader cut(damaged);
  CHECK_THROWS_AS(third.load(cut), std::invalid_argument);
}
