// Two norms under one: their duals against the least dual of a mixture, by trying every way to
// pool, and against the closed forms of special cases.
#include <doctest/doctest.h>

#include "support/pools.hpp"

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/describe.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/owl.hpp>
#include <fanion/norms/pairs.hpp>
#include <fanion/norms/schatten.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <span>

using namespace fanion;
using namespace pooled;

namespace {

/// The least over x in [0, 1] of a function with one minimum.
template <class F>
real least(const F& f) {
  real low = 0, high = 1;
  for (int step = 0; step < 120; ++step) {
    const real third = (high - low) / 3;
    if (f(low + third) < f(high - third))
      high -= third;
    else
      low += third;
  }
  return std::min({f(0), f(1), f((low + high) / 2)});
}

/// The dual of a and b together at s, from the duals of their mixtures.
template <class A, class B>
real dual_by_mixtures(bool larger, const A& a, const B& b, const spectrum& s) {
  const std::vector<double> wa = weights_of(a, s.size()), wb = weights_of(b, s.size());
  const real quarter = std::acos(real(-1)) / 2;
  return least([&](real x) {
    const real p = larger ? x : std::sin(x * quarter),
               q = larger ? 1 - x : std::max(real(0), std::cos(x * quarter));
    std::vector<double> w(s.size());
    for (std::size_t j = 0; j < w.size(); ++j) w[j] = static_cast<double>(p * wa[j] + q * wb[j]);
    const double e = static_cast<double>(p * euclidean_weight(a) + q * euclidean_weight(b));
    if (w[0] == 0 && e == 0) return std::numeric_limits<real>::infinity();
    return by_all_pools(s, w, e);
  });
}

template <class T, class A, class B>
void check(const A& a, const B& b) {
  const auto both = [&](const auto& n) {
    constexpr bool larger = std::remove_cvref_t<decltype(n)>::kind() == pairing::largest;
    const auto polar = dual(n);
    const double eps = 64 * static_cast<double>(std::numeric_limits<T>::epsilon()) + 1e-12;
    for (const spectrum& wide : spectra) {
      if (sizeof(T) == 4 && (wide[0] > 1e30 || (wide[0] > 0 && wide[0] < 1e-30))) continue;
      const std::vector<T> s(wide.begin(), wide.end());
      const auto r = static_cast<index_t>(s.size());
      CAPTURE(describe(n));
      CAPTURE(r);
      CAPTURE(wide[0]);
      std::vector<double> work(
          static_cast<std::size_t>(std::max(n.workspace(r), polar.workspace(r))));
      const std::vector<double> wa = weights_of(a, s.size()), wb = weights_of(b, s.size());
      const auto norm_of = [&](const std::vector<real>& u) {
        const real x = primal(wa, euclidean_weight(a), u), y = primal(wb, euclidean_weight(b), u);
        return larger ? std::max(x, y) : std::hypot(x, y);
      };
      const auto product_of = [&](const std::vector<T>& d) {
        real product = 0;
        for (std::size_t j = 0; j < d.size(); ++j)
          product += static_cast<real>(d[j]) * static_cast<real>(s[j]);
        return product;
      };
      const auto near = [&](real x, real y) {
        CHECK(static_cast<double>(std::abs(x - y)) <= eps * static_cast<double>(y));
      };

      const auto value = static_cast<real>(polar.gauge(spectrum_view<T>(s), std::span(work)));
      if (wide[0] == 0)
        CHECK(value == 0);
      else if (s.size() < 8)
        near(value, dual_by_mixtures(larger, a, b, spectrum(s.begin(), s.end())));
      std::vector<T> d(s.size(), T(-7));
      polar.subgradient(spectrum_view<T>(s), std::span<T>(d), std::span(work));
      for (std::size_t j = 0; j < d.size(); ++j) {
        CHECK(d[j] >= T(0));
        if (s[j] == T(0)) CHECK(d[j] == T(0));
        if (j > 0) CHECK(d[j] <= d[j - 1]);
      }
      near(product_of(d), value);
      CHECK(static_cast<double>(norm_of(std::vector<real>(d.begin(), d.end()))) <= 1 + eps);

      // The norm itself, and its subgradient, which the dual's ball holds.
      const real want = norm_of(std::vector<real>(s.begin(), s.end()));
      near(static_cast<real>(n.gauge(spectrum_view<T>(s), std::span(work))), want);
      n.subgradient(spectrum_view<T>(s), std::span<T>(d), std::span(work));
      near(product_of(d), want);
      std::sort(d.rbegin(), d.rend());
      CHECK(static_cast<double>(polar.gauge(spectrum_view<T>(d), std::span(work))) <= 1 + eps);
    }
  };
  both(max_of(a, b));
  both(quadrature(a, b));
}

}  // namespace

TEST_CASE_TEMPLATE("two ordered sums under one", T, float, double) {
  check<T>(spectral(), nuclear());
  check<T>(spectral(), 0.4 * nuclear());
  check<T>(ky_fan(2), 0.7 * ky_fan(3));
  check<T>(owl({2, 1, 0.5}), owl({1, 1, 1, 1}));
  check<T>(spectral(), 0.7 * frobenius());
  check<T>(0.6 * nuclear(), frobenius());
  check<T>(ky_fan(2) + 0.1 * frobenius(), 0.3 * nuclear() + 0.5 * frobenius());
  check<T>(3 * frobenius(), 2 * frobenius());
  check<T>(100 * spectral(), nuclear());
  check<T>(0 * spectral(), nuclear());
  check<T>(nuclear(), 0 * frobenius());
}

TEST_CASE("closed forms of two norms under one") {
  for (const spectrum& s : spectra) {
    const auto r = static_cast<index_t>(s.size());
    const spectrum_view<double> read(s);
    std::vector<double> work(static_cast<std::size_t>(9 * r));
    const auto polar = [&](const auto& n) { return dual(n).gauge(read, std::span(work)); };
    const auto same = [&](double a, double b) {
      CAPTURE(r);
      CAPTURE(s[0]);
      CHECK(std::abs(a - b) <= 1e-13 * b);
    };
    // Spectral and nuclear together: Ky Fan's norm, with a fraction of one value more (NuMuon).
    for (const index_t k : {1, 2, 3, 9})
      same(polar(max_of(spectral(), (1.0 / static_cast<double>(k)) * nuclear())),
           ky_fan(k).gauge(read.first(static_cast<std::size_t>(std::min(k, r)))));
    for (const double tau : {1.0, 1.5, 2.75}) {
      double want = 0, left = tau;
      for (const double x : s) {
        want += std::min(left, 1.0) * x;
        left = std::max(0.0, left - 1);
      }
      same(polar(max_of(spectral(), (1 / tau) * nuclear())), want);
    }
    // sqrt(½‖·‖² + ½‖·‖_*²): what is above τ = (σ₁ + … + σⱼ)/(j + 1) for the first j values.
    if (s[0] > 0 && s[0] < 1e100 && s[0] > 1e-100) {
      double sum = 0, threshold = 0, squares = 0;
      std::size_t count = 0;
      while (count < s.size() && s[count] > threshold) {
        sum += s[count++];
        threshold = sum / static_cast<double>(count + 1);
      }
      for (std::size_t j = 0; j < count; ++j) squares += std::pow(s[j] - threshold, 2);
      const double half = std::sqrt(0.5);
      same(polar(quadrature(half * frobenius(), half * nuclear())),
           std::sqrt(2 * (threshold * threshold + squares)));
    }
  }
}

TEST_CASE("pairs as expressions") {
  constexpr auto n = max_of(0.5 * ky_fan(2), spectral() + frobenius());
  static_assert(dual(dual(n)) == n && n.transposed() == n);
  CHECK(describe(n) == "max_of(0.5 * ky_fan(2), spectral() + frobenius())");
  CHECK(describe(dual(quadrature(nuclear(), frobenius()))) ==
        "dual(quadrature(nuclear(), frobenius()))");
  CHECK_THROWS_AS((void)dual(max_of(0 * nuclear(), 0 * spectral())), std::invalid_argument);
  // A Schatten norm has a value here, but no dual in closed form.
  static_assert(SpectralNorm<decltype(max_of(schatten(3), spectral()))>);
  static_assert(!ClosedDual<decltype(max_of(schatten(3), spectral()))>);
}
