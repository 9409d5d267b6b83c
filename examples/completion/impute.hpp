/// @file  Completion by matrices of rank k: the best approximation of the matrix with the mean
/// image in the unseen places, and its iteration.
#pragma once

#include <completion/entries.hpp>

#include <fanion/core/random.hpp>

#include <Eigen/Dense>
#include <Eigen/SparseCore>

#include <vector>

namespace completion {

/// X = a bᵀ, a m x k, b n x k.
struct rank_k {
  Eigen::MatrixXf a, b;
};

/// X at the entries of a list.
[[nodiscard]] inline Eigen::ArrayXf values_of(const rank_k& x, const entry_list& at) {
  Eigen::ArrayXf out(static_cast<Eigen::Index>(at.size()));
  for (std::size_t e = 0; e < at.size(); ++e)
    out[static_cast<Eigen::Index>(e)] = x.a.row(at.row[e]).dot(x.b.row(at.col[e]));
  return out;
}

/// Z = S + a bᵀ is never written down: its products are those of its parts.
struct filled {
  Eigen::SparseMatrix<float, Eigen::RowMajor> s;
  rank_k x;

  [[nodiscard]] Eigen::MatrixXf times(const Eigen::MatrixXf& v) const {
    return s * v + x.a * (x.b.transpose() * v);
  }
  [[nodiscard]] Eigen::MatrixXf adjoint_times(const Eigen::MatrixXf& u) const {
    return s.transpose() * u + x.b * (x.a.transpose() * u);
  }
};

[[nodiscard]] inline Eigen::MatrixXf orthonormal(const Eigen::MatrixXf& y) {
  return Eigen::HouseholderQR<Eigen::MatrixXf>(y).householderQ() *
         Eigen::MatrixXf::Identity(y.rows(), y.cols());
}

/// The best approximation of rank k, by orthogonal iteration from v: Z v vᵀ.
[[nodiscard]] inline rank_k best_rank(const filled& z, Eigen::MatrixXf v, int sweeps) {
  for (int i = 0; i < sweeps; ++i) v = orthonormal(z.adjoint_times(orthonormal(z.times(v))));
  return {z.times(v), v};
}

/// Hard imputation (Mazumder, Hastie and Tibshirani 2010): the unseen places are filled from the
/// matrix of rank k, which is then fitted anew, `rounds` times. The first fit, with the mean in
/// those places, is the SVD of the filled matrix; later ones start from its subspace and make two
/// sweeps each.
[[nodiscard]] inline rank_k hard_impute(index_t rows, index_t cols, const entry_list& observed,
                                        index_t k, int rounds) {
  filled z{{rows, cols}, {Eigen::MatrixXf::Zero(rows, k), Eigen::MatrixXf::Zero(cols, k)}};
  std::vector<Eigen::Triplet<float>> places;
  for (std::size_t e = 0; e < observed.size(); ++e)
    places.emplace_back(observed.row[e], observed.col[e], observed.value[e]);
  z.s.setFromTriplets(places.begin(), places.end());
  const Eigen::ArrayXf data = Eigen::Map<const Eigen::ArrayXf>(
      observed.value.data(), static_cast<Eigen::Index>(observed.size()));

  Eigen::MatrixXf v(cols, k);
  for (index_t j = 0; j < k; ++j)
    for (index_t i = 0; i < cols; ++i) v(i, j) = static_cast<float>(fanion::random_normal(7, i, j));
  rank_k x = best_rank(z, orthonormal(v), 20);
  for (int round = 0; round < rounds; ++round) {
    Eigen::Map<Eigen::ArrayXf>(z.s.valuePtr(), z.s.nonZeros()) = data - values_of(x, observed);
    z.x = x;
    x = best_rank(z, orthonormal(x.b), 2);
  }
  return x;
}

}  // namespace completion
