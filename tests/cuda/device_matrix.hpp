/// @file  Matrices of Eigen on the device of the double.
#pragma once

#include <cuda/backend_on_double.hpp>
#include <cuda/gradient.hpp>

#include <Eigen/Core>

namespace fanion_test {

using fanion::matrix_view;

/// A matrix on the device.
template <class T>
class device_matrix {
 public:
  device_matrix(backend_on_double& b, index_t rows, index_t cols)
      : backend_(b), memory_(b.make_workspace<T>(rows * cols)), view_(memory_.data(), rows, cols) {}
  device_matrix(backend_on_double& b, const Eigen::MatrixX<T>& m)
      : device_matrix(b, m.rows(), m.cols()) {
    set(m);
  }
  void set(const Eigen::MatrixX<T>& m) {
    backend_.template upload<T>(matrix_view<const T>(m.data(), m.rows(), m.cols()), view_);
  }
  [[nodiscard]] matrix_view<T, fanion::device_space> view() const { return view_; }
  [[nodiscard]] Eigen::MatrixX<T> get() const {
    Eigen::MatrixX<T> m(view_.rows(), view_.cols());
    backend_.template download<T>(view_.as_const(), matrix_view<T>(m.data(), m.rows(), m.cols()));
    return m;
  }

 private:
  backend_on_double& backend_;
  fanion::device::device_memory<T> memory_;
  matrix_view<T, fanion::device_space> view_;
};

}  // namespace fanion_test
