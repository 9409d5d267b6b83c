// What a Gram matrix and its square say about the spectrum, against the spectrum.
#include <doctest/doctest.h>

#include "support/matrices.hpp"
#include "support/reference.hpp"

#include <fanion/eigen.hpp>
#include <fanion/spectral/moments.hpp>

using namespace fanion;

namespace {

template <class T>
gram_moments moments(const matrices::dense& m) {
  eigen_backend b;
  const matrices::dense gram = m * m.transpose();
  const Eigen::Matrix<T, -1, -1> R = gram.cast<T>(), S = (gram * gram).cast<T>();
  return moments_of(b, matrix_adapter<Eigen::Matrix<T, -1, -1>>::view(R).storage,
                    matrix_adapter<Eigen::Matrix<T, -1, -1>>::view(S).storage);
}

}  // namespace

TEST_CASE_TEMPLATE(
    "the bound on the largest eigenvalue is one, and tighter than what it is made of", T, float,
    double) {
  for (const matrices::shape& s :
       std::vector<matrices::shape>{{1, 1}, {1, 5}, {2, 2}, {12, 30}, {40, 40}, {65, 66}})
    for (const auto& kind : matrices::kinds()) {
      CAPTURE(kind.name);
      CAPTURE(s.name());
      const matrices::dense m = kind.make(s.rows, s.cols);
      const auto f = reference::quick_facts_of(m);
      const double largest = static_cast<double>(reference::spectral(f) * reference::spectral(f));
      const gram_moments seen = moments<T>(m);
      CHECK(seen.top() >= largest * (1 - 1e-12));
      CHECK(seen.top() <= std::sqrt(std::sqrt(seen.fourth)) * (1 + 1e-3));
      CHECK(seen.mean_root() <=
            static_cast<double>(reference::nuclear(f)) / static_cast<double>(s.rows) * (1 + 1e-5));
    }
  // Where all are equal it is exact, up to the root of what rounding hides.
  CHECK(moments<T>(matrices::orthogonal(40, 50)).top() <= (sizeof(T) == 4 ? 1.02 : 1.0001));
  // Noise: fourth roots of sums alone are off by 1.7 here.
  const auto noise = matrices::gaussian(200, 200);
  const double top = static_cast<double>(reference::spectral(reference::quick_facts_of(noise)));
  CHECK(std::sqrt(moments<T>(noise).top()) <= 1.25 * top);
}
