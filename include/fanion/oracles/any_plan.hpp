/// @file  Oracles of norms that are known at run time.
#pragma once

#include <fanion/norms/any_norm.hpp>
#include <fanion/oracles/evaluate.hpp>
#include <fanion/oracles/lmo.hpp>
#include <fanion/oracles/plan.hpp>

#include <utility>
#include <variant>

namespace fanion {

/// lmo_plan for an any_norm: the same answers by the same code, chosen once.
template <Real T, class B>
class any_lmo_plan {
 public:
  /// @throws std::invalid_argument as as_ball and lmo_plan.
  template <SpectralMethod Method>
  any_lmo_plan(const any_norm& n, index_t rows, index_t cols, bool staged, const Method& method)
      : plan_(as_ball(n).visit([&]<class N>(const N& norm) {
          return variant(std::in_place_type<lmo_plan<N, T, B>>, norm, rows, cols, staged, method,
                         B());
        })) {}

  template <class M, class D>
  lmo_report execute(const M& m, D&& d) {
    return std::visit([&](auto& plan) { return plan.execute(m, std::forward<D>(d)); }, plan_);
  }
  template <class M, class X>
  lmo_report update(const M& m, X&& x, double keep, step_length step) {
    return std::visit([&](auto& plan) { return plan.update(m, std::forward<X>(x), keep, step); },
                      plan_);
  }
  [[nodiscard]] const lmo_report& report() const {
    return std::visit([](const auto& plan) -> const lmo_report& { return plan.report(); }, plan_);
  }
  void reset() {
    std::visit([](auto& plan) { plan.reset(); }, plan_);
  }
  void save(std::ostream& out) const {
    std::visit([&](const auto& plan) { plan.save(out); }, plan_);
  }
  void load(std::istream& in) {
    std::visit([&](auto& plan) { plan.load(in); }, plan_);
  }

 private:
  using variant = std::variant<lmo_plan<any_sum, T, B>, lmo_plan<dual_of<any_sum>, T, B>>;
  variant plan_;
};

template <Matrix M, SpectralMethod Method = automatic>
[[nodiscard]] auto plan_lmo(const any_norm& n, const M& like, const Method& method = {}) {
  using adapter = matrix_adapter<M>;
  using backend = typename default_backend<space_of<M>>::type;
  return any_lmo_plan<scalar_of<M>, backend>(n, adapter::rows(like), adapter::cols(like),
                                             !adapter::viewable, method);
}

template <Matrix M, WritableMatrix D, SpectralMethod Method = automatic>
requires std::same_as<scalar_of<M>, scalar_of<D>> lmo_report lmo(const any_norm& n, const M& m,
                                                                 D&& d, const Method& method = {}) {
  auto plan = plan_lmo(n, m, method);
  return plan.execute(m, std::forward<D>(d));
}

/// @throws std::invalid_argument where n is the dual of a sum without a closed form; and as
/// `value`.
template <Matrix M, SpectralMethod Method = exact>
[[nodiscard]] scalar_of<M> value(const any_norm& n, const M& x, const Method& method = {}) {
  return n.visit([&]<class N>(const N& norm) {
    if constexpr (!std::same_as<N, any_sum>) dual_gauge<any_sum>::check(norm.dual());
    return value(norm, x, method);
  });
}

}  // namespace fanion
