/// @file  Gradients to try.
#pragma once

#include <fanion/core/types.hpp>

#include <Eigen/Core>

#include <cstdlib>

namespace fanion_test {

using fanion::index_t;

/// A few strong directions and noise.
template <class T>
Eigen::MatrixX<T> gradient(index_t rows, index_t cols, unsigned seed = 7) {
  std::srand(seed);
  Eigen::MatrixXd m = 0.1 * Eigen::MatrixXd::Random(rows, cols);
  m += Eigen::MatrixXd::Random(rows, 3) * Eigen::MatrixXd::Random(3, cols);
  return m.cast<T>();
}

}  // namespace fanion_test
