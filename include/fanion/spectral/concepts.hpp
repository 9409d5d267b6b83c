/// @file  What a solver is asked and what it answers. No norm appears here: a solver is told how
/// deep to go and how good to be.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/core/outcome.hpp>
#include <fanion/core/types.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <span>

namespace fanion {

/// The matrix a solver sees: `scale` times M, m x n whatever its storage. The scale is a power of
/// two that brings ‖scale M‖_F into [1, 2), so no solver meets an overflow, and an answer for
/// 2ʲ M is bitwise the answer for M unless products of its entries underflow.
template <class T, class Space>
struct operand {
  oriented_view<const T, Space> matrix;
  T scale = 1;
  double frobenius = 0;  ///< ‖scale M‖_F

  [[nodiscard]] index_t rows() const { return matrix.rows(); }
  [[nodiscard]] index_t cols() const { return matrix.cols(); }
};

/// The power of two that brings a matrix of Frobenius norm `length` near 1; within the range of T
/// even where `length` is subnormal.
template <Real T>
[[nodiscard]] T unit_scale(T length) {
  constexpr int least = std::numeric_limits<T>::min_exponent + 8;
  return std::ldexp(T(1), -std::clamp(std::ilogb(length), least, -least));
}

/// Y = A X for an operand A. One pass over the matrix.
template <class B, class T, class Space>
void apply(B& b, const operand<T, Space>& a, input<T, Space> x, matrix_view<T, Space> y,
           std::span<T> scratch) {
  if (a.matrix.transposed)
    b.multiply_adjoint(a.scale, a.matrix.storage, x, T(0), y, scratch);
  else
    b.multiply(a.scale, a.matrix.storage, x, T(0), y, scratch);
}

/// Y = Aᵀ X for an operand A. One pass over the matrix.
template <class B, class T, class Space>
void apply_adjoint(B& b, const operand<T, Space>& a, input<T, Space> x, matrix_view<T, Space> y,
                   std::span<T> scratch) {
  if (a.matrix.transposed)
    b.multiply(a.scale, a.matrix.storage, x, T(0), y, scratch);
  else
    b.multiply_adjoint(a.scale, a.matrix.storage, x, T(0), y, scratch);
}

/// Scratch for either product with k columns, whichever way the matrix is stored.
template <class T, class B>
[[nodiscard]] index_t apply_size(const B& b, index_t m, index_t n, index_t k) {
  return std::max({b.template multiply_size<T>(m, n, k), b.template multiply_size<T>(n, m, k),
                   b.template multiply_adjoint_size<T>(m, n, k),
                   b.template multiply_adjoint_size<T>(n, m, k)});
}

/// Z = AᵀX and Y = A Z for a left side that is that of the storage, so that one read may do; the
/// other way round where A is stored transposed. Returns the reads.
template <class B, class T, class Space>
index_t apply_pair(B& b, const operand<T, Space>& a, input<T, Space> x, matrix_view<T, Space> z,
                   matrix_view<T, Space> y, std::span<T> scratch) {
  return b.template multiply_pair<T>(a.scale, a.matrix.storage, x, z, y, scratch,
                                     ignore_columns<T, Space>());
}

/// The side from which apply_pair starts: that of A's rows (0) or of its columns (1).
template <class T, class Space>
[[nodiscard]] std::size_t left_side(const operand<T, Space>& a) {
  return a.matrix.transposed ? 1 : 0;
}

/// A matrix that is known by its products alone, with any number of columns at once:
///  1. `scalar`, `rows()`, `cols()`;
///  2. `apply(x, y)`: y = A x;  `apply_adjoint(x, y)`: y = Aᵀx; the views do not overlap, and what
///  y
///     held before does not matter.
///  Example: sparse_operator in adapters/eigen_sparse.hpp.
template <class A>
concept LinearOperator = Real<typename A::scalar> &&
    requires(A& a, matrix_view<const typename A::scalar> x, matrix_view<typename A::scalar> y) {
  { a.rows() } -> std::convertible_to<index_t>;
  { a.cols() } -> std::convertible_to<index_t>;
  a.apply(x, y);
  a.apply_adjoint(x, y);
};

/// What a solver sees of an operator: `scale` times it. Its Frobenius norm is not known.
template <LinearOperator A>
struct black_box {
  using scalar = typename A::scalar;
  A* matrix = nullptr;
  scalar scale = 1;
  double frobenius = std::numeric_limits<double>::infinity();

  [[nodiscard]] index_t rows() const { return matrix->rows(); }
  [[nodiscard]] index_t cols() const { return matrix->cols(); }
};

/// The shorter one: a Krylov space fills it sooner.
template <LinearOperator A>
[[nodiscard]] std::size_t left_side(const black_box<A>& a) {
  return a.rows() <= a.cols() ? 0 : 1;
}

template <class B, LinearOperator A, class T = typename A::scalar>
void apply(B& b, const black_box<A>& a, input<T> x, matrix_view<T> y, std::span<T>) {
  a.matrix->apply(x, y);
  b.map_entries(y.as_const(), y, entry::times<T>{a.scale});
}
template <class B, LinearOperator A, class T = typename A::scalar>
void apply_adjoint(B& b, const black_box<A>& a, input<T> x, matrix_view<T> y, std::span<T>) {
  a.matrix->apply_adjoint(x, y);
  b.map_entries(y.as_const(), y, entry::times<T>{a.scale});
}
template <class B, LinearOperator A, class T = typename A::scalar>
index_t apply_pair(B& b, const black_box<A>& a, input<T> x, matrix_view<T> z, matrix_view<T> y,
                   std::span<T> scratch) {
  if (left_side(a) == 0) {
    apply_adjoint(b, a, x, z, scratch);
    apply(b, a, z.as_const(), y, scratch);
  } else {
    apply(b, a, x, z, scratch);
    apply_adjoint(b, a, z.as_const(), y, scratch);
  }
  return 2;
}
/// How much work was done and how it ended. Lives in every answer.
struct effort {
  double residual = 0;
  double failure_probability = 0;
  index_t passes = 0;
  index_t iterations = 0;
  fanion::outcome outcome = fanion::outcome::converged;
};

/// Leading singular triplets of an operand, in its scaled units: A ≈ U diag(sigma) Vᵀ.
/// Views into the solver, good until it runs again.
template <class T, class Space>
struct triplets {
  matrix_view<const T, Space> u;  ///< m x k
  matrix_view<const T, Space> v;  ///< n x k
  std::span<const T> sigma;  ///< uᵢᵀ A vᵢ, largest first: each sum is at most that of the σ
  std::span<const double> upper;  ///< σᵢ <= upperᵢ, proven
  double contraction = 1;  ///< a bound on ‖U‖₂ ‖V‖₂, 1 for exactly orthonormal columns
  fanion::effort effort = {};
};

/// An approximate polar factor X ≈ UVᵀ of an operand.
template <class T, class Space>
struct polar_factor {
  oriented_view<const T, Space> x;
  double product = 0;                                               ///< <A, X>
  double nuclear_bound = std::numeric_limits<double>::infinity();   ///< ‖A‖_* <= nuclear_bound
  double spectral_bound = std::numeric_limits<double>::infinity();  ///< ‖X‖₂ <= spectral_bound
  fanion::effort effort = {};
};

/// What a method aims at when it was not told: what the scalar can resolve with room to spare.
template <Real T>
inline constexpr double default_gap = std::same_as<T, float> ? 1e-4 : 1e-6;

/// What rounding may add to a computed singular value, relative to σ₁: 4 ε sqrt(max(m, n)), the
/// growth seen in practice; the worst case is larger by another square root and never observed.
template <Real T>
[[nodiscard]] double rounding(index_t m, index_t n) {
  return 4 * static_cast<double>(std::numeric_limits<T>::epsilon()) *
         std::sqrt(static_cast<double>(std::max(m, n)));
}

}  // namespace fanion
