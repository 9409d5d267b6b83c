/// @file  Eigen's sparse matrices as operators.
#pragma once

#include <fanion/core/view.hpp>

#include <Eigen/SparseCore>

namespace fanion {

/// A LinearOperator that refers to a sparse matrix of the caller's. Its products are Eigen's; store
/// the matrix by rows if the compiler has OpenMP and A x is to run on threads.
template <class S>
class sparse_operator {
 public:
  using scalar = typename S::Scalar;

  explicit sparse_operator(const S& a) : a_(&a) {}
  explicit sparse_operator(const S&&) = delete;  // it would outlive the matrix

  [[nodiscard]] index_t rows() const { return a_->rows(); }
  [[nodiscard]] index_t cols() const { return a_->cols(); }

  void apply(matrix_view<const scalar> x, matrix_view<scalar> y) const {
    writable(y).noalias() = *a_ * readable(x);
  }
  void apply_adjoint(matrix_view<const scalar> x, matrix_view<scalar> y) const {
    writable(y).noalias() = a_->transpose() * readable(x);
  }

 private:
  using dense = Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic>;
  using stride = Eigen::OuterStride<>;

  static auto readable(matrix_view<const scalar> x) {
    return Eigen::Map<const dense, 0, stride>(x.data(), x.rows(), x.cols(), stride(x.ld()));
  }
  static auto writable(matrix_view<scalar> y) {
    return Eigen::Map<dense, 0, stride>(y.data(), y.rows(), y.cols(), stride(y.ld()));
  }

  const S* a_;
};

}  // namespace fanion
