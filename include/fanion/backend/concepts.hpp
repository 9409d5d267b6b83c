/// @file  What a backend supplies, and the verbs that follow from the others.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/core/types.hpp>
#include <fanion/core/view.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

namespace fanion {

/// How `reduce_entries` folds the absolute values of a matrix.
enum class reduction { sum_abs, max_abs };

/// The lines of a matrix: its rows or its columns.
enum class lines { rows, columns };
[[nodiscard]] constexpr lines transposed_lines(lines along) noexcept {
  return along == lines::rows ? lines::columns : lines::rows;
}

/// Where an entry stands.
struct entry_position {
  index_t row = 0;
  index_t col = 0;

  friend constexpr bool operator==(const entry_position&, const entry_position&) = default;
};

/// What map_entries and map_lines might be handed: any function object that copies.
struct first_argument {
  template <class T, class... Rest>
  FANION_HD constexpr T operator()(T x, Rest...) const noexcept {
    return x;
  }
};

/// What for_each_entry might be handed.
struct leave_alone {
  template <class... T>
  FANION_HD constexpr void operator()(T&...) const noexcept {}
};

/// The callback of multiply_pair for a matrix that is there already.
template <class T, class Space = host_space>
struct ignore_columns {
  constexpr matrix_view<const T, Space> operator()(index_t, index_t) const noexcept { return {}; }
};

/// The verbs for one scalar. Views are column-major with any ld; sizes may be 0; scratch holds at
/// least what the `*_size` query of the same shapes says, in scalars of T, and its content is free.
///
///  1. No verb but make_workspace allocates. A workspace is zero-filled and 64-byte aligned.
///  2. Outputs overlap no input, except that a verb says otherwise.
///  3. b == 0 means that the output is not read: NaN in it does not survive.
///  4. dot, norm and reductions neither overflow nor lose bits to underflow where the result itself
///     is representable, and hand NaN and infinity on.
///  5. syrk and symmetric_product return both halves, bitwise symmetric.
///  6. orthonormalize returns the rank; columns past it are zero.
///  7. small_svd returns orthonormal U (m x r) and V (n x r), r = min(m, n), for every finite A,
///     whatever its rank; values are descending and non-negative. small_eigh descends too. Both
///     write values to memory of the host, whatever the backend's space, and wait for them.
///  8. multiply_pair calls its last argument, `prepare(j, c)`, with ranges of columns that
///  partition
///     those of A, each before it reads them: A may be written as it is read. `prepare` returns
///     what its next call will read, which a backend may fetch meanwhile, or an empty view.
///     multiply_pair returns how often it read A.
///  9. invert_definite replaces a symmetric positive definite matrix by its inverse, both halves
///     bitwise symmetric, reads its lower half, and is false where it found it not definite.
/// 10. line_norms writes the length of every row or column, under rule 4, into a column. map_lines
///     is Y(i, j) = f(X(i, j), s(line), Y(i, j)) for an oriented X, which may be Y; the line is i
///     or j, as it is told.
/// 11. for_each_entry calls f(x, y, …) with entry (i, j) of each of its views, all of one shape,
///     once for every (i, j) and in any order. f takes references and writes through those it
///     likes to; a view may be there twice.
/// 12. Same arguments, same bits.
template <class B, class T>
concept BackendFor = Real<T> && requires(B b, T x, matrix_view<const T, typename B::space> in,
                                         matrix_view<T, typename B::space> out,
                                         std::span<T> scratch, index_t n, std::uint64_t seed) {
  { b.template make_workspace<T>(n).span() } -> std::same_as<std::span<T>>;
  b.template copy<T>(in, out);
  b.template copy_adjoint<T>(in, out);
  b.template fill<T>(out, x);
  b.template random<T>(out, seed, n, n);
  b.template axpby<T>(x, in, x, out);
  b.template axpby_adjoint<T>(x, in, x, out);
  { b.dot(in, in) } -> std::same_as<T>;
  { b.norm(in) } -> std::same_as<T>;
  { b.reduce_entries(in, reduction::sum_abs) } -> std::same_as<T>;
  { b.locate_max_abs(in) } -> std::same_as<entry_position>;
  b.template map_entries<T>(in, out, first_argument());
  b.template map_entries_adjoint<T>(in, out, first_argument());
  b.template line_norms<T>(in, lines::rows, out);
  b.template map_lines<T>(oriented_view<const T, typename B::space>{in, true}, lines::rows, in, out,
                          first_argument());
  b.for_each_entry(leave_alone(), out, in, out);
  { b.dot_adjoint(in, in) } -> std::same_as<T>;
  b.template multiply<T>(x, in, in, x, out, scratch);
  b.template multiply_adjoint<T>(x, in, in, x, out, scratch);
  b.template multiply_outer<T>(x, in, in, x, out, scratch);
  { b.template multiply_norm<T>(x, in, in, out, scratch) } -> std::same_as<T>;
  b.template gram_product<T>(in, in, out, scratch);
  {
    b.template multiply_pair<T>(x, in, in, out, out, scratch,
                                ignore_columns<T, typename B::space>())
    } -> std::same_as<index_t>;
  b.template syrk<T>(x, in, x, out, scratch);
  b.template symmetric_product<T>(x, in, in, x, out, scratch);
  { b.template orthonormalize<T>(out, scratch) } -> std::same_as<index_t>;
  b.template small_svd<T>(in, out, scratch, out, scratch);
  b.template small_eigh<T>(in, scratch, out, scratch);
  { b.template invert_definite<T>(out, scratch) } -> std::same_as<bool>;
  { b.template multiply_size<T>(n, n, n) } -> std::same_as<index_t>;
  { b.template multiply_adjoint_size<T>(n, n, n) } -> std::same_as<index_t>;
  { b.template multiply_outer_size<T>(n, n, n) } -> std::same_as<index_t>;
  { b.template gram_product_size<T>(n, n, n) } -> std::same_as<index_t>;
  { b.template multiply_pair_size<T>(n, n, n) } -> std::same_as<index_t>;
  { b.template syrk_size<T>(n, n) } -> std::same_as<index_t>;
  { b.template symmetric_product_size<T>(n) } -> std::same_as<index_t>;
  { b.template orthonormalize_size<T>(n, n) } -> std::same_as<index_t>;
  { b.template small_svd_size<T>(n, n) } -> std::same_as<index_t>;
  { b.template small_eigh_size<T>(n) } -> std::same_as<index_t>;
  { b.template invert_definite_size<T>(n) } -> std::same_as<index_t>;
};

/// A place to run: the verbs in both scalars, and `convert`, Y = a X from one to the other.
template <class B>
concept Backend = BackendFor<B, float> && BackendFor<B, double> &&
    requires(B b, double a, matrix_view<float, typename B::space> f,
             matrix_view<double, typename B::space> d) {
  b.convert(a, f.as_const(), d);
  b.convert(a, d.as_const(), f);
};

/// Threads that share a large product.
template <class B>
[[nodiscard]] constexpr index_t threads_of(const B& b) {
  if constexpr (requires { b.threads(); })
    return b.threads();
  else
    return 1;
}

/// The backend that a plan makes for itself when it is given none: `type`, by memory space.
template <class Space>
struct default_backend;

/// Verbs written in terms of the others; a backend that has nothing faster calls these.
namespace defaults {

/// out = the lengths of X's lines, one after another.
template <Real T, class B>
void line_norms(B& b, input<T, typename B::space> X, lines along,
                matrix_view<T, typename B::space> out) {
  for (index_t l = 0; l < out.rows(); ++l) {
    const T length = b.norm(along == lines::columns ? X.columns(l, 1) : X.block(l, 0, 1, X.cols()));
    b.template fill<T>(out.block(l, 0, 1, 1), length);
  }
}

/// Y(i, j) = f(X(i, j), s(line), Y(i, j)), line by line. Reads s on the host.
template <Real T, class B, class F>
void map_lines(B& b, const oriented_view<const T, typename B::space>& X, lines along,
               input<T, typename B::space> s, matrix_view<T, typename B::space> Y, F f) {
  for (index_t l = 0; l < s.rows(); ++l) {
    const auto line = [l](auto m, bool columns) {
      return columns ? m.columns(l, 1) : m.block(l, 0, 1, m.cols());
    };
    const bool columns = along == lines::columns;
    const auto g = [f, at = s(l, 0)](T x, T y) { return f(x, at, y); };
    const auto from = line(X.storage, columns != X.transposed);
    if (X.transposed)
      b.template map_entries_adjoint<T>(from, line(Y, columns), g);
    else
      b.template map_entries<T>(from, line(Y, columns), g);
  }
}

/// Scratch of gram_product below for A m x n and X n x k: the m x k intermediate, and the
/// products'.
template <Real T, class B>
[[nodiscard]] index_t gram_product_size(const B& b, index_t m, index_t n, index_t k) {
  const index_t forth = b.template multiply_size<T>(m, n, k);
  const index_t back = b.template multiply_adjoint_size<T>(m, n, k);
  return m * k + (forth > back ? forth : back);
}

/// Z = Aᵀ(A X): two reads of A.
template <Real T, class B>
void gram_product(B& b, input<T, typename B::space> A, input<T, typename B::space> X,
                  matrix_view<T, typename B::space> Z, std::type_identity_t<std::span<T>> scratch) {
  const index_t m = A.rows();
  const matrix_view<T, typename B::space> Y(scratch.data(), m, X.cols());
  const std::span<T> rest = scratch.subspan(static_cast<std::size_t>(Y.size()));
  b.template multiply<T>(T(1), A, X, T(0), Y, rest);
  b.template multiply_adjoint<T>(T(1), A, Y.as_const(), T(0), Z, rest);
}

/// Y = a A X, and ‖A‖_F: two reads of A.
template <Real T, class B>
[[nodiscard]] T multiply_norm(B& b, std::type_identity_t<T> a, input<T, typename B::space> A,
                              input<T, typename B::space> X, matrix_view<T, typename B::space> Y,
                              std::type_identity_t<std::span<T>> scratch) {
  b.template multiply<T>(a, A, X, T(0), Y, scratch);
  return b.norm(A);
}

template <Real T, class B>
[[nodiscard]] index_t multiply_pair_size(const B& b, index_t m, index_t n, index_t k) {
  const index_t forth = b.template multiply_adjoint_size<T>(m, n, k);
  const index_t back = b.template multiply_size<T>(m, n, k);
  return forth > back ? forth : back;
}

/// Z = a AᵀX and Y = a A Z: two reads of A.
template <Real T, class B, class Prepare>
index_t multiply_pair(B& b, std::type_identity_t<T> a, input<T, typename B::space> A,
                      input<T, typename B::space> X, matrix_view<T, typename B::space> Z,
                      matrix_view<T, typename B::space> Y,
                      std::type_identity_t<std::span<T>> scratch, Prepare&& prepare) {
  (void)prepare(0, A.cols());
  b.template multiply_adjoint<T>(a, A, X, T(0), Z, scratch);
  b.template multiply<T>(a, A, Z.as_const(), T(0), Y, scratch);
  return 2;
}

template <Real T, class B>
[[nodiscard]] index_t invert_definite_size(const B& b, index_t n) {
  const index_t eigh = b.template small_eigh_size<T>(n), product = b.template syrk_size<T>(n, n);
  return n * n + (eigh > product ? eigh : product);
}

/// A <- A⁻¹ = V diag(1/w) Vᵀ. Allocates n scalars on the host.
template <Real T, class B>
[[nodiscard]] bool invert_definite(B& b, matrix_view<T, typename B::space> A,
                                   std::type_identity_t<std::span<T>> scratch) {
  const index_t n = A.cols();
  const matrix_view<T, typename B::space> V(scratch.data(), n, n);
  std::vector<T> w(static_cast<std::size_t>(n));
  const std::span<T> rest = scratch.subspan(static_cast<std::size_t>(n * n));
  b.template small_eigh<T>(A.as_const(), std::span<T>(w), V, rest);
  for (index_t j = 0; j < n; ++j) {
    const T value = w[static_cast<std::size_t>(j)];
    if (!(value > T(0)) || !(value - value == T(0))) return false;
    const T root = std::sqrt(value);
    b.template map_entries<T>(V.columns(j, 1).as_const(), V.columns(j, 1),
                              entry::divided_by<T>{root});
  }
  b.template syrk<T>(T(1), V.as_const(), T(0), A, rest);
  return true;
}

}  // namespace defaults
}  // namespace fanion
