// Every named method on one small problem: fit Y = W X, where X is badly scaled.
#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace fanion;

int main() {
  std::srand(4);
  const index_t outputs = 24, inputs = 32, samples = 96, steps = 200;
  Eigen::MatrixXd X = Eigen::MatrixXd::Random(inputs, samples);
  for (index_t i = 0; i < inputs; ++i) X.row(i) *= std::pow(0.9, static_cast<double>(i));
  const Eigen::MatrixXd truth = Eigen::MatrixXd::Random(outputs, inputs), Y = truth * X;

  // A method is a ball and a way to use it; the rate is what is left to tune. Each gets its best.
  const lmo_options o{.momentum = {.beta = 0.9}};
  const std::vector<std::pair<std::string, optimizer<double>::rule_type>> methods = {
      {"muon", muon(o)},                           // spectral ball: all singular values alike
      {"neon", neon(o)},                           // nuclear ball: rank one
      {"fanion-4", fanion_k(4, o)},                // dual of Ky Fan 4: rank four
      {"nsgd", nsgd(o)},                           // Frobenius ball: the gradient's direction
      {"sign-sgd", sign_sgd(o)},                   // Chebyshev ball: its signs
      {"f-muon", f_muon(0.5, o)},                  // half Muon, half NSGD
      {"f-neon", f_neon(0.5, o)},                  //
      {"f-fanion-4", f_fanion_k(4, 0.5, o)},       //
      {"s-muon", s_muon(0.5, 0.1, o)},             // half Muon, half a tenth of SignSGD
      {"s-neon", s_neon(0.5, 0.1, o)},             //
      {"s-fanion-4", s_fanion_k(4, 0.5, 0.1, o)},  //
      // One power iteration a step; what is unsaid comes later; a k that falls from full rank.
      {"dion-4", dion{.rank = 4, .mu = 0.9}},
      {"ef-fanion-4", error_feedback(dual(ky_fan(4)))},
      {"numuon", numuon{{.shape = rank_shape::cosine, .steps = steps}, o}},
      {"adamw", adamw{}},
      {"sgd", sgd{}}};

  const double start = Y.squaredNorm();
  const schedule plan{.shape = decay_shape::linear, .steps = steps, .warm_up = 5};
  std::printf("%-12s %10s %16s\n", "method", "best rate", "share of loss");
  bool all_learn = true;
  for (const auto& [name, rule] : methods) {
    double best = 1, best_rate = 0;
    for (const double rate : {0.01, 0.03, 0.1, 0.3, 1.0}) {
      Eigen::MatrixXd W = Eigen::MatrixXd::Zero(outputs, inputs), gradient = W;
      optimizer<double> opt(rule, rule);
      opt.add(make_parameter("W", W, gradient));
      for (index_t t = 0; t < steps; ++t) {
        gradient = (W * X - Y) * X.transpose() / static_cast<double>(samples);
        opt.step(rate * plan.factor(t));
      }
      const double left = (W * X - Y).squaredNorm() / start;
      if (left < best) std::tie(best, best_rate) = std::pair(left, rate);
    }
    std::printf("%-12s %10g %16.2e\n", name.c_str(), best_rate, best);
    all_learn = all_learn && best < 0.05;
  }
  return all_learn ? 0 : 1;
}
