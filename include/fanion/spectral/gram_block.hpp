/// @file  Several steps of an odd polynomial iteration taken on the Gram matrix, which is small
/// where the matrix is oblong.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/spectral/polynomials.hpp>

#include <algorithm>
#include <span>

namespace fanion {

/// Y = pₖ(… p₁(X)) for X r x L, with R = XXᵀ: pᵢ(X) = Hᵢ X for Hᵢ = a + bR + cR², R becomes HᵢRHᵢ,
/// and Y = Hₖ … H₁ X at the end. All these r x r matrices are polynomials of the first R, so they
/// commute, their products are symmetric, and half of each is computed. With k = 1 it is the plain
/// step. Memory: 3 r² scalars, which the caller keeps.
template <Real T, class B>
class gram_block {
 public:
  using space = typename B::space;

  [[nodiscard]] static index_t size(index_t r) { return 3 * r * r; }
  [[nodiscard]] static index_t scratch_size(const B& b, index_t r, index_t l) {
    return std::max({b.template syrk_size<T>(r, l), b.template symmetric_product_size<T>(r),
                     b.template multiply_size<T>(r, r, l)});
  }

  gram_block(T* memory, index_t r, std::span<T> scratch)
      : R_(memory, r, r),
        H_(memory + r * r, r, r),
        Q_(memory + 2 * r * r, r, r),
        scratch_(scratch) {}

  /// R = s² XXᵀ. r²L flops.
  void open(B& b, T s, matrix_view<const T, space> x) {
    b.syrk(s * s, x, T(0), R_, scratch_);
    squared_ = false;
  }

  /// R², which the first step will need. r³ flops.
  [[nodiscard]] matrix_view<const T, space> square(B& b) {
    b.symmetric_product(T(1), R_.as_const(), R_.as_const(), T(0), H_, scratch_);
    squared_ = true;
    return H_.as_const();
  }

  [[nodiscard]] matrix_view<const T, space> gram() const { return R_.as_const(); }

  /// Y = Hₖ … H₁ s X. (4k - 3) r³ + 2 r²L flops, less r³ where R² is there already.
  void close(B& b, std::span<const quintic> steps, T s, matrix_view<const T, space> x,
             matrix_view<T, space> y) {
    // Y is free until the end and large enough for a matrix on the way.
    const matrix_view<T, space> W(y.data(), R_.rows(), R_.rows());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      evaluate(b, steps[i]);
      if (i > 0) {
        b.symmetric_product(T(1), Q_.as_const(), H_.as_const(), T(0), W, scratch_);
        b.copy(W.as_const(), Q_);
      }
      if (i + 1 == steps.size()) break;
      if (i == 0) b.copy(H_.as_const(), Q_);
      b.symmetric_product(T(1), R_.as_const(), H_.as_const(), T(0), W, scratch_);
      b.symmetric_product(T(1), W.as_const(), H_.as_const(), T(0), R_, scratch_);
    }
    b.multiply(s, (steps.size() > 1 ? Q_ : H_).as_const(), x, T(0), y, scratch_);
  }

 private:
  /// H = a + bR + cR².
  void evaluate(B& b, const quintic& p) {
    const T first = static_cast<T>(p.b), second = static_cast<T>(p.c);
    if (squared_ || p.c == 0) {
      b.axpby(first, R_.as_const(), p.c == 0 ? T(0) : second, H_);
    } else {
      b.copy(R_.as_const(), H_);
      b.symmetric_product(second, R_.as_const(), R_.as_const(), first, H_, scratch_);
    }
    squared_ = false;
    const matrix_view<T, space> diagonal(H_.data(), 1, H_.rows(), H_.rows() + 1);
    const T constant = static_cast<T>(p.a);
    b.map_entries(diagonal.as_const(), diagonal, entry::plus<T>{constant});
  }

  matrix_view<T, space> R_, H_, Q_;
  std::span<T> scratch_;
  bool squared_ = false;
};

}  // namespace fanion
