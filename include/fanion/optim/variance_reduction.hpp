/// @file  Momentum with variance reduction: a second gradient of the same batch, one step back.
///
/// With gₜ = g(Xₜ; ξₜ) and hₜ = g(Xₜ₋₁; ξₜ), both on the batch ξₜ:
///   mₜ = β mₜ₋₁ + (1-β) gₜ + γ β (gₜ - hₜ).
/// γ = 1 is STORM (Cutkosky and Orabona 2019): without noise mₜ - gₜ shrinks by β a step however
/// far X has moved. γ = 0 is plain momentum, and MARS (Yuan et al. 2024) lies between. This is
/// momentum of the gradient cₜ = gₜ + γ β/(1-β) (gₜ - hₜ), so any oracle's step takes it. m starts
/// at 0, as elsewhere here; STORM starts it at g₁.
#pragma once

#include <fanion/optim/describe.hpp>
#include <fanion/optim/lmo_step.hpp>
#include <fanion/optim/weight_copy.hpp>

#include <string>
#include <utility>
#include <vector>

namespace fanion {

/// An oracle's rule, whose β it is, and γ between 0 and 1.
template <LmoTractable N>
struct variance_reduced {
  lmo_rule<N> inner;
  double gamma = 1;
};

template <LmoTractable N>
void check(const variance_reduced<N>& r) {
  check(r.inner.options);
  (void)expects_fraction(r.gamma, "variance_reduced: gamma");
}
template <LmoTractable N>
[[nodiscard]] std::string describe(const variance_reduced<N>& r) {
  return "variance_reduced, gamma " + describe(r.gamma) + ", " + describe(r.inner);
}

/// The step of one parameter. Each iteration, with W the weights in place:
///
///   step.go_back(W);  h = gradient(W, batch);  step.come_back(W);
///   g = gradient(W, batch);  step.step(W, g, h, rate);
///
/// Beside the oracle's state it keeps c and the weights of one step back. Allocates in the
/// constructor only. It needs two gradients, so it is no rule of an `optimizer`.
template <LmoTractable N, Real T, class B>
class variance_reduced_step {
 public:
  using space = typename B::space;

  variance_reduced_step(const variance_reduced<N>& rule, index_t rows, index_t cols, B& backend,
                        std::vector<matrix_block> blocks = {})
      : rule_(rule),
        backend_(&backend),
        inner_(rule.inner, rows, cols, backend, std::move(blocks)),
        before_(rows, cols, backend),
        corrected_(backend.template make_workspace<T>(rows * cols)) {
    check(rule);
  }

  [[nodiscard]] index_t steps() const noexcept { return inner_.steps(); }
  [[nodiscard]] const variance_reduced<N>& rule() const noexcept { return rule_; }
  [[nodiscard]] matrix_view<const T, space> momentum_buffer() const {
    return inner_.momentum_buffer();
  }

  /// Puts the weights of one step back into W; before the first step these are its own.
  void go_back(const oriented_view<T, space>& weight) {
    if (away_) throw std::invalid_argument("go_back: the weights are back already");
    if (!before_.full()) before_.hold(weight);
    before_.swap(weight);
    away_ = true;
  }
  /// Undoes go_back, bit for bit.
  void come_back(const oriented_view<T, space>& weight) {
    if (!away_) throw std::invalid_argument("come_back: go_back must come first");
    before_.swap(weight);
    away_ = false;
  }

  /// As lmo_step::step with the gradient here and that of one step back, which the first step does
  /// not read. If either holds NaN or infinity nothing changes.
  /// @throws std::invalid_argument also between go_back and come_back.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient,
                   const oriented_view<const T, space>& gradient_before, double rate) {
    if (away_) throw std::invalid_argument("step: come_back must come first");
    check_step(weight, gradient);
    check_step(weight, gradient_before);
    (void)before_.values(weight);
    (void)expects_coefficient(rate, "step: rate");
    const double beta = rule_.inner.options.momentum.beta;
    const double strength = steps() == 0 ? 0 : rule_.gamma * beta / (1 - beta);
    const matrix_view<T, space> c(corrected_.data(), gradient.storage.rows(),
                                  gradient.storage.cols());
    if (steps() > 0 && gradient_before.transposed == gradient.transposed)
      backend_->axpby(T(-1), gradient_before.storage, T(0), c);
    else if (steps() > 0)
      backend_->axpby_adjoint(T(-1), gradient_before.storage, T(0), c);
    if (steps() > 0) backend_->axpby(T(1), gradient.storage, T(1), c);
    backend_->axpby(T(1), gradient.storage, static_cast<T>(strength), c);
    if (!is_finite(backend_->norm(c.as_const()))) {
      step_report report;
      report.skipped = true;
      report.outcome = outcome::non_finite;
      return report;
    }
    before_.hold(weight);
    return inner_.step(weight, {c.as_const(), gradient.transposed}, rate);
  }

  void reset() {
    inner_.reset();
    before_.clear();
    away_ = false;
  }
  /// @throws std::invalid_argument between go_back and come_back.
  void save(archive_writer& out) const {
    if (away_) throw std::invalid_argument("save: come_back must come first");
    out.write(std::string("variance_reduced_step"));
    inner_.save(out);
    before_.save(out);
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    expect_text(in, "variance_reduced_step");
    inner_.load(in);
    before_.load(in);
    away_ = false;
  }

 private:
  variance_reduced<N> rule_;
  B* backend_;
  lmo_step<N, T, B> inner_;
  weight_copy<T, B> before_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) corrected_;
  bool away_ = false;
};

}  // namespace fanion
