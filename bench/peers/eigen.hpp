/// @file  Eigen's full singular value decomposition, and a plain Newton-Schulz
/// in its products.
#pragma once

#include "../support/clock.hpp"
#include "../support/plain_newton_schulz.hpp"
#include "contender.hpp"

#include <Eigen/SVD>

#include <concepts>
#include <string>

namespace peers::eigen {

template <class T>
const auto& in_precision(const question& q) {
  if constexpr (std::same_as<T, float>)
    return q.narrow;
  else
    return q.a;
}

template <class T>
answer decompose(const question& q) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const matrix& a = in_precision<T>(q);
  Eigen::BDCSVD<matrix> svd(a.rows(), a.cols(), Eigen::ComputeThinU | Eigen::ComputeThinV);
  answer got;
  got.milliseconds = bench::milliseconds([&] { svd.compute(a); });
  got.u = svd.matrixU().template cast<double>();
  got.v = svd.matrixV().template cast<double>();
  got.sigma = svd.singularValues().template cast<double>();
  return got;
}

/// On the shorter side: a tall matrix is turned beforehand, free of charge.
template <class T>
answer five_steps(const question& q) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const bool tall = q.a.rows() > q.a.cols();
  const matrix a = tall ? matrix(in_precision<T>(q).transpose()) : in_precision<T>(q);
  bench::plain_newton_schulz<T> iteration(a.rows(), a.cols());
  answer got;
  got.milliseconds = bench::milliseconds([&] { iteration.run(a, 5); });
  const Eigen::MatrixXd x = iteration.x().template cast<double>();
  got.polar = tall ? Eigen::MatrixXd(x.transpose()) : x;
  got.iterations = 5;
  return got;
}

inline contender full(const std::string& scalar, int threads) {
  return {.name = "Eigen BDCSVD",
          .scalar = scalar,
          .threads = threads,
          .settings = {{"", 0, scalar == "float" ? decompose<float> : decompose<double>}}};
}

inline contenders leading(index_t, index_t) { return {full("double", 2)}; }

inline contenders polar(const std::string& scalar, int threads) {
  return {full(scalar, threads),
          {.name = "Newton-Schulz in Eigen",
           .scalar = scalar,
           .threads = threads,
           .settings = {{"5 steps", 0, scalar == "float" ? five_steps<float> : five_steps<double>}},
           .reference = true}};
}

inline peer library() {
  const auto part = [](int n) { return std::to_string(n); };
  return {.name = "Eigen",
          .version = part(EIGEN_WORLD_VERSION) + "." + part(EIGEN_MAJOR_VERSION) + "." +
                     part(EIGEN_MINOR_VERSION),
          .leading = leading,
          .polar = polar,
          .use_threads = [](int threads) { Eigen::setNbThreads(threads); },
          .tight = decompose<double>,
          .full_only = true};
}

}  // namespace peers::eigen
