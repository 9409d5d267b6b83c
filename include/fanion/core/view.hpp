/// @file  The matrix vocabulary: column-major views, batches of them, and how foreign types join.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/types.hpp>

#include <functional>

namespace fanion {

/// Memory that the host reads and writes directly.
struct host_space {};

/// Element (i, j) stands at data[i + j*ld]. Owns nothing; copying a view copies no element.
/// T may be const. Dimensions may be 0.
template <class T, class Space = host_space>
class matrix_view {
 public:
  using scalar = std::remove_const_t<T>;
  using space = Space;

  constexpr matrix_view() noexcept = default;

  /// @throws std::invalid_argument for a negative size or ld < rows.
  constexpr matrix_view(T* data, index_t rows, index_t cols, index_t ld)
      : data_(data),
        rows_(expects_at_least(rows, 0, "matrix_view: rows")),
        cols_(expects_at_least(cols, 0, "matrix_view: cols")),
        ld_(expects_at_least(ld, rows, "matrix_view: ld")) {}
  constexpr matrix_view(T* data, index_t rows, index_t cols)
      : matrix_view(data, rows, cols, rows) {}

  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  [[nodiscard]] constexpr index_t rows() const noexcept { return rows_; }
  [[nodiscard]] constexpr index_t cols() const noexcept { return cols_; }
  [[nodiscard]] constexpr index_t ld() const noexcept { return ld_; }
  [[nodiscard]] constexpr index_t size() const noexcept { return rows_ * cols_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return rows_ == 0 || cols_ == 0; }

  [[nodiscard]] constexpr T* col(index_t j) const noexcept { return data_ + j * ld_; }
  [[nodiscard]] constexpr T& operator()(index_t i, index_t j) const noexcept {
    return data_[i + j * ld_];
  }

  /// The window of r x c elements whose corner is (i, j). Not checked: it is used in loops.
  [[nodiscard]] constexpr matrix_view block(index_t i, index_t j, index_t r, index_t c) const {
    return matrix_view(data_ + i + j * ld_, r, c, ld_);
  }
  [[nodiscard]] constexpr matrix_view columns(index_t j, index_t c) const {
    return block(0, j, rows_, c);
  }
  [[nodiscard]] constexpr matrix_view<const scalar, Space> as_const() const {
    return {data_, rows_, cols_, ld_};
  }

 private:
  T* data_ = nullptr;
  index_t rows_ = 0;
  index_t cols_ = 0;
  index_t ld_ = 0;
};

/// A read-only view that takes no part in deduction, so that a mutable view may be passed as
/// `x.as_const()` and the scalar comes from the other arguments.
template <class T, class Space = host_space>
using input = std::type_identity_t<matrix_view<const T, Space>>;

/// Whether some element belongs to both. Windows of one matrix that interleave do not overlap.
template <class A, class B, class Space>
[[nodiscard]] bool overlaps(matrix_view<A, Space> a, matrix_view<B, Space> b) {
  if (a.empty() || b.empty()) return false;
  const std::less<const void*> before;
  const void* a_end = a.data() + (a.cols() - 1) * a.ld() + a.rows();
  const void* b_end = b.data() + (b.cols() - 1) * b.ld() + b.rows();
  if (!before(a.data(), b_end) || !before(b.data(), a_end)) return false;
  if (a.ld() != b.ld() || sizeof(A) != sizeof(B)) return true;
  const index_t shift = ((b.data() - a.data()) % a.ld() + a.ld()) % a.ld();
  return shift < a.rows() || shift + b.rows() > a.ld();
}

/// `count` matrices of one shape, `stride` elements apart. A matrix is a batch of one.
template <class T, class Space = host_space>
struct batch_view {
  T* pointer = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  index_t ld = 0;
  index_t stride = 0;
  index_t count = 0;

  [[nodiscard]] constexpr matrix_view<T, Space> operator[](index_t i) const {
    return {pointer + i * stride, rows, cols, ld};
  }
};

/// A matrix as its owner sees it: m x n, stored either as `storage` or as its transpose.
/// Row-major memory is the column-major view of the transpose, so no element moves.
template <class T, class Space = host_space>
struct oriented_view {
  matrix_view<T, Space> storage;
  bool transposed = false;

  [[nodiscard]] constexpr index_t rows() const noexcept {
    return transposed ? storage.cols() : storage.rows();
  }
  [[nodiscard]] constexpr index_t cols() const noexcept {
    return transposed ? storage.rows() : storage.cols();
  }
};

/// How a foreign matrix type enters. Specialised in adapters/, one header a library, with
///   scalar, space              the element type and where it lives
///   viewable                   unit inner stride: `view(m)` needs no copy
///   resizable                  owns its memory: `resize(m, rows, cols)`
///   rows(m), cols(m)           the shape as the owner sees it
///   view(m)                    an oriented_view; of a const m, of const elements
///   gather(m, to), scatter(from, m)   copies, where `viewable` is false
template <class M>
struct matrix_adapter;

/// A type that some adapter has introduced.
template <class M>
concept Matrix = requires { typename matrix_adapter<std::remove_cvref_t<M>>::scalar; };

/// A Matrix that can be written through.
template <class M>
concept WritableMatrix =
    Matrix<M> && requires(std::remove_reference_t<M>& m,
                          void (*writes)(oriented_view<
                              typename matrix_adapter<std::remove_cvref_t<M>>::scalar,
                              typename matrix_adapter<std::remove_cvref_t<M>>::space>)) {
      writes(matrix_adapter<std::remove_cvref_t<M>>::view(m));
    };

template <Matrix M>
using scalar_of = typename matrix_adapter<std::remove_cvref_t<M>>::scalar;
template <Matrix M>
using space_of = typename matrix_adapter<std::remove_cvref_t<M>>::space;

/// Views adapt to themselves.
template <class T, class Space>
struct matrix_adapter<matrix_view<T, Space>> {
  using scalar = std::remove_const_t<T>;
  using space = Space;
  static constexpr bool viewable = true;
  static constexpr bool resizable = false;
  static constexpr index_t rows(const matrix_view<T, Space>& m) { return m.rows(); }
  static constexpr index_t cols(const matrix_view<T, Space>& m) { return m.cols(); }
  static constexpr oriented_view<T, Space> view(const matrix_view<T, Space>& m) {
    return {m, false};
  }
};

}  // namespace fanion
