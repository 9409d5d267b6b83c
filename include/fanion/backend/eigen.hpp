/// @file  The backend of the host: Eigen's matrices, seen as views.
///
/// The kernels are in dense/, in portable vector code. Eigen itself is needed only where its types
/// enter, which is adapters/eigen.hpp: its products allocate their packing buffers.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/dense/cholesky.hpp>
#include <fanion/backend/dense/eigh.hpp>
#include <fanion/backend/dense/elementwise.hpp>
#include <fanion/backend/dense/orthonormalize.hpp>
#include <fanion/backend/dense/products.hpp>
#include <fanion/backend/dense/reduce.hpp>
#include <fanion/backend/dense/scratch.hpp>
#include <fanion/backend/dense/svd.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

namespace fanion {

/// Meets Backend. The scalar comes from the output view. See Backend for what the verbs have in
/// common; comments here give formula and cost.
///
/// Large products, which leading parts and polar factors are made of, use `threads` threads where
/// the program is compiled with OpenMP; everything else uses the caller's. Bits depend on that
/// number where one factor has at most 64 columns, and never on OpenMP. Training wants one:
/// matrices are many there, and `optimizer` deals them to workers.
class eigen_backend {
  template <class T>
  using scalar = std::type_identity_t<T>;
  template <class T>
  using span = std::type_identity_t<std::span<T>>;

 public:
  using space = host_space;

  eigen_backend() noexcept = default;

  /// @throws std::invalid_argument unless 1 <= threads <= 64.
  explicit eigen_backend(index_t threads)
      : threads_(expects_at_least(threads, 1, "eigen_backend: threads")) {
    if (threads > dense::most_threads) refuse("eigen_backend: threads", "at most 64", threads);
  }
  [[nodiscard]] index_t threads() const noexcept { return threads_; }

  template <Real T>
  using workspace = dense::host_workspace<T>;

  /// Allocates `count` zeros.
  template <Real T>
  [[nodiscard]] workspace<T> make_workspace(index_t count) const {
    return workspace<T>(count);
  }

  /// Y = X.
  template <Real T>
  void copy(input<T> X, matrix_view<T> Y) const {
    dense::copy<T>(X, Y);
  }
  /// Y = Xᵀ.
  template <Real T>
  void copy_adjoint(input<T> X, matrix_view<T> Y) const {
    dense::axpby_adjoint<T>(T(1), X, T(0), Y);
  }
  /// Y = a X in another precision, rounded once where a is a power of two.
  template <class S, Real T>
  void convert(double a, matrix_view<S> X, matrix_view<T> Y) const {
    const index_t slices = dense::slices_for(threads_, Y.size());
    dense::for_each_slice(slices, [&](index_t s) {
      const index_t end = dense::slice_begin(Y.cols(), 1, slices, s + 1);
      for (index_t j = dense::slice_begin(Y.cols(), 1, slices, s); j < end; ++j)
        std::transform(X.col(j), X.col(j) + X.rows(), Y.col(j),
                       [a](auto x) { return static_cast<T>(a * static_cast<double>(x)); });
    });
  }
  template <Real T>
  void fill(matrix_view<T> X, scalar<T> value) const {
    dense::fill<T>(X, value);
  }
  /// X(i, j) = random_normal(seed, row0 + i, col0 + j).
  template <Real T>
  void random(matrix_view<T> X, std::uint64_t seed, index_t row0 = 0, index_t col0 = 0) const {
    dense::random<T>(X, seed, row0, col0);
  }
  /// Y = a X + b Y.
  template <Real T>
  void axpby(scalar<T> a, input<T> X, scalar<T> b, matrix_view<T> Y) const {
    dense::axpby<T>(a, X, b, Y);
  }
  /// Y = a Xᵀ + b Y.
  template <Real T>
  void axpby_adjoint(scalar<T> a, input<T> X, scalar<T> b, matrix_view<T> Y) const {
    dense::axpby_adjoint<T>(a, X, b, Y);
  }
  /// Y(i, j) = f(X(i, j), Y(i, j)).
  template <Real T, class F>
  void map_entries(input<T> X, matrix_view<T> Y, F f) const {
    for (index_t j = 0; j < Y.cols(); ++j) {
      const T* x = X.col(j);
      T* y = Y.col(j);
      for (index_t i = 0; i < Y.rows(); ++i) y[i] = f(x[i], y[i]);
    }
  }

  /// Y(i, j) = f(X(j, i), Y(i, j)), tile by tile.
  template <Real T, class F>
  void map_entries_adjoint(input<T> X, matrix_view<T> Y, F f) const {
    dense::for_each_tile(Y.rows(), Y.cols(),
                         [&](index_t i, index_t j) { Y(i, j) = f(X(j, i), Y(i, j)); });
  }

  /// The lengths of X's columns or rows, in a column.
  template <Real T>
  void line_norms(input<T> X, lines along, matrix_view<T> out) const {
    if (along == lines::columns)
      dense::column_norms<T>(X, out.col(0));
    else
      dense::row_norms<T>(X, out.col(0));
  }
  /// Y(i, j) = f(X(i, j), s(line), Y(i, j)).
  template <Real T, class F>
  void map_lines(const oriented_view<const T>& X, lines along, input<T> s, matrix_view<T> Y,
                 F f) const {
    const matrix_view<const T> x = X.storage;
    const T* of = s.data();
    const bool columns = along == lines::columns;
    if (X.transposed) {
      dense::for_each_tile(Y.rows(), Y.cols(), [&](index_t i, index_t j) {
        Y(i, j) = f(x(j, i), of[columns ? j : i], Y(i, j));
      });
    } else {
      for (index_t j = 0; j < Y.cols(); ++j)
        for (index_t i = 0; i < Y.rows(); ++i) Y(i, j) = f(x(i, j), of[columns ? j : i], Y(i, j));
    }
  }

  /// f(x, y, …) for the entries of views of one shape, which it may change.
  template <class F, class T, class... S>
  void for_each_entry(F f, matrix_view<T> X, matrix_view<S>... rest) const {
    for (index_t j = 0; j < X.cols(); ++j)
      [&](T* x, S*... y) {
        for (index_t i = 0; i < X.rows(); ++i) f(x[i], y[i]...);
      }(X.col(j), rest.col(j)...);
  }

  /// Σ X(i, j) Y(i, j).
  template <class T, class S>
  [[nodiscard]] std::remove_const_t<T> dot(matrix_view<T> X, matrix_view<S> Y) const {
    return dense::dot<std::remove_const_t<T>>(X.as_const(), Y.as_const());
  }
  /// Σ X(j, i) Y(i, j), added in double, by tree.
  template <class T, class S>
  [[nodiscard]] std::remove_const_t<T> dot_adjoint(matrix_view<T> X, matrix_view<S> Y) const {
    constexpr index_t branch = 32;
    dense::pairwise_sum sum;
    double some = 0;
    index_t pending = 0;
    dense::for_each_tile(Y.rows(), Y.cols(), [&](index_t i, index_t j) {
      some += static_cast<double>(X(j, i)) * static_cast<double>(Y(i, j));
      if (++pending < branch) return;
      sum.add(some);
      some = 0;
      pending = 0;
    });
    sum.add(some);
    return static_cast<std::remove_const_t<T>>(sum.total());
  }
  /// sqrt(Σ X(i, j)²).
  template <class T>
  [[nodiscard]] std::remove_const_t<T> norm(matrix_view<T> X) const {
    return dense::norm<std::remove_const_t<T>>(X.as_const());
  }
  /// Σ |X(i, j)| or max |X(i, j)|.
  template <class T>
  [[nodiscard]] std::remove_const_t<T> reduce_entries(matrix_view<T> X, reduction op) const {
    using S = std::remove_const_t<T>;
    return op == reduction::sum_abs ? dense::sum_abs<S>(X.as_const())
                                    : dense::max_abs<S>(X.as_const());
  }
  /// Where |X(i, j)| is largest; the first in column-major order on ties.
  template <class T>
  [[nodiscard]] entry_position locate_max_abs(matrix_view<T> X) const {
    return dense::locate_max_abs<std::remove_const_t<T>>(X.as_const());
  }

  /// Y(m x k) = a A(m x n) X(n x k) + b Y.
  template <Real T>
  void multiply(scalar<T> a, input<T> A, input<T> X, scalar<T> b, matrix_view<T> Y,
                span<T> scratch) const {
    dense::multiply<T>(a, A, X, b, Y, scratch, threads_);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_size(index_t m, index_t n, index_t k) const {
    return dense::multiply_size<T>(m, n, k, threads_);
  }
  /// Y(n x k) = a A(m x n)ᵀ X(m x k) + b Y.
  template <Real T>
  void multiply_adjoint(scalar<T> a, input<T> A, input<T> X, scalar<T> b, matrix_view<T> Y,
                        span<T> scratch) const {
    dense::multiply_adjoint<T>(a, A, X, b, Y, scratch, threads_);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_adjoint_size(index_t m, index_t n, index_t k) const {
    return dense::multiply_adjoint_size<T>(m, n, k, threads_);
  }
  /// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y. For small k one read and one write of Y.
  template <Real T>
  void multiply_outer(scalar<T> a, input<T> X, input<T> W, scalar<T> b, matrix_view<T> Y,
                      span<T> scratch) const {
    dense::multiply_outer<T>(a, X, W, b, Y, scratch, threads_);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_outer_size(index_t m, index_t n, index_t k) const {
    return dense::multiply_outer_size<T>(m, n, k, threads_);
  }
  /// Y(m x k) = a A(m x n) X(n x k); returns ‖A‖_F, which costs no read of its own.
  template <Real T>
  [[nodiscard]] T multiply_norm(scalar<T> a, input<T> A, input<T> X, matrix_view<T> Y,
                                span<T> scratch) const {
    if (X.cols() > dense::skinny_most)
      return defaults::multiply_norm<T>(*this, a, A, X, Y, scratch);
    return dense::multiply_norm<T>(a, A, X, Y, threads_);
  }
  /// Z(n x k) = a A(m x n)ᵀX and Y(m x k) = a A Z; one read of A where X and Y fit the
  /// second-level cache, two otherwise.
  template <Real T, class Prepare>
  index_t multiply_pair(scalar<T> a, input<T> A, input<T> X, matrix_view<T> Z, matrix_view<T> Y,
                        span<T> scratch, Prepare&& prepare) const {
    if (!dense::pairs_in_one_read<T>(A.rows(), X.cols()))
      return defaults::multiply_pair<T>(*this, a, A, X, Z, Y, scratch, prepare);
    dense::multiply_pair<T>(a, A, X, Z, Y, scratch, threads_, prepare);
    return 1;
  }
  template <Real T>
  [[nodiscard]] index_t multiply_pair_size(index_t m, index_t n, index_t k) const {
    return std::max(defaults::multiply_pair_size<T>(*this, m, n, k),
                    dense::pair_size<T>(m, n, k, threads_));
  }
  /// Z(n x k) = Aᵀ(A X).
  template <Real T>
  void gram_product(input<T> A, input<T> X, matrix_view<T> Z, span<T> scratch) const {
    defaults::gram_product<T>(*this, A, X, Z, scratch);
  }
  template <Real T>
  [[nodiscard]] index_t gram_product_size(index_t m, index_t n, index_t k) const {
    return defaults::gram_product_size<T>(*this, m, n, k);
  }
  /// C(r x r) = a A(r x l) Aᵀ + b C, for a symmetric C. r²l flops.
  template <Real T>
  void syrk(scalar<T> a, input<T> A, scalar<T> b, matrix_view<T> C, span<T> scratch) const {
    dense::symmetric_gemm<T>(a, {A, false}, {A, true}, b, C, scratch, threads_);
  }
  template <Real T>
  [[nodiscard]] index_t syrk_size(index_t r, index_t l) const {
    return dense::gemm_size<T>(r, r, l, threads_);
  }
  /// C = a A B + b C for symmetric A, B, C whose product is symmetric too. r³ flops.
  template <Real T>
  void symmetric_product(scalar<T> a, input<T> A, input<T> B, scalar<T> b, matrix_view<T> C,
                         span<T> scratch) const {
    dense::symmetric_gemm<T>(a, {A, false}, {B, false}, b, C, scratch, threads_);
  }
  template <Real T>
  [[nodiscard]] index_t symmetric_product_size(index_t r) const {
    return dense::gemm_size<T>(r, r, r, threads_);
  }

  /// Turns the columns of X(n x k), n >= k, into an orthonormal basis of their span and zeros;
  /// returns the rank.
  template <Real T>
  index_t orthonormalize(matrix_view<T> X, span<T> scratch) const {
    return dense::orthonormalize<T>(X, scratch);
  }
  template <Real T>
  [[nodiscard]] index_t orthonormalize_size(index_t n, index_t k) const {
    return dense::orthonormalize_size<T>(n, k);
  }
  /// A(m x n) = U diag(s) Vᵀ.
  template <Real T>
  void small_svd(input<T> A, matrix_view<T> U, span<T> s, matrix_view<T> V, span<T> scratch) const {
    dense::svd<T>(A, U, s, V, scratch);
  }
  template <Real T>
  [[nodiscard]] index_t small_svd_size(index_t m, index_t n) const {
    return dense::svd_size<T>(m, n);
  }
  /// A(n x n) = V diag(w) Vᵀ for a symmetric A.
  template <Real T>
  void small_eigh(input<T> A, span<T> w, matrix_view<T> V, span<T> scratch) const {
    dense::eigh<T>(A, w, V, scratch);
  }
  template <Real T>
  [[nodiscard]] index_t small_eigh_size(index_t n) const {
    return dense::eigh_size<T>(n);
  }

  /// A(n x n) = A⁻¹ for a symmetric positive definite A; false where it is not. n³ flops.
  template <Real T>
  [[nodiscard]] bool invert_definite(matrix_view<T> A, span<T> scratch) const {
    return dense::invert_definite<T>(A, scratch, threads_);
  }
  template <Real T>
  [[nodiscard]] index_t invert_definite_size(index_t n) const {
    return dense::invert_definite_size<T>(n, threads_);
  }

  // The same numbers, written into a 1 x 1 view.
  template <Real T>
  void dot_to(input<T> X, input<T> Y, matrix_view<T> result) const {
    result(0, 0) = dot(X, Y);
  }
  template <Real T>
  void dot_adjoint_to(input<T> X, input<T> Y, matrix_view<T> result) const {
    result(0, 0) = dot_adjoint(X, Y);
  }
  template <Real T>
  void norm_to(input<T> X, matrix_view<T> result) const {
    result(0, 0) = norm(X);
  }
  template <Real T>
  void reduce_entries_to(input<T> X, reduction op, matrix_view<T> result) const {
    result(0, 0) = reduce_entries(X, op);
  }
  template <Real T>
  void orthonormalize_to(matrix_view<T> X, matrix_view<T> rank, span<T> scratch) const {
    rank(0, 0) = static_cast<T>(orthonormalize<T>(X, scratch));
  }

 private:
  index_t threads_ = 1;
};

static_assert(Backend<eigen_backend>);

template <>
struct default_backend<host_space> {
  using type = eigen_backend;
};

}  // namespace fanion
