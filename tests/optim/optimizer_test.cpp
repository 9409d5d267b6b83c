/// @file  A whole model under one step: threads, reports, changes of mind, and a loss that falls.
#include <support/matrices.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>
#include <fanion/optim/schedule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace fanion;
using matrix = Eigen::MatrixXf;

namespace {

/// Weights and gradients of a small model; one is large enough for an iterative solver.
struct model {
  std::vector<matrix> weights, gradients;
  model() {
    for (const auto& [m, n] :
         {std::pair(6, 4), std::pair(6, 1), std::pair(90, 70), std::pair(4, 9)}) {
      weights.push_back(matrices::gaussian(m, n, 1).cast<float>());
      gradients.push_back(matrix::Zero(m, n));
    }
  }
  void fill(std::uint64_t t) {
    for (std::size_t i = 0; i < gradients.size(); ++i)
      gradients[i] = matrices::gaussian(gradients[i].rows(), gradients[i].cols(), 50 + 10 * t + i)
                         .cast<float>();
  }
  parameter<float> at(std::size_t i) {
    return make_parameter("p" + std::to_string(i), weights[i], gradients[i]);
  }
  void add_to(optimizer<float>& opt) {
    for (std::size_t i = 0; i < weights.size(); ++i) opt.add(at(i));
  }
};

}  // namespace

namespace {

/// Counts what is allocated.
struct counting_backend : eigen_backend {
  static inline long made = 0;
  template <Real T>
  [[nodiscard]] auto make_workspace(index_t count) const {
    ++made;
    return eigen_backend::make_workspace<T>(count);
  }
};

}  // namespace

TEST_CASE("a state is made when its parameter is added, and once more at most") {
  const auto made_with = [](std::size_t count, bool step) {
    std::vector<matrix> weights, gradients;
    for (std::size_t i = 0; i < count; ++i) {
      weights.push_back(matrix::Ones(3, static_cast<index_t>(2 + i)));
      gradients.push_back(weights.back());
    }
    counting_backend::made = 0;
    optimizer<float, counting_backend> opt(nsgd(), adamw{}, 2);
    for (std::size_t i = 0; i < count; ++i)
      opt.add(make_parameter("p" + std::to_string(i), weights[i], gradients[i]));
    if (step) CHECK(opt.step(0.1).parameters.size() == count);
    return counting_backend::made;
  };
  const long each = made_with(1, false);
  CHECK(each > 0);
  CHECK(made_with(30, false) == 30 * each);
  CHECK(made_with(30, true) <= 60 * each);
}

TEST_CASE("any number of threads gives the same bits") {
  const auto trained = [](index_t threads) {
    model net;
    optimizer<float> opt(f_fanion_k(2, 0.5, {.decay = 0.1}), adamw{}, threads);
    net.add_to(opt);
    for (std::uint64_t t = 0; t < 5; ++t) {
      net.fill(t);
      opt.step(0.05);
    }
    return net.weights;
  };
  const auto one = trained(1);
  CHECK(trained(1) == one);
  CHECK(trained(2) == one);
  CHECK(trained(3) == one);
  CHECK(trained(9) == one);
  CHECK_THROWS_WITH_AS(trained(0), "optimizer: threads must be at least 1, got 0",
                       std::invalid_argument);
}

TEST_CASE("parameters added after the first step") {
  model net, twin;
  optimizer<float> opt(muon(), adamw{}, 2), other(muon(), adamw{}, 1);
  net.fill(0);
  twin.fill(0);
  for (const std::size_t i : {0u, 1u}) {
    opt.add(net.at(i));
    other.add(twin.at(i));
  }
  opt.step(0.1);
  other.step(0.1);
  for (const std::size_t i : {2u, 3u}) {  // the largest comes late: what has moved stays as it is
    opt.add(net.at(i));
    other.add(twin.at(i));
  }
  opt.step(0.1);
  other.step(0.1);
  CHECK(net.weights == twin.weights);
}

TEST_CASE("a non-finite gradient is reported by name, and the others move") {
  for (const index_t threads : {1, 2}) {
    model net;
    optimizer<float> opt(muon(), adamw{}, threads);
    net.add_to(opt);
    net.fill(0);
    net.gradients[0](1, 1) = std::numeric_limits<float>::quiet_NaN();
    net.gradients[1](2, 0) = -std::numeric_limits<float>::infinity();
    const auto before = net.weights;
    const optimizer_report& report = opt.step(0.1);
    CHECK(report.skipped == std::vector<std::string>{"p0", "p1"});
    CHECK(report.parameters.size() == 4);
    CHECK(report.parameters[1].skipped);
    CHECK_FALSE(report.parameters[2].skipped);
    CHECK(net.weights[0] == before[0]);
    CHECK(net.weights[1] == before[1]);
    CHECK(net.weights[2] != before[2]);
    CHECK(net.weights[3] != before[3]);
    net.fill(1);
    CHECK(opt.step(0.1).skipped.empty());
  }
}

TEST_CASE("misuse names the parameter") {
  model net;
  for (const index_t threads : {1, 2}) {
    optimizer<float> opt(muon({.form = step_form::constrained}), adamw{}, threads);
    net.add_to(opt);
    net.fill(0);
    CHECK_THROWS_WITH_AS(
        opt.step(1.5),
        doctest::Contains("step: rate of the constrained form must be between 0 and 1, got 1.5"),
        std::invalid_argument);
    try {
      opt.step(1.5);
    } catch (const std::invalid_argument& e) {
      CHECK(std::string(e.what()).starts_with("parameter p"));
    }
    CHECK_THROWS_WITH_AS(opt.step(-1), "optimizer: rate must be finite and at least 0, got -1",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(opt.set_rule("q", muon()),
                         "optimizer: parameter name must be one of p0, p1, p2, p3, got q",
                         std::invalid_argument);
  }
}

TEST_CASE("a changed rule keeps momentum and step count between oracles") {
  // β near 1 keeps the first gradient in charge of the direction after the change.
  const lmo_options o{.momentum = {.beta = 0.9, .lookahead = lookahead::none}};
  model net, twin;
  optimizer<float> opt(nsgd(o), adamw{}), whole(sign_sgd(o), adamw{});
  opt.add(net.at(0));
  whole.add(twin.at(0));
  net.fill(0);
  twin.fill(0);
  opt.step(0.1);
  whole.step(0.1);
  opt.set_rule("p0", sign_sgd(o));
  net.fill(1);
  twin.fill(1);
  const matrix a = net.weights[0], b = twin.weights[0];
  opt.step(0.1);
  whole.step(0.1);
  // Momentum, and so its sign, is the same as if the rule had been there from the start.
  CHECK((net.weights[0] - a).isApprox(twin.weights[0] - b, 1e-5f));

  // To a rule without an oracle: a new start. Lion with β₁ = 0 moves by the gradient's sign alone.
  opt.set_rule("p0", lion{.beta1 = 0});
  net.fill(2);
  const matrix c = net.weights[0];
  opt.step(0.1);
  CHECK((c - net.weights[0]).isApprox(0.1f * net.gradients[0].cwiseSign(), 1e-5f));

  // A refused rule changes nothing.
  CHECK_THROWS_AS(opt.set_rule("p0", lmo_rule<rms_to_rms>{rms_to_rms(9, 9)}),
                  std::invalid_argument);
  CHECK_NOTHROW(opt.step(0.1));
}

TEST_CASE("moved memory keeps its state, another shape starts anew") {
  model net, twin;
  optimizer<float> opt(muon(), adamw{}), stay(muon(), adamw{});
  opt.add(net.at(0));
  stay.add(twin.at(0));
  net.fill(0);
  twin.fill(0);
  opt.step(0.1);
  stay.step(0.1);
  matrix weight = net.weights[0], gradient = net.gradients[0];
  opt.set_memory(make_parameter("p0", weight, gradient));
  opt.step(0.1);
  stay.step(0.1);
  CHECK(weight == twin.weights[0]);
  CHECK(weight != net.weights[0]);

  matrix wide = matrices::gaussian(3, 8, 2).cast<float>(), wide_twin = wide;
  matrix slope = matrices::gaussian(3, 8, 3).cast<float>();
  opt.set_memory(make_parameter("p0", wide, slope));
  opt.step(0.1);
  optimizer<float> fresh(muon(), adamw{});
  fresh.add(make_parameter("p0", wide_twin, slope));
  fresh.step(0.1);
  CHECK(wide == wide_twin);
}

TEST_CASE("least squares: every kind of parameter together reaches a small loss") {
  // ½ ‖W X + b 1ᵀ - Y‖² / samples, with Y from a known W and b: the least loss is 0.
  const Eigen::Index outputs = 5, inputs = 8, samples = 64;
  const matrix x = matrices::gaussian(inputs, samples, 1).cast<float>();
  const matrix y = (matrices::gaussian(outputs, inputs, 2).cast<float>() * x).colwise() +
                   matrices::gaussian(outputs, 1, 3).cast<float>().col(0);
  const auto loss_after = [&](const optimizer<float>::rule_type& rule, double rate) {
    matrix w = matrix::Zero(outputs, inputs), b = matrix::Zero(outputs, 1), dw = w, db = b;
    optimizer<float> opt(rule, adamw{}, 2);
    opt.add(make_parameter("w", w, dw));
    opt.add(make_parameter("b", b, db, parameter_kind::bias));
    const schedule plan{.shape = decay_shape::cosine, .steps = 200, .warm_up = 5};
    float loss = 0;
    for (index_t t = 0; t <= plan.steps; ++t) {
      const matrix off = ((w * x).colwise() + b.col(0)) - y;
      loss = 0.5f * off.squaredNorm() / static_cast<float>(samples);
      dw = off * x.transpose() / static_cast<float>(samples);
      db = off.rowwise().sum() / static_cast<float>(samples);
      opt.step(rate * plan.factor(t));
    }
    return loss;
  };
  const float start = 0.5f * y.squaredNorm() / static_cast<float>(samples);
  CHECK(loss_after(muon(), 0.1) < 1e-3f * start);
  CHECK(loss_after(f_muon(0.5), 0.1) < 1e-3f * start);
  CHECK(loss_after(adamw{}, 0.1) < 1e-3f * start);
  CHECK(loss_after(muon(), 0.001) > 0.1f * start);  // too short a way: the bound above can fail
}
