/// @file  The step of every optimizer of the family: momentum, oracle, decay, update.
#pragma once

#include <fanion/backend/transfers.hpp>
#include <fanion/optim/blocks.hpp>
#include <fanion/optim/momentum.hpp>
#include <fanion/optim/scaling.hpp>
#include <fanion/optim/step.hpp>
#include <fanion/oracles/plan.hpp>

#include <optional>
#include <sstream>
#include <vector>

namespace fanion {

/// With D = lmo(N, M), s the shape factor and η the rate:
///   unconstrained  X <- (1 - η decay) X + η s D
///   constrained    X <- (1 - η) X + η radius s D, Frank and Wolfe's step, which keeps X in the
///   ball
///                  of radius · s once it is inside; η is then between 0 and 1
///   sharp          X <- (1 - η decay) X + η s N*(M)/(2 penalty) D: steepest descent under N, which
///                  minimises <M, D> + penalty N(D)²
///   smooth         X <- (1 - η decay) X + η s N*(M)/(L₀ + L₁N*(M)) D: Gluon's radius (Riabinin et
///                  al. 2025), the sharp step of penalty L₀/2 where M is small and of length 1/L₁
///                  where it is large
enum class step_form { unconstrained, constrained, sharp, smooth };

/// How an oracle is used over time. The rate belongs to each step, not to the options.
struct lmo_options {
  fanion::momentum momentum = {};
  double decay = 0;  ///< decoupled: X shrinks by η·decay, whatever the gradient
  shape_scaling scaling = shape_scaling::none;
  step_form form = step_form::unconstrained;
  double radius = 1;               ///< of the constrained form
  double penalty = 0.5;            ///< λ of the sharp form
  double l0 = 1;                   ///< L₀ of the smooth form
  double l1 = 1;                   ///< L₁ of the smooth form
  std::optional<double> gap = {};  ///< unset: 1e-2 for leading parts, 1e-3 for polar factors
  std::uint64_t seed = 0;
};

inline void check(const lmo_options& o) {
  check(o.momentum);
  (void)expects_coefficient(o.decay, "lmo_step: decay");
  (void)expects_positive(o.radius, "lmo_step: radius");
  (void)expects_positive(o.penalty, "lmo_step: penalty");
  (void)expects_positive(o.l0, "lmo_step: l0");
  (void)expects_coefficient(o.l1, "lmo_step: l1");
  if (o.gap) (void)expects_positive(*o.gap, "lmo_step: gap");
  if (o.form == step_form::constrained && o.decay != 0)
    refuse("lmo_step: decay", "0 in the constrained form, which shrinks X itself", o.decay);
}

/// A norm and how to use it: a value, without a matrix. Made by muon(), neon(), … in makers.hpp.
template <LmoTractable N>
struct lmo_rule {
  N norm;
  lmo_options options = {};
};
template <LmoTractable N>
lmo_rule(N) -> lmo_rule<N>;
template <LmoTractable N>
lmo_rule(N, lmo_options) -> lmo_rule<N>;

/// The state and the step of one parameter. Momentum is one buffer for the whole of it; every block
/// has its own plan and its own shape factor. Allocates in the constructor only.
template <LmoTractable N, Real T, class B>
class lmo_step {
 public:
  using space = typename B::space;
  using plan_type = lmo_plan<N, T, B&>;

  /// For weights of rows x cols; without blocks, all of it is one.
  /// @throws std::invalid_argument for impossible options, or blocks that leave the matrix.
  lmo_step(const lmo_rule<N>& rule, index_t rows, index_t cols, B& backend,
           std::vector<matrix_block> blocks = {})
      : rule_(rule),
        rows_(rows),
        cols_(cols),
        backend_(&backend),
        blocks_(checked_blocks(std::move(blocks), rows, cols, "lmo_step")) {
    check(rule.options);
    momentum_ = backend.template make_workspace<T>(rows * cols);
    if (rule.options.momentum.lookahead == lookahead::nesterov)
      seen_ = backend.template make_workspace<T>(rows * cols);
    plans_.reserve(blocks_.size());
    for (const matrix_block& at : blocks_)
      plans_.emplace_back(rule.norm, at.rows, at.cols, false, method_for(at), backend);
  }

  [[nodiscard]] index_t steps() const noexcept { return steps_; }
  [[nodiscard]] const lmo_rule<N>& rule() const noexcept { return rule_; }
  [[nodiscard]] B& backend() const noexcept { return *backend_; }
  [[nodiscard]] momentum_state<T, space> state() const {
    return {entries().as_const(), transposed_, steps_};
  }
  /// Goes on from this momentum, of a step of the same shape; subspaces stay as they are.
  void adopt(const momentum_state<T, space>& from) {
    if (from.values.size() != momentum_.size())
      refuse("lmo_step: entries of the momentum", std::to_string(momentum_.size()).c_str(),
             from.values.size());
    backend_->template copy<T>(from.values, entries());
    transposed_ = from.transposed;
    steps_ = from.steps;
    length_ = backend_->norm(entries().as_const());
  }
  /// What the next step accumulates into, stored like the weights of the first step.
  [[nodiscard]] matrix_view<const T, space> momentum_buffer() const {
    const bool t = transposed_;
    return {momentum_.data(), t ? cols_ : rows_, t ? rows_ : cols_};
  }

  /// The memory of what the oracle is handed: the momentum or, with look-ahead, what lies ahead.
  [[nodiscard]] matrix_view<const T, space> oracle_input() const {
    return {seen_.size() > 0 ? seen_.data() : momentum_.data(), momentum_.size(), 1};
  }

  /// One step of length `rate`. A gradient that holds NaN or infinity changes nothing, and the
  /// report says so. @throws std::invalid_argument for a negative or non-finite rate, or shapes
  /// that do not fit.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    check_step(weight, gradient);
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("step: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    const lmo_options& o = rule_.options;
    if (o.form == step_form::constrained)
      (void)expects_fraction(rate, "step: rate of the constrained form");
    else
      (void)expects_coefficient(rate, "step: rate");

    // The read that checks the gradient also tells the plan where the momentum is going.
    const bool turned = steps_ == 0 ? weight.transposed : transposed_;
    const bool whole = blocks_.size() == 1 && blocks_[0].rows == rows_ && blocks_[0].cols == cols_;
    const momentum_drift drift = drift_of(o.momentum);
    const T gradient_length =
        whole
            ? plans_[0].approach_views(gradient, turned, steps_ == 0 ? 0 : drift.keep, drift.share)
            : backend_->norm(gradient.storage);
    step_report report;
    if (!is_finite(gradient_length)) {
      report.skipped = true;
      report.outcome = outcome::non_finite;
      return report;
    }
    transposed_ = turned;
    const index_t inner = transposed_ ? cols_ : rows_, outer = transposed_ ? rows_ : cols_;
    const matrix_view<T, space> m(momentum_.data(), inner, outer);
    const matrix_view<T, space> seen(seen_.data(), seen_.size() > 0 ? inner : 0,
                                     seen_.size() > 0 ? outer : 0);
    const oriented_view<const T, space> aligned{gradient.storage,
                                                gradient.transposed != transposed_};
    momentum_pass<B, T, space> arrival(*backend_, o.momentum, aligned, m, seen, length_,
                                       gradient_length);
    const auto source = seen.empty() ? m : seen;
    if (!whole) (void)arrival(0, outer);

    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const matrix_block& at = blocks_[i];
      const double factor = shape_factor(o.scaling, at.rows, at.cols);
      const bool constrained = o.form == step_form::constrained;
      const double keep = 1 - rate * (constrained ? 1.0 : o.decay);
      const step_length length(rate * factor * (constrained ? o.radius : 1.0),
                               o.form == step_form::sharp    ? o.penalty
                               : o.form == step_form::smooth ? o.l0 / 2
                                                             : 0.0,
                               o.form == step_form::smooth ? o.l1 : 0.0);
      const oriented_view<const T, space> seen_block{window(source.as_const(), at, transposed_),
                                                     transposed_};
      const oriented_view<T, space> weights{window(weight.storage, at, weight.transposed),
                                            weight.transposed};
      const lmo_report r =
          whole ? plans_[i].update_on_arrival(seen_block, arrival, weights, keep, length)
                : plans_[i].update_views(seen_block, weights, keep, length);
      report.gap = std::max(report.gap, r.gap());
      report.dual_norm -= r.objective / std::max(1.0, r.feasibility);
      report.residual = std::max(report.residual, r.residual);
      report.passes = std::max(report.passes, r.passes);
      report.iterations = std::max(report.iterations, r.iterations);
      report.outcome = worse(report.outcome, r.outcome);
    }
    length_ = arrival.momentum_length();
    ++steps_;
    return report;
  }

  /// Forgets momentum, step count and subspaces.
  void reset() {
    backend_->fill(entries(), T(0));
    steps_ = 0;
    length_ = T(0);
    for (auto& plan : plans_) plan.reset();
  }

  void save(archive_writer& out) const {
    out.write(std::string("lmo_step"));
    out.write(static_cast<std::uint64_t>(sizeof(T)));
    out.write(rows_);
    out.write(cols_);
    out.write(steps_);
    out.write(static_cast<std::uint8_t>(transposed_));
    write_entries<T>(out, *backend_, entries().as_const());
    out.write(length_);
    out.write(static_cast<std::uint64_t>(plans_.size()));
    for (const auto& plan : plans_) {
      std::ostringstream memory;
      plan.save(memory);
      out.write(memory.str());
    }
  }
  /// @throws std::invalid_argument where the state is of another scalar, shape or method. This
  /// step is then in an unspecified state: load into a fresh one, as `optimizer` does.
  void load(archive_reader& in) {
    expect_text(in, "lmo_step");
    const auto scalar = in.read<std::uint64_t>();
    if (scalar != sizeof(T)) refuse("checkpoint: bytes a scalar", "the weight's", scalar);
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    steps_ = in.read<index_t>();
    transposed_ = in.read<std::uint8_t>() != 0;
    read_entries<T>(in, *backend_, entries());
    length_ = in.read<T>();
    const auto plans = in.read<std::uint64_t>();
    if (plans != plans_.size()) refuse("checkpoint: blocks", "the parameter's", plans);
    for (auto& plan : plans_) {
      std::istringstream memory(in.read_text(std::uint64_t(1) << 40));
      plan.load(memory);
    }
  }

 private:
  [[nodiscard]] matrix_view<T, space> entries() const {
    return {momentum_.data(), momentum_.size(), 1};
  }
  [[nodiscard]] automatic method_for(const matrix_block& at) const {
    const spectral_need need = need_of(dual(rule_.norm), std::min(at.rows, at.cols));
    return {.gap = rule_.options.gap.value_or(need.polar ? 1e-3 : 1e-2),
            .seed = rule_.options.seed};
  }

  lmo_rule<N> rule_;
  index_t rows_, cols_;
  B* backend_;
  std::vector<matrix_block> blocks_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) momentum_, seen_;
  std::vector<plan_type> plans_;
  bool transposed_ = false;
  T length_ = 0;  ///< ‖momentum‖_F
  index_t steps_ = 0;
};

}  // namespace fanion
