// Gauges of the singular values alone: their formulas, and what a subgradient has to be.
#include <doctest/doctest.h>

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/rms.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using namespace fanion;

namespace {

const std::vector<std::vector<double>> spectra = {
    {},        {2},          {0},          {3, 2, 1},        {1, 1, 1},
    {5, 0, 0}, {0, 0, 0, 0}, {4, 4, 1, 0}, {10, 1, 1, 1, 1}, {1, 0.9, 0.9, 0.8, 0.7, 0.1, 0}};

double sum_of(const std::vector<double>& s, std::size_t k) {
  return std::accumulate(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(std::min(k, s.size())),
                         0.0);
}

template <class T, class N>
void check(const N& n, double (*formula)(const std::vector<double>&, double), double k) {
  for (const auto& wide : spectra) {
    const std::vector<T> s(wide.begin(), wide.end());
    const auto r = static_cast<index_t>(s.size()), depth = n.depth(r);
    CAPTURE(r);
    REQUIRE(depth >= 0);
    REQUIRE(depth <= r);
    const spectrum_view<T> read(s.data(), static_cast<std::size_t>(depth));
    const double value = static_cast<double>(n.gauge(read)),
                 eps = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
    CHECK(std::abs(value - formula(wide, k)) <= eps * value);

    std::vector<T> w(read.size(), T(-7));
    n.subgradient(read, std::span<T>(w));
    double product = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      product += static_cast<double>(w[i]) * static_cast<double>(s[i]);
      if (s[i] == T(0)) CHECK(w[i] == T(0));
      if (i > 0) CHECK(w[i] <= w[i - 1]);
      CHECK(w[i] >= T(0));
    }
    CHECK(std::abs(product - value) <= eps * value);
    w.resize(s.size(), T(0));
    const auto polar = n.dual();
    CHECK(static_cast<double>(polar.gauge(
              spectrum_view<T>(w.data(), static_cast<std::size_t>(polar.depth(r))))) <= 1 + eps);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("gauges and their subgradients", T, float, double) {
  using spectrum = const std::vector<double>&;
  const auto leading = [](spectrum s, double k) { return sum_of(s, static_cast<std::size_t>(k)); };
  const auto larger = [](spectrum s, double k) {
    return std::max(sum_of(s, 1), sum_of(s, s.size()) / k);
  };
  check<T>(spectral(), leading, 1);
  check<T>(nuclear(), leading, 100);
  for (const index_t k : {1, 2, 3, 4, 9}) {
    CAPTURE(k);
    check<T>(ky_fan(k), leading, static_cast<double>(k));
    check<T>(dual(ky_fan(k)), larger, static_cast<double>(k));
  }
  check<T>(
      rms_to_rms(2, 8), [](spectrum s, double) { return 2 * sum_of(s, 1); }, 0);
  check<T>(
      dual(rms_to_rms(2, 8)), [](spectrum s, double) { return 0.5 * sum_of(s, s.size()); }, 0);
}
