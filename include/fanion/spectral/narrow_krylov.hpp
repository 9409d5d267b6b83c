/// @file  Block Krylov iteration for a matrix of doubles on a copy of it in float, which is half as
/// long to read.
#pragma once

#include <fanion/spectral/block_krylov.hpp>
#include <fanion/spectral/one_sided.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace fanion {

/// The copy Ã differs from A by rounding alone, so ‖A - Ã‖₂ <= ‖A - Ã‖_F <= 2⁻²⁴ ‖A‖_F or a little
/// more, and what is proven about Ã holds for A with that much added. The left vectors of Ã, made
/// orthonormal in T, get their values and right vectors from A itself. Beside the solver's passes
/// over Ã, one to make it and one for that; memory for the copy, and (m + n) 2k scalars.
template <Real T, class B>
class narrow_krylov_solver {
 public:
  using space = typename B::space;

  narrow_krylov_solver(B& b, index_t m, index_t n, index_t k, const block_krylov& method)
      : m_(m),
        n_(n),
        depth_(std::min({k, m, n})),
        gap_(method.gap.value_or(default_gap<float>)),
        asks_for_gap_(!method.tol && method.passes == 0),
        inner_(b, m, n, k, with_gap(method, gap_ * 15 / 16)),
        copy_(b.template make_workspace<float>(m * n)),
        buffer_(b.template make_workspace<T>(
            2 * (m + n) * depth_ +
            std::max(one_sided_scratch_size<T>(b, m, n, depth_), apply_size<T>(b, m, n, depth_)))),
        sigma_(static_cast<std::size_t>(depth_)),
        upper_(static_cast<std::size_t>(depth_)) {
    view_cutter<T, space> take(buffer_.data());
    for (const std::size_t s : {0u, 1u})
      for (auto* view : {&basis_[s], &vectors_[s]}) *view = take(s == 0 ? m : n, depth_);
  }

  /// Allocates nothing.
  [[nodiscard]] triplets<T, space> solve(B& b, const operand<T, space>& a) {
    const auto& storage = a.matrix.storage;
    const matrix_view<float, space> copy(copy_.data(), storage.rows(), storage.cols());
    b.convert(static_cast<double>(a.scale), storage, copy);
    const operand<float, space> narrow{{copy.as_const(), a.matrix.transposed}, 1.0F, a.frobenius};
    const auto found = inner_.solve(b, narrow);

    const std::size_t left = left_side(a);
    const auto x = basis_[left], f = basis_[1 - left];
    const auto scratch = buffer_.span().subspan(static_cast<std::size_t>(2 * (m_ + n_) * depth_));
    b.convert(1.0, left == 0 ? found.u : found.v, x);
    (void)b.template orthonormalize<T>(x, scratch);
    if (left == 0)
      apply_adjoint(b, a, x.as_const(), f, scratch);
    else
      apply(b, a, x.as_const(), f, scratch);
    triplets_from_side(b, x.as_const(), f, vectors_[left], std::span(sigma_), vectors_[1 - left],
                       scratch);

    triplets<T, space> answer;
    answer.effort = found.effort;
    answer.effort.passes += 2;
    const double apart = 0x1.01p-24 * a.frobenius +
                         0x1p-149 * std::sqrt(static_cast<double>(m_) * static_cast<double>(n_));
    const T noise = T(std::max(m_, n_)) * std::numeric_limits<T>::epsilon() * sigma_.front();
    double value = 0, bound = 0;
    for (std::size_t i = 0; i < sigma_.size(); ++i) {
      upper_[i] = (found.upper[i] + apart) * (1 + rounding<T>(m_, n_));
      if (sigma_[i] <= noise) sigma_[i] = T(0);
      value += static_cast<double>(sigma_[i]);
      bound += upper_[i];
    }
    auto& end = answer.effort.outcome;
    // What the difference costs was set aside; where it is more, the copy is not good enough. And
    // nothing is known of how far it turns the vectors.
    if (asks_for_gap_ && end == outcome::converged && value < (1 - gap_) * bound)
      end = outcome::budget_spent;
    if (!asks_for_gap_ && end == outcome::converged) end = outcome::vectors_not_identified;
    answer.u = vectors_[0].as_const();
    answer.v = vectors_[1].as_const();
    answer.sigma = sigma_;
    answer.upper = upper_;
    answer.contraction = 1 + rounding<T>(m_, n_) +
                         static_cast<double>(std::max(m_, n_)) *
                             static_cast<double>(std::numeric_limits<T>::epsilon());
    return answer;
  }

  void reset() { inner_.reset(); }
  void seed(B& b, input<T, space> v) {
    const matrix_view<float, space> narrow(copy_.data(), v.rows(), std::min(v.cols(), depth_));
    b.convert(1.0, v.columns(0, narrow.cols()), narrow);
    inner_.seed(b, narrow.as_const());
  }
  void save(const B& b, archive_writer& out) const { inner_.save(b, out); }
  void load(const B& b, archive_reader& in) { inner_.load(b, in); }

 private:
  static block_krylov with_gap(block_krylov method, double gap) {
    method.gap = gap;
    return method;
  }

  index_t m_, n_, depth_;
  double gap_;
  bool asks_for_gap_;
  krylov_solver<float, B> inner_;
  decltype(std::declval<B&>().template make_workspace<float>(0)) copy_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> sigma_;
  std::vector<double> upper_;
  matrix_view<T, space> basis_[2], vectors_[2];
};

}  // namespace fanion
