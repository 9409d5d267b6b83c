/// @file  The polar factor by QDWH: QR-based dynamically weighted Halley iteration.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/core/contract.hpp>
#include <fanion/spectral/halley.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/polar_certificate.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

namespace fanion {

/// X <- X (a + b XᵀX) (1 + c XᵀX)⁻¹ with the weights that are best for the interval known to hold
/// the singular values. The inverse comes from Cholesky's factor, 3 r²L + r³ flops a step, while
/// c is small enough for it; before that from an orthonormal basis of [sqrt(c) X; I], which no
/// condition number harms, 6 r²L + 4 r³ flops or more of slower kernels. Memory: 3 r L + 2 r².
template <Real T, class B>
class qdwh_solver {
 public:
  using space = typename B::space;

  /// What calls have taught: the share of the guess at which the small σ held little enough, for
  /// how many calls to leave it, and for how many after the next failure.
  struct experience {
    double share = 1;
    std::int64_t wait = 0, patience = 8;
  };
  static constexpr std::int64_t most_patience = 1024;

  /// Scalars that a solver of this shape works in.
  [[nodiscard]] static index_t memory_size(const B& b, index_t m, index_t n) {
    const index_t r = std::min(m, n), l = std::max(m, n);
    return 3 * r * l + 2 * r * r +
           std::max({b.template syrk_size<T>(r, l), b.template multiply_size<T>(r, r, l),
                     b.template multiply_outer_size<T>(r, l, r),
                     b.template invert_definite_size<T>(r),
                     b.template orthonormalize_size<T>(r + l, r)});
  }

  /// In memory of its own, unless some is lent.
  qdwh_solver(B& b, index_t m, index_t n, const qdwh& method, std::span<T> lent = {})
      : m_(m),
        n_(n),
        r_(std::min(m, n)),
        l_(std::max(m, n)),
        gap_(expects_positive(method.gap.value_or(default_gap<T>), "qdwh: gap")),
        buffer_(b.template make_workspace<T>(lent.empty() ? memory_size(b, m, n) : 0)),
        memory_(lent.empty() ? buffer_.span() : lent) {}

  [[nodiscard]] polar_factor<T, space> solve(B& b, const operand<T, space>& a) {
    const matrix_view<T, space> one(memory_.data(), r_, l_), two(one.data() + r_ * l_, r_, l_);
    short_side<T, space> now = lay_on_short_side(b, a, one);
    if (now.x.data() != one.data()) {  // the steps below are to see the same bits for every 2ʲA
      b.axpby(now.scale, now.x, T(0), one);
      now = {one.as_const(), T(1), now.turned};
    }
    b.syrk(now.scale * now.scale, now.x, T(0), gram(), scratch());
    // ‖A‖₂² <= ‖AAᵀ‖_F, and Hölder: the mean singular value is at least this.
    const double fourth = static_cast<double>(b.norm(gram().as_const()));
    const double unit = std::min(a.frobenius, std::sqrt(fourth)) * (1 + rounding<T>(m_, n_));
    const double mean =
        a.frobenius * a.frobenius * a.frobenius / (fourth * static_cast<double>(r_));
    // As for square noise, whose σ are dense near 0: those below hold about a share gap of the sum.
    const double guess = 3 * std::sqrt(std::min(gap_, 0.01)) * mean / unit;
    const double first = std::clamp(guess * learned_.share, least_lower, 1.0);
    double lower = first;
    double lo = lower, hi = 1;
    polar_factor<T, space> answer;
    answer.effort.passes = 1;
    record_.reset();
    work_ = 0;
    for (index_t steps = 0; steps < budget;) {
      const halley_step h = optimal_halley(lo / hi).stretched(hi);
      record_.apply(h);
      std::tie(lo, hi) = h.image(lo, hi);
      const matrix_view<T, space> y = now.x.data() == one.data() ? two : one;
      step(b, steps == 0 ? h.stretched(unit) : h, steps == 0, now, y);
      now = {y.as_const(), T(1), now.turned};
      answer.effort.iterations = ++steps;
      if (std::max(1 - lo, hi - 1) > gap_ / 8 && steps < budget) continue;
      certify_polar(b, a, now, unit, rounding<T>(m_, n_), record_, answer);
      const double missed = missed_share(answer);
      if (missed + 32 * eps <= std::max(gap_, 4 * rounding<T>(m_, n_))) {
        remember(first, lower, guess);
        return answer;
      }
      if (lower <= least_lower) break;
      lower = std::max(least_lower, lower / std::clamp(2 * missed / gap_, 4.0, 1e4));
      std::tie(lo, hi) = record_.image(lower);
    }
    answer.effort.outcome = outcome::budget_spent;
    return answer;
  }

  void reset() { learned_ = {}; }
  void save(archive_writer& out) const {
    out.write(learned_.share);
    out.write(learned_.wait);
    out.write(learned_.patience);
  }
  /// Reads and checks; `adopt` changes this solver.
  [[nodiscard]] static experience recall(archive_reader& in) {
    experience e;
    e.share = in.read<double>();
    e.wait = in.read<std::int64_t>();
    e.patience = in.read<std::int64_t>();
    if (!(e.share > 0 && e.share <= 1))
      refuse("checkpoint: the share of a guess", "above 0 and at most 1", e.share);
    if (e.patience < experience{}.patience || e.patience > most_patience)
      refuse("checkpoint: the patience", "between 8 and 1024", e.patience);
    if (e.wait < 0 || e.wait > e.patience)
      refuse("checkpoint: the calls to wait", "between 0 and the patience", e.wait);
    return e;
  }
  void adopt(const experience& e) { learned_ = e; }
  void load(archive_reader& in) { adopt(recall(in)); }

  /// Flops of the last call in units of r³, those of slower kernels than products counted twice.
  [[nodiscard]] double work() const { return work_; }
  /// The same for a number of steps by Cholesky's factor.
  [[nodiscard]] static constexpr double work_of(index_t r, index_t l, index_t steps) {
    return static_cast<double>(steps) * (3 * static_cast<double>(l) / static_cast<double>(r) + 2);
  }

 private:
  static constexpr index_t budget = 30;
  static constexpr double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  /// Below this share of ‖A‖₂ a singular value is rounding.
  static constexpr double least_lower = 8 * eps;

  void remember(double first, double lower, double guess) {
    experience& e = learned_;
    if (lower < first) {
      e.share = std::min(1.0, lower / guess);
      e.wait = e.patience;
      e.patience = std::min(4 * e.patience, most_patience);
    } else if (e.wait > 0) {
      --e.wait;
    } else {
      e.share = std::min(1.0, 2 * e.share);
    }
  }

  [[nodiscard]] matrix_view<T, space> gram() { return {memory_.data() + 2 * r_ * l_, r_, r_}; }
  /// [sqrt(c) Xᵀ; I]
  [[nodiscard]] matrix_view<T, space> stack() { return {gram().data() + r_ * r_, r_ + l_, r_}; }
  [[nodiscard]] std::span<T> scratch() {
    return memory_.subspan(static_cast<std::size_t>(3 * r_ * l_ + 2 * r_ * r_));
  }

  /// Y = h(s X). The inverse has an error of ε c, which moves the vectors by that, and <A, X> by
  /// its square, since later steps take its first order out: so much is allowed as the gap cannot
  /// see.
  void step(B& b, const halley_step& h, bool has_gram, const short_side<T, space>& x,
            matrix_view<T, space> y) {
    const double share = h.b / h.c, rest = h.a - share;
    const matrix_view<T, space> Z = gram(), diagonal(Z.data(), 1, r_, r_ + 1);
    const auto add_to_diagonal = [&](T constant) {
      b.map_entries(diagonal.as_const(), diagonal, entry::plus<T>{constant});
    };
    if (eps * h.c <= 0.1 * std::sqrt(std::min(gap_, 0.01))) {
      if (!has_gram) b.syrk(x.scale * x.scale, x.x, T(0), Z, scratch());
      b.map_entries(Z.as_const(), Z, entry::times<T>{static_cast<T>(h.c)});
      add_to_diagonal(T(1));
      if (b.template invert_definite<T>(Z, scratch())) {
        b.map_entries(Z.as_const(), Z, entry::times<T>{static_cast<T>(rest)});
        add_to_diagonal(static_cast<T>(share));
        b.multiply(x.scale, Z.as_const(), x.x, T(0), y, scratch());
        work_ += work_of(r_, l_, 1);
        return;
      }
    }
    const matrix_view<T, space> W = stack(), top = W.block(0, 0, l_, r_),
                                bottom = W.block(l_, 0, r_, r_);
    b.axpby_adjoint(static_cast<T>(std::sqrt(h.c)) * x.scale, x.x, T(0), top);
    b.fill(bottom, T(0));
    const matrix_view<T, space> ones(bottom.data(), 1, r_, W.ld() + 1);
    b.fill(ones, T(1));
    (void)b.template orthonormalize<T>(W, scratch());
    b.axpby(static_cast<T>(share) * x.scale, x.x, T(0), y);
    b.multiply_outer(static_cast<T>(rest / std::sqrt(h.c)), bottom.as_const(), top.as_const(), T(1),
                     y, scratch());
    work_ += 5 * work_of(r_, l_, 1);
  }

  index_t m_, n_, r_, l_;
  double gap_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::span<T> memory_;
  polynomial_record record_;
  double work_ = 0;
  experience learned_;
};

}  // namespace fanion
