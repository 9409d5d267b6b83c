/// @file  Steps without a number for the host: for streams that are captured in a graph, and
/// wherever a wait costs more than the work. Muon, F-Muon, S-Muon, NSGD and SignSGD have one: their
/// oracles are sums of a polar factor, a direction and signs.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/optim/blocks.hpp>
#include <fanion/optim/describe.hpp>
#include <fanion/optim/lmo_step.hpp>
#include <fanion/spectral/polar.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fanion {

template <class N, class Method, Real T, class B>
class capturable_step;

/// Any of these oracles' rules, with a polar factor of fixed work; the rule's gap and seed are not
/// looked at.
///
///   optimizer<float, cuda_backend> opt(capturable{muon(), newton_schulz{}}, adamw{}, backend);
template <LmoTractable N, class Method = newton_schulz>
struct capturable {
  lmo_rule<N> inner;
  Method method = {};

  static constexpr const char* name = "capturable";
  template <Real T, class B>
  using step = capturable_step<N, Method, T, B>;
};
template <class N>
capturable(lmo_rule<N>) -> capturable<N>;
template <class N, class Method>
capturable(lmo_rule<N>, Method) -> capturable<N, Method>;

namespace detail {

/// Sums whose subgradient is a polar factor, a direction and signs.
template <class F>
inline constexpr bool of_capturable_terms =
    FlatSpectralNorm<F> || std::same_as<F, frobenius> || std::same_as<F, sum_abs>;
template <class F>
inline constexpr bool of_capturable_terms<scaled<F>> = of_capturable_terms<F>;
template <class F, class G>
inline constexpr bool of_capturable_terms<sum<F, G>> =
    of_capturable_terms<F>&& of_capturable_terms<G>;

[[nodiscard]] inline std::string describe_compute(compute c) {
  return c == compute::full ? "" : std::string(", in ") + name_of(c);
}
[[nodiscard]] inline std::string describe_fixed(const newton_schulz& m) {
  return std::string(m.coefficients == schulz::classic ? "classic" : "keller_jordan") +
         " newton_schulz, steps " + std::to_string(m.steps) + describe_compute(m.compute);
}
[[nodiscard]] inline std::string describe_fixed(const polar_express& m) {
  return "polar_express, lower " + describe(m.lower.value_or(0)) + ", safety " +
         describe(m.safety) + ", steps " + std::to_string(m.steps) + ", block " +
         std::to_string(m.block) + (m.gap ? ", gap " + describe(*m.gap) : "") +
         describe_compute(m.compute);
}

}  // namespace detail

template <LmoTractable N, class Method>
void check(const capturable<N, Method>& r) {
  check(r.inner.options);
  if (r.inner.options.form != step_form::unconstrained)
    refuse("capturable: form", "unconstrained", "another");
  if (!fixes_work(r.method))
    refuse("capturable: method", "newton_schulz, or polar_express with steps and lower",
           "one that decides by numbers");
}
template <LmoTractable N, class Method>
[[nodiscard]] std::string describe(const capturable<N, Method>& r) {
  return "capturable, " + detail::describe_fixed(r.method) +
         (r.method.feasible ? ", feasible, " : ", ") + describe(r.inner);
}

/// State and step of one parameter, one block: lmo_step's formulas, where what has to be decided is
/// decided where the matrices are. A gradient that is not finite changes nothing, a momentum that
/// is zero, of a norm below the normal numbers, or has overflowed only decays the weight, a rate
/// that is negative or not finite moves nothing but the momentum. `step` waits once, for the
/// report. `enqueue` does not wait: its rate is a number on the device, so that a graph, which
/// repeats what it recorded, can be given another. Allocates in the constructor only.
///
///   auto step = make_step<float>(capturable{muon(), newton_schulz{}}, rows, cols, backend);
///   const auto graph = backend.capture([&] { step.enqueue(W, G, rate); });
///   for (…) { …; backend.launch(graph); }
template <class N, class Method, Real T, class B>
class capturable_step {
 public:
  using space = typename B::space;
  static_assert(detail::of_capturable_terms<dual_type<N>>,
                "capturable: the dual of the norm must be a sum of multiples of nuclear(), "
                "frobenius() and sum_abs()");

  /// A given lower end is relative to the Frobenius norm here.
  /// @throws std::invalid_argument for impossible options, a form that is not unconstrained, a
  /// method whose work is not fixed, a spectral term that reads not every singular value, or blocks
  /// other than all of the matrix.
  capturable_step(const capturable<N, Method>& rule, index_t rows, index_t cols, B& backend,
                  const std::vector<matrix_block>& blocks = {})
      : rule_(checked(rule, rows, cols)),
        rows_(rows),
        cols_(cols),
        backend_(&backend),
        memory_(backend.template make_workspace<T>(2 * rows * cols + numbers_kept)) {
    if (blocks.size() > 1 || (blocks.size() == 1 && blocks[0] != matrix_block{0, 0, rows, cols}))
      refuse("capturable: blocks", "none, or the whole matrix",
             "parts of " + shape_text(rows, cols));
    for_each_term(dual(rule.inner.norm), [&]<class L>(double c, const L& leaf) {
      if constexpr (FlatSpectralNorm<L>)
        polar_ += c * leaf.flat_weight();
      else if constexpr (std::same_as<L, frobenius>)
        direction_ += c;
      else
        signs_ += c;
    });
    if (polar_ > 0) solver_.emplace(backend, rows, cols, rule.method);
  }

  /// Steps that `step` has taken. Those of a graph are not counted.
  [[nodiscard]] index_t steps() const noexcept { return steps_; }
  [[nodiscard]] const capturable<N, Method>& rule() const noexcept { return rule_; }
  /// Those of a graph count as one here.
  [[nodiscard]] momentum_state<T, space> state() const {
    return {momentum_entries().as_const(), order_.value_or(false),
            std::max<index_t>(steps_, order_ ? 1 : 0)};
  }
  /// Goes on from this momentum, of a step of the same shape.
  void adopt(const momentum_state<T, space>& from) {
    if (from.values.size() != rows_ * cols_)
      refuse("capturable: entries of the momentum", std::to_string(rows_ * cols_).c_str(),
             from.values.size());
    backend_->template copy<T>(from.values, momentum_entries());
    order_ = from.steps > 0 ? std::optional(from.transposed) : std::nullopt;
    steps_ = from.steps;
  }

  /// Puts one step into the backend's stream; `rate` is 1 x 1. Weight and gradient are stored in
  /// one order, that of the momentum once there is one. The memory of all three has to stay where
  /// it is, and this object and its backend have to live, for as long as a graph of it is launched.
  /// @throws std::invalid_argument for shapes that do not fit.
  void enqueue(const oriented_view<T, space>& weight, const oriented_view<const T, space>& gradient,
               matrix_view<const T, space> rate) {
    check_step(weight, gradient);
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("step: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    if (weight.transposed != gradient.transposed)
      throw std::invalid_argument("step: weight and gradient must be stored in one order");
    if (order_.value_or(weight.transposed) != weight.transposed)
      throw std::invalid_argument("step: the weight must be stored as it was before");
    if (rate.rows() != 1 || rate.cols() != 1)
      refuse("step: the shape of the rate", "1 x 1", shape_text(rate.rows(), rate.cols()));
    order_ = turned_ = weight.transposed;
    const auto w = weight.storage;
    const momentum& how = rule_.inner.options.momentum;
    const bool ahead = how.lookahead == lookahead::nesterov;
    const T beta = static_cast<T>(how.beta);
    const T share = how.accumulation == accumulation::ema ? static_cast<T>(1 - how.beta) : T(1);
    const matrix_view<T, space> m(memory_.data(), w.rows(), w.cols()),
        seen(m.data() + m.size(), w.rows(), w.cols());
    const auto handed = (ahead ? seen : m).as_const();

    backend_->template norm_to<T>(gradient.storage, number(0));
    backend_->for_each_entry(entry::look_ahead_if_finite<T>{{beta, share}, number(0).data()}, m,
                             gradient.storage, seen);
    if (signs_ > 0) backend_->template reduce_entries_to<T>(handed, reduction::sum_abs, number(4));

    matrix_view<const T, space> y;
    if (solver_)
      y = polar_factor_of(handed, weight.transposed);
    else
      backend_->template norm_to<T>(handed, number(1));
    const double factor = shrink() * shape_factor(rule_.inner.options.scaling, rows_, cols_);
    const entry::rate_against<T> length{number(0).data(), rate.data(),
                                        static_cast<T>(rule_.inner.options.decay)};
    const entry::direction_and_sign<T> others{number(1).data(), static_cast<T>(factor * direction_),
                                              static_cast<T>(factor * signs_)};
    const T polar = static_cast<T>(factor * polar_);
    if (!solver_)
      backend_->for_each_entry(entry::step_against_entries<T>{length, others}, w, handed);
    else if (direction_ > 0 || signs_ > 0)
      backend_->for_each_entry(entry::step_against_sum<T>{length, others, polar}, w, y, handed);
    else
      backend_->for_each_entry(entry::step_against<T>{length, polar}, w, y);
  }

  /// One step of length `rate`, and what it did. Waits as `report`.
  /// @throws std::invalid_argument for a negative rate, one that is not finite in T, or shapes that
  /// do not fit.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    const T length = static_cast<T>(rate);
    (void)expects_coefficient(static_cast<double>(length), "step: rate");
    backend_->fill(number(5), length);
    enqueue(weight, gradient, number(5).as_const());
    const step_report done = report();
    if (!done.skipped) ++steps_;
    return done;
  }

  /// What the last step did, before the momentum is changed otherwise. Waits once; more often where
  /// the polynomials were taken in fewer bits than T has.
  [[nodiscard]] step_report report() {
    std::array<T, numbers_kept> seen{};
    to_host<T>(*backend_, numbers().as_const(), matrix_view<T>(seen.data(), numbers_kept, 1));
    step_report report;
    if (!is_finite(seen[0]) || !is_finite(seen[1])) {
      report.skipped = !is_finite(seen[0]);
      report.outcome = outcome::non_finite;
      report.dual_norm = report.skipped ? 0 : std::numeric_limits<double>::quiet_NaN();
      return report;
    }
    if (!entry::is_normal(seen[1])) {
      report.outcome = outcome::zero_input;
      return report;
    }
    const auto length = static_cast<double>(seen[1]);
    const double entries = direction_ * length + signs_ * static_cast<double>(seen[4]);
    lmo_report all;
    all.objective = -entries;
    all.bound = entries;
    all.feasibility = 1;
    report.passes = solver_ ? 3 : 1;
    if (signs_ > 0) ++report.passes;
    if (direction_ > 0 || signs_ > 0) ++report.passes;
    if (solver_) {
      const matrix_view<const T, space> handed(oracle_input().data(), turned_ ? cols_ : rows_,
                                               turned_ ? rows_ : cols_);
      const auto found =
          solver_->certificate(*backend_, {handed, turned_}, length, static_cast<double>(seen[2]),
                               static_cast<double>(seen[3]));
      all.feasibility = std::max(1.0, found.spectral_bound);
      all.objective -= polar_ * found.product;
      all.bound += polar_ * found.nuclear_bound;
      report.residual = found.effort.residual;
      report.iterations = found.effort.iterations;
      if (rule_.method.compute != compute::full) report.passes += found.effort.passes;
    }
    all.bound *= 1 + noise;
    all.feasibility *= 1 + noise;
    report.gap = all.gap();
    report.dual_norm = is_finite(all.objective) ? -all.objective / all.feasibility
                                                : std::numeric_limits<double>::quiet_NaN();
    return report;
  }

  /// What the next step accumulates into, stored like the weights.
  [[nodiscard]] matrix_view<const T, space> momentum_buffer() const {
    const bool turned = order_.value_or(false);
    return {memory_.data(), turned ? cols_ : rows_, turned ? rows_ : cols_};
  }
  /// The memory of what the oracle is handed, as lmo_step::oracle_input.
  [[nodiscard]] matrix_view<const T, space> oracle_input() const {
    const bool ahead = rule_.inner.options.momentum.lookahead == lookahead::nesterov;
    return {memory_.data() + (ahead ? rows_ * cols_ : 0), rows_ * cols_, 1};
  }
  /// Waits. What a graph did before is in it, and the graph may be launched on after `load`.
  void save(archive_writer& out) const {
    out.write(std::string("capturable_step"));
    out.write(static_cast<std::uint64_t>(sizeof(T)));
    out.write(rows_);
    out.write(cols_);
    out.write(steps_);
    out.write(static_cast<std::uint8_t>(order_ ? 1 + *order_ : 0));
    write_entries<T>(out, *backend_, momentum_entries().as_const());
  }
  /// @throws std::invalid_argument where the state is of another scalar, shape or order of storage
  /// than the steps so far, or ends early; the momentum is then as it was.
  void load(archive_reader& in) {
    expect_text(in, "capturable_step");
    const auto scalar = in.read<std::uint64_t>();
    if (scalar != sizeof(T)) refuse("checkpoint: bytes a scalar", "the weight's", scalar);
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    const auto steps = in.read<index_t>();
    const auto order = in.read<std::uint8_t>();
    if (order > 2) refuse("checkpoint: the order of storage", "0, 1 or 2", int(order));
    if (order > 0 && order_.value_or(order == 2) != (order == 2))
      throw std::invalid_argument("checkpoint: the weight was stored in another order");
    read_entries<T>(in, *backend_, momentum_entries());
    steps_ = steps;
    order_ = order == 0 ? std::nullopt : std::optional<bool>(order == 2);
  }

  /// Forgets momentum, steps and how the weight was stored: what was recorded before goes on only
  /// with a weight that is stored the same. Does not wait.
  void reset() {
    backend_->fill(momentum_entries(), T(0));
    order_.reset();
    steps_ = 0;
  }

 private:
  /// ‖G‖, ‖M‖, <M, X>, ‖X‖, Σ|mᵢⱼ|, and the rate of `step`.
  static constexpr index_t numbers_kept = 6;

  static const capturable<N, Method>& checked(const capturable<N, Method>& rule, index_t rows,
                                              index_t cols) {
    check(rule);
    check_shape_of(rule.inner.norm, rows, cols);
    const index_t r = std::min(rows, cols);
    for_each_term(dual(rule.inner.norm), [&]<class L>(double, const L& leaf) {
      if constexpr (FlatSpectralNorm<L>)
        if (leaf.depth(r) < r)
          refuse("capturable: singular values that a term reads", std::to_string(r).c_str(),
                 leaf.depth(r));
    });
    return rule;
  }

  /// Of the sums in a report.
  static constexpr double noise = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
  /// N(D) is at most this before it is scaled.
  [[nodiscard]] double longest() const {
    return solver_ ? std::max(1.0, solver_->ceiling()) * (1 + noise) : 1 + noise;
  }
  /// What D is multiplied by.
  [[nodiscard]] double shrink() const { return rule_.method.feasible ? 1 / longest() : 1; }

  /// UVᵀ of what is handed, stored as the weights are.
  [[nodiscard]] matrix_view<const T, space> polar_factor_of(matrix_view<const T, space> handed,
                                                            bool transposed) {
    const oriented_view<T, space> x =
        solver_->enqueue(*backend_, {handed, transposed}, numbers().block(1, 0, 3, 1));
    if (x.transposed == transposed) return x.storage.as_const();
    const matrix_view<T, space> turned(solver_->spare(x), handed.rows(), handed.cols());
    backend_->template copy_adjoint<T>(x.storage.as_const(), turned);
    return turned.as_const();
  }

  [[nodiscard]] matrix_view<T, space> momentum_entries() const {
    return {memory_.data(), rows_ * cols_, 1};
  }
  [[nodiscard]] matrix_view<T, space> numbers() const {
    return {memory_.data() + 2 * rows_ * cols_, numbers_kept, 1};
  }
  [[nodiscard]] matrix_view<T, space> number(index_t i) const {
    return numbers().block(i, 0, 1, 1);
  }

  capturable<N, Method> rule_;
  index_t rows_, cols_;
  B* backend_;
  double polar_ = 0, direction_ = 0, signs_ = 0;
  std::optional<polar_solver<T, B>> solver_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) memory_;
  std::optional<bool> order_;  ///< whether the momentum is stored transposed, once there is one
  bool turned_ = false;        ///< whether what the last step was handed is
  index_t steps_ = 0;
};
/// A step in T for weights of rows x cols.
template <Real T, LmoTractable N, class Method, class B>
[[nodiscard]] capturable_step<N, Method, T, B> make_step(const capturable<N, Method>& rule,
                                                         index_t rows, index_t cols, B& backend) {
  return {rule, rows, cols, backend};
}

}  // namespace fanion
