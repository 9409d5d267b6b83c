/// @file  The spectral ball's oracle for many matrices at once, every product of all of them in one
/// call: for devices, which small matrices leave idle one by one.
#pragma once

#include <fanion/backend/batch_products.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/oracles/check_batch.hpp>
#include <fanion/spectral/measured_certificate.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/plain_step.hpp>
#include <fanion/spectral/polar_certificate.hpp>
#include <fanion/spectral/polynomials.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace fanion {

/// X <- p(M/‖M‖_F) for `count` m x n matrices and a fixed composition p of odd polynomials, each
/// step R = XXᵀ, H = bR + cR², X <- aX + HX on the shorter side: (4 r²L + 2 r³) flops a matrix.
/// Memory: count (3 mn + 2 r²) scalars, r = min(m, n), and 2 r² where the steps are taken in fewer
/// bits; reports are then measured, one after another (spectral/measured_certificate.hpp).
/// Allocates in the constructor only. Movable, not copyable; one caller at a time.
template <Real T, class B>
class polar_batch {
 public:
  using space = typename B::space;

  /// A given lower end is relative to the Frobenius norm; gap and block of Polar Express are not
  /// looked at.
  /// @throws std::invalid_argument for negative sizes, or a method whose work is not fixed.
  template <class Method>
  requires requires(const Method& m) { fixes_work(m); }
  polar_batch(B& backend, index_t rows, index_t cols, index_t count, const Method& method)
      : backend_(&backend),
        rows_(expects_at_least(rows, 0, "polar_batch: rows")),
        cols_(expects_at_least(cols, 0, "polar_batch: cols")),
        count_(expects_at_least(count, 0, "polar_batch: count")),
        steps_(polynomials(method)),
        compute_(method.compute),
        feasible_(method.feasible),
        scratch_(backend.template make_workspace<T>(scratch_size())),
        memory_(backend.template make_workspace<T>(
            count * (3 * (rows * cols + 1) + 2 * shorter() * shorter()))),
        numbers_(static_cast<std::size_t>(3 * count)) {
    for (const quintic& p : steps_) record_.apply(p);
    const double top = std::max(record_.ceiling(), -record_.floor());
    ceiling_ = compute_ == compute::full
                   ? std::max(1.0, top + slack())
                   : expected_norm(std::max(1.0, top), unit_roundoff(compute_), slack());
    ceiling_ *= 1 + noise;
  }

  [[nodiscard]] index_t count() const noexcept { return count_; }

  /// X[i] <- keep X[i] + rate D[i], with D[i] = argmin { <M[i], D> : ‖D‖₂ <= 1 }, put into the
  /// backend's stream: nothing is waited for, so it can be captured in a graph. Where M[i] is zero,
  /// of a norm below the normal numbers, or not finite D[i] is 0.
  /// @throws std::invalid_argument as `execute`.
  void enqueue(const batch_view<const T, space>& m, const batch_view<T, space>& x, double keep,
               double rate) {
    check_batch(count_, rows_, cols_, m, x, static_cast<std::size_t>(count_));
    B& b = *backend_;
    if (rows_ * cols_ * count_ == 0) return;
    // As lines: a matrix in each column.
    const auto lines_of = [&](const batch_view<T, space>& v) {
      return matrix_view<T, space>(v.pointer, rows_ * cols_, count_);
    };
    batch_view<T, space> now = part(0), next = part(1);
    const batch_view<T, space> start = part(2);
    each(m, start, [&](auto from, auto to) { b.template copy<T>(from, to); });
    b.template line_norms<T>(lines_of(start).as_const(), lines::columns, numbers(0));
    b.template map_lines<T>({lines_of(start).as_const(), false}, lines::columns,
                            numbers(0).as_const(), lines_of(start),
                            entry::over_finite_line<T>{static_cast<T>(1 + slack())});
    b.template copy<T>(lines_of(start).as_const(), lines_of(now));
    const batch_view<T, space> r = square(0), h = square(1);
    const auto multiply = [&](double factor, const auto& A, bool a_turned, const auto& X,
                              bool x_turned, double share, const auto& out) {
      multiply_each<T>(b, static_cast<T>(factor), A, a_turned, X, x_turned, static_cast<T>(share),
                       out, scratch_.span());
    };
    if (compute_ != compute::full)
      now = reduced_steps<T, B>::run(b, compute_, steps_, now, next, r.pointer, h.pointer,
                                     scratch_.span());
    else
      for (const quintic& p : steps_) {
        plain_step(b, p, now, next, r, h, multiply);
        std::swap(now, next);
      }
    found_ = now.pointer;
    column_dots<T>(b, lines_of(start).as_const(), lines_of(now).as_const(), numbers(1));
    b.template line_norms<T>(lines_of(now).as_const(), lines::columns, numbers(2));
    const T factor = static_cast<T>(-rate * (feasible_ ? 1 / ceiling_ : 1.0));
    each(now.as_const(), x,
         [&](auto from, auto to) { b.template axpby<T>(factor, from, static_cast<T>(keep), to); });
  }

  /// D[i] <- argmin { <M[i], D> : ‖D‖₂ <= 1 }, and reports[i] says how good it is. Waits, once
  /// unless the steps are taken in fewer bits.
  /// @throws std::invalid_argument where a batch has another shape or count, `reports` another
  /// length, or a D[i] shares memory with an M[j] or another D[j]; nothing is written then.
  void execute(const batch_view<const T, space>& m, const batch_view<T, space>& d,
               std::span<lmo_report> reports) {
    update(m, d, 0, 1, reports);
  }
  /// X[i] <- keep X[i] + rate D[i]. Waits as `execute`. @throws std::invalid_argument as `execute`.
  void update(const batch_view<const T, space>& m, const batch_view<T, space>& x, double keep,
              double rate, std::span<lmo_report> reports) {
    if (std::ssize(reports) != count_) refuse("batch: reports", "one a matrix", reports.size());
    enqueue(m, x, keep, rate);
    read_reports(reports);
  }

  /// What the last call did, a graph's launch too. Waits.
  /// @throws std::invalid_argument unless there is a report for each matrix.
  void read_reports(std::span<lmo_report> reports) {
    if (std::ssize(reports) != count_) refuse("batch: reports", "one a matrix", reports.size());
    to_host<T>(*backend_,
               matrix_view<const T, space>(numbers(0).data(), rows_ * cols_ > 0 ? count_ : 0, 3),
               matrix_view<T>(numbers_.data(), rows_ * cols_ > 0 ? count_ : 0, 3));
    for (index_t i = 0; i < count_; ++i) reports[static_cast<std::size_t>(i)] = report_of(i);
  }

 private:
  /// Of the sums in a report.
  static constexpr double noise = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());

  [[nodiscard]] static std::vector<quintic> polynomials(const newton_schulz& method) {
    const index_t steps = expects_at_least(method.steps, 1, "newton_schulz: steps");
    return {within_budget(steps, "newton_schulz: steps"),
            method.coefficients == schulz::classic ? classic_step : keller_jordan_step};
  }
  [[nodiscard]] static std::vector<quintic> polynomials(const polar_express& method) {
    if (!fixes_work(method))
      refuse("polar_batch: method", "newton_schulz, or polar_express with steps and lower",
             "one that decides by numbers");
    std::vector<quintic> all(within_budget(method.steps, "polar_express: steps"));
    optimal_quintics(
        expects_fraction(expects_positive(*method.lower, "polar_express: lower"),
                         "polar_express: lower"),
        safety_in(method.compute, expects_positive(method.safety, "polar_express: safety")), all);
    return all;
  }
  [[nodiscard]] static std::size_t within_budget(index_t steps, const char* what) {
    if (steps > quintic_reach::most) refuse(what, "at most 60", steps);
    return static_cast<std::size_t>(steps);
  }

  [[nodiscard]] index_t shorter() const { return std::min(rows_, cols_); }
  [[nodiscard]] double slack() const { return rounding<T>(rows_, cols_); }
  /// One of three batches without gaps.
  [[nodiscard]] batch_view<T, space> part(index_t which) const {
    const index_t size = rows_ * cols_;
    return {memory_.data() + which * size * count_, rows_, cols_, rows_, size, count_};
  }
  /// One of two batches of matrices on the shorter side.
  [[nodiscard]] batch_view<T, space> square(index_t which) const {
    const index_t r = shorter(), before = 3 * rows_ * cols_ + which * r * r;
    return {memory_.data() + before * count_, r, r, r, r * r, count_};
  }
  /// ‖M‖_F, <M/‖M‖, X>, ‖X‖_F.
  [[nodiscard]] matrix_view<T, space> numbers(index_t which) const {
    const index_t before = 3 * rows_ * cols_ + 2 * shorter() * shorter() + which;
    return {memory_.data() + before * count_, count_, 1};
  }
  [[nodiscard]] T number(index_t i, index_t which) const {
    return numbers_[static_cast<std::size_t>(which * count_ + i)];
  }

  /// f of each pair of members; of all at once where neither batch has gaps between members.
  template <class E, class F>
  void each(const batch_view<E, space>& from, const batch_view<T, space>& to, const F& f) const {
    const auto joined = [&](const auto& v) { return v.stride == v.ld * cols_ || count_ == 1; };
    if (joined(from) && joined(to)) {
      f(matrix_view<const T, space>(from.pointer, rows_, cols_ * count_, from.ld),
        matrix_view<T, space>(to.pointer, rows_, cols_ * count_, to.ld));
      return;
    }
    for (index_t i = 0; i < count_; ++i) f(matrix_view<const T, space>(from[i]), to[i]);
  }

  [[nodiscard]] lmo_report report_of(index_t i) {
    const T size = number(i, 0), product = number(i, 1), length = number(i, 2);
    lmo_report report;
    report.passes = 1;
    if (rows_ * cols_ == 0 || size < std::numeric_limits<T>::min()) {
      report.outcome = outcome::zero_input;
      return report;
    }
    if (!is_finite(size)) {
      report.outcome = outcome::non_finite;
      report.objective = report.bound = std::numeric_limits<double>::quiet_NaN();
      return report;
    }
    const double norm = static_cast<double>(size), unit = norm * (1 + slack());
    polar_factor<T, space> answer;
    if (compute_ != compute::full)
      measure_member(i, unit, answer);
    else
      certify_polar({static_cast<double>(product) * unit,
                     static_cast<double>(length) * static_cast<double>(length)},
                    norm, shorter(), norm * (1 + 2 * slack()), slack(), record_, answer);
    const double factor = feasible_ ? 1 / ceiling_ : 1.0;
    report.objective = -answer.product * factor;
    report.bound = answer.nuclear_bound * (1 + noise);
    report.feasibility =
        std::max(1.0, answer.spectral_bound * factor * (feasible_ ? 1 : 1 + noise));
    report.residual = answer.effort.residual;
    report.iterations = std::ssize(steps_);
    return report;
  }

  /// Of M[i] and its X, which stand where `enqueue` left them. Overwrites what is free by then.
  void measure_member(index_t i, double unit, polar_factor<T, space>& answer) {
    const index_t size = rows_ * cols_, r = shorter();
    const bool tall = rows_ > cols_;
    const auto member = [&](const T* batch) {
      return matrix_view<const T, space>(batch + i * size, rows_, cols_);
    };
    const T* const start = part(2).pointer;
    T* const free = part(found_ == part(0).pointer ? 1 : 0).pointer;
    const auto scratch = scratch_.span();
    const measured_certificate<T, B> certify(free, scratch.data(),
                                             scratch.subspan(static_cast<std::size_t>(2 * r * r)));
    // M/unit has rounded to what stands there: its length is 1 up to that.
    certify(*backend_, {{member(start), false}, T(1), 1.0}, {member(found_), tall},
            std::max(1.0, record_.ceiling()), unit_roundoff(compute_), answer);
    answer.product *= unit;
    answer.nuclear_bound *= unit;
  }

  [[nodiscard]] index_t scratch_size() const {
    const index_t r = shorter(), l = std::max(rows_, cols_);
    if (compute_ == compute::full) return multiply_each_size<T>(*backend_, l, r);
    return std::max(reduced_steps<T, B>::scratch_size(*backend_, r, l),
                    2 * r * r + measured_certificate<T, B>::scratch_size(*backend_, r, l));
  }

  B* backend_;
  index_t rows_, cols_, count_;
  std::vector<quintic> steps_;
  compute compute_;
  bool feasible_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) scratch_, memory_;
  std::vector<T> numbers_;
  polynomial_record record_;
  double ceiling_ = 1;
  const T* found_ = nullptr;  ///< the X of the last `enqueue`
};

/// A plan of fixed work for batches like `like`, of which shape and count are read. Allocates.
template <class E, class Method, Backend B>
requires requires(const Method& m) { fixes_work(m); }
[[nodiscard]] auto plan_lmo_batch(const spectral&, const batch_view<E, typename B::space>& like,
                                  const Method& method, B& backend) {
  return polar_batch<std::remove_const_t<E>, B>(backend, like.rows, like.cols, like.count, method);
}

}  // namespace fanion
