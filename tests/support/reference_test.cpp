// The references themselves, against a second witness.
#include <doctest/doctest.h>

#include "support/matrices.hpp"
#include "support/reference.hpp"

#include <Eigen/SVD>

TEST_CASE("the Jacobi decomposition agrees with Eigen's and rebuilds its matrix") {
  for (const auto& s : matrices::small_shapes())
    for (const auto& kind : matrices::kinds()) {
      INFO(kind.name);
      const Eigen::MatrixXd x = kind.make(s.rows, s.cols);
      const auto d = reference::svd(reference::widen(x));
      const auto quick = reference::svd<double>(x);
      const Eigen::VectorXd other = x.jacobiSvd().singularValues();
      for (Eigen::Index i = 0; i < s.shorter(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        CHECK(std::abs(static_cast<double>(d.sigma[at]) - other(i)) <= 1e-13 * other(0));
        CHECK(std::abs(quick.sigma[at] - other(i)) <= 1e-13 * other(0));
      }
      const reference::table back = reference::compose(d, d.sigma);
      CHECK(static_cast<double>((back - reference::widen(x)).norm()) <=
            1e-16 * x.norm() * static_cast<double>(s.rows + s.cols));
    }
}

TEST_CASE("the kinds are what their names say") {
  const auto sigma = [](const Eigen::MatrixXd& x) {
    return reference::svd(reference::widen(x)).sigma;
  };
  CHECK(sigma(matrices::rank_one(9, 7))[1] < 1e-14L);
  CHECK(sigma(matrices::rank_deficient(9, 8))[4] < 1e-14L);
  CHECK(sigma(matrices::rank_deficient(9, 8))[3] > 0.1L);
  const auto flat = sigma(matrices::orthogonal(9, 7));
  CHECK(std::fabs(flat.front() - flat.back()) < 1e-14L);
  const auto graded = sigma(matrices::graded(9, 7));
  CHECK(std::fabs(graded.back() - 1e-6L) < 1e-14L);
  const auto groups = sigma(matrices::clustered(9, 7));
  CHECK(std::fabs(groups[0] - groups[2]) < 1e-14L);
  CHECK(std::fabs(groups[3] - 0.9L) < 1e-14L);
}
