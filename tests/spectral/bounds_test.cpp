/// The energy bounds on singular values, against spectra that are known.
#include <fanion/spectral/bounds.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

using fanion::bound_singular_values;

/// The bounds for a matrix with singular values `s` of which the first `found` were computed.
std::vector<double> bounds(const std::vector<double>& s, std::size_t found, double residual = 0) {
  double energy = 0;
  for (const double x : s) energy += x * x;
  std::vector<double> upper(s.size());
  bound_singular_values(std::span<const double>(s.data(), found), residual, std::sqrt(energy), 0.0,
                        std::span<double>(upper));
  return upper;
}

TEST_CASE("bounds hold for flat, decaying and low-rank spectra, however many values were found") {
  std::vector<std::vector<double>> spectra(3, std::vector<double>(12));
  for (std::size_t i = 0; i < 12; ++i) {
    spectra[0][i] = 1;
    spectra[1][i] = std::pow(0.6, static_cast<double>(i));
    spectra[2][i] = i < 3 ? 5.0 - static_cast<double>(i) : 0.0;
  }
  for (const auto& s : spectra)
    for (std::size_t found = 0; found <= s.size(); ++found) {
      const auto upper = bounds(s, found);
      for (std::size_t i = 0; i < s.size(); ++i) {
        CAPTURE(found);
        CAPTURE(i);
        CHECK(upper[i] >= s[i] * (1 - 1e-14));
      }
    }
}

TEST_CASE("bounds are exact where the computed part holds all of the energy") {
  const std::vector<double> s{5, 4, 3, 0, 0};
  const auto upper = bounds(s, 3);
  for (std::size_t i = 0; i < s.size(); ++i) CHECK(upper[i] == doctest::Approx(s[i]));
}

TEST_CASE("without a factorisation the energy is shared out: sqrt(energy / i)") {
  const std::vector<double> s{3, 4};  // only the energy, 25, is looked at
  const auto upper = bounds(s, 0);
  CHECK(upper[0] == doctest::Approx(5));
  CHECK(upper[1] == doctest::Approx(5 / std::sqrt(2.0)));
}

TEST_CASE("a residual widens the bounds by as much") {
  const std::vector<double> s{5, 4, 3, 0, 0};
  const auto upper = bounds(s, 3, 0.25);
  CHECK(upper[0] == doctest::Approx(5.25));
  CHECK(upper[2] == doctest::Approx(3.25));
}

}  // namespace
