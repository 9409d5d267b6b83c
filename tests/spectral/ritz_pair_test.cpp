/// The pair of bases on its own: what it says of bases that are not orthonormal.
#include <fanion/backend/eigen.hpp>
#include <fanion/spectral/ritz_pair.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

using namespace fanion;

TEST_CASE("the contraction counts both sides, and no more columns than are asked for") {
  eigen_backend b;
  // Columns of the identity times `length`, the third one longer still.
  const auto with = [&](double left, double right) {
    ritz_pair<double, eigen_backend> pair(b, 7, 6, 3);
    for (const std::size_t s : {0u, 1u})
      for (index_t j = 0; j < 3; ++j)
        pair.at(s).basis(j, j) = (s == 0 ? left : right) * (j == 2 ? 5 : 1);
    return pair.contraction(b, 2);
  };
  CHECK(with(1, 1) == doctest::Approx(1).epsilon(1e-15));
  // XᵀX - I = (l² - 1) I has norm sqrt(2) (l² - 1); the bound is on ‖U‖₂ ‖V‖₂.
  const double bound = std::sqrt(1 + std::sqrt(2.0) * 1.25);
  CHECK(with(1.5, 1) == doctest::Approx(bound));
  CHECK(with(1, 1.5) == doctest::Approx(bound));
  CHECK(with(1.5, 1.5) == doctest::Approx(bound * bound));
  CHECK(bound >= 1.5);
  CHECK(with(0, 1) == doctest::Approx(1).epsilon(1e-15));  // a zero column contracts
  ritz_pair<double, eigen_backend> pair(b, 7, 6, 3);
  CHECK(pair.contraction(b, 0) == 1);
}
