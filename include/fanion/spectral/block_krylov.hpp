/// @file  Leading triplets by block Krylov iteration (Musco and Musco 2015): where a call starts,
/// what is proven, when it stops, what it leaves to the next. The space is in krylov_basis.hpp.
#pragma once

#include <fanion/backend/transfers.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/core/random.hpp>
#include <fanion/spectral/bounds.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/krylov_basis.hpp>
#include <fanion/spectral/krylov_bound.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/one_sided.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fanion {

/// A block of c columns costs one pass, 4mnc flops and 8psc for its orthogonalisation, with s
/// columns there and p rows of the storage; (m + n)(s + 2c) scalars of memory. Starts from random
/// numbers and, beside them, the vectors of the last call. Singular values below sqrt(eps) σ₁ are
/// not resolved: in A Aᵀ they drown.
template <Real T, class B>
class krylov_solver {
 public:
  using space = typename B::space;

  krylov_solver(B& b, index_t m, index_t n, index_t k, const block_krylov& method)
      : m_(m),
        n_(n),
        depth_(std::min({k, m, n})),
        fresh_(fresh_columns(method, depth_)),
        seed_(method.seed),
        passes_(expects_at_least(method.passes, 0, "block_krylov: passes")),
        tol_(method.tol ? expects_positive(*method.tol, "block_krylov: tol") : 0.0),
        gap_(expects_positive(method.gap.value_or(default_gap<T>), "block_krylov: gap")),
        size_(basis_size(method)),
        basis_(b, m, n, size_, depth_ + fresh_),
        bound_(size_, fresh_),
        buffer_(b.template make_workspace<T>(views_size() + scratch_size(b))),
        normal_(static_cast<std::size_t>((depth_ + fresh_) * fresh_)),
        seen_(static_cast<std::size_t>((depth_ + fresh_) * std::max(size_, fresh_))),
        ritz_(static_cast<std::size_t>(size_)),
        sigma_(static_cast<std::size_t>(depth_)),
        upper_(static_cast<std::size_t>(depth_ + 1)),
        trial_(upper_.size()) {
    view_cutter<T, space> take(buffer_.data());
    for (const std::size_t s : {0u, 1u}) {
      kept_[s] = take(s == 0 ? m : n, depth_);
      ritz_vectors_[s] = take(s == 0 ? m : n, depth_);
    }
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  /// Allocates nothing.
  template <class A>
  [[nodiscard]] triplets<T, space> solve(B& b, const A& a) {
    const std::size_t left = left_side(a);
    triplets<T, space> answer;
    effort& done = answer.effort;
    start(b, a, left, done);
    index_t due = 0;  // the size at which to look at the Ritz values next
    for (;;) {
      done.passes += basis_.grow(b, a);
      ++done.iterations;
      ++degree_;
      read_probe(b);
      // A space that A Aᵀ maps into itself holds every power. What it lacks is sought by noise.
      if (basis_.next() == 0) {
        degree_ = every_power;
        send_probe(b);
      }
      const index_t size = basis_.size();
      const bool whole = basis_.next() == 0;
      const bool spent = done.passes >= (passes_ > 0 ? passes_ : most_passes);
      if (whole || (size >= depth_ && (spent || basis_.full() || size >= due))) {
        basis_.decompose(b);
        bound_from_above(b, a.frobenius, whole);
        if (passes_ == 0 && finished(b, whole, done)) break;
        if (whole || spent) {
          if (!whole && passes_ == 0) done.outcome = outcome::budget_spent;
          break;
        }
        due = size + std::max(fresh_, size / 10);
      }
      if (basis_.full()) {
        basis_.restart(b, depth_ + (size - depth_) / 2);
        random_start_ = false;
        remainder_ = std::numeric_limits<double>::infinity();  // that of a larger space
      }
    }
    finish(b, left, answer);
    return answer;
  }

  void reset() {
    held_[0] = held_[1] = false;
    calls_ = 0;
  }

  /// Starts the next call from the span of V, n x c with c >= 1.
  void seed(B& b, input<T, space> v) {
    rank_ = std::min(v.cols(), depth_);
    b.copy(v.columns(0, rank_), kept_[1].columns(0, rank_));
    held_[0] = false;
    held_[1] = true;
  }

  void save(const B& b, archive_writer& out) const {
    out.write(depth_);
    out.write(rank_);
    out.write(calls_);
    for (const std::size_t s : {0u, 1u}) {
      out.write(static_cast<std::uint64_t>(held_[s]));
      write_entries<T>(out, b, kept_[s].as_const());
    }
  }
  void load(const B& b, archive_reader& in) {
    if (const auto depth = in.read<index_t>(); depth != depth_)
      refuse("checkpoint: columns of the subspace", std::to_string(depth_).c_str(), depth);
    const auto rank = in.read<index_t>();
    const auto calls = in.read<std::uint64_t>();
    bool held[2];
    std::vector<T> kept[2];
    for (const std::size_t s : {0u, 1u}) {
      held[s] = in.read<std::uint64_t>() != 0;
      kept[s].resize(static_cast<std::size_t>(kept_[s].size()));
      in.read(std::span<T>(kept[s]));
    }
    if (rank < 0 || rank > depth_) throw std::invalid_argument("checkpoint: impossible subspace");
    rank_ = rank;
    calls_ = calls;
    for (const std::size_t s : {0u, 1u}) {
      held_[s] = held[s];
      from_host<T>(b, kept[s].data(), kept_[s]);
    }
  }

 private:
  static constexpr index_t most_passes = 2000;
  static constexpr index_t every_power = index_t(1) << 40;  ///< with room to count on
  /// Of all that is proven from random numbers in one call.
  static constexpr double failure = 1e-3;

  /// Two columns more than values asked for: with fewer, the chance that a start is nearly
  /// orthogonal to one vector more than those puts the proofs off. More columns save reads, but
  /// each costs arithmetic, and that soon costs more than it saves.
  static index_t fresh_columns(const block_krylov& method, index_t k) {
    const index_t given = expects_at_least(method.block, 0, "block_krylov: block");
    return given > 0 ? given : std::clamp<index_t>(k + 2, 3, 16);
  }
  [[nodiscard]] index_t basis_size(const block_krylov& method) const {
    const index_t given = expects_at_least(method.basis, 0, "block_krylov: basis");
    const index_t wanted = given > 0 ? given : std::max<index_t>(512, 4 * depth_);
    return std::min(std::max(m_, n_), std::max(wanted, 3 * (depth_ + fresh_)));
  }
  [[nodiscard]] index_t views_size() const { return 2 * (m_ + n_) * depth_; }
  [[nodiscard]] index_t scratch_size(const B& b) const {
    return std::max(one_sided_scratch_size<T>(b, m_, n_, depth_), apply_size<T>(b, m_, n_, depth_));
  }

  /// A stream of its own for each call: what is proven holds for a matrix that does not depend on
  /// the numbers drawn, and the next matrix of an optimizer depends on the last answer.
  [[nodiscard]] std::uint64_t next_draw() { return mix_bits(mix_bits(seed_) + calls_) + ++draws_; }

  /// The first block: the kept vectors of the left side, or the images of the right ones, and
  /// random columns; with fixed work as many as an answer needs.
  template <class A>
  void start(B& b, const A& a, std::size_t left, effort& done) {
    ++calls_;
    draws_ = 0;
    degree_ = -1;
    patience_ = probes_ = 0;
    turned_ = std::numeric_limits<double>::infinity();
    probe_ = 0;
    random_start_ = true;
    remainder_ = std::numeric_limits<double>::infinity();
    std::fill(upper_.begin(), upper_.end(), std::numeric_limits<double>::infinity());
    basis_.clear(left);
    const bool known = held_[0] || held_[1];
    const index_t warm = known ? std::min(rank_, basis_.rows()) : 0;
    const index_t noise = !known && passes_ > 0 ? depth_ + fresh_ : fresh_;
    const auto first = basis_.room(warm + noise);
    const index_t fresh = first.cols() - warm;
    if (warm > 0) {
      if (held_[left])
        b.copy(kept_[left].columns(0, warm).as_const(), first.columns(0, warm));
      else if (left == 0)
        apply(b, a, kept_[1].columns(0, warm).as_const(), first.columns(0, warm), scratch_);
      else
        apply_adjoint(b, a, kept_[0].columns(0, warm).as_const(), first.columns(0, warm), scratch_);
      done.passes += held_[left] ? 0 : 1;
    }
    b.random(first.columns(warm, fresh), next_draw());
    start_rows_ = basis_.append(b, first.cols());
    if (start_rows_ == 0) {  // what was kept or seeded is not finite
      held_[0] = held_[1] = false;
      return start(b, a, left, done);
    }
    start_columns_ = std::min(fresh, fresh_);
    const matrix_view<T> overlap(seen_.data(), start_rows_, start_columns_);
    to_host(b,
            basis_.overlap()
                .block(0, first.cols() - start_columns_, start_rows_, start_columns_)
                .as_const(),
            overlap);
    for (index_t i = 0; i < start_rows_; ++i)
      for (index_t c = 0; c < start_columns_; ++c)
        normal_[static_cast<std::size_t>(i * start_columns_ + c)] =
            static_cast<double>(overlap(i, c));
  }

  /// Adds random columns to a closed space. With Ω = (I - QQᵀ) of them = Q' R, the product
  /// AᵀQ'R that the next read makes is (A - QQᵀA)ᵀΩ, which is at least σ₁ of that remainder times
  /// the length of Ω's share of its vector.
  void send_probe(B& b) {
    const auto room = basis_.room(fresh_);
    if (room.cols() == 0) return;
    b.random(room, next_draw());
    const index_t rank = basis_.append(b, room.cols());
    probe_columns_ = room.cols();
    const auto r = basis_.overlap().block(basis_.size(), 0, rank, probe_columns_);
    probe_ = static_cast<double>(b.norm(r));
  }
  void read_probe(B& b) {
    if (probe_ == 0) return;
    const double seen = static_cast<double>(b.norm(basis_.newest())) * probe_;
    // Each has half the chance to fail that the last one had: all together not more than
    // `failure`/2.
    const double chance = std::ldexp(failure, -2 - probes_++);
    remainder_ =
        std::min(remainder_, seen / least_normal_singular_value(1, probe_columns_, chance));
    probe_ = 0;
  }

  /// Brings upper_ down to what is proven now.
  void bound_from_above(B& b, double frobenius, bool whole) {
    const index_t size = basis_.size();
    const double slack = rounding<T>(m_, n_), first = basis_.ritz(0);
    for (index_t i = 0; i < size; ++i)
      ritz_[static_cast<std::size_t>(i)] = static_cast<T>(basis_.ritz(i));
    const auto ritz = std::span<const T>(ritz_).first(static_cast<std::size_t>(size));
    // A Ritz value went through two products, a sum over the basis and a decomposition: its square
    // is good to this, whatever its size.
    const double noise = 6 * slack * first * first;
    const auto root = [noise](double square) { return std::sqrt(square + noise); };
    // The whole space needs no luck: what random numbers have proven is forgotten.
    if (whole) {
      remainder_ = std::numeric_limits<double>::infinity();
      std::fill(upper_.begin(), upper_.end(), remainder_);
    }
    bound_singular_values(ritz, slack * first, frobenius, slack, std::span(trial_), remainder_);
    for (double& x : trial_) x = root(x * x);
    take_lower();
    if (whole) {
      for (std::size_t i = 0; i < trial_.size(); ++i)
        trial_[i] = root(std::pow(basis_.ritz(static_cast<index_t>(i)), 2));
      take_lower();
    } else if (random_start_) {
      bound_.shape(size, start_columns_);
      const matrix_view<T> p(seen_.data(), start_rows_, size);
      to_host(b, basis_.vectors().block(0, 0, start_rows_, size).as_const(), p);
      for (index_t j = 0; j < size; ++j) {
        bound_.theta()[static_cast<std::size_t>(j)] = basis_.ritz(j) * basis_.ritz(j);
        const auto w = bound_.weights(j);
        std::fill(w.begin(), w.end(), 0.0);
        for (index_t i = 0; i < start_rows_; ++i)
          for (std::size_t c = 0; c < w.size(); ++c)
            w[c] +=
                static_cast<double>(p(i, j)) * normal_[static_cast<std::size_t>(i) * w.size() + c];
      }
      bound_.bound(degree_, failure / 2, trial_);
      for (double& x : trial_) x = root(x);
      take_lower();
    }
    // Beyond the rank there is nothing.
    if (depth_ == std::min(m_, n_)) upper_.back() = 0;
  }
  void take_lower() {
    for (std::size_t i = 0; i < upper_.size(); ++i) upper_[i] = std::min(upper_[i], trial_[i]);
  }

  /// ‖U‖₂ ‖V‖₂ at most: a basis orthogonalised until it stands, times vectors of a small problem.
  [[nodiscard]] double contraction() const {
    return 1 + rounding<T>(m_, n_) +
           static_cast<double>(basis_.size()) *
               static_cast<double>(std::numeric_limits<T>::epsilon());
  }

  [[nodiscard]] bool finished(B& b, bool whole, effort& done) {
    double value = 0, bound = 0, residual = 0;
    const double noise = rounding<T>(m_, n_) * std::pow(basis_.ritz(0), 2);  // of a squared value
    for (index_t i = 0; i < depth_; ++i) {
      value += std::sqrt(std::max(0.0, std::pow(basis_.ritz(i), 2) - noise));
      bound += upper_[static_cast<std::size_t>(i)];
      residual = std::hypot(residual, basis_.residual(b, i));
    }
    if (tol_ > 0) return found_vectors(b, residual, whole, done);
    const double slack = rounding<T>(m_, n_);
    const double missed = 1 - value / (bound * (1 + 2 * slack) * contraction());
    if (missed <= std::max(gap_, 16 * slack)) return true;
    // A whole space in which the values are too small to be told from rounding, or a restarted one,
    // which proves nothing new and has its residuals left.
    const bool ends = whole || (!random_start_ && value_error(b) <= gap_ / 8 * value);
    if (ends) done.outcome = outcome::budget_spent;
    return ends;
  }

  /// With e = ‖Σ ûᵢv̂ᵢᵀ - Σ uᵢvᵢᵀ‖_F / sqrt(k) and a gap δ behind the k-th value, Davis and Kahan's
  /// theorem for [0 A; Aᵀ 0] says e <= sqrt(2/k) ‖residuals‖_F / δ, which is proven where δ is, and
  /// some fifty times too much. The estimate is what is left of a geometric series of turns, once
  /// the residuals are so small that no other vector seems to come between.
  [[nodiscard]] bool found_vectors(B& b, double residual, bool whole, effort& done) {
    const double unit = std::sqrt(2.0 / static_cast<double>(depth_));
    const double last = basis_.ritz(depth_ - 1), least = rounding<T>(m_, n_) * basis_.ritz(0);
    const double error = unit * residual, proven = last - upper_.back();
    if (proven > least && error <= tol_ * proven) return true;
    const double before = std::exchange(turned_, unit * basis_.turned(b, depth_));
    const double ratio = turned_ > 0 ? turned_ / before : 0;
    const bool settled = is_finite(before) && ratio < 1 && turned_ * ratio <= tol_ * (1 - ratio) &&
                         error <= last - basis_.ritz(depth_);
    // Where the gap is closed the vectors stay unidentified however long the run.
    if (!whole && !settled && error > least) return false;
    // A gap that is proven but narrower than it seems is worth a few reads more.
    if (!whole && proven > least && ++patience_ <= 4) return false;
    done.outcome = outcome::vectors_not_identified;
    return true;
  }

  /// Σ min(r, r²/separation): what the first values may still gain, if no other is missing.
  [[nodiscard]] double value_error(B& b) const {
    const double next = basis_.ritz(depth_) + basis_.residual(b, depth_);
    double error = 0;
    for (index_t i = 0; i < depth_; ++i) {
      const double r = basis_.residual(b, i), separation = basis_.ritz(i) - next;
      error += separation > r ? r * r / separation : r;
    }
    return error;
  }

  /// U = Q P and AᵀU = V diag(σ) for the leading vectors.
  void finish(B& b, std::size_t left, triplets<T, space>& answer) {
    const index_t k = depth_;
    const auto u = ritz_vectors_[left], v = ritz_vectors_[1 - left];
    const auto out_u = kept_[left], out_v = kept_[1 - left];
    basis_.ritz_vectors(b, u, v);
    triplets_from_side(b, u.as_const(), v, out_u, std::span(sigma_), out_v, scratch_);
    rank_ = k;
    held_[0] = held_[1] = true;

    double residual = 0;
    for (index_t i = 0; i < k; ++i) residual = std::hypot(residual, basis_.residual(b, i));
    // Values that rounding cannot tell from zero have arbitrary vectors and take no part.
    const T noise = T(std::max(m_, n_)) * std::numeric_limits<T>::epsilon() * sigma_.front();
    for (T& sigma : sigma_)
      if (sigma <= noise) sigma = T(0);
    answer.u = kept_[0].as_const();
    answer.v = kept_[1].as_const();
    answer.sigma = sigma_;
    answer.upper = std::span<const double>(upper_).first(static_cast<std::size_t>(k));
    answer.contraction = contraction();
    answer.effort.residual = basis_.ritz(0) > 0 ? residual / basis_.ritz(0) : 0;
    answer.effort.failure_probability = basis_.next() == 0 ? 0 : failure;
  }

  index_t m_, n_, depth_, fresh_;
  std::uint64_t seed_;
  index_t passes_;
  double tol_, gap_;
  index_t size_;
  krylov_basis<T, B> basis_;
  krylov_bound bound_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<double> normal_;  ///< the coordinates of the random columns in the first block
  std::vector<T> seen_;         ///< a small matrix on the host
  std::vector<T> ritz_, sigma_;
  std::vector<double> upper_, trial_;
  matrix_view<T, space> kept_[2], ritz_vectors_[2];
  std::span<T> scratch_;
  std::uint64_t calls_ = 0, draws_ = 0;
  bool held_[2] = {false, false};
  index_t rank_ = 0;
  bool random_start_ = true;
  index_t start_rows_ = 0, start_columns_ = 0, degree_ = 0, probe_columns_ = 0;
  int patience_ = 0, probes_ = 0;
  double probe_ = 0;
  double remainder_ = 0;
  double turned_ = 0;
};

}  // namespace fanion
