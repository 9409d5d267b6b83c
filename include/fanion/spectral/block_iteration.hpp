/// @file  Leading triplets by block iteration with Rayleigh-Ritz: subspace, power and randomized.
///
/// One step from an orthonormal basis X of the left side:
///   Z = AᵀX and Y = A Z in one read of A,
///   Q = orth(Z),  QᵀZ = L diag(s) Rᵀ (small),  V = Q L = Z R diag(1/s),
///   W = A V = Y R diag(1/s),  P = orth(W),  PᵀW = L' diag(σ) R'ᵀ (small),  U = P L',  V <- V R',
/// after which UᵀA V = diag(σ), so σ are the values that U and V attain: block power iteration with
/// A Aᵀ, of which both halves count. The read that finds ‖A‖_F comes before and is not wasted: it
/// multiplies the old V, which is half a step more.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/core/random.hpp>
#include <fanion/spectral/bounds.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/gains.hpp>
#include <fanion/spectral/methods.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace fanion {

/// One pass and 4 m n b flops a step, b = min(r, k + oversample); 3 (m + n) b scalars of memory.
/// The left side is that of the storage: its panels are contiguous. A warm start is the pair U, V
/// of the last call; a random column beside it lets it leave a stale subspace.
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
    const std::size_t l = left_of(transposed), r = 1 - l;
    const bool known = warm_ && memory_.held[r];
    ready_ = known ? std::min(depth_, memory_.rank) : 0;
    fresh_ = known ? std::min<index_t>(1, block_ - std::min(ready_, block_)) : block_;
    const auto work = sides_[r].work.columns(0, ready_ + fresh_);
    const auto image = sides_[l].image.columns(0, ready_ + fresh_);
    b.copy(sides_[r].basis.columns(0, ready_).as_const(), work.columns(0, ready_));
    if (fresh_ > 0) b.random(work.columns(ready_, fresh_), stream() + 7);
    T length;
    if (g.transposed == (l == 1)) {
      length = b.multiply_norm(share, g.storage, work.as_const(), image, scratch_);
    } else {
      length = b.norm(g.storage);
      b.multiply_adjoint(share, g.storage, work.as_const(), T(0), image, scratch_);
    }
    // A V = U diag(σ) of the last operand.
    if (keep != T(0) && memory_.held[l])
      for (index_t i = 0; i < ready_; ++i)
        b.axpby(keep * sigma_[static_cast<std::size_t>(i)] / memory_.scale,
                sides_[l].basis.columns(i, 1).as_const(), T(1), image.columns(i, 1));
    approached_ = true;  // where the product overflowed, its basis is empty and noise fills it
    return length;
  }

  /// `prepare` is handed on to multiply_pair at the first step, after which `length()` must be
  /// ‖A‖_F in units of the matrix: A may come into being as it is first read. Allocates nothing.
  template <class Arrival>
  [[nodiscard]] triplets<T, space> solve(B& b, operand<T, space> a, Arrival& arrival) {
    start(b, a);
    triplets<T, space> answer;
    for (index_t steps = 1;; ++steps) {
      const bool whole = step(b, a, arrival, steps, answer.effort);
      if (steps == 1) {
        const T length = arrival.length();
        a.frobenius = static_cast<double>(length) * static_cast<double>(a.scale);
        if (!is_finite(length) || length == T(0)) return answer;  // the caller looks, too
      }
      answer.effort.iterations = steps;
      const double missed = whole ? 0 : estimated_gap();
      if (fixed_ > 0 ? steps >= fixed_ : missed <= gap_) break;
      if (fixed_ == 0 && steps >= most_) {
        answer.effort.outcome = outcome::budget_spent;
        break;
      }
      // Columns that were lost stood in A's null space, as those of a stale start may: draw others.
      noise_ = block_ - memory_.rank;
      complete(b, left_, stream() + 3 * static_cast<std::uint64_t>(steps));
    }
    memory_.scale = a.scale;
    ++memory_.calls;

    const index_t k = std::min(depth_, block_), rank = memory_.rank;
    bound_singular_values(std::span<const T>(sigma_.data(), static_cast<std::size_t>(rank)), 0.0,
                          a.frobenius, rounding<T>(m_, n_), upper_);
    answer.u = sides_[0].basis.columns(0, k).as_const();
    answer.v = sides_[1].basis.columns(0, k).as_const();
    answer.sigma = std::span<const T>(sigma_.data(), static_cast<std::size_t>(k));
    answer.upper = upper_;
    answer.contraction = std::sqrt((1 + departure(b, answer.u)) * (1 + departure(b, answer.v)));
    answer.effort.residual = gains_.last_gain();
    return answer;
  }

  void reset() {
    memory_ = {};
    gains_ = {};
    approached_ = false;
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
    b.fill(sides_[1].basis, T(0));
    b.copy(v.columns(0, memory_.rank), sides_[1].basis.columns(0, memory_.rank));
  }

  void save(archive_writer& out) const {
    const memory& k = memory_;
    out.write(block_);
    out.write(k.rank);
    out.write(k.calls);
    for (const bool held : k.held) out.write(static_cast<std::uint8_t>(held));
    out.write(k.scale);
    out.write(gains_.trust());
    out.write(std::span<const T>(sigma_));
    for (const side& s : sides_)
      out.write(std::span<const T>(s.basis.data(), static_cast<std::size_t>(s.basis.size())));
  }
  void load(archive_reader& in) {
    if (const auto block = in.read<index_t>(); block != block_)
      refuse("checkpoint: columns of the subspace", std::to_string(block_).c_str(), block);
    memory k;
    k.rank = in.read<index_t>();
    k.calls = in.read<std::uint64_t>();
    for (bool& held : k.held) held = in.read<std::uint8_t>() != 0;
    k.scale = in.read<T>();
    const auto trust = in.read<double>();
    std::vector<T> values(static_cast<std::size_t>(block_ + (m_ + n_) * block_));
    in.read(std::span<T>(values));
    if (k.rank < 0 || k.rank > block_ || !(k.scale > T(0)))
      throw std::invalid_argument("checkpoint: impossible subspace");
    auto at = values.begin();
    std::copy_n(at, block_, sigma_.begin());
    std::copy_n(at += block_, m_ * block_, sides_[0].basis.data());
    std::copy_n(at += m_ * block_, n_ * block_, sides_[1].basis.data());
    reset();
    memory_ = k;
    gains_.set_trust(trust);
  }

 private:
  /// Rows (0) or columns (1) of A: the basis that answers, and two buffers of its shape.
  struct side {
    matrix_view<T, space> basis, work, image;
  };

  /// What a call leaves to the next, beside the two bases and σ.
  struct memory {
    index_t rank = 0;                           ///< columns in use
    std::uint64_t calls = 0;                    ///< numbers the draws of noise
    std::array<bool, 2> held = {false, false};  ///< which sides hold a basis
    T scale = 1;                                ///< of the operand whose σ are known
  };

  block_solver(B& b, index_t m, index_t n, index_t k, index_t oversample, std::uint64_t seed)
      : m_(m),
        n_(n),
        depth_(k),
        block_(std::min(std::min(m, n), k + expects_at_least(oversample, 0, "oversample"))),
        seed_(seed),
        buffer_(b.template make_workspace<T>(views_size() + scratch_size(b))),
        sigma_(static_cast<std::size_t>(block_)),
        middle_(static_cast<std::size_t>(block_)),
        upper_(static_cast<std::size_t>(std::min(k, block_))) {
    T* at = buffer_.data();
    const auto take = [&at](index_t rows, index_t cols) {
      const matrix_view<T, space> view(at, rows, cols);
      at += rows * cols;
      return view;
    };
    for (const std::size_t s : {0u, 1u})
      for (auto* view : {&sides_[s].basis, &sides_[s].work, &sides_[s].image})
        *view = take(s == 0 ? m : n, block_);
    for (auto* view : {&core_, &lefts_, &rights_, &turn_}) *view = take(block_, block_);
    lengths_ = take(1, block_);
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  [[nodiscard]] index_t views_size() const {
    return 3 * (n_ + m_) * block_ + (4 * block_ + 1) * block_;
  }
  [[nodiscard]] index_t scratch_size(const B& b) const {
    const index_t k = block_;
    index_t most = std::max(b.template small_svd_size<T>(k, k), apply_size<T>(b, m_, n_, k));
    for (const index_t rows : {m_, n_})
      most = std::max({most, b.template orthonormalize_size<T>(rows, k),
                       b.template multiply_adjoint_size<T>(rows, k, k),
                       b.template multiply_size<T>(rows, k, k),
                       b.template multiply_pair_size<T>(rows, m_ + n_ - rows, k)});
    return most;
  }

  void set_stop(std::optional<double> gap, index_t passes, index_t most) {
    gap_ = expects_positive(gap.value_or(default_gap<T>), "gap");
    fixed_ = expects_at_least(passes, 0, "passes");
    most_ = most;
  }

  [[nodiscard]] static std::size_t left_of(bool transposed) { return transposed ? 1 : 0; }
  [[nodiscard]] std::uint64_t stream() const { return mix_bits(seed_ ^ mix_bits(memory_.calls)); }

  /// An orthonormal basis to step from: what `approach` brought up to date, the trailing columns of
  /// the last basis, and noise.
  void start(B& b, const operand<T, space>& a) {
    left_ = left_of(a.matrix.transposed);
    const side& x = sides_[left_];
    memory& k = memory_;
    if (!warm_ || !k.held[left_]) k.rank = 0;
    gains_.start(k.rank == 0);
    spans_ = false;
    if (approached_) {
      const index_t kept = std::max(ready_, std::min(k.rank, block_ - fresh_));
      b.copy(x.image.columns(0, ready_).as_const(), x.basis.columns(0, ready_));
      b.copy(x.image.columns(ready_, fresh_).as_const(), x.basis.columns(kept, fresh_));
      k.rank = b.orthonormalize(x.basis.columns(0, kept + fresh_), scratch_);
      spans_ = fresh_ == block_ && k.rank < block_;
    } else {
      k.rank = std::min(k.rank, block_ - std::min<index_t>(1, block_ - std::min(depth_, block_)));
    }
    noise_ = block_ - k.rank;
    approached_ = false;
    complete(b, left_, stream());
  }

  /// Fills the columns of a side's basis beyond the rank with noise, and makes all of it
  /// orthonormal.
  void complete(B& b, std::size_t s, std::uint64_t stream) {
    index_t& rank = memory_.rank;
    const auto basis = sides_[s].basis;
    for (std::uint64_t attempt = 0; attempt < 3 && rank < block_; ++attempt) {
      b.random(basis.columns(rank, block_ - rank), stream + attempt);
      rank = b.orthonormalize(basis, scratch_);
    }
  }

  /// From the basis of the left side to those of both. Returns whether the block holds all that A
  /// can see: then σ are singular values.
  template <class Arrival>
  bool step(B& b, const operand<T, space>& a, Arrival& arrival, index_t steps, effort& done) {
    memory& k = memory_;
    side& x = sides_[left_];
    side& y = sides_[1 - left_];
    const index_t rank = k.rank;
    const auto z = y.image.columns(0, rank), w = x.image.columns(0, rank);
    const auto& matrix = a.matrix.storage;
    const auto basis = x.basis.columns(0, rank).as_const();
    if (steps == 1) {
      done.passes += b.multiply_pair(a.scale, matrix, basis, z, w, scratch_, arrival);
    } else {
      done.passes +=
          b.multiply_pair(a.scale, matrix, basis, z, w, scratch_, ignore_columns<T, space>());
    }
    if (steps == 1 && !is_finite(arrival.length())) return false;

    const auto q = y.work.columns(0, rank);
    b.copy(z.as_const(), q);
    const index_t range = b.orthonormalize(q, scratch_);
    std::fill(middle_.begin(), middle_.end(), T(0));
    small_svd_of(b, q.columns(0, range), z, std::span(middle_));
    // Where V is to go, and W = A V: from Y where rounding allows it, with a pass of its own
    // where it does not.
    const auto spread = x.work.columns(0, range);
    const bool shared = unmix(b, rank, range);
    if (shared)
      b.multiply(T(1), w.as_const(), turn_.block(0, 0, rank, range).as_const(), T(0), spread,
                 scratch_);
    b.copy(lefts_.block(0, 0, range, range).as_const(), turn_.block(0, 0, range, range));
    if (!shared) {
      const auto v = y.image.columns(0, range);
      b.multiply(T(1), q.columns(0, range).as_const(), turn_.block(0, 0, range, range).as_const(),
                 T(0), v, scratch_);
      b.multiply(a.scale, matrix, v.as_const(), T(0), spread, scratch_);
      ++done.passes;
    }

    const auto p = x.image.columns(0, range);
    b.copy(spread.as_const(), p);
    const index_t kept = b.orthonormalize(p, scratch_);
    std::fill(sigma_.begin(), sigma_.end(), T(0));
    small_svd_of(b, p.columns(0, kept), spread, std::span(sigma_));
    b.fill(x.basis, T(0));
    b.multiply(T(1), p.columns(0, kept).as_const(), lefts_.block(0, 0, kept, kept).as_const(), T(0),
               x.basis.columns(0, kept), scratch_);
    const auto both = core_.block(0, 0, range, kept);
    b.multiply(T(1), turn_.block(0, 0, range, range).as_const(),
               rights_.block(0, 0, range, kept).as_const(), T(0), both, scratch_);
    b.fill(y.basis, T(0));
    b.multiply(T(1), q.columns(0, range).as_const(), both.as_const(), T(0),
               y.basis.columns(0, kept), scratch_);
    k.rank = kept;
    k.held = {true, true};
    // V spans the rows of A where it fills its side, where X filled the other or held the image of
    // more noise than A has rank, or where noise could add nothing to V.
    return spans_ || rank == x.basis.rows() || range == y.basis.rows() ||
           range < (steps > 1 ? block_ : noise_);
  }

  /// PᵀY = L diag(values) Rᵀ, into lefts_ and rights_.
  void small_svd_of(B& b, matrix_view<T, space> p, matrix_view<T, space> y, std::span<T> values) {
    const index_t rows = p.cols(), cols = y.cols(), least = std::min(rows, cols);
    const auto core = core_.block(0, 0, rows, cols);
    b.multiply_adjoint(T(1), p.as_const(), y.as_const(), T(0), core, scratch_);
    b.small_svd(core.as_const(), lefts_.block(0, 0, rows, least),
                values.first(static_cast<std::size_t>(least)), rights_.block(0, 0, cols, least),
                scratch_);
  }

  /// R diag(1/s) into turn_, with which A Z becomes A V: not finite for s = 0. Column i of A V then
  /// carries the rounding of A Z times Σ_c ‖z_c‖ |R_ci| / s_i: false where that amplification is
  /// more than ε^(-1/3).
  [[nodiscard]] bool unmix(B& b, index_t rank, index_t range) {
    const T most =
        static_cast<T>(std::cbrt(1 / static_cast<double>(std::numeric_limits<T>::epsilon())));
    const auto lengths = lengths_.columns(0, rank);  // ‖z_c‖, which orthonormal Q keeps
    for (index_t c = 0; c < rank; ++c)
      b.norm_to(core_.block(0, c, range, 1).as_const(), lengths.columns(c, 1));
    const auto turn = turn_.block(0, 0, rank, range);
    b.copy(rights_.block(0, 0, rank, range).as_const(), turn);
    for (index_t i = 0; i < range; ++i) {
      const T s = middle_[static_cast<std::size_t>(i)];
      b.axpby(T(1) / s, turn.columns(i, 1).as_const(), T(0), turn.columns(i, 1));
    }
    const auto product = core_.block(0, 0, 1, range);
    b.map_entries(turn.as_const(), rights_.block(0, 0, rank, range),
                  [](T x, T) { return x < T(0) ? -x : x; });
    b.multiply(T(1), lengths.as_const(), rights_.block(0, 0, rank, range).as_const(), T(0), product,
               scratch_);
    return b.reduce_entries(product.as_const(), reduction::max_abs) <= most;
  }

  /// What the value still misses, as a share of it.
  [[nodiscard]] double estimated_gap() {
    const auto k = static_cast<std::size_t>(std::min(depth_, block_));
    double now = 0, middle = 0;
    for (std::size_t i = 0; i < k; ++i) {
      now += static_cast<double>(sigma_[i]);
      middle += static_cast<double>(middle_[i]);
    }
    const double missed = gains_.missed(middle, now, gap_);
    return sigma_[k - 1] > T(0) ? missed : 1;  // 1: fewer values than are wanted
  }

  /// ‖XᵀX - I‖_F, which bounds ‖X‖₂² - 1. A zero column contracts, so it departs by nothing.
  [[nodiscard]] double departure(B& b, input<T, space> x) {
    const index_t k = x.cols();
    if (k == 0) return 0;
    const matrix_view<T, space> gram(core_.data(), k, k), diagonal(core_.data(), 1, k, k + 1);
    b.multiply_adjoint(T(1), x, x, T(0), gram, scratch_);
    b.map_entries(diagonal.as_const(), diagonal, [](T, T d) { return d > T(0.5) ? d - T(1) : d; });
    return static_cast<double>(b.norm(gram.as_const()));
  }

  index_t m_, n_, depth_, block_;
  std::uint64_t seed_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> sigma_, middle_;
  std::vector<double> upper_;
  side sides_[2];
  matrix_view<T, space> core_, lefts_, rights_, turn_, lengths_;
  std::span<T> scratch_;
  memory memory_;
  gain_estimate gains_;
  bool warm_ = false;
  double gap_ = 0;
  index_t fixed_ = 0;
  index_t most_ = 0;

  // Of the start that `approach` prepared: columns of A V, and of noise, in the left image.
  bool approached_ = false;
  index_t ready_ = 0;
  index_t fresh_ = 0;

  // Of the call in progress.
  std::size_t left_ = 0;  ///< the side that steps start from
  bool spans_ = false;    ///< the start held all of A's range
  index_t noise_ = 0;     ///< columns of the start of a step that are random
};

}  // namespace fanion
