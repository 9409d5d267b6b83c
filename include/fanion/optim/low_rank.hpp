/// @file  Matrices kept as a sum of few dyads, X = U diag(w) Vᵀ.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/spectral/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace fanion {

/// U diag(weights) Vᵀ in someone's memory. Weights may have any sign, columns any length.
template <class T>
struct factor_view {
  matrix_view<const T> u;      ///< m x c
  matrix_view<const T> v;      ///< n x c
  std::span<const T> weights;  ///< c of them

  [[nodiscard]] index_t rows() const { return u.rows(); }
  [[nodiscard]] index_t cols() const { return v.rows(); }
  [[nodiscard]] index_t columns() const { return static_cast<index_t>(weights.size()); }

  /// Σ uᵢ wᵢ vⱼ in double.
  [[nodiscard]] double entry(index_t i, index_t j) const {
    double sum = 0;
    for (index_t c = 0; c < columns(); ++c)
      sum += static_cast<double>(u(i, c)) *
             static_cast<double>(weights[static_cast<std::size_t>(c)]) *
             static_cast<double>(v(j, c));
    return sum;
  }
};

/// An m x n matrix in factors, which grows by a few columns at a time. Beyond `most` columns it is
/// compressed; where that leaves more than half of them, the matrix has that rank and the bound
/// doubles, so nothing above rounding is ever dropped. Movable, not copyable.
template <Real T>
class low_rank {
 public:
  using scalar = T;

  /// Zero, without columns. @throws std::invalid_argument for a negative size, or most < 1.
  low_rank(index_t rows, index_t cols, index_t most = 64)
      : rows_(expects_at_least(rows, 0, "low_rank: rows")),
        cols_(expects_at_least(cols, 0, "low_rank: cols")),
        most_(expects_at_least(most, 1, "low_rank: most")) {}

  [[nodiscard]] index_t rows() const noexcept { return rows_; }
  [[nodiscard]] index_t cols() const noexcept { return cols_; }
  /// Columns of either factor: the rank at most; exactly, after compress().
  [[nodiscard]] index_t columns() const noexcept { return static_cast<index_t>(weights_.size()); }
  /// Good until the next change.
  [[nodiscard]] factor_view<T> factors() const {
    return {matrix_view<const T>(u_.data(), rows_, columns()),
            matrix_view<const T>(v_.data(), cols_, columns()), weights_};
  }

  /// X <- keep X + scale A. Compresses first where the columns would be too many; allocates where
  /// the memory does not hold them. A stands in other memory than X.
  /// @throws std::invalid_argument where A has another shape.
  void update(double keep, const factor_view<T>& a, double scale) {
    if (a.rows() != rows_ || a.cols() != cols_)
      refuse("low_rank: the shape of A", shape_text(rows_, cols_).c_str(),
             shape_text(a.rows(), a.cols()));
    if (columns() + a.columns() > most_ && compress())
      most_ = std::max(most_, 2 * (columns() + a.columns()));
    last_.assign(weights_.begin(), weights_.end());
    const index_t c = columns();
    reserve(c + a.columns());
    backend_.copy(a.u, matrix_view<T>(u_.data() + c * rows_, rows_, a.columns()));
    backend_.copy(a.v, matrix_view<T>(v_.data() + c * cols_, cols_, a.columns()));
    for (T& w : weights_) w = static_cast<T>(keep * static_cast<double>(w));
    for (const T w : a.weights) weights_.push_back(static_cast<T>(scale * static_cast<double>(w)));
  }

  /// X as it was before the last `update`, bit for bit, if nothing came after that.
  void undo() { weights_.assign(last_.begin(), last_.end()); }

  /// <X, A> in double. O(columns of X · columns of A · (m + n)).
  [[nodiscard]] double inner(const factor_view<T>& a) const {
    const factor_view<T> x = factors();
    double sum = 0;
    for (index_t i = 0; i < x.columns(); ++i)
      for (index_t j = 0; j < a.columns(); ++j)
        sum += static_cast<double>(x.weights[static_cast<std::size_t>(i)]) *
               static_cast<double>(a.weights[static_cast<std::size_t>(j)]) *
               static_cast<double>(backend_.dot(x.u.columns(i, 1), a.u.columns(j, 1))) *
               static_cast<double>(backend_.dot(x.v.columns(i, 1), a.v.columns(j, 1)));
    return sum;
  }

  /// Turns the factors into a singular value decomposition, weights largest first, without what is
  /// at the level of the rounding of the largest dyad: an orthonormal basis of either side, and the
  /// SVD of the small matrix between them. Allocates; O((m + n) c² + c³) for c columns. False, and
  /// nothing is changed, where a factor is not finite.
  bool compress() {
    const index_t c = columns();
    if (c == 0) return true;
    const factor_view<T> x = factors();
    if (!is_finite(backend_.norm(x.u)) || !is_finite(backend_.norm(x.v)) ||
        !std::all_of(weights_.begin(), weights_.end(), [](T w) { return is_finite(w); }))
      return false;
    double largest = 0;  // of the terms: what cancels leaves rounding of their size
    for (index_t j = 0; j < c; ++j)
      largest =
          std::max(largest, std::abs(static_cast<double>(weights_[static_cast<std::size_t>(j)])) *
                                static_cast<double>(backend_.norm(x.u.columns(j, 1))) *
                                static_cast<double>(backend_.norm(x.v.columns(j, 1))));
    const side left = basis(x.u), right = basis(x.v);
    const index_t p = std::min(rows_, c), q = std::min(cols_, c), r = std::min(p, q);
    const auto memory = backend_.template make_workspace<T>(p * c + p * q + (p + q) * r);
    view_cutter<T> cut(memory.data());
    const matrix_view<T> weighted = cut(p, c), core = cut(p, q), a = cut(p, r), b = cut(q, r);
    for (index_t j = 0; j < c; ++j)
      backend_.axpby(weights_[static_cast<std::size_t>(j)], left.r().columns(j, 1), T(0),
                     weighted.columns(j, 1));
    const auto scratch = backend_.template make_workspace<T>(std::max(
        {backend_.template multiply_outer_size<T>(p, q, c),
         backend_.template small_svd_size<T>(p, q), backend_.template multiply_size<T>(rows_, p, r),
         backend_.template multiply_size<T>(cols_, q, r)}));
    backend_.multiply_outer(T(1), weighted.as_const(), right.r(), T(0), core, scratch.span());
    weights_.resize(static_cast<std::size_t>(r));
    backend_.small_svd(core.as_const(), a, std::span(weights_), b, scratch.span());
    const double least = rounding<T>(rows_, cols_) *
                         std::max(largest, r == 0 ? 0 : static_cast<double>(weights_[0]));
    while (!weights_.empty() && !(static_cast<double>(weights_.back()) > least))
      weights_.pop_back();
    const auto turn = [&](const side& from, matrix_view<T> by, matrix_view<T> to) {
      if (from.square())
        backend_.copy(by.as_const(), to);
      else
        backend_.multiply(T(1), from.q(), by.as_const(), T(0), to, scratch.span());
    };
    turn(left, a, {u_.data(), rows_, r});
    turn(right, b, {v_.data(), cols_, r});
    return true;
  }

  /// D = U diag(w) Vᵀ, entry by entry. @throws std::invalid_argument where D has another shape.
  template <WritableMatrix D>
  void write(D& d) const {
    using adapter = matrix_adapter<D>;
    if (adapter::rows(d) != rows_ || adapter::cols(d) != cols_)
      refuse("low_rank: the shape of D", shape_text(rows_, cols_).c_str(),
             shape_text(adapter::rows(d), adapter::cols(d)));
    const factor_view<T> x = factors();
    const auto to = adapter::view(d);
    for (index_t j = 0; j < to.storage.cols(); ++j)
      for (index_t i = 0; i < to.storage.rows(); ++i)
        to.storage(i, j) = static_cast<T>(to.transposed ? x.entry(j, i) : x.entry(i, j));
  }

 private:
  using memory_type = eigen_backend::workspace<T>;

  /// F = Q R for a factor F of c columns: Q orthonormal, n x c. Where n <= c, Q is the identity and
  /// not formed, and R is F.
  struct side {
    matrix_view<const T> factor;
    index_t c;
    memory_type memory;

    [[nodiscard]] bool square() const { return factor.rows() <= c; }
    [[nodiscard]] matrix_view<const T> q() const { return {memory.data(), factor.rows(), c}; }
    [[nodiscard]] matrix_view<const T> r() const {
      return square() ? factor : matrix_view<const T>(memory.data() + factor.size(), c, c);
    }
  };
  [[nodiscard]] side basis(matrix_view<const T> f) {
    const index_t n = f.rows(), c = f.cols();
    side s{f, c, backend_.template make_workspace<T>(n <= c ? 0 : n * c + c * c)};
    if (s.square()) return s;
    const auto scratch = backend_.template make_workspace<T>(
        std::max(backend_.template orthonormalize_size<T>(n, c),
                 backend_.template multiply_adjoint_size<T>(n, c, c)));
    const matrix_view<T> q(s.memory.data(), n, c), r(s.memory.data() + n * c, c, c);
    backend_.copy(f, q);
    (void)backend_.template orthonormalize<T>(q, scratch.span());
    backend_.multiply_adjoint(T(1), q.as_const(), f, T(0), r, scratch.span());
    return s;
  }

  /// Memory for `c` columns; what is there stays.
  void reserve(index_t c) {
    if (c <= room_) return;
    room_ = std::max(c, std::min(2 * room_, most_));
    for (auto [memory, n] : {std::pair(&u_, rows_), std::pair(&v_, cols_)}) {
      auto more = backend_.template make_workspace<T>(n * room_);
      std::copy_n(memory->data(), n * columns(), more.data());
      *memory = std::move(more);
    }
  }

  index_t rows_, cols_, most_, room_ = 0;
  eigen_backend backend_;
  memory_type u_, v_;
  std::vector<T> weights_, last_;
};

}  // namespace fanion
