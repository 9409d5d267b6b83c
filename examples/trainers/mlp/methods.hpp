/// @file  The seam between this trainer and the library: a method's name in, an optimizer out.
#pragma once

#include <mlp/catalogue.hpp>
#include <mlp/network.hpp>

#include <fanion/eigen.hpp>
#include <fanion/norms/parse.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace trainers {

struct method_settings {
  double rate = 0;       ///< peak, of the hidden matrix; of everything for sgd, adamw and lion
  double rest_rate = 0;  ///< peak, of AdamW on what an LMO method leaves over
  double momentum = 0.9;
  double decay = 0;
  double alpha = 0.5;
  double eta = 0.01;
  index_t threads = 1;
  std::string norm = "";  ///< of the method "norm"
};

/// Optimizers of the library keep addresses of weights and gradients, so both must stay in place.
using network_optimizer = fanion::optimizer<float>;

/// The rule of a method for the hidden matrix, handed to `use`: lmo_rule<N>, adamw, sgd or lion.
/// Momentum is Nesterov's everywhere. Each branch is a line, because each ball is a type.
template <class Use>
void with_rule(const std::string& method, const method_settings& s, Use&& use) {
  using namespace fanion;
  const method_name name = parse_method(method).value();
  const std::string& f = name.family;
  const lmo_options o{.momentum = {.beta = s.momentum}, .decay = s.decay};
  if (f == "adamw") return use(adamw{.decay = s.decay});
  if (f == "lion") return use(lion{.decay = s.decay});
  if (f == "sgd") {
    sgd rule{.decay = s.decay};
    rule.momentum.beta = s.momentum;
    return use(rule);
  }
  if (f == "nsgd") return use(nsgd(o));
  if (f == "sign-sgd") return use(sign_sgd(o));
  if (f == "muon") return use(muon(o));
  if (f == "neon") return use(neon(o));
  if (f == "fanion") return use(fanion_k(name.k, o));
  if (f == "f-muon") return use(f_muon(s.alpha, o));
  if (f == "f-neon") return use(f_neon(s.alpha, o));
  if (f == "f-fanion") return use(f_fanion_k(name.k, s.alpha, o));
  if (f == "s-muon") return use(s_muon(s.alpha, s.eta, o));
  if (f == "s-neon") return use(s_neon(s.alpha, s.eta, o));
  if (f == "s-fanion") return use(s_fanion_k(name.k, s.alpha, s.eta, o));
  if (f == norm_name)
    return as_ball(parse_norm(s.norm)).visit([&](const auto& n) {
      use(lmo_rule<std::remove_cvref_t<decltype(n)>>{n, o});
    });
  throw std::invalid_argument("no rule for method " + method);
}

/// The method on the hidden matrix and, for methods that need a matrix, AdamW on head and biases.
[[nodiscard]] inline network_optimizer make_optimizer(const std::string& method,
                                                      const method_settings& s, mlp<float>& net,
                                                      mlp<float>& gradient) {
  using rule_type = network_optimizer::rule_type;
  using fanion::make_parameter;
  using kind = fanion::parameter_kind;
  const rule_type rest(fanion::adamw{.decay = s.decay});
  std::optional<network_optimizer> made;
  with_rule(method, s, [&](const auto& rule) {
    const rule_type matrices(rule);
    const bool everything = !matrices.has_oracle();
    made.emplace(matrices, everything ? matrices : rest, s.threads);
    const double others = everything ? 1 : s.rest_rate / s.rate;
    made->add(make_parameter("hidden.weight", net.hidden, gradient.hidden));
    made->add(make_parameter("hidden.bias", net.hidden_bias, gradient.hidden_bias, kind::bias),
              others);
    made->add(make_parameter("head.weight", net.head, gradient.head, kind::head), others);
    made->add(make_parameter("head.bias", net.head_bias, gradient.head_bias, kind::bias), others);
  });
  return std::move(*made);
}

}  // namespace trainers
