/// @file  All singular triplets, by the backend's full decomposition.
#pragma once

#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/methods.hpp>

#include <vector>

namespace fanion {

/// O(m n r) per Jacobi sweep; memory (m + n) r scalars, r = min(m, n), and about twice that of
/// scratch. Remembers nothing.
template <Real T, class B>
class exact_solver {
 public:
  using space = typename B::space;

  exact_solver(B& b, index_t m, index_t n)
      : m_(m),
        n_(n),
        r_(std::min(m, n)),
        buffer_(b.template make_workspace<T>((m + n) * r_ + scratch_size(b, m, n))),
        sigma_(static_cast<std::size_t>(r_)),
        upper_(static_cast<std::size_t>(r_)) {}

  [[nodiscard]] triplets<T, space> solve(B& b, const operand<T, space>& a) {
    const matrix_view<T, space> u(buffer_.data(), m_, r_), v(buffer_.data() + m_ * r_, n_, r_);
    const auto scratch = buffer_.span().subspan(static_cast<std::size_t>((m_ + n_) * r_));
    if (a.matrix.transposed)
      b.small_svd(a.matrix.storage, v, std::span(sigma_), u, scratch);
    else
      b.small_svd(a.matrix.storage, u, std::span(sigma_), v, scratch);

    // What lies below rounding is noise: its vectors are arbitrary, so they take no part.
    const T first = sigma_.empty() ? T(0) : sigma_.front() * a.scale;
    const T noise = T(std::max(m_, n_)) * std::numeric_limits<T>::epsilon() * first;
    // Rotations and reflections spread their errors over the whole matrix, so that a singular value
    // meets them as it meets noise of that Frobenius norm: a share 1/sqrt(r) of it.
    const double slack = rounding<T>(m_, n_) * a.frobenius /
                         std::sqrt(static_cast<double>(std::max<index_t>(1, r_)));
    for (std::size_t i = 0; i < sigma_.size(); ++i) {
      sigma_[i] *= a.scale;
      upper_[i] = static_cast<double>(sigma_[i]) + slack;
      if (sigma_[i] <= noise) sigma_[i] = T(0);
    }
    return {.u = u.as_const(),
            .v = v.as_const(),
            .sigma = sigma_,
            .upper = upper_,
            // The departure of Jacobi's vectors from orthonormal grows with the number of rotations
            // of a column: half of this was seen up to 700 x 700.
            .contraction = 1 + static_cast<double>(std::max(m_, n_)) *
                                   static_cast<double>(std::numeric_limits<T>::epsilon()),
            .effort = {.residual = rounding<T>(m_, n_), .passes = 1, .iterations = 1}};
  }

 private:
  static index_t scratch_size(const B& b, index_t m, index_t n) {
    return std::max(b.template small_svd_size<T>(m, n), b.template small_svd_size<T>(n, m));
  }

  index_t m_, n_, r_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::vector<T> sigma_;
  std::vector<double> upper_;
};

}  // namespace fanion
