// A matrix that is never written down, and many matrices at once.
#include <fanion/adapters/eigen_sparse.hpp>
#include <fanion/eigen.hpp>

#include <cstdio>
#include <vector>

using namespace fanion;

int main() {
  // A 3000 x 2000 matrix with five entries a row. Its oracle in factors: D = -U diag(w) Vᵀ.
  std::vector<Eigen::Triplet<double>> entries;
  for (index_t i = 0; i < 3000; ++i)
    for (index_t c = 0; c < 5; ++c)
      entries.emplace_back(static_cast<int>(i), static_cast<int>(random_bits(1, i, c) % 2000),
                           random_normal(2, i, c));
  Eigen::SparseMatrix<double, Eigen::RowMajor> M(3000, 2000);
  M.setFromTriplets(entries.begin(), entries.end());

  sparse_operator A(M);
  auto sparse = plan_lmo_factors(dual(ky_fan(3)), A, block_krylov{.gap = 1e-2});
  const auto D = sparse.execute(A);
  std::printf("sparse: <M, D> = %.3f, %td products, gap at most %.1e (but for a chance of %.0e)\n",
              D.report.objective, D.report.passes, D.report.gap(), D.report.failure_probability);
  const Eigen::Map<const Eigen::MatrixXd> u(D.u.data(), 3000, D.u.cols());
  const Eigen::Map<const Eigen::MatrixXd> v(D.v.data(), 2000, D.v.cols());
  double objective = 0;  // the same from the factors
  for (index_t c = 0; c < u.cols(); ++c)
    objective -= D.weights[static_cast<std::size_t>(c)] * u.col(c).dot(M * v.col(c));

  // Twelve 64 x 256 matrices side by side, Muon's oracle for each, on two threads.
  const index_t count = 12;
  Eigen::MatrixXf heads = Eigen::MatrixXf::Random(64, 256 * count), steps(64, 256 * count);
  const batch_view<float> in{heads.data(), 64, 256, 64, 64 * 256, count};
  const batch_view<float> out{steps.data(), 64, 256, 64, 64 * 256, count};
  auto batch = plan_lmo_batch(spectral(), in, automatic{.gap = 1e-3}, 2);
  std::vector<lmo_report> reports(static_cast<std::size_t>(count));
  batch.execute(in.as_const(), out, reports);
  double worst = 0;
  for (const lmo_report& r : reports) worst = std::max(worst, r.gap());
  std::printf("batch: worst gap %.1e\n", worst);

  const bool same = std::abs(objective - D.report.objective) < 1e-9 * std::abs(objective);
  return same && D.report.gap() <= 1e-2 && worst <= 1e-3 ? 0 : 1;
}
