/// @file  Dion: a step of rank r from one warm-started power iteration, with error feedback.
///
/// With Q (n x r) from the step before and orth(A) an orthonormal basis of A's range:
///   B = M + G,  P = orth(B Q),  R = Bᵀ P,  M <- B - (1-μ) P Rᵀ,
///   Q <- columns(R),  X <- (1 - η decay) X - η s P Qᵀ.
///
/// Ahn, Xu, Abreu and Langford 2025 give the columns of Q length 1. They are not orthogonal then,
/// and the step's spectral norm may reach sqrt(r): it is bounded, but in no ball of the family.
/// With orthonormal columns (Orth-Dion) P Qᵀ is a partial isometry of spectral norm 1, and where B
/// stands still it goes to Σ_{i<=r} uᵢvᵢᵀ, the step of fanion_k(r).
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/optim/describe.hpp>
#include <fanion/optim/residual.hpp>
#include <fanion/optim/scaling.hpp>
#include <fanion/spectral/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace fanion {

/// What becomes of the columns of R:
///   normalized   each is divided by its length
///   orthonormal  Gram and Schmidt's process, first to last
/// Columns of R are 0 where those of P are, which is where B Q has no such rank, and stay 0.
enum class dion_columns { normalized, orthonormal };

template <Real T, class B>
class dion_step;

/// rank: r, at most min(m, n) of each block. mu: what is kept of the part that was sent.
struct dion {
  index_t rank = 16;
  double mu = 0.95;
  double decay = 0;
  dion_columns columns = dion_columns::normalized;
  shape_scaling scaling = shape_scaling::rms;
  std::uint64_t seed = 0;  ///< of the first Q

  static constexpr const char* name = "dion";
  template <Real T, class B>
  using step = dion_step<T, B>;
};

inline void check(const dion& r) {
  (void)expects_at_least(r.rank, 1, "dion: rank");
  check_beta(r.mu, "dion: mu");
  (void)expects_coefficient(r.decay, "dion: decay");
}
[[nodiscard]] inline std::string describe(const dion& r) {
  return "dion, rank " + std::to_string(r.rank) + ", mu " + describe(r.mu) + ", decay " +
         describe(r.decay) +
         (r.columns == dion_columns::normalized ? ", normalized" : ", orthonormal") + ", scaling " +
         describe(r.scaling) + ", seed " + std::to_string(r.seed);
}

/// State and step of one parameter: M of its size, and Q for each block. A step is two products
/// with r columns, two updates of rank r and a read for the norm. Its report proves nothing about
/// the direction, so its gap is 1. Allocates in the constructor only.
template <Real T, class B>
class dion_step {
 public:
  using space = typename B::space;

  /// For weights of rows x cols; without blocks, all of it is one. Entries outside the blocks stay.
  /// @throws std::invalid_argument for impossible options, or blocks that leave the matrix.
  dion_step(const dion& rule, index_t rows, index_t cols, B& backend,
            std::vector<matrix_block> blocks = {})
      : rule_(rule), state_("dion_step", rows, cols, backend, std::move(blocks)) {
    check(rule);
    index_t left = 0, right = 0, scratch = 0;
    for (const matrix_block& at : state_.blocks()) {
      const index_t m = at.rows, n = at.cols, k = std::min({rule.rank, m, n});
      parts_.push_back({at, k, backend.template make_workspace<T>(n * k)});
      left = std::max(left, m * k);
      right = std::max(right, n * k);
      scratch = std::max(
          {scratch, apply_size<T>(backend, m, n, k), backend.template orthonormalize_size<T>(m, k),
           k + apply_size<T>(backend, n, k, 1), backend.template multiply_outer_size<T>(m, n, k),
           backend.template multiply_outer_size<T>(n, m, k)});
    }
    p_ = backend.template make_workspace<T>(left);
    r_ = backend.template make_workspace<T>(right);
    scratch_ = backend.template make_workspace<T>(scratch);
    restart();
  }

  [[nodiscard]] index_t steps() const noexcept { return state_.steps(); }
  [[nodiscard]] const dion& rule() const noexcept { return rule_; }
  /// M, stored like the weights of the first step.
  [[nodiscard]] matrix_view<const T, space> momentum_buffer() const {
    return state_.values().storage.as_const();
  }
  /// Q of a block.
  [[nodiscard]] matrix_view<const T, space> right_factor(std::size_t block = 0) const {
    return q_of(parts_[block]).as_const();
  }

  /// One step of length `rate`. A gradient that holds NaN or infinity changes nothing, and the
  /// report says so. Where B = 0 the weight decays, Q stays and nothing else happens; where B != 0
  /// lies in the kernel that Q spans, Q is drawn anew first. Columns of Q that became 0 are drawn
  /// anew after the step, so that the rank comes back when B's does.
  /// @throws std::invalid_argument for a negative or non-finite rate, or shapes that do not fit.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    step_report report;
    if (!state_.enter(weight, gradient, rate, report)) return report;
    double length = 0;
    for (part& p : parts_) {
      const oriented_view<T, space> b = state_.add(gradient, p.block);
      const T size = state_.backend().norm(b.storage.as_const());
      length = std::hypot(length, static_cast<double>(size));
      const outcome how = move(p, b, size, window(weight, p.block), rate);
      report.outcome = worse(report.outcome, how);
      if (how != outcome::zero_input) report.gap = 1;
    }
    report.passes = 4;
    report.iterations = 1;
    state_.leave(length);
    return report;
  }

  /// Forgets M and the step count, and draws the first Q again.
  void reset() {
    state_.reset();
    restart();
  }

  void save(archive_writer& out) const {
    state_.save(out);
    for (const part& p : parts_) {
      out.write(p.rank);
      write_entries<T>(out, state_.backend(), q_of(p).as_const());
    }
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    state_.load(in);
    for (part& p : parts_) {
      const auto rank = in.read<index_t>();
      if (rank != p.rank) refuse("checkpoint: the rank", std::to_string(p.rank).c_str(), rank);
      read_entries<T>(in, state_.backend(), q_of(p));
    }
  }

 private:
  using workspace = decltype(std::declval<B&>().template make_workspace<T>(0));
  using panel = matrix_view<T, space>;
  struct part {
    matrix_block block;
    index_t rank;
    workspace q;
  };

  [[nodiscard]] static panel q_of(const part& p) { return {p.q.data(), p.block.cols, p.rank}; }

  /// X <- factor X.
  void shrink(panel x, double factor) {
    if (factor == 1) return;
    state_.backend().map_entries(x.as_const(), x, entry::times<T>{static_cast<T>(factor)});
  }
  void restart() {
    for (const part& p : parts_)
      for (index_t j = 0; j < p.rank; ++j) draw(p, j, 0);
  }
  /// A random column of about length 1, another one for each step.
  void draw(const part& p, index_t j, index_t step) {
    B& b = state_.backend();
    const panel q = q_of(p).columns(j, 1);
    b.random(q, mix_bits(rule_.seed + mix_bits(static_cast<std::uint64_t>(step))), p.block.row,
             p.block.col + j);
    shrink(q, 1 / std::sqrt(static_cast<double>(p.block.cols)));
  }

  outcome move(const part& at, const oriented_view<T, space>& m, T size,
               const oriented_view<T, space>& x, double rate) {
    B& b = state_.backend();
    const double keep = 1 - rate * rule_.decay;
    const panel q = q_of(at), p(p_.data(), at.block.rows, at.rank),
                r(r_.data(), at.block.cols, at.rank);
    const std::span<T> scratch = scratch_.span();
    index_t found = 0;
    const T scale = size > T(0) ? unit_scale(size) : T(1);
    const operand<T, space> source{{m.storage.as_const(), m.transposed}, scale, 1};
    for (int attempt = 0; size > T(0) && found == 0 && attempt < 2; ++attempt) {
      if (attempt > 0)
        for (index_t j = 0; j < at.rank; ++j) draw(at, j, state_.steps() + 1);
      apply<B, T, space>(b, source, q.as_const(), p, scratch);
      found = b.orthonormalize(p, scratch);
    }
    if (found == 0) {
      shrink(x.storage, keep);
      return size > T(0) ? outcome::budget_spent : outcome::zero_input;
    }
    apply_adjoint<B, T, space>(b, source, p.as_const(), r, scratch);
    add_outer<T>(b, static_cast<T>(rule_.mu - 1) / scale, p.as_const(), r.as_const(), T(1), m,
                 scratch);
    b.copy(r.as_const(), q);
    finish_columns(q);
    const double length = rate * shape_factor(rule_.scaling, at.block.rows, at.block.cols);
    add_outer<T>(b, static_cast<T>(-length), p.as_const(), q.as_const(), static_cast<T>(keep), x,
                 scratch);
    for (index_t j = 0; j < at.rank; ++j)
      if (!(b.norm(q.columns(j, 1).as_const()) > T(0))) draw(at, j, state_.steps() + 1);
    return outcome::converged;
  }

  /// Each column keeps its place beside that of P, which the backend's orthonormalize would not
  /// grant where it drops one.
  void finish_columns(panel q) {
    B& b = state_.backend();
    const bool orthogonal = rule_.columns == dion_columns::orthonormal;
    const panel overlap(scratch_.data(), q.cols(), 1);
    const std::span<T> rest = scratch_.span().subspan(static_cast<std::size_t>(q.cols()));
    for (index_t j = 0; j < q.cols(); ++j) {
      const panel column = q.columns(j, 1), before = q.columns(0, j), h = overlap.block(0, 0, j, 1);
      T length = b.norm(column.as_const());
      for (bool again = orthogonal && j > 0; again && length > T(0);) {
        b.multiply_adjoint(T(1), before.as_const(), column.as_const(), T(0), h, rest);
        b.multiply(T(-1), before.as_const(), h.as_const(), T(1), column, rest);
        const T was = length;
        length = b.norm(column.as_const());
        again = length < was / T(2);
      }
      if (length > T(0))
        b.map_entries(column.as_const(), column, entry::divided_by<T>{length});
      else
        b.fill(column, T(0));
    }
  }

  dion rule_;
  residual_state<T, B> state_;
  std::vector<part> parts_;
  workspace p_, r_, scratch_;
};

}  // namespace fanion
