/// @file  Singular values, compiled once.

#include <run/spectra.hpp>

#include <Eigen/SVD>

namespace trainers {

std::vector<float> singular_values(const Eigen::Ref<const Eigen::MatrixXf>& m) {
  const Eigen::VectorXd s = Eigen::BDCSVD<Eigen::MatrixXd>(m.cast<double>()).singularValues();
  std::vector<float> out;
  for (const double x : s) out.push_back(static_cast<float>(x));
  return out;
}

}  // namespace trainers
