/// @file  The seam between the trainers and the library: a method's name in, an optimizer out.
#pragma once

#include <run/catalogue.hpp>
#include <run/task.hpp>

#include <fanion/optim/optimizer.hpp>

#include <string>
#include <utility>

namespace trainers {

struct method_settings {
  double rate = 0;       ///< peak, of the matrices; of everything for sgd, adamw and lion
  double rest_rate = 0;  ///< peak, of what an LMO method leaves over
  double head_rate = 0;  ///< peak, of the head among it
  std::string rest_rule = "adamw";
  double rest_decay = 0;  ///< share that it loses in a step at the peak, under sgd
  double momentum = 0.9;
  double decay = 0;
  double alpha = 0.5;
  double eta = 0.01;
  index_t threads = 1;
  fanion::shape_scaling scaling = fanion::shape_scaling::none;
  std::string norm = "";  ///< of the method "norm"
};

/// Optimizers of the library keep addresses of weights and gradients, so both must stay in place.
using network_optimizer = fanion::optimizer<float>;

/// The rule of a method for matrices. Momentum is Nesterov's everywhere.
[[nodiscard]] network_optimizer::rule_type rule_of(const std::string& method,
                                                   const method_settings& s);

/// SGD as airbench94 has it for all but the kernels.
[[nodiscard]] inline network_optimizer::rule_type rest_sgd(double rate, double decay) {
  fanion::sgd rule{.decay = decay / rate};
  rule.momentum.beta = 0.85;
  return rule;
}

/// The method on the matrices and, for methods that need a matrix, AdamW or SGD on the rest. Decay
/// is for what has rows and columns: biases and normalisations do not shrink, but under SGD.
[[nodiscard]] inline network_optimizer make_optimizer(const std::string& method,
                                                      const method_settings& s, task& net) {
  method_settings still = s;
  still.decay = 0;
  const auto matrices = rule_of(method, s);
  const bool oracle = matrices.has_oracle();
  const network_optimizer::rule_type rest = oracle ? fanion::adamw{.decay = s.decay} : matrices;
  const network_optimizer::rule_type flat = oracle ? fanion::adamw{} : rule_of(method, still);
  network_optimizer made(matrices, rest, s.threads);
  for (fanion::parameter<float>& p : net.parameters()) {
    const bool has_sides = p.weight.rows() > 1 && p.weight.cols() > 1;
    if (!oracle)
      made.add(std::move(p), has_sides ? matrices : flat);
    else if (usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) == fanion::treatment::matrix)
      made.add(std::move(p));
    else {
      const double rate = p.kind == fanion::parameter_kind::head ? s.head_rate : s.rest_rate;
      const auto& rule = has_sides ? rest : flat;
      made.add(std::move(p), s.rest_rule == "sgd" ? rest_sgd(rate, s.rest_decay) : rule,
               rate / s.rate);
    }
  }
  return made;
}

}  // namespace trainers
