/// @file  The matrix vocabulary: column-major views, batches of them, and how foreign types join.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/types.hpp>

#include <algorithm>
#include <functional>

namespace fanion {

/// Memory that the host reads and writes directly.
struct host_space {};

/// Memory of a CUDA device.
struct device_space {};

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

/// Cuts packed matrices, one after another, from memory that is known to hold them all.
template <class T, class Space = host_space>
class view_cutter {
 public:
  explicit view_cutter(T* memory) : next_(memory) {}

  [[nodiscard]] matrix_view<T, Space> operator()(index_t rows, index_t cols) {
    const matrix_view<T, Space> view(next_, rows, cols);
    next_ += view.size();
    return view;
  }

 private:
  T* next_;
};

/// A read-only view that takes no part in deduction, so that a mutable view may be passed as
/// `x.as_const()` and the scalar comes from the other arguments.
template <class T, class Space = host_space>
using input = std::type_identity_t<matrix_view<const T, Space>>;

/// Where elements stand: `lines` lines, `pitch` apart, of `count` elements, `stride` apart.
template <class T>
struct element_lattice {
  const T* data = nullptr;
  index_t count = 0;
  index_t stride = 1;
  index_t lines = 0;
  index_t pitch = 0;
};

/// Whether some element belongs to both. Exact for equal strides: windows of one matrix that
/// interleave do not overlap. Otherwise whether the ranges of memory meet.
template <class T>
[[nodiscard]] bool overlaps(const element_lattice<T>& a, const element_lattice<T>& b) {
  if (a.count == 0 || a.lines == 0 || b.count == 0 || b.lines == 0) return false;
  const auto last = [](const element_lattice<T>& x) {
    return x.data + (x.count - 1) * x.stride + (x.lines - 1) * x.pitch;
  };
  const std::less<const T*> before;
  if (before(last(a), b.data) || before(last(b), a.data)) return false;
  const bool one_line = a.lines == 1 && b.lines == 1;
  if (a.stride != b.stride || (!one_line && a.pitch != b.pitch)) return true;
  // b stands at `lines` lines and `rest` elements from a, two ways: rest below and above zero.
  const index_t apart = b.data - a.data;
  const index_t pitch = one_line ? std::max(apart, -apart) + 1 : std::max<index_t>(a.pitch, 1);
  for (const index_t step : {0, 1}) {
    const index_t lines = apart / pitch + (apart < 0 ? -step : step);
    const index_t rest = apart - lines * pitch, elements = rest / a.stride;
    if (rest % a.stride == 0 && -b.count < elements && elements < a.count && -b.lines < lines &&
        lines < a.lines)
      return true;
  }
  return false;
}
template <class A, class B, class Space>
[[nodiscard]] bool overlaps(matrix_view<A, Space> a, matrix_view<B, Space> b) {
  using T = std::remove_const_t<A>;
  return overlaps(element_lattice<T>{a.data(), a.rows(), 1, a.cols(), a.ld()},
                  element_lattice<T>{b.data(), b.rows(), 1, b.cols(), b.ld()});
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
  [[nodiscard]] constexpr batch_view<const T, Space> as_const() const {
    return {pointer, rows, cols, ld, stride, count};
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
///   can_hold(rows, cols)       where resizable: whether its type allows that shape
///   lattice(m)                 where its elements stand
///   gather(m, to), scatter(from, m)   copies, where `viewable` is false
template <class M>
struct matrix_adapter;

/// A type that some adapter has introduced.
template <class M>
concept Matrix = requires {
  typename matrix_adapter<std::remove_cvref_t<M>>::scalar;
};

/// A Matrix that can be written through.
template <class M>
concept WritableMatrix = Matrix<M> && requires(
    std::remove_reference_t<M>& m,
    void (*writes)(oriented_view<typename matrix_adapter<std::remove_cvref_t<M>>::scalar,
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
  static constexpr element_lattice<scalar> lattice(const matrix_view<T, Space>& m) {
    return {m.data(), m.rows(), 1, m.cols(), m.ld()};
  }
};

}  // namespace fanion
