/// @file  LAPACK's full singular value decomposition by divide and conquer (gesdd), in OpenBLAS.
#pragma once

#include "../support/clock.hpp"
#include "contender.hpp"

#include <lapacke.h>

#include <algorithm>
#include <concepts>
#include <stdexcept>
#include <string>
#include <vector>

namespace peers::lapack {

template <class T>
int gesdd(int m, int n, T* a, T* sigma, T* u, T* vt, T* work, int size, int* iwork) {
  const int r = std::min(m, n);
  if constexpr (std::same_as<T, float>)
    return LAPACKE_sgesdd_work(LAPACK_COL_MAJOR, 'S', m, n, a, m, sigma, u, m, vt, r, work, size,
                               iwork);
  else
    return LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'S', m, n, a, m, sigma, u, m, vt, r, work, size,
                               iwork);
}

/// All triplets. Workspace and the copy that gesdd destroys are made before the clock starts.
template <class T>
answer decompose(const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& a) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const int m = static_cast<int>(a.rows()), n = static_cast<int>(a.cols()), r = std::min(m, n);
  matrix copy = a, u(m, r), vt(r, n);
  Eigen::Matrix<T, Eigen::Dynamic, 1> sigma(r);
  std::vector<int> iwork(static_cast<std::size_t>(8 * r));
  T size = 0;
  gesdd<T>(m, n, copy.data(), sigma.data(), u.data(), vt.data(), &size, -1, iwork.data());
  std::vector<T> work(static_cast<std::size_t>(size) + 64);
  answer got;
  int info = 0;
  got.milliseconds = bench::milliseconds([&] {
    info = gesdd(m, n, copy.data(), sigma.data(), u.data(), vt.data(), work.data(),
                 static_cast<int>(work.size()), iwork.data());
  });
  if (info != 0) throw std::runtime_error("gesdd: info " + std::to_string(info));
  got.u = u.template cast<double>();
  got.v = vt.transpose().template cast<double>();
  got.sigma = sigma.template cast<double>();
  return got;
}

inline contender full(const std::string& scalar, int threads) {
  return {.name = "LAPACK gesdd, OpenBLAS",
          .scalar = scalar,
          .threads = threads,
          .settings = {{"", 0, [scalar](const question& q) {
                          return scalar == "float" ? decompose<float>(q.narrow)
                                                   : decompose<double>(q.a);
                        }}}};
}

inline contenders leading(index_t, index_t) { return {full("double", 2)}; }
inline contenders polar(const std::string& scalar, int threads) { return {full(scalar, threads)}; }

inline peer library(const std::string& version) {
  return {.name = "LAPACKE",
          .version = version,
          .leading = leading,
          .polar = polar,
          .use_threads = nullptr,
          .full_only = true};
}

}  // namespace peers::lapack
