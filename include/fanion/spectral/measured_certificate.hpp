/// @file  What a matrix X proves about A and itself however it was found: for polar factors of
/// which only a part of the digits can be trusted.
#pragma once

#include <fanion/backend/batch_products.hpp>
#include <fanion/backend/measure.hpp>
#include <fanion/spectral/moments.hpp>
#include <fanion/spectral/polar_certificate.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace fanion {

/// What ‖X‖₂ is expected to be at most, where it would not exceed `top` in full precision, factors
/// of products are off by `u` and sums by `slack`. The first bound that is tried.
[[nodiscard]] constexpr double expected_norm(double top, double u, double slack) {
  return top * (1 + 4 * u) * (1 + slack);
}

/// For X, r x L like A's shorter side, and S = sym(A Xᵀ), which would be (AAᵀ)^½ for the polar
/// factor. For any c,
///
///   ‖A‖_* <= c ‖S X‖_* + ‖A - c S X‖_* <= c ‖X‖₂ ‖S‖_* + sqrt(r) ‖A - c S X‖_F,
///
/// ‖S‖_* <= tr S + 2 r τ where S + τI has a Cholesky factorisation, and tr S = <A, X>. ‖X‖₂² <= t
/// where tI - XXᵀ has one. All of it is computed in T, whatever X was, and waits. Where the first
/// tries succeed: 5 r²L + 2 r³ flops, r²L more for an X that is stored L x r; 4 reads of A. Memory:
/// r L + 2 r² scalars and scratch.
template <Real T, class B>
class measured_certificate {
 public:
  using space = typename B::space;

  /// Of `scratch` below.
  [[nodiscard]] static index_t scratch_size(const B& b, index_t r, index_t l) {
    return std::max({multiply_each_size<T>(b, l, r), b.template syrk_size<T>(r, l),
                     b.template symmetric_product_size<T>(r),
                     b.template invert_definite_size<T>(r)});
  }

  /// `lines` holds r L scalars and `squares` 2 r².
  measured_certificate(T* lines, T* squares, std::span<T> scratch)
      : lines_(lines), squares_(squares), scratch_(scratch) {}

  /// Fills all of `answer` but X, which has no more rows than columns here. `top` is what ‖X‖₂
  /// would not exceed in full precision, `u` the relative error of the factors that X was found
  /// with.
  void operator()(B& b, const operand<T, space>& a, const oriented_view<const T, space>& x,
                  double top, double u, polar_factor<T, space>& answer) const {
    const index_t r = x.rows();
    const matrix_view<T, space> s(squares_, r, r), w(squares_ + r * r, r, r);
    const matrix_view<T, space> y(lines_, x.storage.rows(), x.storage.cols());
    const bool turned = (a.rows() > a.cols()) != a.matrix.transposed;  // A's storage is L x r
    const bool across = turned != x.transposed;
    const auto seen = measure(b, measured::dot<T, space>{a.matrix.storage, x.storage, across},
                              measured::norm<T, space>{x.storage});
    const double product = static_cast<double>(seen[0]) * static_cast<double>(a.scale);
    const double energy = static_cast<double>(seen[1]) * static_cast<double>(seen[1]);
    const double slack = rounding<T>(a.rows(), a.cols()), size = static_cast<double>(r);
    answer.product = product;
    answer.effort.residual = std::abs(size - energy) / size;
    answer.effort.passes += 4;
    answer.nuclear_bound = std::sqrt(size) * a.frobenius * (1 + slack);
    answer.spectral_bound = std::numeric_limits<double>::infinity();
    if (!is_finite(energy)) return;
    answer.spectral_bound = spectral_bound(b, x, top, u, slack);
    if (!(product > 0) || !is_finite(answer.spectral_bound)) return;

    multiply_lines(b, {a.matrix.storage, turned}, x, s);  // A Xᵀ or its transpose
    b.template copy_adjoint<T>(s.as_const(), w);
    b.template axpby<T>(a.scale / 2, w.as_const(), a.scale / 2, s);
    if (x.transposed)
      b.template multiply<T>(T(1), x.storage, s.as_const(), T(0), y, scratch_);
    else
      b.template multiply<T>(T(1), s.as_const(), x.storage, T(0), y, scratch_);
    const auto both = measure(b, measured::dot<T, space>{a.matrix.storage, y.as_const(), across},
                              measured::norm<T, space>{y.as_const()});
    const double along = static_cast<double>(both[0]) * static_cast<double>(a.scale);
    const double length = static_cast<double>(both[1]), norm = answer.spectral_bound;
    const double c = best_share(norm * product, std::sqrt(size), a.frobenius, along, length);
    if (across)
      b.template axpby_adjoint<T>(a.scale, a.matrix.storage, static_cast<T>(-c), y);
    else
      b.template axpby<T>(a.scale, a.matrix.storage, static_cast<T>(-c), y);
    const double rest = static_cast<double>(b.norm(y.as_const()));
    // What S may lack of being definite costs as much as what is left over, an eighth at first.
    double allowed = std::max(rest, slack * a.frobenius) / (8 * std::sqrt(size));
    for (int tries = 0; tries < 4; ++tries, allowed *= 4) {
      if (!definite(b, s.as_const(), 1, allowed, w)) continue;
      const double bound =
          (c * norm * (product + 2 * size * allowed) + std::sqrt(size) * rest) * (1 + slack);
      answer.nuclear_bound = std::min(answer.nuclear_bound, bound);
      return;
    }
  }

 private:
  /// Whether a S + t I is positive definite, up to rounding. Overwrites w.
  [[nodiscard]] bool definite(B& b, matrix_view<const T, space> s, double a, double t,
                              matrix_view<T, space> w) const {
    b.template axpby<T>(static_cast<T>(a), s, T(0), w);
    const matrix_view<T, space> diagonal(w.data(), 1, w.rows(), w.rows() + 1);
    b.template map_entries<T>(diagonal.as_const(), diagonal, entry::plus<T>{static_cast<T>(t)});
    return b.template invert_definite<T>(w, scratch_);
  }

  [[nodiscard]] double spectral_bound(B& b, const oriented_view<const T, space>& x, double top,
                                      double u, double slack) const {
    const index_t r = x.rows();
    const matrix_view<T, space> gram(squares_, r, r), w(squares_ + r * r, r, r);
    if (x.transposed)
      multiply_lines(b, x, x, gram);
    else
      b.template syrk<T>(T(1), x.storage, T(0), gram, scratch_);
    for (const double more : {u, 4 * u}) {
      const double bound = expected_norm(top, more, 0);
      if (definite(b, gram.as_const(), -1, bound * bound, w)) return bound * (1 + slack);
    }
    b.template symmetric_product<T>(T(1), gram.as_const(), gram.as_const(), T(0), w, scratch_);
    return std::sqrt(moments_of(b, gram.as_const(), w.as_const()).top()) * (1 + slack);
  }

  /// S = P Qᵀ for r x L matrices, or its transpose.
  void multiply_lines(B& b, const oriented_view<const T, space>& p,
                      const oriented_view<const T, space>& q, matrix_view<T, space> s) const {
    if (p.transposed && q.transposed)
      b.template multiply_adjoint<T>(T(1), p.storage, q.storage, T(0), s, scratch_);
    else if (p.transposed)
      b.template multiply<T>(T(1), q.storage, p.storage, T(0), s, scratch_);
    else if (q.transposed)
      b.template multiply<T>(T(1), p.storage, q.storage, T(0), s, scratch_);
    else
      b.template multiply_outer<T>(T(1), p.storage, q.storage, T(0), s, scratch_);
  }

  /// The c >= 0 of least c d + e sqrt(f² - 2c g + c²h²), a convex function.
  [[nodiscard]] static double best_share(double d, double e, double f, double g, double h) {
    const auto at = [=](double c) {
      return c * d + e * std::sqrt(std::max(0.0, f * f - 2 * c * g + c * c * h * h));
    };
    double low = 0, high = 4;
    for (int i = 0; i < 60; ++i) {
      const double left = low + (high - low) / 3, right = high - (high - low) / 3;
      if (at(left) <= at(right))
        high = right;
      else
        low = left;
    }
    return (low + high) / 2;
  }

  T* lines_;
  T* squares_;
  std::span<T> scratch_;
};

}  // namespace fanion
