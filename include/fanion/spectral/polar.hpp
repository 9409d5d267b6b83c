/// @file  The polar factor UVᵀ by odd polynomials of the matrix: Newton-Schulz and Polar Express.
///
/// Each step X <- aX + b(XXᵀ)X + c(XXᵀ)²X applies a quintic to every singular value and leaves the
/// vectors alone. Since the polynomials are known, so is what they do to any σ, and that yields the
/// certificate.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/spectral/gram_block.hpp>
#include <fanion/spectral/measured_certificate.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/moments.hpp>
#include <fanion/spectral/plain_step.hpp>
#include <fanion/spectral/polar_certificate.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace fanion {

/// Memory: 2 r L + 3 r² scalars, r = min(m, n), L = max(m, n). Steps are taken in blocks: k of them
/// cost 3 r²L + (4k - 3) r³ flops. In fewer bits: plain steps, and a certificate that is measured.
template <Real T, class B>
class polar_solver {
 public:
  using space = typename B::space;

  /// What calls have taught: the steps beside the guess, whether one less is being tried, for how
  /// many calls to leave it, and for how many after the next failure.
  struct experience {
    std::int64_t shift = 0, wait = 0, patience = 8, trial = 0;
  };
  static constexpr std::int64_t most_patience = 1024;

  polar_solver(B& b, index_t m, index_t n, const newton_schulz& method)
      : polar_solver(b, m, n, std::numeric_limits<double>::infinity(), 1, method.compute) {
    fixed_ = within_budget(expects_at_least(method.steps, 1, "newton_schulz: steps"),
                           "newton_schulz: steps");
    given_ = method.coefficients == schulz::classic ? classic_step : keller_jordan_step;
  }

  /// Scalars that a solver of this shape works in.
  [[nodiscard]] static index_t memory_size(const B& b, index_t m, index_t n,
                                           compute how = compute::full) {
    const index_t r = std::min(m, n), l = std::max(m, n);
    const index_t scratch = how == compute::full
                                ? gram_block<T, B>::scratch_size(b, r, l)
                                : std::max(reduced_steps<T, B>::scratch_size(b, r, l),
                                           measured_certificate<T, B>::scratch_size(b, r, l));
    return 2 * r * l + gram_block<T, B>::size(r) + scratch;
  }

  /// In memory of its own, unless some is lent.
  polar_solver(B& b, index_t m, index_t n, const polar_express& method, std::span<T> lent = {})
      : polar_solver(
            b, m, n, expects_positive(method.gap.value_or(default_gap<T>), "polar_express: gap"),
            expects_at_least(method.block, 0, "polar_express: block"), method.compute, lent) {
    fixed_ = within_budget(expects_at_least(method.steps, 0, "polar_express: steps"),
                           "polar_express: steps");
    safety_ = expects_positive(method.safety, "polar_express: safety");
    if (method.lower)
      lower_ = expects_fraction(expects_positive(*method.lower, "polar_express: lower"),
                                "polar_express: lower");
    if (method.compute != compute::full && !fixed_work())
      refuse("polar_express: compute", "full, unless steps and lower are given",
             name_of(method.compute));
  }

  /// `frobenius` is positive and finite. Allocates nothing.
  [[nodiscard]] polar_factor<T, space> solve(B& b, const operand<T, space>& a) {
    if (compute_ != compute::full) return solve_reduced(b, a);
    const matrix_view<T, space> one(memory_.data(), r_, l_), two(one.data() + r_ * l_, r_, l_);
    gram_block<T, B> gram(two.data() + r_ * l_, r_, scratch());
    short_side<T, space> now = lay_on_short_side(b, a, one);
    gram.open(b, now.scale, now.x);
    double unit = a.frobenius;
    index_t planned = fixed_, guess = 0;
    double lo = 0, hi = 1;
    if (given_ == quintic{}) {
      const gram_moments moments = moments_of(b, gram.gram(), gram.square(b));
      unit = std::min(unit, std::sqrt(moments.top()));
      guess = first_guess(moments.mean_root() / unit);
      planned = fixed_ > 0 ? fixed_ : std::clamp<index_t>(guess + learned_.shift, 1, budget);
      lo = fixed_ > 0 && lower_ > 0 ? lower_ : reach_.lower(planned);
    }
    unit *= 1 + rounding<T>(m_, n_);  // so that rounding cannot put ‖X‖₂ above 1
    const index_t first = planned;
    double lower = lo, noise = 0;
    polar_factor<T, space> answer;
    answer.effort.passes = 1;
    record_.reset();
    work_ = 0;
    for (index_t done = 0;;) {
      for (index_t t = done; t < planned; ++t) {
        const quintic p = next_step(lo, hi, t + 1 == planned);
        record_.apply(p);
        std::tie(lo, hi) = p.image(lo, hi);
        // X is scaled by the first step, not by a pass of its own.
        steps_[static_cast<std::size_t>(t)] = t == 0 ? p.stretched(unit) : p;
      }
      while (done < planned) {
        const auto [count, rounded] = block(done, planned, unit, gap_ / 8 - noise);
        if (done > 0) gram.open(b, now.scale, now.x);
        const matrix_view<T, space> y = now.x.data() == one.data() ? two : one;
        gram.close(b,
                   std::span(steps_).subspan(static_cast<std::size_t>(done),
                                             static_cast<std::size_t>(count)),
                   now.scale, now.x, y);
        now = {y.as_const(), T(1), now.turned};
        noise += rounded;
        work_ += 3 * static_cast<double>(l_) / static_cast<double>(r_) +
                 static_cast<double>(4 * count - 3);
        done += count;
      }
      certify_polar(b, a, now, unit, rounding<T>(m_, n_) + noise, record_, answer);
      const double missed = missed_share(answer);
      const double uneven = 1 - lo / hi, small = std::max(0.0, missed - uneven - 2 * noise);
      // What rounding alone puts into the certificate, no further step can take out. The oracle
      // will widen it by 32 ε for what it does to X.
      if (fixed_ > 0 || missed + 32 * eps <= std::max(gap_, 4 * rounding<T>(m_, n_))) {
        if (fixed_ == 0) remember(guess, lower, first, planned, small);
        break;
      }
      if (planned == budget || lower <= least_lower) {
        answer.effort.outcome = outcome::budget_spent;
        break;
      }
      // Singular values below the lower end hold too much of the value, by about this factor.
      lower = std::max(least_lower, lower / std::clamp(2 * small / gap_, 4.0, 1e4));
      std::tie(lo, hi) = record_.image(lower);
      planned += further_steps(lo, hi, budget - planned);
    }
    answer.effort.iterations = planned;
    return answer;
  }

  /// The same without a number for the host, for a number of steps that is fixed and, where the
  /// polynomials are Polar Express's, a lower end that is given: X = p(A/‖A‖_F), zero where A is
  /// zero, of a norm below the normal numbers, or not finite. Until the next call X stands in this
  /// solver's memory, and `numbers`, three of them in a column, hold ‖A‖_F, <A, X> and ‖X‖_F, all
  /// of that where A is.
  /// @throws std::invalid_argument where the work is not fixed.
  [[nodiscard]] oriented_view<T, space> enqueue(B& b, const oriented_view<const T, space>& a,
                                                matrix_view<T, space> numbers) {
    if (!fixed_work())
      throw std::invalid_argument(
          "enqueue: the method must fix its work: newton_schulz, or polar_express with steps and "
          "lower");
    matrix_view<T, space> x(memory_.data(), r_, l_), y(x.data() + r_ * l_, r_, l_);
    gram_block<T, B> gram(y.data() + r_ * l_, r_, scratch());
    const bool turned = a.rows() > a.cols(), aligned = turned == a.transposed;
    const auto number = [&](index_t i) { return numbers.block(i, 0, 1, 1); };
    b.template norm_to<T>(a.storage, number(0));
    if (aligned)
      b.template copy<T>(a.storage, x);
    else
      b.template copy_adjoint<T>(a.storage, x);
    b.for_each_entry(entry::over_number<T>{numbers.data(), static_cast<T>(1 + rounding<T>(m_, n_))},
                     x);

    const auto all = fix_steps();
    if (compute_ != compute::full) x = take_reduced_steps(b, x);
    for (index_t done = compute_ == compute::full ? 0 : fixed_; done < fixed_;) {
      const auto [count, rounded] = block(done, fixed_, 1, std::min(gap_, 1.0) / 8 - noise_);
      gram.open(b, T(1), x.as_const());
      gram.close(b, all.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(count)),
                 T(1), x.as_const(), y);
      std::swap(x, y);
      noise_ += rounded;
      done += count;
    }
    found_ = x.data();
    if (aligned)
      b.template dot_to<T>(a.storage, x.as_const(), number(1));
    else
      b.template dot_adjoint_to<T>(a.storage, x.as_const(), number(1));
    b.template norm_to<T>(x.as_const(), number(2));
    return {x, turned};
  }
  /// Whether `enqueue` can serve.
  [[nodiscard]] bool fixed_work() const {
    return fixed_ > 0 && (given_ != quintic{} || lower_ > 0);
  }
  /// What the numbers of the last `enqueue` prove; without X. Of `a`, which is as it was then, more
  /// is asked in fewer bits: waits.
  [[nodiscard]] polar_factor<T, space> certificate(B& b, const oriented_view<const T, space>& a,
                                                   double frobenius, double product,
                                                   double length) {
    polar_factor<T, space> answer;
    if (compute_ != compute::full) {
      const T scale = unit_scale(static_cast<T>(frobenius));
      answer = measured(b, {a, scale, frobenius * static_cast<double>(scale)}, {found_, r_, l_});
      answer.product /= static_cast<double>(scale);
      answer.nuclear_bound /= static_cast<double>(scale);
      return answer;
    }
    certify_polar({product, length * length}, frobenius, r_,
                  frobenius * (1 + 2 * rounding<T>(m_, n_)), rounding<T>(m_, n_) + noise_, record_,
                  answer);
    answer.effort.iterations = fixed_;
    return answer;
  }
  /// No singular value of the last `enqueue`'s X is above this; in fewer bits that is an
  /// expectation, and `certificate` says more.
  [[nodiscard]] double ceiling() const {
    const double top = std::max(record_.ceiling(), -record_.floor());
    if (compute_ != compute::full)
      return expected_norm(std::max(1.0, top), unit_roundoff(compute_), rounding<T>(m_, n_));
    return top + rounding<T>(m_, n_) + noise_;
  }
  /// Memory of X's size that `enqueue` leaves free: X's transpose fits.
  template <class E>
  [[nodiscard]] T* spare(const oriented_view<E, space>& x) const {
    return x.storage.data() == memory_.data() ? memory_.data() + r_ * l_ : memory_.data();
  }

  /// Flops of the last call in units of r³.
  [[nodiscard]] double work() const { return work_; }

  void reset() { learned_ = {}; }
  void save(archive_writer& out) const {
    out.write(learned_.shift);
    out.write(learned_.wait);
    out.write(learned_.patience);
    out.write(learned_.trial);
  }
  /// Reads and checks; `adopt` changes this solver.
  [[nodiscard]] static experience recall(archive_reader& in) {
    experience e;
    for (std::int64_t* x : {&e.shift, &e.wait, &e.patience, &e.trial}) *x = in.read<std::int64_t>();
    if (e.shift < -budget || e.shift > budget)
      refuse("checkpoint: the steps beside the guess", "between -60 and 60", e.shift);
    if (e.patience < experience{}.patience || e.patience > most_patience)
      refuse("checkpoint: the patience", "between 8 and 1024", e.patience);
    if (e.wait < 0 || e.wait > e.patience)
      refuse("checkpoint: the calls to wait", "between 0 and the patience", e.wait);
    if (e.trial < 0 || e.trial > 1) refuse("checkpoint: the trial", "0 or 1", e.trial);
    return e;
  }
  void adopt(const experience& e) { learned_ = e; }
  void load(archive_reader& in) { adopt(recall(in)); }

 private:
  static constexpr index_t budget = quintic_reach::most;
  static constexpr double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  /// Below this share of ‖A‖₂ a singular value is rounding.
  static constexpr double least_lower = eps;

  polar_solver(B& b, index_t m, index_t n, double gap, index_t block, compute how,
               std::span<T> lent = {})
      : m_(m),
        n_(n),
        r_(std::min(m, n)),
        l_(std::max(m, n)),
        buffer_(b.template make_workspace<T>(lent.empty() ? memory_size(b, m, n, how) : 0)),
        memory_(lent.empty() ? buffer_.span() : lent),
        compute_(how),
        gap_(gap),
        block_(block),
        reach_(std::min(gap, 1.0) / 8) {}

  [[nodiscard]] static index_t within_budget(index_t steps, const char* what) {
    if (steps > budget) refuse(what, "at most 60", steps);
    return steps;
  }

  [[nodiscard]] std::span<T> scratch() {
    return memory_.subspan(static_cast<std::size_t>(2 * r_ * l_ + gram_block<T, B>::size(r_)));
  }

  /// The polynomials of fixed work, for a matrix of norm up to 1.
  [[nodiscard]] std::span<const quintic> fix_steps() {
    const auto all = std::span(steps_).first(static_cast<std::size_t>(fixed_));
    std::fill(all.begin(), all.end(), given_);
    if (given_ == quintic{}) optimal_quintics(lower_, safety_in(compute_, safety_), all);
    record_.reset();
    for (const quintic& p : all) record_.apply(p);
    noise_ = 0;
    return all;
  }

  /// p(X) for the X that stands first in memory; stands there or after it.
  [[nodiscard]] matrix_view<T, space> take_reduced_steps(B& b, matrix_view<T, space> x) {
    const auto one = [&](T* memory) {
      return batch_view<T, space>{memory, r_, l_, r_, r_ * l_, 1};
    };
    T* const second = x.data() + x.size();
    T* const squares = second + x.size();
    return reduced_steps<T, B>::run(
        b, compute_, std::span(steps_).first(static_cast<std::size_t>(fixed_)), one(x.data()),
        one(second), squares, squares + r_ * r_, scratch())[0];
  }

  [[nodiscard]] polar_factor<T, space> measured(B& b, const operand<T, space>& a,
                                                matrix_view<const T, space> x) {
    polar_factor<T, space> answer;
    answer.x = {x, a.rows() > a.cols()};
    const measured_certificate<T, B> certify(spare(oriented_view<const T, space>{x, false}),
                                             memory_.data() + 2 * r_ * l_, scratch());
    certify(b, a, {x, false}, std::max(1.0, record_.ceiling()), unit_roundoff(compute_), answer);
    answer.effort.iterations = fixed_;
    return answer;
  }

  [[nodiscard]] polar_factor<T, space> solve_reduced(B& b, const operand<T, space>& a) {
    matrix_view<T, space> x(memory_.data(), r_, l_);
    if ((a.rows() > a.cols()) == a.matrix.transposed)
      b.template axpby<T>(a.scale, a.matrix.storage, T(0), x);
    else
      b.template axpby_adjoint<T>(a.scale, a.matrix.storage, T(0), x);
    const T unit = static_cast<T>(a.frobenius * (1 + rounding<T>(m_, n_)));
    b.template map_entries<T>(x.as_const(), x, entry::divided_by<T>{unit});
    (void)fix_steps();
    x = take_reduced_steps(b, x);
    work_ =
        static_cast<double>(fixed_) * (4 * static_cast<double>(l_) / static_cast<double>(r_) + 2);
    polar_factor<T, space> answer = measured(b, a, x.as_const());
    ++answer.effort.passes;
    return answer;
  }

  /// How many steps a matrix is likely to need whose mean singular value is `mean` times the bound
  /// on its largest. Noise of this shape has none below 1 - sqrt(r/L) of the mean, and square noise
  /// a density that is flat near 0, where those below 3.2 sqrt(gap) hold a share `gap` of the sum.
  [[nodiscard]] index_t first_guess(double mean) {
    const double edge = 0.7 * (1 - std::sqrt(static_cast<double>(r_) / static_cast<double>(l_)));
    const double flat = 3.2 * std::sqrt(std::min(gap_, 0.01));
    const double wanted = lower_ > 0 ? lower_ : mean * std::max(edge, flat);
    return reach_.steps(std::max(wanted, least_lower));
  }

  /// One step less is tried where the small σ would still hold little: their share of the sum falls
  /// with the square of the lower end or faster, in most spectra.
  void remember(index_t guess, double lower, index_t first, index_t steps, double small) {
    experience& e = learned_;
    if (steps > first) {
      e.shift = e.trial == 1 ? e.shift + 1 : std::max(e.shift + 1, reach_.steps(lower) - guess);
      e.wait = e.patience;
      e.patience = std::min(4 * e.patience, most_patience);
      e.trial = 0;
      return;
    }
    e.trial = 0;
    if (e.wait > 0) {
      --e.wait;
    } else if (first > 1) {
      const double ratio = reach_.lower(first - 1) / reach_.lower(first);
      if (ratio * ratio * small > gap_ / 4) return;
      --e.shift;
      e.trial = 1;
    }
  }

  /// Steps that bring [lo, hi] near 1.
  [[nodiscard]] index_t further_steps(double lo, double hi, index_t most) const {
    for (index_t t = 1; t < most; ++t) {
      std::tie(lo, hi) = optimal_quintic(lo, hi).image(lo, hi);
      if (std::max(1 - lo, hi - 1) <= gap_ / 8) return t;
    }
    return most;
  }

  [[nodiscard]] quintic next_step(double lo, double hi, bool last) const {
    if (given_ != quintic{}) return given_;
    const quintic p = optimal_quintic(lo, hi);
    return last ? p : p.stretched(safety_);
  }

  struct block_extent {
    index_t count = 1;
    double noise = 0;  ///< what singular values of the result may be off by
  };

  /// The block of steps that begins with step `t`, with `most` noise. It is worth its r x r
  /// products where 4r < 3L + r. Where small σ meet a rounding error of R it grows with them, by
  /// the squares of the slopes at 0 (the condition number of R is that of X squared), and somewhat
  /// more in each step: ε times growth, with a factor 3 a step, was not exceeded by any spectrum or
  /// shape tried.
  [[nodiscard]] block_extent block(index_t t, index_t end, double unit, double most) const {
    const index_t longest = block_ > 0 ? block_ : 10 * l_ > 11 * r_ ? budget : 1;
    block_extent best;
    double noise = eps / 3;
    for (index_t count = 2; count <= std::min(longest, end - t); ++count) {
      const double slope =
          steps_[static_cast<std::size_t>(t + count - 2)].a * (t + count == 2 ? unit : 1);
      noise *= 3 * slope * slope;
      if (block_ == 0 && noise > most) break;
      best = {count, noise};
    }
    return best;
  }

  index_t m_, n_, r_, l_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::span<T> memory_;
  compute compute_;
  double gap_;
  index_t block_;
  quintic_reach reach_;
  quintic given_;  ///< the same in every step, where set
  index_t fixed_ = 0;
  double lower_ = 0;
  double safety_ = 1;
  double work_ = 0;
  double noise_ = 0;
  T* found_ = nullptr;  ///< the X of the last `enqueue`
  std::array<quintic, static_cast<std::size_t>(budget)> steps_;
  polynomial_record record_;
  experience learned_;
};

}  // namespace fanion
