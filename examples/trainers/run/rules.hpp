/// @file  Every method that the trainers know, on whatever backend. Slow to compile, since each
/// ball is a type and each brings its solvers: for the few files that make optimizers.
#pragma once

#include <run/methods.hpp>

#include <fanion/norms/parse.hpp>
#include <fanion/optim/dion.hpp>
#include <fanion/optim/makers.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace trainers {

/// The rule of a method for matrices. Momentum is Nesterov's everywhere.
// Each branch is a line, because each ball is a type.
template <class B>
[[nodiscard]] fanion::any_rule<float, B> rule_of(const std::string& method,
                                                 const method_settings& s) {
  using namespace fanion;
  const method_name name = parse_method(method).value();
  const std::string& f = name.family;
  const lmo_options o{.momentum = {.beta = s.momentum}, .decay = s.decay, .scaling = s.scaling};
  if (f == "adamw") return adamw{.decay = s.decay};
  if (f == "lion") return lion{.decay = s.decay};
  if (f == "sgd") {
    sgd rule{.decay = s.decay};
    rule.momentum.beta = s.momentum;
    return rule;
  }
  if (f == "nsgd") return nsgd(o);
  if (f == "sign-sgd") return sign_sgd(o);
  if (f == "muon") return muon(o);
  if (f == "neon") return neon(o);
  if (f == "fanion") return fanion_k(name.k, o);
  if (f == "dion")
    return dion{.rank = name.k, .mu = s.momentum, .decay = s.decay, .scaling = s.scaling};
  if (f == "f-muon") return f_muon(s.alpha, o);
  if (f == "f-neon") return f_neon(s.alpha, o);
  if (f == "f-fanion") return f_fanion_k(name.k, s.alpha, o);
  if (f == "s-muon") return s_muon(s.alpha, s.eta, o);
  if (f == "s-neon") return s_neon(s.alpha, s.eta, o);
  if (f == "s-fanion") return s_fanion_k(name.k, s.alpha, s.eta, o);
  if (f == norm_name)
    return as_ball(parse_norm(s.norm)).visit([&](const auto& n) -> any_rule<float, B> {
      return lmo_rule<std::remove_cvref_t<decltype(n)>>{n, o};
    });
  throw std::invalid_argument("no rule for method " + method);
}

/// SGD as airbench94 has it for all but the kernels.
template <class B>
[[nodiscard]] fanion::any_rule<float, B> rest_sgd(double rate, double decay) {
  fanion::sgd rule{.decay = decay / rate};
  rule.momentum.beta = 0.85;
  return rule;
}

/// `make(matrices, rest)` is an optimizer over B of two rules; the parameters enter it.
template <class B, class Make>
[[nodiscard]] auto optimizer_of(const std::string& method, const method_settings& s,
                                std::vector<fanion::parameter<float, typename B::space>> parameters,
                                const Make& make) {
  method_settings still = s;
  still.decay = 0;
  const auto matrices = rule_of<B>(method, s);
  const bool oracle = matrices.has_oracle();
  using rule = fanion::any_rule<float, B>;
  const rule rest = oracle ? rule(fanion::adamw{.decay = s.decay}) : matrices;
  const rule flat = oracle ? rule(fanion::adamw{}) : rule_of<B>(method, still);
  auto made = make(matrices, rest);
  for (auto& p : parameters) {
    const bool has_sides = p.weight.rows() > 1 && p.weight.cols() > 1;
    if (!oracle)
      made.add(std::move(p), has_sides ? matrices : flat);
    else if (usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) == fanion::treatment::matrix)
      made.add(std::move(p));
    else {
      const double rate = p.kind == fanion::parameter_kind::head ? s.head_rate : s.rest_rate;
      made.add(std::move(p),
               s.rest_rule == "sgd" ? rest_sgd<B>(rate, s.rest_decay)
               : has_sides          ? rest
                                    : flat,
               rate / s.rate);
    }
  }
  return made;
}

}  // namespace trainers
