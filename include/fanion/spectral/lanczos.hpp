/// @file  Leading triplets by Golub-Kahan-Lanczos bidiagonalisation with thick restarts.
///
/// The basis is grown so that A V = U B holds exactly, with B the upper triangular matrix of all
/// orthogonalisation coefficients: then any new column of V is legal, be it the residual of the
/// last step (the recurrence of Golub and Kahan 1965), a random vector after a breakdown, or a
/// probe for a repeated singular value, of which a single Krylov sequence sees one copy. Restarts
/// keep the leading Ritz vectors (Wu and Simon 2000).
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/core/random.hpp>
#include <fanion/spectral/bounds.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/methods.hpp>

#include <vector>

namespace fanion {

/// Two passes a step, each with one column; memory 2 (m + n) s + O(s²) scalars for a basis of s.
/// Works on whichever of A, Aᵀ has the fewer columns, so that a full basis of V spans the space.
/// Remembers the right vectors of the last call and starts from their sum.
template <Real T, class B>
class lanczos_solver {
 public:
  using space = typename B::space;

  lanczos_solver(B& b, index_t m, index_t n, index_t k, const lanczos& method)
      : m_(m),
        n_(n),
        r_(std::min(m, n)),
        l_(std::max(m, n)),
        turned_(n > m),
        depth_(std::min(k, r_)),
        size_(basis_size(method, depth_, r_)),
        seed_(method.seed),
        tol_(method.tol ? expects_positive(*method.tol, "lanczos: tol") : 0.0),
        gap_(expects_positive(method.gap.value_or(default_gap<T>), "lanczos: gap")),
        budget_(method.passes > 0 ? method.passes
                                  : expects_at_least(method.passes, 0, "lanczos: passes") + 4000),
        buffer_(b.template make_workspace<T>(views_size() + scratch_size(b))),
        sigma_(static_cast<std::size_t>(size_)),
        ends_(static_cast<std::size_t>(size_)),
        upper_(static_cast<std::size_t>(depth_ + 1)),
        trial_(upper_.size()) {
    view_cutter<T, space> take(buffer_.data());
    u_ = take(l_, size_);
    v_ = take(r_, size_ + 1);
    ritz_u_ = take(l_, size_);
    ritz_v_ = take(r_, size_);
    b_ = take(size_, size_);
    left_ = take(size_, size_);
    right_ = take(size_, size_);
    h_ = take(size_ + 1, 1);
    kept_v_ = take(n_, depth_);
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  /// Allocates nothing.
  template <class A>
  [[nodiscard]] triplets<T, space> solve(B& b, const A& a) {
    triplets<T, space> answer;
    answer.effort.passes = 0;
    draws_ = 0;
    largest_ = T(0);
    std::fill(upper_.begin(), upper_.end(), std::numeric_limits<double>::infinity());
    start(b, a, answer.effort.passes);
    b.fill(b_, T(0));
    index_t size = 0;         // columns of U and V in use
    double stale = 0;         // residuals whose direction a probe has dropped: for the bounds only
    bool probing = false;     // whether the current run is the probe after convergence
    index_t run = 0;          // steps since the last restart, probe or breakdown
    double before_probe = 0;  // the value that the probe may not raise
    for (;;) {
      const double beta = extend(b, a, size);
      answer.effort.passes += 2;
      ++answer.effort.iterations;
      ++size;
      ++run;
      const bool full = size == r_;
      const bool spent = size >= depth_ && answer.effort.passes + 2 > budget_;
      const bool restart = size == size_;
      if (!(full || spent || restart || (size >= depth_ && run % check_every == 0))) continue;

      project(b, size, beta);
      const double value = leading_value();
      // A probe has too few vectors to estimate the gap behind the k-th value anew.
      const bool settled =
          full || (probing && tol_ > 0) || stopping_error(size) <= (tol_ > 0 ? tol_ : gap_);
      const bool probed = probing && run >= std::min(probe_steps, r_ - depth_);
      if (full || (settled && probed && value <= before_probe * (1 + 0.25 * gap_)) || spent) {
        if (!full && spent && !(settled && probed)) answer.effort.outcome = outcome::budget_spent;
        break;
      }
      if (probed) probing = false;
      if (settled && !probing) {
        probing = true;
        before_probe = value;
        stale = std::hypot(stale, residual_norm(depth_));
        bound_from_above(size, 0, a.frobenius);  // the probe will know less of what lies behind
        // Only what has converged: a direction half held would stay out of reach of the probe.
        size = collapse(b, size, depth_, true);
        run = 0;
      } else if (restart) {
        size = collapse(b, size, keep_count(), false);
        if (!probing) run = 0;
      }
    }
    finish(b, a.frobenius, size, stale, answer);
    return answer;
  }

  void reset() { kept_ = 0; }

  /// Starts the next call from the span of V, n x c with c >= 1.
  void seed(B& b, input<T, space> v) {
    kept_ = std::min(v.cols(), depth_);
    b.copy(v.columns(0, kept_), kept_v_.columns(0, kept_));
  }

  void save(const B& b, archive_writer& out) const {
    out.write(depth_);
    out.write(kept_);
    write_entries<T>(out, b, kept_v_.as_const());
  }
  void load(const B& b, archive_reader& in) {
    if (const auto depth = in.read<index_t>(); depth != depth_)
      refuse("checkpoint: columns of the subspace", std::to_string(depth_).c_str(), depth);
    const auto kept = in.read<index_t>();
    std::vector<T> v(static_cast<std::size_t>(n_ * depth_));
    in.read(std::span<T>(v));
    if (kept < 0 || kept > depth_) throw std::invalid_argument("checkpoint: impossible subspace");
    from_host<T>(b, v.data(), kept_v_);
    kept_ = kept;
  }

 private:
  static constexpr index_t check_every = 6;
  static constexpr index_t probe_steps = 12;

  static index_t basis_size(const lanczos& method, index_t k, index_t r) {
    const index_t given = expects_at_least(method.basis, 0, "lanczos: basis");
    const index_t wanted = given > 0 ? given : std::max<index_t>(2 * k + 20, 60);
    return std::min(r, std::max(wanted, k + probe_steps + 8));
  }

  [[nodiscard]] index_t views_size() const {
    return 2 * l_ * size_ + r_ * (2 * size_ + 1) + 3 * size_ * size_ + size_ + 1 + n_ * depth_;
  }
  [[nodiscard]] index_t scratch_size(const B& b) const {
    return std::max({apply_size<T>(b, m_, n_, 1), b.template small_svd_size<T>(size_, size_),
                     b.template multiply_adjoint_size<T>(r_, size_ + 1, 1),
                     b.template multiply_adjoint_size<T>(l_, size_, 1),
                     b.template multiply_size<T>(r_, size_ + 1, 1),
                     b.template multiply_size<T>(l_, size_, 1),
                     b.template multiply_size<T>(r_, size_, size_),
                     b.template multiply_size<T>(l_, size_, size_)});
  }

  /// Leading Ritz vectors kept by a restart: those wanted and half of the rest.
  [[nodiscard]] index_t keep_count() const {
    return std::min(size_ - 1, depth_ + std::max<index_t>(3, (size_ - depth_) / 2));
  }

  template <class A>
  void start(B& b, const A& a, index_t& passes) {
    const auto first = v_.columns(0, 1);
    b.random(first, next_draw());
    if (kept_ > 0) {
      // The sum of the last right vectors, or of their images where V is the other side; a little
      // noise beside it reaches what a stale or null direction would miss.
      const auto sum = turned_ ? u_.columns(0, 1) : ritz_v_.columns(0, 1);
      b.fill(sum, T(0));
      for (index_t j = 0; j < kept_; ++j)
        b.axpby(T(1), kept_v_.columns(j, 1).as_const(), T(1), sum);
      const auto image = ritz_v_.columns(0, 1);
      if (turned_) {
        apply(b, a, sum.as_const(), image, scratch_);
        ++passes;
      }
      const T weight = T(100) * std::sqrt(static_cast<T>(r_));
      const T length = b.norm(image.as_const());
      if (length > T(0)) b.axpby(weight / length, image.as_const(), T(1), first);
    }
    normalise(b, first, b.norm(first.as_const()));
  }

  [[nodiscard]] std::uint64_t next_draw() { return mix_bits(seed_) + ++draws_; }

  static void normalise(B& b, matrix_view<T, space> x, T length) {
    b.map_entries(x.as_const(), x, entry::divided_by<T>{length});
  }

  /// x -= Q (Qᵀ x), twice; h collects the coefficients. Returns ‖x‖.
  T orthogonalise(B& b, matrix_view<T, space> q, matrix_view<T, space> x, matrix_view<T, space> h) {
    const index_t k = q.cols();
    const matrix_view<T, space> once(h_.data(), k, 1);
    for (int pass = 0; pass < 2 && k > 0; ++pass) {
      b.multiply_adjoint(T(1), q.as_const(), x.as_const(), T(0), once, scratch_);
      b.multiply(T(-1), q.as_const(), once.as_const(), T(1), x, scratch_);
      if (!h.empty()) b.axpby(T(1), once.as_const(), T(1), h);
    }
    return b.norm(x.as_const());
  }

  /// A unit vector orthogonal to the columns of q, in x. False where q spans the space.
  bool random_direction(B& b, matrix_view<T, space> q, matrix_view<T, space> x) {
    if (q.cols() >= x.rows()) return false;
    for (int attempt = 0; attempt < 4; ++attempt) {
      b.random(x, next_draw());
      const T length = b.norm(x.as_const());
      const T left = orthogonalise(b, q, x, {});
      if (left > T(1e-3) * length / std::sqrt(static_cast<T>(x.rows()))) {
        normalise(b, x, left);
        orthogonalise(b, q, x, {});
        return true;
      }
    }
    return false;
  }

  /// Appends u and the next v. Returns β, the length of the residual of the last column. What is
  /// rounding beside the largest length seen gives way to a random direction.
  template <class A>
  double extend(B& b, const A& a, index_t j) {
    const auto counts = [this](T length) {
      largest_ = std::max(largest_, length);
      return length > T(64) * std::numeric_limits<T>::epsilon() * largest_;
    };
    const auto u = u_.columns(j, 1), v = v_.columns(j, 1);
    if (turned_)
      apply_adjoint(b, a, v.as_const(), u, scratch_);
    else
      apply(b, a, v.as_const(), u, scratch_);
    const auto column = b_.block(0, j, j, 1);
    b.fill(column, T(0));
    T alpha = orthogonalise(b, u_.columns(0, j), u, column);
    if (counts(alpha)) {
      normalise(b, u, alpha);
    } else {
      alpha = T(0);
      if (!random_direction(b, u_.columns(0, j), u)) b.fill(u, T(0));
    }
    b.fill(b_.block(j, j, 1, 1), alpha);
    b.fill(b_.block(j, 0, 1, j), T(0));

    const auto next = v_.columns(j + 1, 1);
    if (turned_)
      apply(b, a, u.as_const(), next, scratch_);
    else
      apply_adjoint(b, a, u.as_const(), next, scratch_);
    const T beta = orthogonalise(b, v_.columns(0, j + 1), next, {});
    if (counts(beta)) {
      normalise(b, next, beta);
      return static_cast<double>(beta);
    }
    if (!random_direction(b, v_.columns(0, j + 1), next)) b.fill(next, T(0));
    return 0;
  }

  /// B = P Θ Qᵀ; residuals rᵢ = β |P(last, i)|.
  void project(B& b, index_t size, double beta) {
    count_ = size;
    beta_ = beta;
    b.small_svd(b_.block(0, 0, size, size).as_const(), left_.block(0, 0, size, size),
                std::span(sigma_).first(static_cast<std::size_t>(size)),
                right_.block(0, 0, size, size), scratch_);
    if (size > 0)
      to_host(b, left_.block(size - 1, 0, 1, size).as_const(),
              matrix_view<T>(ends_.data(), 1, size));
  }

  [[nodiscard]] double leading_value() const {
    double sum = 0;
    for (index_t i = 0; i < std::min(depth_, count_); ++i)
      sum += static_cast<double>(sigma_[static_cast<std::size_t>(i)]);
    return sum;
  }

  [[nodiscard]] double residual(index_t i) const {
    return beta_ * std::abs(static_cast<double>(ends_[static_cast<std::size_t>(i)]));
  }
  [[nodiscard]] double residual_norm(index_t k) const {
    double sum = 0;
    for (index_t i = 0; i < std::min(k, count_); ++i) sum += residual(i) * residual(i);
    return std::sqrt(sum);
  }
  [[nodiscard]] double value_at(index_t i) const {
    return i < count_ ? static_cast<double>(sigma_[static_cast<std::size_t>(i)]) : 0.0;
  }

  /// θₖ minus an estimate of σₖ₊₁. A missed copy of σₖ would make it wrong, hence the probe.
  [[nodiscard]] double spectral_gap() const {
    const double next = value_at(depth_) + (depth_ < count_ ? residual(depth_) : 0.0);
    return value_at(depth_ - 1) - next;
  }

  /// With tol: sqrt(2/k) ‖S‖_F / δ, a bound on ‖ΔΣuᵢvᵢᵀ‖_F / sqrt(k) if δ is right (Davis and
  /// Kahan). Otherwise the error of the values, min(r, r²/δ) each, relative to their sum.
  [[nodiscard]] double stopping_error(index_t size) const {
    const double value = leading_value();
    if (value <= 0) return size >= depth_ ? 0 : 1;
    const double delta = std::max(spectral_gap(), 0.0);
    const double s = residual_norm(depth_);
    if (tol_ > 0) {
      // Where δ is closed the vectors stay unidentified however long the run: stop on the values.
      const double smallest = std::max(delta, rounding<T>(m_, n_) * value_at(0) / tol_);
      return std::sqrt(2.0 / static_cast<double>(depth_)) * s / smallest;
    }
    double error = 0;
    for (index_t i = 0; i < std::min(depth_, count_); ++i) {
      const double r = residual(i);
      const double separation = value_at(i) - value_at(depth_) + delta;
      error += separation > r ? r * r / separation : r;
    }
    return error / value;
  }

  /// Replaces the basis by its leading `keep` Ritz vectors, followed by the residual direction or,
  /// for a probe, by a random one. Returns the new size.
  index_t collapse(B& b, index_t size, index_t keep, bool probe) {
    rotate(b, size, keep);
    b.copy(ritz_u_.columns(0, keep).as_const(), u_.columns(0, keep));
    b.copy(ritz_v_.columns(0, keep).as_const(), v_.columns(0, keep));
    b.fill(b_, T(0));
    for (index_t i = 0; i < keep; ++i)
      b.fill(b_.block(i, i, 1, 1), sigma_[static_cast<std::size_t>(i)]);
    const auto next = v_.columns(keep, 1);
    if (probe)
      random_direction(b, v_.columns(0, keep), next);
    else
      b.copy(v_.columns(size, 1).as_const(), next);
    return keep;
  }

  /// Brings upper_ down to what the Ritz values and residuals of the basis prove.
  void bound_from_above(index_t size, double stale, double frobenius) {
    bound_singular_values(std::span<const T>(sigma_.data(), static_cast<std::size_t>(size)),
                          std::hypot(residual_norm(size), stale), frobenius, rounding<T>(m_, n_),
                          std::span(trial_));
    for (std::size_t i = 0; i < upper_.size(); ++i) upper_[i] = std::min(upper_[i], trial_[i]);
  }

  void rotate(B& b, index_t size, index_t keep) {
    b.multiply(T(1), u_.columns(0, size).as_const(), left_.block(0, 0, size, keep).as_const(), T(0),
               ritz_u_.columns(0, keep), scratch_);
    b.multiply(T(1), v_.columns(0, size).as_const(), right_.block(0, 0, size, keep).as_const(),
               T(0), ritz_v_.columns(0, keep), scratch_);
  }

  void finish(B& b, double frobenius, index_t size, double stale, triplets<T, space>& answer) {
    rotate(b, size, std::min(size, size_));
    const index_t k = std::min(depth_, size);
    const double s = std::hypot(residual_norm(size), stale);
    bound_from_above(size, stale, frobenius);
    // Values that rounding cannot tell from zero have arbitrary vectors and take no part.
    const T noise = T(std::max(m_, n_)) * std::numeric_limits<T>::epsilon() * sigma_.front();
    for (T& sigma : sigma_)
      if (sigma <= noise) sigma = T(0);
    answer.u = (turned_ ? ritz_v_ : ritz_u_).columns(0, k).as_const();
    answer.v = (turned_ ? ritz_u_ : ritz_v_).columns(0, k).as_const();
    answer.sigma = std::span<const T>(sigma_.data(), static_cast<std::size_t>(k));
    answer.upper = std::span<const double>(upper_).first(static_cast<std::size_t>(k));
    // Bases orthogonalised twice, times the frames of a full decomposition: see exact.
    answer.contraction =
        1 + rounding<T>(m_, n_) +
        static_cast<double>(size) * static_cast<double>(std::numeric_limits<T>::epsilon());
    const double first = value_at(0);
    answer.effort.residual = first > 0 ? s / first : 0;
    // The gap behind the k-th value counts only as far as it is proven.
    const double proven = value_at(k - 1) - upper_.back();
    if (answer.effort.outcome == outcome::converged && tol_ > 0 && k < r_ &&
        !(proven > rounding<T>(m_, n_) * first &&
          std::sqrt(2.0 / static_cast<double>(k)) * std::hypot(residual_norm(k), stale) <=
              tol_ * proven))
      answer.effort.outcome = outcome::vectors_not_identified;
    kept_ = k;
    b.copy(answer.v, kept_v_.columns(0, k));
  }

  index_t m_, n_, r_, l_;
  bool turned_;
  index_t depth_, size_;
  std::uint64_t seed_;
  double tol_, gap_;
  index_t budget_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> sigma_, ends_;  ///< values of the projected matrix, the last row of its P
  std::vector<double> upper_, trial_;
  matrix_view<T, space> u_, v_, ritz_u_, ritz_v_, b_, left_, right_, h_, kept_v_;
  std::span<T> scratch_;
  std::uint64_t draws_ = 0;
  index_t kept_ = 0;
  index_t count_ = 0;
  double beta_ = 0;
  T largest_ = T(0);
};

}  // namespace fanion
