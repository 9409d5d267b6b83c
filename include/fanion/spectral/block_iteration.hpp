/// @file  Leading triplets by block iteration with Rayleigh-Ritz: subspace, power and randomized.
///
/// One half step from an orthonormal basis X of the right side:
///   Y = A X,  Q = orth(Y),  QᵀY = L diag(σ) Rᵀ (small),  U = Q L,  V = X R,
/// after which UᵀA V = diag(σ) exactly, so σ are the values that U and V attain. The next half step
/// goes the other way, Aᵀ from U. Each reads the matrix once: the step of a training run, whose
/// momentum has hardly moved since the last one, is often a single half step.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/core/random.hpp>
#include <fanion/spectral/bounds.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/methods.hpp>

#include <array>
#include <limits>
#include <utility>
#include <vector>

namespace fanion {

/// One pass and 2 m n b flops a half step, b = min(r, k + oversample); 3 (m + n) b scalars of
/// memory. A warm start is the pair of subspaces of the last call; a random column in place of the
/// last one lets it leave a stale subspace.
template <Real T, class B>
class block_solver {
 public:
  using space = typename B::space;

  block_solver(B& b, index_t m, index_t n, index_t k, const subspace& method)
      : block_solver(b, m, n, k, method.oversample, method.seed) {
    warm_ = true;
    set_stop(method.gap, method.passes, 400);
  }
  block_solver(B& b, index_t m, index_t n, index_t k, const power& method)
      : block_solver(b, m, n, k, 0, method.seed) {
    set_stop(method.gap, method.passes, 4000);
  }
  block_solver(B& b, index_t m, index_t n, index_t k, const randomized& method)
      : block_solver(b, m, n, k, method.oversample, method.seed) {
    set_stop({}, 2 * (expects_at_least(method.iterations, 0, "randomized: iterations") + 1), 0);
  }

  /// Allocates nothing.
  [[nodiscard]] triplets<T, space> solve(B& b, const operand<T, space>& a) {
    start(b);
    triplets<T, space> answer;
    // Whether the basis to step from holds all that A can see: then one half step is exact.
    bool whole = block_ == sides_[memory_.from].basis.rows();
    for (index_t step = 1;; ++step) {
      const index_t noise = noise_;
      half_step(b, a);
      answer.effort.passes = answer.effort.iterations = step;
      const double estimate = estimated_gap(a.frobenius), missed = whole ? 0 : estimate;
      if (fixed_ > 0 ? step >= fixed_ : missed <= gap_) break;
      if (fixed_ == 0 && step >= most_) {
        answer.effort.outcome = outcome::budget_spent;
        break;
      }
      // The image spans A's range where it fills its side, or where noise could add nothing to it.
      // Columns lost otherwise stood in A's null space, as those of a stale start may: draw others.
      whole =
          block_ == sides_[memory_.from].basis.rows() || memory_.rank < (step > 1 ? block_ : noise);
      noise_ = block_ - memory_.rank;
      if (!whole)
        complete(b, sides_[memory_.from], stream() + 3 * static_cast<std::uint64_t>(step));
    }
    ++memory_.calls;

    const index_t k = std::min(depth_, block_), rank = memory_.rank;
    bound_singular_values(std::span<const T>(sigma_.data(), static_cast<std::size_t>(rank)), 0.0,
                          a.frobenius, rounding<T>(m_, n_), upper_);
    answer.u = sides_[0].basis.columns(0, k).as_const();
    answer.v = sides_[1].basis.columns(0, k).as_const();
    answer.sigma = std::span<const T>(sigma_.data(), static_cast<std::size_t>(k));
    answer.upper = upper_;
    answer.contraction = std::sqrt((1 + departure(b, answer.u)) * (1 + departure(b, answer.v)));
    answer.effort.residual = change_;
    return answer;
  }

  void reset() { memory_ = {}; }

  /// Starts the next call from the span of V, n x c with c >= 1; more columns than the block are
  /// ignored.
  /// @throws std::invalid_argument where the method starts from noise every time.
  void seed(B& b, input<T, space> v) {
    if (!warm_) throw std::invalid_argument("seed_subspace: this plan's method keeps no subspace");
    const auto calls = memory_.calls;
    memory_ = {.rank = std::min(v.cols(), block_), .calls = calls};
    b.fill(sides_[1].basis, T(0));
    b.copy(v.columns(0, memory_.rank), sides_[1].basis.columns(0, memory_.rank));
  }

  void save(archive_writer& out) const {
    const memory& k = memory_;
    out.write(block_);
    out.write(k.rank);
    out.write(k.calls);
    out.write(k.from);
    out.write(static_cast<std::uint8_t>(k.paired));
    out.write(std::span<const double>(k.drift));
    out.write(std::span<const double>(k.age));
    out.write(k.missing);
    for (const side& s : sides_)
      out.write(std::span<const T>(s.basis.data(), static_cast<std::size_t>(s.basis.size())));
  }
  void load(archive_reader& in) {
    if (const auto block = in.read<index_t>(); block != block_)
      refuse("checkpoint: columns of the subspace", std::to_string(block_).c_str(), block);
    memory k;
    k.rank = in.read<index_t>();
    k.calls = in.read<std::uint64_t>();
    k.from = in.read<std::uint8_t>();
    const auto paired = in.read<std::uint8_t>();
    k.paired = paired != 0;
    in.read(std::span<double>(k.drift));
    in.read(std::span<double>(k.age));
    k.missing = in.read<double>();
    std::vector<T> both(static_cast<std::size_t>((m_ + n_) * block_));
    in.read(std::span<T>(both));
    if (k.rank < 0 || k.rank > block_ || k.from > 1 || paired > 1)
      throw std::invalid_argument("checkpoint: impossible subspace");
    std::copy_n(both.begin(), m_ * block_, sides_[0].basis.data());
    std::copy_n(both.begin() + m_ * block_, n_ * block_, sides_[1].basis.data());
    memory_ = k;
  }

 private:
  /// Left (0) or right (1): the basis that answers, and two buffers of its shape.
  struct side {
    matrix_view<T, space> basis, work, image;
  };

  static constexpr double unknown = std::numeric_limits<double>::infinity();

  /// What a call leaves to the next, beside the two bases.
  struct memory {
    index_t rank = 0;         ///< columns in use
    std::uint64_t calls = 0;  ///< numbers the draws of noise
    std::uint8_t from = 1;    ///< the side to step from
    bool paired = false;      ///< whether both sides hold a pair, or `from` alone a start
    std::array<double, 2> drift = {unknown, unknown};  ///< value lost a call by not updating a side
    std::array<double, 2> age = {0, 0};                ///< calls since a side was updated
    double missing = 0;                                ///< share of ‖A‖_F² outside the block
  };

  block_solver(B& b, index_t m, index_t n, index_t k, index_t oversample, std::uint64_t seed)
      : m_(m),
        n_(n),
        depth_(k),
        block_(std::min(std::min(m, n), k + expects_at_least(oversample, 0, "oversample"))),
        seed_(seed),
        buffer_(b.template make_workspace<T>(views_size() + scratch_size(b))),
        sigma_(static_cast<std::size_t>(block_)),
        before_(static_cast<std::size_t>(block_)),
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
    core_ = take(block_, block_);
    left_ = take(block_, block_);
    right_ = take(block_, block_);
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  [[nodiscard]] index_t views_size() const { return 3 * (n_ + m_) * block_ + 3 * block_ * block_; }
  [[nodiscard]] index_t scratch_size(const B& b) const {
    const index_t k = block_;
    return std::max({apply_size<T>(b, m_, n_, k), b.template orthonormalize_size<T>(m_, k),
                     b.template orthonormalize_size<T>(n_, k), b.template small_svd_size<T>(k, k),
                     b.template multiply_adjoint_size<T>(n_, k, k),
                     b.template multiply_adjoint_size<T>(m_, k, k),
                     b.template multiply_size<T>(n_, k, k), b.template multiply_size<T>(m_, k, k)});
  }

  void set_stop(std::optional<double> gap, index_t passes, index_t most) {
    gap_ = expects_positive(gap.value_or(default_gap<T>), "gap");
    fixed_ = expects_at_least(passes, 0, "passes");
    most_ = most;
  }

  /// An orthonormal basis to step from: what is remembered, with noise in the last column. Of two
  /// sides, the one that drifts less is stepped from, so that the other one is brought up to date.
  void start(B& b) {
    if (!warm_) memory_ = {.calls = memory_.calls};
    memory& k = memory_;
    for (double& age : k.age) age += 1;
    settled_ = false;
    cold_ = !k.paired;
    if (k.paired && k.rank == block_)
      k.from = k.drift[0] * k.age[0] > k.drift[1] * k.age[1] ? 1 : 0;
    fresh_ = std::min<index_t>(1, block_ - std::min(depth_, block_));
    if (k.rank == block_) k.rank -= fresh_;
    noise_ = block_ - k.rank;
    complete(b, sides_[k.from], stream());
  }

  [[nodiscard]] std::uint64_t stream() const { return mix_bits(seed_ ^ mix_bits(memory_.calls)); }

  /// Fills the columns of the basis beyond the rank with noise and makes all of it orthonormal.
  void complete(B& b, side& s, std::uint64_t stream) {
    index_t& rank = memory_.rank;
    for (std::uint64_t attempt = 0; attempt < 3 && rank < block_; ++attempt) {
      b.random(s.basis.columns(rank, block_ - rank), stream + attempt);
      rank = b.orthonormalize(s.basis, scratch_);
    }
  }

  /// From the basis of one side to those of both.
  void half_step(B& b, const operand<T, space>& a) {
    memory& k = memory_;
    const index_t rank = k.rank;
    side& x = sides_[k.from];
    side& y = sides_[1 - k.from];
    const auto basis = x.basis.columns(0, rank), image = y.image.columns(0, rank);
    if (k.from == 1)
      apply(b, a, basis.as_const(), image, scratch_);
    else
      apply_adjoint(b, a, basis.as_const(), image, scratch_);

    // What the old pair of subspaces attains on this matrix: the gain tells how far there is to go.
    // Where both sides were updated on this very matrix, that is σ itself.
    if (k.age[k.from] == 0)
      std::swap(before_, sigma_);
    else
      std::fill(before_.begin(), before_.end(), T(0));
    if (k.paired && k.age[k.from] > 0)
      small_svd_of(b, y.basis.columns(0, rank), image, std::span(before_));

    const auto work = y.work.columns(0, rank);
    b.copy(image.as_const(), work);
    const index_t range = b.orthonormalize(work, scratch_);
    std::fill(sigma_.begin(), sigma_.end(), T(0));
    small_svd_of(b, work.columns(0, range), image, std::span(sigma_));
    const matrix_view<T, space> left(left_.data(), range, range);
    const matrix_view<T, space> right(right_.data(), rank, range);
    b.fill(y.basis, T(0));
    b.multiply(T(1), work.columns(0, range).as_const(), left.as_const(), T(0),
               y.basis.columns(0, range), scratch_);
    b.fill(x.work, T(0));
    b.multiply(T(1), basis.as_const(), right.as_const(), T(0), x.work.columns(0, range), scratch_);
    std::swap(x.basis, x.work);
    k.rank = range;
    k.paired = true;
    k.from = 1 - k.from;
  }

  /// PᵀY = L diag(values) Rᵀ, into left_ and right_.
  void small_svd_of(B& b, matrix_view<T, space> p, matrix_view<T, space> y, std::span<T> values) {
    const index_t rows = p.cols(), cols = y.cols(), least = std::min(rows, cols);
    const matrix_view<T, space> core(core_.data(), rows, cols), left(left_.data(), rows, least),
        right(right_.data(), cols, least);
    b.multiply_adjoint(T(1), p.as_const(), y.as_const(), T(0), core, scratch_);
    b.small_svd(core.as_const(), left, values.first(static_cast<std::size_t>(least)), right,
                scratch_);
  }

  /// What the value still misses, as a share of it: an estimate, not a proof. With Δ the gain of
  /// the half step for the side that it updated:
  ///  - The first one of a call says how far the matrix has moved: the other side misses about as
  ///    much, or what it usually loses in its age. A direction that came from nowhere is invisible
  ///    to both, but the energy outside the block rises, and a rank-one newcomer of that energy
  ///    would replace σ_k.
  ///  - Later ones converge with a ratio q: Δq/(1-q) is left. After a warm start q is the ratio of
  ///    two gains; a cold one takes (σ_b/σ_k)² where that is larger.
  [[nodiscard]] double estimated_gap(double frobenius) {
    memory& known = memory_;
    const auto k = static_cast<std::size_t>(std::min(depth_, block_));
    double now = 0, then = 0, held = 0;
    for (std::size_t i = 0; i < k; ++i) {
      now += static_cast<double>(sigma_[i]);
      then += static_cast<double>(before_[i]);
    }
    for (const T s : sigma_) held += static_cast<double>(s) * static_cast<double>(s);
    const double last_change = change_;
    change_ = now > 0 ? std::max(0.0, now - then) / now : 0;

    const std::size_t updated = known.from, other = 1 - updated;
    if (known.age[updated] > 0) known.drift[updated] = change_ / known.age[updated];
    known.age[updated] = 0;
    const double missing = std::max(0.0, 1 - held / (frobenius * frobenius));
    const double grown = std::max(0.0, missing - known.missing);
    known.missing = missing;

    // Nothing to compare with, or fewer values than are wanted.
    if (!(then > 0) || !(sigma_[k - 1] > T(0))) return 1;
    if (known.age[other] > 0) {
      const double newcomer =
          (std::sqrt(grown) * frobenius - static_cast<double>(sigma_[k - 1])) / now;
      // Twice: what the other side lost is a guess from one call, and guesses miss by that much.
      return 2 * std::max({change_, known.drift[other] * known.age[other], newcomer});
    }
    double ratio = settled_ ? change_ / last_change : 0.6;  // until there are two gains
    if (cold_) {
      const auto last = std::max(static_cast<std::size_t>(block_ - 1 - fresh_), k - 1);
      const double tail = static_cast<double>(sigma_[last] / sigma_[k - 1]);
      ratio = std::max(ratio, tail * tail);
    }
    settled_ = true;
    return change_ <= 0 ? 0 : change_ * std::min(ratio, 0.99) / (1 - std::min(ratio, 0.99));
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
  std::vector<T> sigma_, before_;
  std::vector<double> upper_;
  side sides_[2];
  matrix_view<T, space> core_, left_, right_;
  std::span<T> scratch_;
  bool warm_ = false;
  double gap_ = 0;
  double change_ = 0;
  index_t fixed_ = 0;
  index_t most_ = 0;
  index_t noise_ = 0;  ///< columns of the start of a half step that are random
  index_t fresh_ = 0;
  bool cold_ = true;      ///< this call started without a pair
  bool settled_ = false;  ///< both sides were updated on this matrix before
  memory memory_;
};

}  // namespace fanion
