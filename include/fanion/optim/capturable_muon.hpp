/// @file  Muon's step without a number for the host: for streams that are captured in a graph, and
/// wherever a wait costs more than the work.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/lmo_step.hpp>
#include <fanion/spectral/polar.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace fanion {

/// State and step of one parameter, one block: lmo_step's formulas, with a polar factor of fixed
/// work. What has to be decided is decided where the matrices are: a gradient that is not finite
/// changes nothing, a momentum that is zero or has overflowed only decays the weight, a rate that
/// is negative or not finite moves nothing but the momentum. The rate is a number there too, so
/// that a graph, which repeats what it recorded, can be given another. What the step did is read
/// when somebody asks. Allocates in the constructor only.
///
///   capturable_muon<float, cuda_backend> step(muon(), newton_schulz{}, rows, cols, backend);
///   const auto graph = backend.capture([&] { step.enqueue(W, G, rate); });
///   for (…) { …; backend.launch(graph); }
template <Real T, class B>
class capturable_muon {
 public:
  using space = typename B::space;

  /// @throws std::invalid_argument for impossible options, a form that is not unconstrained, or a
  /// method whose work is not fixed: newton_schulz, or polar_express with `steps` and `lower`,
  /// which is relative to the Frobenius norm here.
  template <class Method>
  requires std::constructible_from<polar_solver<T, B>, B&, index_t, index_t, const Method&>
  capturable_muon(const lmo_rule<spectral>& rule, const Method& method, index_t rows, index_t cols,
                  B& backend)
      : rule_(rule),
        rows_(rows),
        cols_(cols),
        backend_(&backend),
        solver_(backend, rows, cols, method),
        memory_(backend.template make_workspace<T>(2 * rows * cols + 4)) {
    check(rule.options);
    if (rule.options.form != step_form::unconstrained)
      refuse("capturable_muon: form", "unconstrained", "another");
    if (!solver_.fixed_work())
      refuse("capturable_muon: method", "newton_schulz, or polar_express with steps and lower",
             "one that decides by numbers");
  }

  /// Puts one step into the backend's stream; `rate` is 1 x 1. Weight and gradient are stored in
  /// one order, and the memory of all three, like this object, has to stay where it is for as long
  /// as a graph of it is launched. @throws std::invalid_argument for shapes that do not fit.
  void enqueue(const oriented_view<T, space>& weight, const oriented_view<const T, space>& gradient,
               matrix_view<const T, space> rate) {
    check_step(weight, gradient);
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("step: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    if (weight.transposed != gradient.transposed)
      throw std::invalid_argument("step: weight and gradient must be stored in one order");
    if (rate.rows() != 1 || rate.cols() != 1)
      refuse("step: the shape of the rate", "1 x 1", shape_text(rate.rows(), rate.cols()));
    transposed_ = weight.transposed;
    const auto w = weight.storage;
    const momentum& how = rule_.options.momentum;
    const bool ahead = how.lookahead == lookahead::nesterov;
    const T beta = static_cast<T>(how.beta);
    const T share = how.accumulation == accumulation::ema ? static_cast<T>(1 - how.beta) : T(1);
    const matrix_view<T, space> m(memory_.data(), w.rows(), w.cols()),
        seen(m.data() + m.size(), w.rows(), w.cols());
    const T* const size = numbers().data();

    backend_->template norm_to<T>(gradient.storage, number(0));
    backend_->for_each_entry(entry::look_ahead_if_finite<T>{{beta, share}, size}, m,
                             gradient.storage, seen);
    const oriented_view<const T, space> handed{(ahead ? seen : m).as_const(), transposed_};
    const oriented_view<T, space> x =
        solver_.enqueue(*backend_, handed, numbers().block(1, 0, 3, 1));
    matrix_view<const T, space> y = x.storage.as_const();
    if (x.transposed != transposed_) {
      const matrix_view<T, space> turned(solver_.spare(x), w.rows(), w.cols());
      backend_->template copy_adjoint<T>(y, turned);
      y = turned.as_const();
    }
    const double factor = shape_factor(rule_.options.scaling, rows_, cols_);
    backend_->for_each_entry(
        entry::step_against<T>{size, rate.data(), static_cast<T>(rule_.options.decay),
                               static_cast<T>(factor)},
        w, y);
  }

  /// What the last step did. Waits.
  [[nodiscard]] step_report report() {
    std::array<T, 4> seen{};
    to_host<T>(*backend_, numbers().as_const(), matrix_view<T>(seen.data(), 4, 1));
    step_report report;
    if (!is_finite(seen[0]) || !is_finite(seen[1])) {
      report.skipped = !is_finite(seen[0]);
      report.outcome = outcome::non_finite;
      report.dual_norm = report.skipped ? 0 : std::numeric_limits<double>::quiet_NaN();
      return report;
    }
    if (seen[1] == T(0)) {
      report.outcome = outcome::zero_input;
      return report;
    }
    const auto found = solver_.certificate(
        static_cast<double>(seen[1]), static_cast<double>(seen[2]), static_cast<double>(seen[3]));
    report.gap = missed_share(found);
    report.dual_norm = found.product / std::max(1.0, found.spectral_bound);
    report.residual = found.effort.residual;
    report.passes = 3;
    report.iterations = found.effort.iterations;
    return report;
  }

  /// What the next step accumulates into, stored like the weights.
  [[nodiscard]] matrix_view<const T, space> momentum_buffer() const {
    return {memory_.data(), transposed_ ? cols_ : rows_, transposed_ ? rows_ : cols_};
  }
  /// The memory of what the oracle is handed, as lmo_step::oracle_input.
  [[nodiscard]] matrix_view<const T, space> oracle_input() const {
    const bool ahead = rule_.options.momentum.lookahead == lookahead::nesterov;
    return {memory_.data() + (ahead ? rows_ * cols_ : 0), rows_ * cols_, 1};
  }
  /// Waits. What a graph did before is in it, and a graph may be launched on after `load`.
  void save(archive_writer& out) const {
    out.write(std::string("capturable_muon"));
    out.write(static_cast<std::uint64_t>(sizeof(T)));
    out.write(rows_);
    out.write(cols_);
    out.write(static_cast<std::uint8_t>(transposed_));
    write_entries<T>(out, *backend_, momentum_entries().as_const());
  }
  /// @throws std::invalid_argument where the state is of another scalar or shape, or ends early;
  /// the momentum is then as it was.
  void load(archive_reader& in) {
    expect_text(in, "capturable_muon");
    const auto scalar = in.read<std::uint64_t>();
    if (scalar != sizeof(T)) refuse("checkpoint: bytes a scalar", "the weight's", scalar);
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    const bool transposed = in.read<std::uint8_t>() != 0;
    read_entries<T>(in, *backend_, momentum_entries());
    transposed_ = transposed;
  }

  /// Forgets momentum. Does not wait.
  void reset() { backend_->fill(momentum_entries(), T(0)); }

 private:
  [[nodiscard]] matrix_view<T, space> momentum_entries() const {
    return {memory_.data(), rows_ * cols_, 1};
  }
  [[nodiscard]] matrix_view<T, space> numbers() const {
    return {memory_.data() + 2 * rows_ * cols_, 4, 1};
  }
  [[nodiscard]] matrix_view<T, space> number(index_t i) const {
    return numbers().block(i, 0, 1, 1);
  }

  lmo_rule<spectral> rule_;
  index_t rows_, cols_;
  B* backend_;
  polar_solver<T, B> solver_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) memory_;
  bool transposed_ = false;
};

}  // namespace fanion
