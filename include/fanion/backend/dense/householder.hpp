/// @file  Blocked Householder QR: A = Q R with Q kept as reflectors, and frames made from it.
#pragma once

#include <fanion/backend/dense/products.hpp>
#include <fanion/backend/dense/reduce.hpp>

namespace fanion::dense {

/// Columns per block of reflectors.
inline constexpr index_t reflector_block = 32;

template <Real T>
[[nodiscard]] matrix_view<const T> column(const T* x, index_t n) {
  return {x, n, 1};
}

/// Replaces x (n >= 1 numbers) by the reflector I − τ v vᵀ that maps it to (ρ, 0, …): v₀ = 1 is
/// implied, v's tail takes the place of x's, ρ that of x₀. Returns τ; 0 when the tail is zero. The
/// matrix that x comes from is scaled to near 1: an x so small that its quotients would be
/// subnormal has no direction, and its tail becomes zero.
template <Real T>
T make_reflector(T* x, index_t n) {
  const T tail = norm<T>(column<T>(x + 1, n - 1));
  const T length = std::hypot(x[0], tail);
  if (tail == T(0) || length < std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon()) {
    std::fill_n(x + 1, n - 1, T(0));
    return T(0);
  }
  const T rho = -std::copysign(length, x[0]);
  const T pivot = x[0] - rho;
  const matrix_view<T> v(x + 1, n - 1, 1);
  transform<false, T>(v.as_const(), v, [pivot](auto y, auto) { return y / pivot; });
  const T tau = -pivot / rho;
  x[0] = rho;
  return tau;
}

/// y −= τ v (vᵀ y), v₀ = 1 implied.
template <Real T>
void reflect(T tau, const T* v, T* y, index_t n) {
  const auto tail = column<T>(v + 1, n - 1);
  const T product = blocked_dot<T>(tail, column<T>(y + 1, n - 1));
  const T step = tau * (y[0] + product);
  y[0] -= step;
  axpby<T>(-step, tail, T(1), matrix_view<T>(y + 1, n - 1, 1));
}

/// Products of reflections I − τᵢ vᵢ vᵢᵀ, applied by blocks. vᵢ lies below the diagonal of column i
/// of a matrix that the caller keeps, its one implied. Holds views of the caller's scratch.
template <Real T>
class reflectors {
 public:
  /// For m x n reflectors; `cols` is the widest matrix that apply() will see.
  [[nodiscard]] static constexpr index_t scratch_size(index_t m, index_t n, index_t cols) noexcept {
    const index_t block = std::min(n, reflector_block), widest = std::max(n, cols);
    return padded<T>(n) + padded<T>(block * block) + padded<T>(m * block) +
           2 * padded<T>(widest * block) +
           std::max({multiply_adjoint_size<T>(m, widest, block),
                     multiply_outer_size<T>(m, widest, block),
                     multiply_size<T>(widest, block, block)});
  }

  reflectors(matrix_view<T> A, index_t cols, std::span<T> scratch) : A_(A) {
    scratch_stack<T> stack(scratch);
    const index_t block = std::min(A.cols(), reflector_block);
    const index_t widest = std::max(A.cols(), cols);
    tau_ = stack.take(A.cols());
    T_ = stack.take(block, block);
    V_ = stack.take(A.rows(), block);
    W_ = stack.take(widest, block);
    WT_ = stack.take(widest, block);
    rest_ = stack.rest();
  }

  /// The factors τ, for reflectors that someone else has written below the diagonal.
  [[nodiscard]] T* factors() const noexcept { return tau_; }

  /// Scratch that is free between calls.
  [[nodiscard]] std::span<T> scratch() const noexcept { return rest_; }

  /// A = Q R, m >= n: R takes the place of A's upper triangle. 2n²(m − n/3) flops. A should be
  /// scaled to near 1.
  void factorise() {
    for (index_t j = 0; j < A_.cols(); j += reflector_block) {
      const index_t width = std::min(reflector_block, A_.cols() - j), done = j + width;
      for (index_t i = j; i < done; ++i) {
        const index_t length = A_.rows() - i;
        tau_[i] = make_reflector<T>(&A_(i, i), length);
        for (index_t l = i + 1; l < done; ++l) reflect<T>(tau_[i], &A_(i, i), &A_(i, l), length);
      }
      if (done == A_.cols()) break;
      gather(j, width);
      update<true>(width, A_.block(j, done, A_.rows() - j, A_.cols() - done));
    }
  }

  /// C = Q C for C of A's rows. 4mnc flops.
  void apply(matrix_view<T> C) {
    const index_t n = A_.cols();
    for (index_t j = (n - 1) / reflector_block * reflector_block; j >= 0; j -= reflector_block) {
      const index_t width = std::min(reflector_block, n - j);
      gather(j, width);
      update<false>(width, C.block(j, 0, C.rows() - j, C.cols()));
    }
  }

 private:
  /// V = the reflectors of columns j .. j+width with their zeros and ones written out, and the
  /// upper triangle T for which their product is I − V T Vᵀ.
  void gather(index_t j, index_t width) {
    const index_t rows = A_.rows() - j;
    for (index_t l = 0; l < width; ++l) {
      T* v = V_.col(l);
      std::fill_n(v, l, T(0));
      v[l] = T(1);
      std::copy_n(A_.col(j + l) + j + l + 1, rows - l - 1, v + l + 1);
    }
    const matrix_view<const T> V = V_.block(0, 0, rows, width).as_const();
    multiply_adjoint<T>(T(1), V, V, T(0), T_.block(0, 0, width, width), rest_);
    for (index_t i = 0; i < width; ++i) {
      for (index_t l = 0; l < i; ++l) {
        T sum = T(0);
        for (index_t q = l; q < i; ++q) sum += T_(l, q) * T_(q, i);
        T_(l, i) = -tau_[j + i] * sum;
      }
      T_(i, i) = tau_[j + i];
      for (index_t l = i + 1; l < width; ++l) T_(l, i) = T(0);
    }
  }

  /// C −= V T Vᵀ C, or with Tᵀ.
  template <bool Adjoint>
  void update(index_t width, matrix_view<T> C) {
    const matrix_view<const T> V = V_.block(0, 0, C.rows(), width).as_const();
    const matrix_view<T> W = W_.block(0, 0, C.cols(), width);
    const matrix_view<T> WT = WT_.block(0, 0, C.cols(), width);
    const matrix_view<const T> triangle = T_.block(0, 0, width, width).as_const();
    multiply_adjoint<T>(T(1), C.as_const(), V, T(0), W, rest_);
    // (T Vᵀ C)ᵀ = W Tᵀ and (Tᵀ Vᵀ C)ᵀ = W T.
    if constexpr (Adjoint)
      multiply<T>(T(1), W.as_const(), triangle, T(0), WT, rest_);
    else
      multiply_outer<T>(T(1), W.as_const(), triangle, T(0), WT, rest_);
    multiply_outer<T>(T(-1), V, WT.as_const(), T(1), C, rest_);
  }

  matrix_view<T> A_, T_, V_, W_, WT_;
  T* tau_ = nullptr;
  std::span<T> rest_;
};

/// The frame nearest in order to A (m x n, m >= n): Q of A = Q R with R's diagonal made
/// non-negative. Always orthonormal; columns of a rank-deficient A are completed. A is destroyed.
template <Real T>
void orthonormal_frame(matrix_view<T> A, matrix_view<T> Q, std::span<T> scratch) {
  reflectors<T> qr(A, Q.cols(), scratch);
  qr.factorise();
  fill<T>(Q, T(0));
  for (index_t j = 0; j < A.cols(); ++j) Q(j, j) = A(j, j) < T(0) ? T(-1) : T(1);
  qr.apply(Q);
}

}  // namespace fanion::dense
