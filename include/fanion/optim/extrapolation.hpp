/// @file  Momentum with extrapolation: gradients are taken ahead of the weights.
///
/// gₜ = g(Xₜ + c (Xₜ - Xₜ₋₁)), mₜ = β mₜ₋₁ + (1-β) gₜ, X moves along lmo(N, mₜ) from Xₜ itself.
/// With c = β/(1-β) the average of the old gradients is one of gradients near Xₜ, up to second
/// order: Cutkosky and Mehta 2020, whose N is the Frobenius norm.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/optim/describe.hpp>
#include <fanion/optim/lmo_step.hpp>
#include <fanion/optim/weight_copy.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanion {

/// An oracle's rule, and c; unset, it is β/(1-β).
template <LmoTractable N>
struct extrapolated {
  lmo_rule<N> inner;
  std::optional<double> reach = {};

  [[nodiscard]] double coefficient() const {
    const double beta = inner.options.momentum.beta;
    return reach.value_or(beta / (1 - beta));
  }
};

template <LmoTractable N>
void check(const extrapolated<N>& r) {
  check(r.inner.options);
  if (r.reach) (void)expects_coefficient(*r.reach, "extrapolated: reach");
}
template <LmoTractable N>
[[nodiscard]] std::string describe(const extrapolated<N>& r) {
  return "extrapolated, reach " + describe(r.coefficient()) + ", " + describe(r.inner);
}

/// The step of one parameter. Each iteration, with W the weights in place:
///
///   step.look_ahead(W);  g = gradient(W, batch);  step.step(W, g, rate);
///
/// Beside the oracle's state it keeps one copy of the weights. Allocates in the constructor only.
/// Weights have to move before the gradient is known, so it is no rule of an `optimizer`.
template <LmoTractable N, Real T, class B>
class extrapolated_step {
 public:
  using space = typename B::space;

  extrapolated_step(const extrapolated<N>& rule, index_t rows, index_t cols, B& backend,
                    std::vector<matrix_block> blocks = {})
      : rule_(rule),
        inner_(rule.inner, rows, cols, backend, std::move(blocks)),
        held_(rows, cols, backend) {
    check(rule);
  }

  [[nodiscard]] index_t steps() const noexcept { return inner_.steps(); }
  [[nodiscard]] const extrapolated<N>& rule() const noexcept { return rule_; }

  /// W <- X + c (X - X of one step back). Before the first step there is none, and W stays.
  /// @throws std::invalid_argument when called twice before a step.
  void look_ahead(const oriented_view<T, space>& weight) {
    if (ahead_) throw std::invalid_argument("look_ahead: the weights are ahead already");
    if (held_.full()) {
      const entry::go_on<T> further{static_cast<T>(rule_.coefficient())};
      inner_.backend().for_each_entry(further, weight.storage, held_.values(weight));
    } else {
      held_.hold(weight);
    }
    ahead_ = true;
  }

  /// Puts X back, bit for bit, and makes lmo_step's step from there. After a gradient that holds
  /// NaN or infinity X is as it was before look_ahead, and the next one finds that it has stood
  /// still.
  /// @throws std::invalid_argument as lmo_step::step, and without look_ahead.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    if (!ahead_) throw std::invalid_argument("step: look_ahead must come first");
    check_step(weight, gradient);
    (void)expects_coefficient(rate, "step: rate");
    held_.restore(weight);
    ahead_ = false;
    return inner_.step(weight, gradient, rate);
  }

  void reset() {
    inner_.reset();
    held_.clear();
    ahead_ = false;
  }
  /// @throws std::invalid_argument between look_ahead and step.
  void save(archive_writer& out) const {
    if (ahead_) throw std::invalid_argument("save: step must come first");
    out.write(std::string("extrapolated_step"));
    inner_.save(out);
    held_.save(out);
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    expect_text(in, "extrapolated_step");
    inner_.load(in);
    held_.load(in);
    ahead_ = false;
  }

 private:
  extrapolated<N> rule_;
  lmo_step<N, T, B> inner_;
  weight_copy<T, B> held_;
  bool ahead_ = false;
};

}  // namespace fanion
