/// @file  What the first screen of README.md shows, in a setting where it has to work.
#include <doctest/doctest.h>

#include "support/matrices.hpp"

#include <fanion/eigen.hpp>

using namespace fanion;

TEST_CASE("an optimizer in five lines: fit y = W x + b") {
  const index_t outputs = 70, inputs = 90, samples = 200, steps = 100;
  const auto gaussian = [](index_t m, index_t n, std::uint64_t seed) {
    return Eigen::MatrixXf(matrices::gaussian(m, n, seed).cast<float>());
  };
  const Eigen::MatrixXf x = gaussian(inputs, samples, 1);
  const Eigen::MatrixXf y =
      (gaussian(outputs, inputs, 2) * x).colwise() + Eigen::VectorXf(gaussian(outputs, 1, 3));
  Eigen::MatrixXf W = Eigen::MatrixXf::Zero(outputs, inputs), dW = W;
  Eigen::VectorXf b = Eigen::VectorXf::Zero(outputs), db = b;
  double loss = 0;
  const auto backpropagate = [&] {
    const Eigen::MatrixXf error = ((W * x).colwise() + b) - y;
    dW = error * x.transpose() / static_cast<float>(samples);
    db = error.rowwise().mean();
    loss = static_cast<double>(error.squaredNorm());
  };
  backpropagate();
  const double before = loss;

  optimizer<float> opt(muon(), adamw{});     // matrices; everything else
  opt.add(make_parameter("weight", W, dW));  // no copy: the optimizer keeps the address
  opt.add(make_parameter("bias", b, db, parameter_kind::bias));
  const schedule plan{.shape = decay_shape::cosine, .steps = steps, .warm_up = 3};
  for (index_t t = 0; t < steps; ++t) {
    backpropagate();
    opt.step(0.5 * plan.factor(t));
  }

  backpropagate();
  CHECK(loss < 0.01 * before);
}

TEST_CASE("the oracle of a composed norm, and its certificate") {
  Eigen::MatrixXd M = matrices::gaussian(90, 120, 4), D;

  constexpr auto ball = dual(0.5 * ky_fan(5) + 0.5 * frobenius());
  const lmo_report r = lmo(ball, M, D);  // D <- argmin { <M, X> : ball(X) <= 1 }

  // For every X in the ball: <M, X> >= -r.bound. D attains r.objective, so it misses at most the
  // share r.gap() of what the best X attains.
  const double best = 0.5 * value(ky_fan(5), M) + 0.5 * value(frobenius(), M);
  CHECK(M.cwiseProduct(D).sum() == doctest::Approx(r.objective));
  CHECK(best <= r.bound);
  CHECK(1 + r.objective / best <= r.gap());
  CHECK(1 + r.objective / best <= 1e-5);
}
