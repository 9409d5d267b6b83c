/// @file  Leading triplets by block iteration with Rayleigh-Ritz: subspace, power and randomized.
///
/// Where a call starts, when it stops and what it leaves to the next; a step is in ritz_pair.hpp.
/// The read that finds ‖A‖_F comes before the steps and is not wasted: it multiplies the old V,
/// which is half a step.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/scale_columns.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/core/random.hpp>
#include <fanion/spectral/bounds.hpp>
#include <fanion/spectral/gains.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/ritz_pair.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fanion {

/// One pass and 4 m n b flops a step, b = min(r, k + oversample); 3 (m + n) b scalars of memory.
/// A warm start is the pair U, V of the last call; a random column beside it lets it leave a stale
/// subspace.
template <Real T, class B>
class block_solver {
 public:
  using space = typename B::space;

  block_solver(B& b, index_t m, index_t n, index_t k, const subspace& method)
      : block_solver(b, m, n, k, method.oversample, method.seed) {
    warm_ = true;
    set_stop(method.gap, method.passes, 200);
  }
  block_solver(B& b, index_t m, index_t n, index_t k, const power& method)
      : block_solver(b, m, n, k, 0, method.seed) {
    set_stop(method.gap, method.passes, 2000);
  }
  block_solver(B& b, index_t m, index_t n, index_t k, const randomized& method)
      : block_solver(b, m, n, k, method.oversample, method.seed) {
    set_stop({}, expects_at_least(method.iterations, 0, "randomized: iterations") + 1, 0);
  }

  /// Reads a matrix once for two ends: returns its Frobenius norm, and says that the next operand,
  /// whose storage is transposed or not, is about `keep` times the last one plus `share` times this
  /// one, which is 0 and 1 where it is the next operand itself. What was known of A V is brought up
  /// to date by that, exactly where the relation is exact. Changes nothing but the next start.
  [[nodiscard]] T approach(B& b, const oriented_view<const T, space>& g, bool transposed, T keep,
                           T share) {
    const std::size_t l = left_of(transposed);
    const side &x = pair_.at(l), &y = pair_.at(1 - l);
    const bool known = warm_ && memory_.held[1 - l];
    ready_ = known ? std::min(depth_, memory_.rank) : 0;
    fresh_ = known ? std::min<index_t>(1, block_ - ready_) : block_;
    const auto start = y.work.columns(0, ready_ + fresh_);
    const auto image = x.image.columns(0, ready_ + fresh_);
    b.copy(y.basis.columns(0, ready_).as_const(), start.columns(0, ready_));
    if (fresh_ > 0) b.random(start.columns(ready_, fresh_), stream() + 7);
    T length;
    if (g.transposed == transposed) {
      length = b.multiply_norm(share, g.storage, start.as_const(), image, pair_.scratch());
    } else {
      length = b.norm(g.storage);
      b.multiply_adjoint(share, g.storage, start.as_const(), T(0), image, pair_.scratch());
    }
    // A V = U diag(σ) of the last operand.
    if (keep != T(0) && memory_.held[l]) {
      for (index_t i = 0; i < ready_; ++i) {
        const auto at = static_cast<std::size_t>(i);
        shares_[at] = keep * pair_.sigma()[at] / memory_.scale;
      }
      scale_columns<T>(b, shares_, x.basis.columns(0, ready_).as_const(), T(1),
                       image.columns(0, ready_));
    }
    approached_ = l;  // where the product overflowed, its basis is empty and noise fills it
    return length;
  }

  /// `arrival` is handed to multiply_pair at the first step, after which its `length()` must be
  /// ‖A‖_F in units of the matrix: A may come into being as it is first read. Where that is zero or
  /// not finite there is no answer, and V is kept. Allocates nothing.
  template <class Arrival>
  [[nodiscard]] triplets<T, space> solve(B& b, operand<T, space> a, Arrival& arrival) {
    const std::size_t left = left_of(a.matrix.transposed);
    auto [spans, noise] = start(b, left, a.scale);
    triplets<T, space> answer;
    effort& done = answer.effort;
    for (;;) {
      const index_t rank = memory_.rank;
      if (++done.iterations == 1) {
        done.passes += pair_.multiply(b, a, left, rank, arrival);
        const T length = arrival.length();
        if (!is_finite(length) || length == T(0)) {
          memory_.held[left] = false;  // columns of V past its rank are zero, and get lost again
          return answer;
        }
        a.frobenius = static_cast<double>(length) * static_cast<double>(a.scale);
      } else {
        done.passes += pair_.multiply(b, a, left, rank, ignore_columns<T, space>());
      }
      const auto found = pair_.refine(b, a, left, rank);
      done.passes += found.passes;
      memory_.rank = found.rank;
      memory_.held = {true, true};
      // Then σ are singular values: V spans the rows of A where X spanned its range or filled its
      // side, where V fills its own, or where noise could add nothing to it.
      const bool whole = spans || rank == pair_.at(left).basis.rows() ||
                         found.range == pair_.at(1 - left).basis.rows() || found.range < noise;
      const double missed = whole ? 0 : estimated_gap(a.frobenius);
      if (fixed_ > 0 ? done.iterations >= fixed_ : missed <= gap_) break;
      if (fixed_ == 0 && done.iterations >= most_) {
        done.outcome = outcome::budget_spent;
        break;
      }
      // Columns that were lost stood in A's null space, as those of a stale start may: draw others,
      // and if any of them is lost again, nothing is missing.
      complete(b, left, stream() + 3 * static_cast<std::uint64_t>(done.iterations));
      noise = block_;
    }
    memory_.scale = a.scale;
    ++memory_.calls;

    const index_t k = std::min(depth_, block_);
    const std::span<const T> sigma = std::as_const(pair_).sigma();
    bound_singular_values(sigma.first(static_cast<std::size_t>(memory_.rank)), 0.0, a.frobenius,
                          rounding<T>(m_, n_), upper_);
    answer.u = pair_.at(0).basis.columns(0, k).as_const();
    answer.v = pair_.at(1).basis.columns(0, k).as_const();
    answer.sigma = sigma.first(static_cast<std::size_t>(k));
    answer.upper = upper_;
    answer.contraction = pair_.contraction(b, k);
    done.residual = gains_.last_gain();
    return answer;
  }

  void reset() {
    memory_ = {};
    gains_ = {};
    approached_.reset();
  }

  /// Starts the next call from the span of V, n x c with c >= 1; more columns than the block are
  /// ignored.
  /// @throws std::invalid_argument where the method starts from noise every time.
  void seed(B& b, input<T, space> v) {
    if (!warm_) throw std::invalid_argument("seed_subspace: this plan's method keeps no subspace");
    const auto calls = memory_.calls;
    reset();
    memory_.rank = std::min(v.cols(), block_);
    memory_.calls = calls;
    memory_.held = {false, true};
    const auto basis = pair_.at(1).basis;
    b.fill(basis, T(0));
    b.copy(v.columns(0, memory_.rank), basis.columns(0, memory_.rank));
  }

  void save(const B& b, archive_writer& out) const {
    const memory& k = memory_;
    out.write(block_);
    out.write(k.rank);
    out.write(k.calls);
    for (const bool held : k.held) out.write(static_cast<std::uint8_t>(held));
    out.write(k.scale);
    out.write(gains_.trust());
    out.write(gains_.value());
    out.write(pair_.sigma());
    for (const std::size_t s : {0u, 1u}) write_entries<T>(out, b, pair_.at(s).basis.as_const());
  }
  void load(const B& b, archive_reader& in) {
    if (const auto block = in.read<index_t>(); block != block_)
      refuse("checkpoint: columns of the subspace", std::to_string(block_).c_str(), block);
    memory k;
    k.rank = in.read<index_t>();
    k.calls = in.read<std::uint64_t>();
    for (bool& held : k.held) held = in.read<std::uint8_t>() != 0;
    k.scale = in.read<T>();
    const auto trust = in.read<double>(), value = in.read<double>();
    std::vector<T> values(static_cast<std::size_t>(block_ + (m_ + n_) * block_));
    in.read(std::span<T>(values));
    if (k.rank < 0 || k.rank > block_ || !(k.scale > T(0)))
      throw std::invalid_argument("checkpoint: impossible subspace");
    const T* at = values.data();
    std::copy_n(at, block_, pair_.sigma().begin());
    from_host<T>(b, at += block_, pair_.at(0).basis);
    from_host<T>(b, at += m_ * block_, pair_.at(1).basis);
    reset();
    memory_ = k;
    gains_.restore(trust, value);
  }

 private:
  using side = typename ritz_pair<T, B>::side;

  /// What a call leaves to the next, beside the two bases and σ.
  struct memory {
    index_t rank = 0;                           ///< columns in use
    std::uint64_t calls = 0;                    ///< numbers the draws of noise
    std::array<bool, 2> held = {false, false};  ///< which sides hold a basis
    T scale = 1;                                ///< of the operand whose σ are known
  };

  struct beginning {
    bool spans = false;  ///< it holds all of A's range: more images of noise than A has rank
    index_t noise = 0;   ///< columns that are random
  };

  block_solver(B& b, index_t m, index_t n, index_t k, index_t oversample, std::uint64_t seed)
      : m_(m),
        n_(n),
        depth_(k),
        block_(std::min(std::min(m, n), k + expects_at_least(oversample, 0, "oversample"))),
        seed_(seed),
        pair_(b, m, n, block_),
        upper_(static_cast<std::size_t>(std::min(k, block_))),
        shares_(static_cast<std::size_t>(block_)) {}

  void set_stop(std::optional<double> gap, index_t passes, index_t most) {
    gap_ = expects_positive(gap.value_or(default_gap<T>), "gap");
    fixed_ = expects_at_least(passes, 0, "passes");
    most_ = most;
  }

  [[nodiscard]] static std::size_t left_of(bool transposed) { return transposed ? 1 : 0; }
  [[nodiscard]] std::uint64_t stream() const { return mix_bits(seed_ ^ mix_bits(memory_.calls)); }

  /// An orthonormal basis to step from: what `approach` brought up to date, the trailing columns of
  /// the last basis, and noise.
  beginning start(B& b, std::size_t left, T scale) {
    const side& x = pair_.at(left);
    index_t& rank = memory_.rank;
    if (!warm_ || !memory_.held[left]) rank = 0;
    gains_.start(rank == 0);
    bool spans = false;
    if (approached_ == left) {
      const index_t kept = std::max(ready_, std::min(rank, block_ - fresh_));
      // In the operand's units, so that images are not lost, nor lose others, by their length.
      b.axpby(scale, x.image.columns(0, ready_).as_const(), T(0), x.basis.columns(0, ready_));
      b.axpby(scale, x.image.columns(ready_, fresh_).as_const(), T(0),
              x.basis.columns(kept, fresh_));
      rank = b.orthonormalize(x.basis.columns(0, kept + fresh_), pair_.scratch());
      spans = fresh_ == block_ && rank < block_;
    } else {
      rank = std::min(rank, block_ - std::min<index_t>(1, block_ - std::min(depth_, block_)));
    }
    approached_.reset();
    const index_t noise = block_ - rank;
    complete(b, left, stream());
    return {spans, noise};
  }

  /// Fills the columns of a side's basis beyond the rank with noise, and makes all of it
  /// orthonormal.
  void complete(B& b, std::size_t s, std::uint64_t stream) {
    index_t& rank = memory_.rank;
    const auto basis = pair_.at(s).basis;
    for (std::uint64_t attempt = 0; attempt < 3 && rank < block_; ++attempt) {
      b.random(basis.columns(rank, block_ - rank), stream + attempt);
      rank = b.orthonormalize(basis, pair_.scratch());
    }
  }

  /// What the value still misses, as a share of it.
  [[nodiscard]] double estimated_gap(double frobenius) {
    const auto k = static_cast<std::size_t>(std::min(depth_, block_));
    const auto sum = [k](std::span<const T> values) {
      double total = 0;
      for (const T s : values.first(k)) total += static_cast<double>(s);
      return total;
    };
    const double missed =
        gains_.missed(sum(pair_.middle()) / frobenius, sum(pair_.sigma()) / frobenius, gap_);
    return pair_.sigma()[k - 1] > T(0) ? missed : 1;  // 1: fewer values than are wanted
  }

  index_t m_, n_, depth_, block_;
  std::uint64_t seed_;
  ritz_pair<T, B> pair_;
  std::vector<double> upper_;
  std::vector<T> shares_;
  memory memory_;
  gain_estimate gains_;
  bool warm_ = false;
  double gap_ = 0;
  index_t fixed_ = 0;
  index_t most_ = 0;

  // Of the start that `approach` prepared: for which side, and how many columns of its image are
  // those of A V, and of noise.
  std::optional<std::size_t> approached_;
  index_t ready_ = 0;
  index_t fresh_ = 0;
};

}  // namespace fanion
