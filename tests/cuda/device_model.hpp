/// @file  Two matrices and a bias for optimizers to train on the device, and their checkpoints.
#pragma once

#include <cuda/device_matrix.hpp>

#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>

#include <array>
#include <sstream>
#include <string>

namespace fanion_test {

using fanion::any_rule;
using fanion::make_parameter;
using fanion::optimizer;
using fanion::oriented_view;
using fanion::parameter_kind;

template <class T>
using on_device = oriented_view<T, fanion::device_space>;

/// Two matrices and a bias, under a rule each, on the device and on the host.
struct model {
  model(backend_on_double& b, index_t m, index_t n)
      : rows(m), cols(n), backend(b), W(b, start(0)), V(b, start(1)), c(b, start(2).leftCols(1)) {}

  [[nodiscard]] Eigen::MatrixXf start(unsigned which) const {
    return gradient<float>(rows, cols, 20 + which);
  }
  [[nodiscard]] Eigen::MatrixXf slope(unsigned which, unsigned t) const {
    return gradient<float>(rows, cols, which) + 0.1f * gradient<float>(rows, cols, 30 + t);
  }

  void enter(optimizer<float, backend_on_double>& opt) {
    opt.add(make_parameter<float>("W", on_device<float>{W.view(), false},
                                  on_device<const float>{dW.view().as_const(), false}));
    opt.add(make_parameter<float>("V", on_device<float>{V.view(), false},
                                  on_device<const float>{dV.view().as_const(), false}),
            any_rule<float, backend_on_double>(fanion::fanion_k(3)));
    opt.add(make_parameter<float>("c", on_device<float>{c.view(), false},
                                  on_device<const float>{dc.view().as_const(), false},
                                  parameter_kind::bias));
  }
  void set(unsigned t) {
    dW.set(slope(0, t));
    dV.set(slope(1, t));
    dc.set(slope(2, t).leftCols(1));
  }
  [[nodiscard]] std::array<Eigen::MatrixXf, 3> get() const { return {W.get(), V.get(), c.get()}; }

  index_t rows, cols;
  backend_on_double& backend;
  device_matrix<float> W, V, c;
  device_matrix<float> dW{backend, rows, cols}, dV{backend, rows, cols}, dc{backend, rows, 1};
};
template <class O>
std::string saved(const O& opt) {
  std::ostringstream out;
  opt.save(out);
  return out.str();
}
template <class O>
void restore(O& opt, const std::string& state) {
  std::istringstream in(state);
  opt.load(in);
}

}  // namespace fanion_test
