/// @file  Leading triplets by block iteration with Rayleigh-Ritz: subspace, power and randomized.
///
/// One sweep:  Y = A X,  Q = orth(Y),  Z = AᵀQ,  Z = V diag(σ) Wᵀ (small),  U = Q W,  X <- V.
/// Then UᵀA V = diag(σ) exactly, so the values are those that U and V attain.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/spectral/bounds.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/methods.hpp>

#include <vector>

namespace fanion {

/// Two passes and 4 m n b flops a sweep, b = min(r, k + oversample), and (2m + 3n) b scalars of
/// memory. A warm start is V of the last call; random columns beside it let it leave a stale
/// subspace.
template <Real T, class B>
class block_solver {
 public:
  using space = typename B::space;

  block_solver(B& b, index_t m, index_t n, index_t k, const subspace& method)
      : block_solver(b, m, n, k, method.oversample, method.seed) {
    warm_ = true;
    set_stop(method.gap, method.passes);
  }
  block_solver(B& b, index_t m, index_t n, index_t k, const power& method)
      : block_solver(b, m, n, k, 0, method.seed) {
    set_stop(method.gap, method.passes);
    most_sweeps_ = std::max<index_t>(most_sweeps_, 2000);
  }
  block_solver(B& b, index_t m, index_t n, index_t k, const randomized& method)
      : block_solver(b, m, n, k, method.oversample, method.seed) {
    set_stop({}, 2 * (expects_at_least(method.iterations, 0, "randomized: iterations") + 1));
  }

  /// Allocates nothing.
  [[nodiscard]] triplets<T, space> solve(B& b, const operand<T, space>& a) {
    start(b);
    triplets<T, space> answer;
    index_t rank = 0;
    for (index_t sweep = 1;; ++sweep) {
      rank = this->sweep(b, a);
      answer.effort.passes += 2;
      answer.effort.iterations = sweep;
      if (fixed_sweeps_ > 0 ? sweep >= fixed_sweeps_ : estimated_gap(rank) <= gap_) break;
      if (fixed_sweeps_ == 0 && sweep >= most_sweeps_) {
        answer.effort.outcome = outcome::budget_spent;
        break;
      }
      b.copy(v_.columns(0, block_).as_const(), x_);
      fill_with_noise(b, rank, sweep);
    }
    kept_ = rank;
    ++calls_;

    const index_t k = std::min(depth_, block_);
    bound_singular_values(std::span<const T>(sigma_.data(), static_cast<std::size_t>(rank)), 0.0,
                          a.frobenius, rounding<T>(m_, n_), upper_);
    answer.u = u_.columns(0, k).as_const();
    answer.v = v_.columns(0, k).as_const();
    answer.sigma = std::span<const T>(sigma_.data(), static_cast<std::size_t>(k));
    answer.upper = upper_;
    answer.contraction = std::sqrt((1 + departure(b, answer.u)) * (1 + departure(b, answer.v)));
    answer.effort.residual = last_change_;
    return answer;
  }

  void reset() {
    kept_ = 0;
    calls_ = 0;
  }

  /// Starts the next call from the span of V, n x c with c >= 1; more than the block are ignored.
  void seed(B& b, input<T, space> v) {
    kept_ = std::min(v.cols(), block_);
    b.fill(v_, T(0));
    b.copy(v.columns(0, kept_), v_.columns(0, kept_));
  }

  void save(archive_writer& out) const {
    out.write(kept_);
    out.write(calls_);
    out.write(std::span<const T>(v_.data(), static_cast<std::size_t>(n_ * block_)));
  }
  void load(archive_reader& in) {
    const auto kept = in.read<index_t>();
    const auto calls = in.read<std::uint64_t>();
    std::vector<T> v(static_cast<std::size_t>(n_ * block_));
    in.read(std::span<T>(v));
    if (kept < 0 || kept > block_) throw std::invalid_argument("checkpoint: impossible subspace");
    std::copy(v.begin(), v.end(), v_.data());
    kept_ = kept;
    calls_ = calls;
  }

 private:
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
    x_ = take(n_, block_);
    v_ = take(n_, block_);
    z_ = take(n_, block_);
    q_ = take(m_, block_);
    u_ = take(m_, block_);
    core_ = take(block_, block_);
    left_ = take(block_, block_);
    right_ = take(block_, block_);
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  [[nodiscard]] index_t views_size() const {
    return (3 * n_ + 2 * m_) * block_ + 3 * block_ * block_;
  }
  [[nodiscard]] index_t scratch_size(const B& b) const {
    const index_t k = block_;
    return std::max({apply_size<T>(b, m_, n_, k), b.template orthonormalize_size<T>(m_, k),
                     b.template orthonormalize_size<T>(n_, k), b.template small_svd_size<T>(k, k),
                     b.template multiply_adjoint_size<T>(n_, k, k),
                     b.template multiply_adjoint_size<T>(m_, k, k),
                     b.template multiply_size<T>(n_, k, k), b.template multiply_size<T>(m_, k, k)});
  }

  void set_stop(std::optional<double> gap, index_t passes) {
    gap_ = expects_positive(gap.value_or(default_gap<T>), "gap");
    fixed_sweeps_ = (expects_at_least(passes, 0, "passes") + 1) / 2;
  }

  /// X: what is remembered, all but `fresh` columns of it, and noise.
  void start(B& b) {
    const index_t fresh = std::min<index_t>(2, block_ - std::min(depth_, block_));
    const index_t keep = warm_ ? std::min(kept_, block_ - fresh) : 0;
    b.copy(v_.columns(0, keep).as_const(), x_.columns(0, keep));
    fill_with_noise(b, keep, 0);
  }

  /// Replaces the columns of X from `from` on by noise and makes X orthonormal.
  void fill_with_noise(B& b, index_t from, index_t sweep) {
    const std::uint64_t stream = mix_bits(seed_ ^ mix_bits(calls_)) + static_cast<std::uint64_t>(sweep);
    index_t good = from;
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (good < block_)
        b.random(x_.columns(good, block_ - good), stream + 0x10000u * static_cast<unsigned>(attempt));
      if (sweep > 0 && good == block_) return;  // V is orthonormal already
      good = b.orthonormalize(x_, scratch_);
      if (good == block_) return;
    }
  }

  /// Returns the rank found; columns beyond it are zero and so are their values.
  index_t sweep(B& b, const operand<T, space>& a) {
    apply(b, a, x_.as_const(), q_, scratch_);
    const index_t rank = b.orthonormalize(q_, scratch_);
    const auto q = q_.columns(0, rank), z = z_.columns(0, rank);
    apply_adjoint(b, a, q.as_const(), z, scratch_);

    // Values attained by (Q, X), before the half step through Aᵀ improved X: how much it gained
    // tells how far there is to go.
    const auto cross = matrix_view<T, space>(core_.data(), rank, block_);
    const auto cross_left = matrix_view<T, space>(left_.data(), rank, rank);
    const auto cross_right = matrix_view<T, space>(right_.data(), block_, rank);
    b.multiply_adjoint(T(1), z.as_const(), x_.as_const(), T(0), cross, scratch_);
    const auto count = static_cast<std::size_t>(rank);
    std::fill(before_.begin(), before_.end(), T(0));
    b.small_svd(cross.as_const(), cross_left, std::span(before_).first(count), cross_right,
                scratch_);

    // Z = V diag(σ) Wᵀ through an orthonormal basis of its columns.
    b.copy(z.as_const(), x_.columns(0, rank));
    const index_t range = b.orthonormalize(x_.columns(0, rank), scratch_);
    const auto basis = x_.columns(0, range);
    const auto core = matrix_view<T, space>(core_.data(), range, rank);
    const index_t found = std::min(range, rank);
    const auto left = matrix_view<T, space>(left_.data(), range, found);
    const auto right = matrix_view<T, space>(right_.data(), rank, found);
    b.multiply_adjoint(T(1), basis.as_const(), z.as_const(), T(0), core, scratch_);
    std::fill(sigma_.begin(), sigma_.end(), T(0));
    b.small_svd(core.as_const(), left, std::span(sigma_).first(static_cast<std::size_t>(found)),
                right, scratch_);
    b.fill(v_, T(0));
    b.fill(u_, T(0));
    b.multiply(T(1), basis.as_const(), left.as_const(), T(0), v_.columns(0, found), scratch_);
    b.multiply(T(1), q.as_const(), right.as_const(), T(0), u_.columns(0, found), scratch_);
    return found;
  }

  /// The half step moved the value by Δ; further ones shrink the rest by ρ = (σ_b/σ_k)² each, so
  /// Δρ/(1-ρ) remains. An estimate, not a proof.
  [[nodiscard]] double estimated_gap(index_t rank) {
    const auto k = static_cast<std::size_t>(std::min(depth_, block_));
    double now = 0, then = 0;
    for (std::size_t i = 0; i < k; ++i) {
      now += static_cast<double>(sigma_[i]);
      then += static_cast<double>(before_[i]);
    }
    if (now <= 0) return 0;
    last_change_ = std::max(0.0, now - then) / now;
    // The block holds the whole range, or nothing beyond the values wanted.
    if (rank < block_ || block_ == std::min(m_, n_) || !(sigma_[k - 1] > T(0))) return 0;
    const double tail = static_cast<double>(sigma_.back() / sigma_[k - 1]);
    const double ratio = std::min(tail * tail, 0.99);
    return last_change_ * ratio / (1 - ratio);
  }

  /// ‖XᵀX - I‖_F, which bounds ‖X‖₂² - 1.
  [[nodiscard]] double departure(B& b, input<T, space> x) {
    const index_t k = x.cols();
    if (k == 0) return 0;
    const matrix_view<T, space> gram(core_.data(), k, k), diagonal(core_.data(), 1, k, k + 1);
    b.multiply_adjoint(T(1), x, x, T(0), gram, scratch_);
    // A zero column is as good as an orthonormal one here: it contracts.
    b.map_entries(diagonal.as_const(), diagonal, [](T, T d) { return d > T(0.5) ? d - T(1) : d; });
    return static_cast<double>(b.norm(gram.as_const()));
  }

  index_t m_, n_, depth_, block_;
  std::uint64_t seed_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> sigma_, before_;
  std::vector<double> upper_;
  matrix_view<T, space> x_, v_, z_, q_, u_, core_, left_, right_;
  std::span<T> scratch_;
  bool warm_ = false;
  double gap_ = 0;
  double last_change_ = 0;
  index_t fixed_sweeps_ = 0;
  index_t most_sweeps_ = 200;
  index_t kept_ = 0;
  std::uint64_t calls_ = 0;
};

}  // namespace fanion
