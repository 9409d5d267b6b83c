/// @file  LibTorch's operators on the CPU: its full decomposition, and Newton-Schulz in its
/// products.
#pragma once

#include "../support/clock.hpp"
#include "contender.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <string>

namespace peers::torch_cpu {

/// A copy in torch's row-major order.
inline at::Tensor tensor_of(const Eigen::MatrixXd& a, at::ScalarType scalar) {
  const at::Tensor turned = at::from_blob(const_cast<double*>(a.data()), {a.cols(), a.rows()},
                                          at::TensorOptions().dtype(at::kDouble));
  return turned.t().contiguous().to(scalar);
}

inline Eigen::MatrixXd matrix_of(const at::Tensor& x) {
  const at::Tensor turned = x.to(at::kDouble).t().contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(turned.data_ptr<double>(), x.size(0), x.size(1));
}

inline answer decompose(const question& q, at::ScalarType scalar) {
  const at::Tensor a = tensor_of(q.a, scalar);
  at::Tensor u, s, vt;
  answer got;
  got.milliseconds =
      bench::milliseconds([&] { std::tie(u, s, vt) = at::linalg_svd(a, /*full_matrices=*/false); });
  got.u = matrix_of(u);
  got.v = matrix_of(vt.t());
  got.sigma = matrix_of(s.unsqueeze(1)).col(0);
  return got;
}

/// As Muon writes it, in the precision of the matrix; on the shorter side.
inline answer five_steps(const question& q, at::ScalarType scalar) {
  const bool tall = q.a.rows() > q.a.cols();
  at::Tensor x = tensor_of(q.a, scalar);
  if (tall) x = x.t().contiguous();
  answer got;
  got.milliseconds = bench::milliseconds([&] {
    x = x / at::norm(x);
    for (int i = 0; i < 5; ++i) {
      const at::Tensor gram = at::mm(x, x.t());
      const at::Tensor half = at::addmm(gram, gram, gram, -4.7750, 2.0315);
      x = at::addmm(x, half, x, 3.4445, 1);
    }
  });
  got.polar = matrix_of(tall ? x.t() : x);
  got.iterations = 5;
  return got;
}

inline contender full(const std::string& scalar, int threads) {
  const auto type = scalar == "float" ? at::kFloat : at::kDouble;
  return {.name = "LibTorch linalg_svd",
          .scalar = scalar,
          .threads = threads,
          .settings = {{"", 0, [type](const question& q) { return decompose(q, type); }}}};
}

inline contenders leading(index_t, index_t) { return {full("double", 2)}; }

inline contenders polar(const std::string& scalar, int threads) {
  const auto type = scalar == "float" ? at::kFloat : at::kDouble;
  return {full(scalar, threads),
          {.name = "Newton-Schulz in LibTorch",
           .scalar = scalar,
           .threads = threads,
           .settings = {{"5 steps", 0, [type](const question& q) { return five_steps(q, type); }}},
           .reference = true}};
}

inline peer library() {
  return {.name = "LibTorch",
          .version = TORCH_VERSION,
          .leading = leading,
          .polar = polar,
          .use_threads = [](int threads) { at::set_num_threads(threads); },
          .full_only = true};
}

}  // namespace peers::torch_cpu
