/// @file  Two bases U and V with UᵀA V = diag(σ), and the step that brings them closer to A's.
///
/// From an orthonormal basis X of the left side:
///   Z = AᵀX and Y = A Z in one read of A,
///   Q = orth(Z),  QᵀZ = L diag(s) Rᵀ (small),  V = Q L = Z R diag(1/s),
///   W = A V = Y R diag(1/s),  P = orth(W),  PᵀW = L' diag(σ) R'ᵀ (small),  U = P L',  V <- V R',
/// which is block power iteration with A Aᵀ, of which both halves count, and Rayleigh and Ritz's
/// procedure after each.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/measure.hpp>
#include <fanion/backend/scale_columns.hpp>
#include <fanion/spectral/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace fanion {

/// Up to `block` columns a side; 3 (m + n) block scalars. The left side may be that of A's rows (0)
/// or of its columns (1): a step starts from the side of the storage, whose panels are contiguous.
/// Allocates in the constructor only.
template <Real T, class B>
class ritz_pair {
 public:
  using space = typename B::space;

  /// A basis, and two buffers of its shape.
  struct side {
    matrix_view<T, space> basis, work, image;
  };

  /// What `refine` found: the rank of AᵀX, that of A V, and further reads of A.
  struct refinement {
    index_t range = 0;
    index_t rank = 0;
    index_t passes = 0;
  };

  ritz_pair(B& b, index_t m, index_t n, index_t block)
      : m_(m),
        n_(n),
        block_(block),
        buffer_(b.template make_workspace<T>(views_size() + scratch_size(b))),
        sigma_(static_cast<std::size_t>(block)),
        middle_(static_cast<std::size_t>(block)),
        shares_(static_cast<std::size_t>(block)) {
    view_cutter<T, space> take(buffer_.data());
    for (const std::size_t s : {0u, 1u})
      for (auto* view : {&sides_[s].basis, &sides_[s].work, &sides_[s].image})
        *view = take(s == 0 ? m : n, block_);
    for (auto* view : {&core_, &lefts_, &rights_, &turn_}) *view = take(block_, block_);
    lengths_ = take(1, block_);
    scratch_ = buffer_.span().subspan(static_cast<std::size_t>(views_size()));
  }

  /// Of A's rows (0) or columns (1). `image` is free between the calls below.
  [[nodiscard]] const side& at(std::size_t s) const { return sides_[s]; }
  /// Scratch for every verb on panels of these shapes.
  [[nodiscard]] std::span<T> scratch() const { return scratch_; }

  /// What U and V attain, and what V attained with X: `block` values, largest first, then zeros.
  [[nodiscard]] std::span<T> sigma() { return sigma_; }
  [[nodiscard]] std::span<const T> sigma() const { return sigma_; }
  [[nodiscard]] std::span<const T> middle() const { return middle_; }

  /// Z and Y from the first `rank` columns of the left basis; returns the reads of A, which may
  /// come into being meanwhile. The bases stay as they are.
  template <class Prepare>
  index_t multiply(B& b, const operand<T, space>& a, std::size_t left, index_t rank,
                   Prepare&& prepare) {
    return b.multiply_pair(a.scale, a.matrix.storage,
                           sides_[left].basis.columns(0, rank).as_const(),
                           sides_[1 - left].image.columns(0, rank),
                           sides_[left].image.columns(0, rank), scratch_, prepare);
  }

  /// The pair from Z and Y. Columns past the rank are zero.
  refinement refine(B& b, const operand<T, space>& a, std::size_t left, index_t rank) {
    const side& x = sides_[left];
    const side& y = sides_[1 - left];
    const auto z = y.image.columns(0, rank);
    const auto q = y.work.columns(0, rank);
    b.copy(z.as_const(), q);
    refinement done;
    const index_t range = done.range = b.orthonormalize(q, scratch_);
    svd_of(b, q.columns(0, range), z, middle_);

    // W = A V: from Y where rounding allows it, with a read of its own where it does not.
    const auto w = x.work.columns(0, range);
    const auto l = turn_.block(0, 0, range, range);
    if (unmix(b, rank, range)) {
      b.multiply(T(1), x.image.columns(0, rank).as_const(),
                 turn_.block(0, 0, rank, range).as_const(), T(0), w, scratch_);
      b.copy(lefts_.block(0, 0, range, range).as_const(), l);
    } else {
      b.copy(lefts_.block(0, 0, range, range).as_const(), l);
      const auto v = y.image.columns(0, range);
      b.multiply(T(1), q.columns(0, range).as_const(), l.as_const(), T(0), v, scratch_);
      b.multiply(a.scale, a.matrix.storage, v.as_const(), T(0), w, scratch_);
      done.passes = 1;
    }

    const auto p = x.image.columns(0, range);
    b.copy(w.as_const(), p);
    const index_t kept = done.rank = b.orthonormalize(p, scratch_);
    svd_of(b, p.columns(0, kept), w, sigma_);
    b.fill(x.basis, T(0));
    b.multiply(T(1), p.columns(0, kept).as_const(), lefts_.block(0, 0, kept, kept).as_const(), T(0),
               x.basis.columns(0, kept), scratch_);
    const auto both = core_.block(0, 0, range, kept);
    b.multiply(T(1), l.as_const(), rights_.block(0, 0, range, kept).as_const(), T(0), both,
               scratch_);
    b.fill(y.basis, T(0));
    b.multiply(T(1), q.columns(0, range).as_const(), both.as_const(), T(0),
               y.basis.columns(0, kept), scratch_);
    return done;
  }

  /// A bound on ‖U‖₂ ‖V‖₂ over the first k columns, by ‖XᵀX - I‖_F >= ‖X‖₂² - 1 for each.
  [[nodiscard]] double contraction(B& b, index_t k) {
    if (k == 0) return 1;
    const auto one = excess(b, sides_[0].basis.columns(0, k).as_const(), core_),
               other = excess(b, sides_[1].basis.columns(0, k).as_const(), turn_);
    const auto departs = measure(b, measured::norm<T, space>{one}, measured::norm<T, space>{other});
    return std::sqrt((1 + static_cast<double>(departs[0])) * (1 + static_cast<double>(departs[1])));
  }

 private:
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

  /// PᵀY = L diag(values) Rᵀ, into lefts_ and rights_.
  void svd_of(B& b, matrix_view<T, space> p, matrix_view<T, space> y, std::vector<T>& values) {
    const index_t rows = p.cols(), cols = y.cols(), least = std::min(rows, cols);
    const auto core = core_.block(0, 0, rows, cols);
    b.multiply_adjoint(T(1), p.as_const(), y.as_const(), T(0), core, scratch_);
    std::fill(values.begin(), values.end(), T(0));
    b.small_svd(core.as_const(), lefts_.block(0, 0, rows, least),
                std::span(values).first(static_cast<std::size_t>(least)),
                rights_.block(0, 0, cols, least), scratch_);
  }

  /// R diag(1/s) into turn_, with which A Z becomes A V: not finite for s = 0. Column i of A V then
  /// carries the rounding of A Z, times Σ_c ‖z_c‖ |R_ci| / s_i, and that of R, whose small entries
  /// are no better than its large ones, times ‖Z‖_F / s_i: false where together they might bring
  /// it to four times what reports allow for, of which it then falls well short.
  [[nodiscard]] bool unmix(B& b, index_t rank, index_t range) {
    if (range == 0) return true;                     // A X vanished: nothing to turn
    const auto lengths = lengths_.columns(0, rank);  // ‖z_c‖, which orthonormal Q keeps
    b.template line_norms<T>(core_.block(0, 0, range, rank).as_const(), lines::columns,
                             {lengths.data(), rank, 1});
    const auto turn = turn_.block(0, 0, rank, range), r = rights_.block(0, 0, rank, range);
    for (std::size_t i = 0; i < static_cast<std::size_t>(range); ++i)
      shares_[i] = T(1) / middle_[i];
    scale_columns<T>(b, shares_, r.as_const(), T(0), turn);
    b.map_entries(turn.as_const(), r, entry::magnitude<T>());
    const auto amplification = core_.block(0, 0, 1, range);
    b.multiply(T(1), lengths.as_const(), r.as_const(), T(0), amplification, scratch_);
    const double most =
        4 * rounding<T>(m_, n_) / static_cast<double>(std::numeric_limits<T>::epsilon());
    const auto [size, largest] =
        measure(b, measured::norm<T, space>{lengths.as_const()},
                measured::entries<T, space>{amplification.as_const(), reduction::max_abs});
    const T least = middle_[static_cast<std::size_t>(range - 1)];
    return static_cast<double>(largest + size / least) <= most;
  }

  /// XᵀX - I, in the memory of `room`. A zero column contracts, so it departs by nothing.
  [[nodiscard]] matrix_view<const T, space> excess(B& b, input<T, space> x,
                                                   matrix_view<T, space> room) {
    const index_t k = x.cols();
    const matrix_view<T, space> gram(room.data(), k, k), diagonal(room.data(), 1, k, k + 1);
    b.multiply_adjoint(T(1), x, x, T(0), gram, scratch_);
    b.map_entries(diagonal.as_const(), diagonal, entry::less_one_if_there<T>());
    return gram.as_const();
  }

  index_t m_, n_, block_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> sigma_, middle_, shares_;
  side sides_[2];
  matrix_view<T, space> core_, lefts_, rights_, turn_, lengths_;
  std::span<T> scratch_;
};

}  // namespace fanion
