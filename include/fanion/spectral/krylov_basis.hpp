/// @file  A block Krylov space of A Aᵀ with an orthonormal basis, grown by one read of A a block.
///
/// A read multiplies the newest block X of the basis Q: Z = AᵀX is kept, and Y = A Z,
/// orthogonalised against Q, is the next block. With T = QᵀA AᵀQ = P diag(θ²) Pᵀ the columns of Q P
/// are left Ritz vectors, those of Z P are θ times the right ones, and what A Aᵀ(Q P) misses of (Q
/// P) diag(θ²) lies in the next block: residuals cost nothing. Any other block may follow too, so
/// that random directions can be added where the space is closed.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/spectral/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace fanion {

/// At most `size` columns that were multiplied and `width` that were not yet; (m + n)(size + width)
/// scalars and two small matrices of side `size`. The left side may be that of A's rows (0) or of
/// its columns (1). Allocates in the constructor only.
template <Real T, class B>
class krylov_basis {
 public:
  using space = typename B::space;

  krylov_basis(B& b, index_t m, index_t n, index_t size, index_t width)
      : m_(m),
        n_(n),
        most_(size),
        width_(width),
        buffer_(b.template make_workspace<T>(views_size() + scratch_size(b))),
        squares_(static_cast<std::size_t>(size)) {
    view_cutter<T, space> take(buffer_.data());
    for (const std::size_t s : {0u, 1u}) sides_[s] = take(s == 0 ? m : n, size + width);
    work_ = take(std::max(m, n), width);
    projected_ = take(size, size);
    vectors_ = take(size, size);
    overlap_ = take(size + width, width);
    again_ = take(size + width, width);
    coupling_ = take(width, width);
    last_ = take(width, size);
    before_ = take(size, width);
    before_off_ = take(size, width);
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  /// An empty basis of the given side, and room for its first block.
  void clear(std::size_t left) {
    left_ = left;
    size_ = next_ = before_size_ = 0;
    scale_ = T(0);
  }
  [[nodiscard]] index_t rows() const { return left_ == 0 ? m_ : n_; }
  [[nodiscard]] index_t size() const { return size_; }  ///< columns multiplied so far
  [[nodiscard]] index_t next() const { return next_; }  ///< columns waiting
  [[nodiscard]] bool full() const { return size_ + next_ > most_; }

  /// Where the next block is to be written: at most `width` columns, and no more than are left.
  [[nodiscard]] matrix_view<T, space> room(index_t columns) const {
    return q().columns(size_, std::min({columns, width_, rows() - size_}));
  }

  /// Makes what was written to room(columns) the next block, orthonormal and orthogonal to the
  /// rest. Returns its rank. The lost part of it is in overlap(): QᵀX for the rows of the new
  /// basis.
  index_t append(B& b, index_t columns) {
    const auto x = room(columns), copy = work_.block(0, 0, x.rows(), x.cols());
    b.copy(x.as_const(), copy);
    project(b, x);
    next_ = settle(b, x);
    const index_t all = size_ + next_;
    b.multiply_adjoint(T(1), q().columns(0, all).as_const(), copy.as_const(), T(0),
                       overlap_.block(0, 0, all, x.cols()), scratch_);
    return next_;
  }
  [[nodiscard]] matrix_view<const T, space> overlap() const { return overlap_.as_const(); }

  /// Multiplies the block that waits, and makes what is new in the product the next one, of rank 0
  /// where the space has become invariant. Returns the reads of A.
  template <class A>
  index_t grow(B& b, const A& a) {
    const auto x = q().columns(size_, next_), y = work_.block(0, 0, rows(), next_);
    newest_ = z().columns(size_, next_);
    const index_t reads = apply_pair(b, a, x.as_const(), newest_, y, scratch_);
    const index_t old = size_, all = size_ + next_;
    const auto basis = q().columns(0, all).as_const();
    const auto h = overlap_.block(0, 0, all, next_);
    b.multiply_adjoint(T(1), basis, y.as_const(), T(0), h, scratch_);
    b.multiply(T(-1), basis, h.as_const(), T(1), y, scratch_);
    b.copy(h.as_const(), projected_.block(0, old, all, next_));
    b.copy_adjoint(h.block(0, 0, old, next_).as_const(), projected_.block(old, 0, next_, old));
    scale_ = std::max(scale_, b.reduce_entries(h.as_const(), reduction::max_abs));

    size_ = all;
    used_ = next_;
    next_ = 0;
    const T rounding = T(64) * std::numeric_limits<T>::epsilon() * scale_;
    if (b.norm(y.as_const()) > rounding) {
      const auto following = q().columns(size_, used_);
      b.copy(y.as_const(), following);
      next_ = settle(b, following);
      b.multiply_adjoint(T(1), q().columns(size_, next_).as_const(), y.as_const(), T(0),
                         coupling_.block(0, 0, next_, used_), scratch_);
    }
    return reads;
  }
  /// Aᵀ of the block multiplied last.
  [[nodiscard]] matrix_view<const T, space> newest() const { return newest_.as_const(); }

  /// The Ritz pairs of all columns multiplied, and their residuals.
  void decompose(B& b) {
    const auto p = vectors();
    b.small_eigh(projected_.block(0, 0, size_, size_).as_const(),
                 std::span(squares_).first(static_cast<std::size_t>(size_)), p, scratch_);
    if (next_ > 0)
      b.multiply(T(1), coupling_.block(0, 0, next_, used_).as_const(),
                 p.block(size_ - used_, 0, used_, size_).as_const(), T(0),
                 last_.block(0, 0, next_, size_), scratch_);
  }
  /// The i-th largest Ritz value θ of A.
  [[nodiscard]] double ritz(index_t i) const {
    if (i >= size_) return 0;
    return std::sqrt(std::max(0.0, static_cast<double>(squares_[static_cast<std::size_t>(i)])));
  }
  /// P, in the order of the Ritz values.
  [[nodiscard]] matrix_view<T, space> vectors() const { return vectors_.block(0, 0, size_, size_); }
  /// ‖A vᵢ - θᵢ uᵢ‖, the other residual being zero.
  [[nodiscard]] double residual(B& b, index_t i) const {
    if (next_ == 0 || i >= size_ || !(ritz(i) > 0)) return 0;
    return static_cast<double>(b.norm(last_.block(0, i, next_, 1).as_const())) / ritz(i);
  }

  /// ‖(I - P'P'ᵀ)P‖_F for the leading k columns of P now and at the last call: how far the span of
  /// the leading k Ritz vectors has turned. Infinite at the first call.
  [[nodiscard]] double turned(B& b, index_t k) {
    const auto p = vectors().columns(0, k), old = before_.block(0, 0, before_size_, k);
    double length = std::numeric_limits<double>::infinity();
    if (before_size_ > 0 && before_size_ <= size_) {
      const auto shared = p.block(0, 0, before_size_, k).as_const();
      const auto c = overlap_.block(0, 0, k, k), off = before_off_.block(0, 0, before_size_, k);
      b.multiply_adjoint(T(1), old.as_const(), shared, T(0), c, scratch_);
      b.copy(shared, off);
      b.multiply(T(-1), old.as_const(), c.as_const(), T(1), off, scratch_);
      length = std::hypot(static_cast<double>(b.norm(off.as_const())),
                          static_cast<double>(b.norm(
                              p.block(before_size_, 0, size_ - before_size_, k).as_const())));
    }
    b.copy(p.as_const(), before_.block(0, 0, size_, k));
    before_size_ = size_;
    return length;
  }

  /// U = Q P and AᵀU for the leading columns.
  void ritz_vectors(B& b, matrix_view<T, space> u, matrix_view<T, space> image) {
    const auto p = vectors().columns(0, u.cols()).as_const();
    b.multiply(T(1), q().columns(0, size_).as_const(), p, T(0), u, scratch_);
    b.multiply(T(1), z().columns(0, size_).as_const(), p, T(0), image, scratch_);
  }

  /// Keeps the leading `keep` Ritz vectors and the block that waits.
  void restart(B& b, index_t keep) {
    const auto p = vectors().columns(0, keep).as_const();
    for (const auto basis : {q(), z()}) {
      const index_t rows = std::max<index_t>(1, work_.size() / keep);
      for (index_t i = 0; i < basis.rows(); i += rows) {
        const index_t count = std::min(rows, basis.rows() - i);
        const matrix_view<T, space> turned(work_.data(), count, keep);
        b.multiply(T(1), basis.block(i, 0, count, size_).as_const(), p, T(0), turned, scratch_);
        b.copy(turned.as_const(), basis.block(i, 0, count, keep));
      }
    }
    const index_t width = next_;
    for (index_t j = 0; j < width; ++j)
      b.copy(q().columns(size_ + j, 1).as_const(), q().columns(keep + j, 1));
    b.fill(projected_, T(0));
    for (index_t i = 0; i < keep; ++i)
      b.fill(projected_.block(i, i, 1, 1), squares_[static_cast<std::size_t>(i)]);
    size_ = keep;
    before_size_ = 0;
  }

 private:
  [[nodiscard]] matrix_view<T, space> q() const { return sides_[left_]; }
  [[nodiscard]] matrix_view<T, space> z() const { return sides_[1 - left_]; }

  [[nodiscard]] index_t views_size() const {
    const index_t both = most_ + width_;
    return (m_ + n_) * both + std::max(m_, n_) * width_ + 2 * most_ * most_ + 2 * both * width_ +
           width_ * width_ + 3 * width_ * most_;
  }
  [[nodiscard]] index_t scratch_size(const B& b) const {
    const index_t both = most_ + width_;
    index_t most = std::max(
        {b.template small_eigh_size<T>(most_), b.template multiply_size<T>(width_, width_, most_)});
    for (const index_t rows : {m_, n_})
      most = std::max({most, b.template multiply_pair_size<T>(rows, m_ + n_ - rows, width_),
                       b.template multiply_adjoint_size<T>(rows, both, width_),
                       b.template multiply_size<T>(rows, both, width_),
                       b.template multiply_size<T>(rows, both, most_),
                       b.template orthonormalize_size<T>(rows, width_)});
    return most;
  }

  /// x -= Q Qᵀx for the columns multiplied.
  void project(B& b, matrix_view<T, space> x) {
    if (size_ == 0) return;
    const auto basis = q().columns(0, size_).as_const();
    const auto h = again_.block(0, 0, size_, x.cols());
    b.multiply_adjoint(T(1), basis, x.as_const(), T(0), h, scratch_);
    b.multiply(T(-1), basis, h.as_const(), T(1), x, scratch_);
  }

  /// Orthonormalises x, which was projected once, beside the columns multiplied. A column of which
  /// a projection leaves little, noise among them, has to lose its share of their span again; where
  /// that does not end, nothing is left outside. Returns the rank, at most what is left of the
  /// side.
  index_t settle(B& b, matrix_view<T, space> x) {
    index_t rank = b.orthonormalize(x, scratch_);
    for (int pass = 0; pass < 4; ++pass) {
      project(b, x.columns(0, rank));
      bool stands = true;
      for (index_t j = 0; j < rank; ++j)
        stands = stands && b.norm(x.columns(j, 1).as_const()) > T(0.7);
      rank = b.orthonormalize(x.columns(0, rank), scratch_);
      if (stands) return std::min(rank, rows() - size_);
    }
    return 0;
  }

  index_t m_, n_, most_, width_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> squares_;
  matrix_view<T, space> sides_[2], work_, projected_, vectors_, overlap_, again_, coupling_, last_,
      before_, before_off_, newest_;
  std::span<T> scratch_;
  std::size_t left_ = 0;
  index_t size_ = 0;
  index_t next_ = 0;
  index_t used_ = 0;
  index_t before_size_ = 0;
  T scale_ = T(0);
};

}  // namespace fanion
