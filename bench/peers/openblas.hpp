/// @file  Products by OpenBLAS on its threads, for the peers that take an operator, and the values
/// and vectors of A from eigenvectors of its Gram matrix.
#pragma once

#include "contender.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>

#include <cblas.h>

#include <random>
#include <string>

namespace peers::openblas {

inline std::string version() {
  return std::string(openblas_get_config()) + ", core " + openblas_get_corename();
}

inline void use_threads(int threads) { openblas_set_num_threads(threads); }

inline peer library() {
  return {.name = "OpenBLAS",
          .version = version(),
          .leading = nullptr,
          .polar = nullptr,
          .use_threads = use_threads};
}

/// y = A x or Aᵀ x.
inline void multiply(const Eigen::MatrixXd& a, bool transposed, const double* x, double* y) {
  const int m = static_cast<int>(a.rows()), n = static_cast<int>(a.cols());
  cblas_dgemv(CblasColMajor, transposed ? CblasTrans : CblasNoTrans, m, n, 1.0, a.data(), m, x, 1,
              0.0, y, 1);
}

/// Y = A X or Aᵀ X.
inline Eigen::MatrixXd multiply(const Eigen::MatrixXd& a, bool transposed,
                                const Eigen::MatrixXd& x) {
  Eigen::MatrixXd y(transposed ? a.cols() : a.rows(), x.cols());
  const int m = static_cast<int>(a.rows());
  cblas_dgemm(CblasColMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans,
              static_cast<int>(y.rows()), static_cast<int>(y.cols()), static_cast<int>(x.rows()),
              1.0, a.data(), m, x.data(), static_cast<int>(x.rows()), 0.0, y.data(),
              static_cast<int>(y.rows()));
  return y;
}

/// AᵀA or AAᵀ, whichever is smaller, in the form that Spectra takes too.
class gram_operator {
 public:
  using Scalar = double;

  explicit gram_operator(const Eigen::MatrixXd& a)
      : a_(&a), tall_(a.rows() > a.cols()), middle_(std::max(a.rows(), a.cols())) {}

  [[nodiscard]] index_t rows() const { return std::min(a_->rows(), a_->cols()); }
  [[nodiscard]] index_t cols() const { return rows(); }
  [[nodiscard]] double products() const { return products_; }

  void perform_op(const double* x, double* y) const {
    multiply(*a_, !tall_, x, middle_.data());
    multiply(*a_, tall_, middle_.data(), y);
    products_ += 2;
  }

  /// Triplets from orthonormal eigenvectors x: W = A x (or Aᵀ x) and its small SVD, as SciPy does.
  void finish(const Eigen::MatrixXd& x, answer& to) const {
    const Eigen::MatrixXd w = multiply(*a_, !tall_, x);
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(w);
    const Eigen::MatrixXd r =
        qr.matrixQR().topRows(x.cols()).template triangularView<Eigen::Upper>();
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(r, Eigen::ComputeFullU | Eigen::ComputeFullV);
    Eigen::MatrixXd left = Eigen::MatrixXd::Zero(w.rows(), x.cols());
    left.topRows(x.cols()) = svd.matrixU();
    left.applyOnTheLeft(qr.householderQ());
    to.sigma = svd.singularValues();
    to.u = tall_ ? left : Eigen::MatrixXd(x * svd.matrixV());
    to.v = tall_ ? Eigen::MatrixXd(x * svd.matrixV()) : left;
    to.products = products_ + static_cast<double>(x.cols());
    to.reads = products_ + 1;
  }

 private:
  const Eigen::MatrixXd* a_;
  bool tall_;
  mutable Eigen::VectorXd middle_;
  mutable double products_ = 0;
};

inline Eigen::VectorXd random_start(index_t n, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  return Eigen::VectorXd::NullaryExpr(n, [&] { return normal(bits); });
}

}  // namespace peers::openblas
