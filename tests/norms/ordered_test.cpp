// Ordered weights and their sums with a Frobenius term: the dual gauge against every way to pool
// entries, against the closed forms of special cases, and by what it is attained.
#include <doctest/doctest.h>

#include "support/pools.hpp"

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/owl.hpp>
#include <fanion/norms/rms.hpp>
#include <fanion/norms/schatten.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using namespace fanion;
using namespace pooled;

namespace {

template <class T, class N>
void check(const N& n) {
  const auto polar = dual(n);
  const double b = euclidean_weight(n);
  for (const spectrum& wide : spectra) {
    if (sizeof(T) == 4 && (wide[0] > 1e30 || (wide[0] > 0 && wide[0] < 1e-30))) continue;
    const std::vector<T> s(wide.begin(), wide.end());
    const spectrum exact(s.begin(), s.end());
    const auto r = static_cast<index_t>(s.size());
    CAPTURE(r);
    CAPTURE(wide[0]);
    REQUIRE(polar.depth(r) == r);
    std::vector<double> work(static_cast<std::size_t>(polar.workspace(r)));
    const std::vector<double> w = weights_of(n, s.size());
    const double value = static_cast<double>(polar.gauge(spectrum_view<T>(s), std::span(work)));
    const double eps = 32 * static_cast<double>(std::numeric_limits<T>::epsilon());
    if (wide[0] == 0) {
      CHECK(value == 0);
    } else {
      const auto want = static_cast<double>(by_all_pools(exact, w, b));
      CHECK(std::abs(value - want) <= eps * want);
    }
    std::vector<T> d(s.size(), T(-7));
    polar.subgradient(spectrum_view<T>(s), std::span<T>(d), std::span(work));
    real product = 0;
    for (std::size_t j = 0; j < d.size(); ++j) {
      product += static_cast<real>(d[j]) * static_cast<real>(s[j]);
      if (s[j] == T(0)) CHECK(d[j] == T(0));
      if (j > 0) CHECK(d[j] <= d[j - 1]);
      CHECK(d[j] >= T(0));
    }
    CHECK(static_cast<double>(std::abs(product - static_cast<real>(value))) <= eps * value);
    CHECK(static_cast<double>(primal(w, b, std::vector<real>(d.begin(), d.end()))) <= 1 + eps);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the dual of an ordered sum", T, float, double) {
  check<T>(owl({1, 1, 1}));
  check<T>(owl({3, 1, 0.5, 0.5, 0}));
  check<T>(nuclear() + spectral());
  check<T>(0.5 * ky_fan(2) + 0.25 * ky_fan(4));
  check<T>(nuclear() + frobenius());
  check<T>(0.9 * nuclear() + 0.1 * frobenius());
  check<T>(1e-3 * nuclear() + frobenius());
  check<T>(nuclear() + 1e-9 * frobenius());
  check<T>(spectral() + 2 * frobenius());
  check<T>(0.3 * ky_fan(2) + 0.7 * frobenius());
  check<T>(0.3 * ky_fan(5) + 0.7 * frobenius() + 0.5 * spectral());
  check<T>(2 * (owl({2, 1.5, 1, 0.25}) + 0.3 * frobenius()) + dual(rms_to_rms(2, 8)));
  check<T>(0 * nuclear() + frobenius());
  check<T>(frobenius() + frobenius());
  check<T>(nuclear() + 0 * frobenius());
}

TEST_CASE("equal norms in other words") {
  for (const spectrum& s : spectra) {
    const auto r = static_cast<index_t>(s.size());
    std::vector<double> work(static_cast<std::size_t>(5 * r));
    const spectrum_view<double> read(s);
    const auto same = [&](double a, double b) { CHECK(std::abs(a - b) <= 1e-14 * b); };
    const auto polar = [&](const auto& n) { return dual(n).gauge(read, std::span(work)); };
    const auto leading = [&](index_t k) {
      return spectrum_view<double>(s).first(static_cast<std::size_t>(std::min(k, r)));
    };
    // OWL with ones is Ky Fan's norm, and its dual that one's dual.
    same(owl({1, 1}).gauge(leading(2)), ky_fan(2).gauge(leading(2)));
    same(polar(owl({1, 1})), dual(ky_fan(2)).gauge(read));
    same(polar(owl({0.25})), 4 * total(read));
    const auto at = [&](std::size_t j) { return j < s.size() ? s[j] : 0; };
    same(owl({2, 1, 0.5}).gauge(leading(3)), 2 * at(0) + at(1) + 0.5 * at(2));
    // The dual of a multiple of ‖·‖_F alone is the other multiple.
    double length = 0;
    for (const double x : s) length = std::hypot(length, x);
    same(polar(0.5 * frobenius() + 0 * nuclear()), 2 * length);
    same(schatten(2).gauge(read), length);
    same(schatten(1).gauge(read), total(read));
    same(schatten(std::numeric_limits<double>::infinity()).gauge(leading(1)), s[0]);
    same(schatten(1e18).gauge(read), s[0]);
  }
}

TEST_CASE_TEMPLATE("schatten: value, subgradient, dual", T, float, double) {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double p : {1.0, 1.01, 1.5, 2.0, 3.1, 10.0, 1000.0, infinite}) {
    CAPTURE(p);
    const schatten n(p);
    for (const schatten& which : {n, n.dual()})
      for (const spectrum& wide : spectra) {
        if (sizeof(T) == 4 && (wide[0] > 1e30 || (wide[0] > 0 && wide[0] < 1e-30))) continue;
        const std::vector<T> s(wide.begin(), wide.end());
        const auto r = static_cast<index_t>(s.size());
        const auto read = spectrum_view<T>(s).first(static_cast<std::size_t>(which.depth(r)));
        real sum = 0;
        for (const T x : s)
          if (x > T(0))
            sum += std::isinf(which.p()) ? x == s[0]
                                         : std::pow(static_cast<real>(x) / static_cast<real>(s[0]),
                                                    static_cast<real>(which.p()));
        const real want =
            wide[0] == 0 ? 0
            : std::isinf(which.p())
                ? static_cast<real>(s[0])
                : static_cast<real>(s[0]) * std::pow(sum, 1 / static_cast<real>(which.p()));
        const double eps = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
        const auto value = static_cast<real>(which.gauge(read));
        CHECK(std::abs(value - want) <= eps * want);
        std::vector<T> w(read.size(), T(-7));
        which.subgradient(read, std::span<T>(w));
        real product = 0;
        for (std::size_t i = 0; i < w.size(); ++i) {
          product += static_cast<real>(w[i]) * static_cast<real>(read[i]);
          if (read[i] == T(0)) CHECK(w[i] == T(0));
          if (i > 0) CHECK(w[i] <= w[i - 1]);
        }
        CHECK(std::abs(product - value) <= eps * value);
        w.resize(s.size(), T(0));
        const schatten other = which.dual();
        CHECK(static_cast<double>(other.gauge(
                  spectrum_view<T>(w).first(static_cast<std::size_t>(other.depth(r))))) <= 1 + eps);
      }
  }
  CHECK_THROWS_AS(schatten(0.99), std::invalid_argument);
  CHECK_THROWS_AS((void)schatten(std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
}

TEST_CASE("what is not finite stays so") {
  const double infinite = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  const auto polar = dual(nuclear() + frobenius());
  std::vector<double> work(15);
  const std::vector<double> big = {infinite, 1, 0}, bad = {nan, 1, 0};
  CHECK(polar.gauge(spectrum_view<double>(big), std::span(work)) == infinite);
  CHECK(std::isnan(polar.gauge(spectrum_view<double>(bad), std::span(work))));
  CHECK(schatten(3).gauge(spectrum_view<double>(big)) == infinite);
  CHECK(std::isnan(schatten(3).gauge(spectrum_view<double>(bad))));
}

TEST_CASE("weights that are none are refused") {
  CHECK_THROWS_AS(owl({1, 2}), std::invalid_argument);
  CHECK_THROWS_AS(owl({1, -1}), std::invalid_argument);
  CHECK_THROWS_AS(owl({0, 0}), std::invalid_argument);
  CHECK_THROWS_AS(owl({1, std::numeric_limits<double>::quiet_NaN()}), std::invalid_argument);
  CHECK_THROWS_AS(owl({std::numeric_limits<double>::infinity()}), std::invalid_argument);
}
