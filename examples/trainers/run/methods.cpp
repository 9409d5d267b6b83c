/// @file  Every method that the trainers know. Compiled once: each ball is a type, and each brings
/// its solvers.

#include <run/methods.hpp>

#include <fanion/fanion.hpp>
#include <fanion/norms/parse.hpp>

#include <stdexcept>
#include <type_traits>

namespace trainers {

// Each branch is a line, because each ball is a type.
network_optimizer::rule_type rule_of(const std::string& method, const method_settings& s) {
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
    return as_ball(parse_norm(s.norm)).visit([&](const auto& n) -> network_optimizer::rule_type {
      return lmo_rule<std::remove_cvref_t<decltype(n)>>{n, o};
    });
  throw std::invalid_argument("no rule for method " + method);
}

}  // namespace trainers
