/// @file  The methods of the family, each with the rates that it is tried with.
#pragma once

#include <least_squares/problem.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace least_squares {

/// One run of a method: the losses at every tenth step, before the step.
struct run {
  index_t reached = -1;  ///< the first checked step below the threshold; -1 for none
  std::vector<double> losses;
};

/// Until the loss is below `threshold`, or for `steps` steps.
struct request {
  double rate = 0.01;
  double beta = 0;
  index_t steps = 1000;
  double threshold = 0;
};

inline constexpr index_t check_every = 10;

struct method {
  std::string name;
  int colour;
  std::vector<double> rates;
  std::function<run(const problem&, const request&)> go;
};

/// B <- βB + G, M = G + βB, X <- X + rate lmo(n, M), all in float, as the authors' code has it.
template <class N, class Solver>
[[nodiscard]] method make_method(std::string name, int colour, std::vector<double> rates,
                                 const N& n, const Solver& solver) {
  return {std::move(name), colour, std::move(rates),
          [n, solver](const problem& p, const request& r) {
            run out;
            matrix x = p.start, buffer = matrix::Zero(x.rows(), x.cols()), g, seen;
            const auto beta = static_cast<float>(r.beta);
            auto plan = fanion::plan_lmo(n, x, solver);
            for (index_t t = 0; t <= r.steps; ++t) {
              g.noalias() = p.gradient(x);
              if (t % check_every == 0) {
                out.losses.push_back(problem::value(x, g));
                if (!(out.losses.back() < std::numeric_limits<float>::max())) return out;
                if (out.losses.back() < r.threshold) {
                  out.reached = t;
                  return out;
                }
              }
              buffer = beta * buffer + g;
              seen = g + beta * buffer;
              (void)plan.update(seen, x, 1, r.rate);
            }
            return out;
          }};
}

/// For n x n matrices. Rates of methods whose D has rank one, or length one, start higher.
[[nodiscard]] inline std::vector<method> family(index_t n) {
  using namespace fanion;
  const std::vector<double> full = {.004, .006, .008, .010, .012, .014, .017, .020},
                            few = {.01, .015, .02, .03, .04, .05, .065, .08},
                            one = {.02, .03, .04, .055, .07, .09, .11, .14},
                            signs = {5e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 4e-4, 6e-4, 8e-4};
  const polar_express polar{.gap = 1e-3};
  const newton_schulz three{.steps = 3};
  const automatic leading{.gap = 1e-2};
  const index_t k = std::max<index_t>(1, n / 20);
  const std::string count = std::to_string(k);
  return {
      make_method("Muon", 1, full, spectral(), polar),
      make_method("Muon, 3 Newton-Schulz steps", 11, full, spectral(), three),
      make_method("F-Muon", 4, full, dual(0.5 * nuclear() + 0.5 * frobenius()), polar),
      make_method("S-Muon", 5, full, dual(0.5 * nuclear() + (0.5 * 0.01) * sum_abs()), polar),
      make_method("NSGD", 8, one, frobenius(), leading),
      make_method("SignSGD", 3, signs, max_abs(), leading),
      make_method("Neon", 0, one, nuclear(), leading),
      make_method("F-Neon", 6, one, dual(0.5 * spectral() + 0.5 * frobenius()), leading),
      make_method("Fanion-" + count, 9, few, dual(ky_fan(k)), leading),
      make_method("F-Fanion-" + count, 7, few, dual(0.5 * ky_fan(k) + 0.5 * frobenius()), leading)};
}

inline const std::vector<double>& momenta() {
  static const std::vector<double> values = {.1, .3, .5, .7, .9, .95};
  return values;
}

}  // namespace least_squares
