// Norms over layers: the largest, the sum and the root of squares of the layers' norms.
#include <doctest/doctest.h>

#include "support/matrices.hpp"
#include "support/reference.hpp"

#include <fanion/eigen.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace fanion;

namespace {

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// Three layers: a spectral, a row-wise and an entrywise one.
template <class T>
struct network {
  std::vector<matrix_of<T>> m, d;
  std::vector<oriented_view<const T>> from;
  std::vector<oriented_view<T>> to;
  layers_plan<T, eigen_backend> plan;

  explicit network(layer_norm how, double scale = 1) : plan(how) {
    m = {matrices::gaussian(6, 9, 1).template cast<T>(),
         matrices::gaussian(8, 3, 2).template cast<T>(),
         matrices::gaussian(4, 4, 3).template cast<T>()};
    for (auto& x : m) x *= static_cast<T>(scale);
    for (const auto& x : m) d.push_back(matrix_of<T>::Constant(x.rows(), x.cols(), T(7)));
    for (std::size_t i = 0; i < m.size(); ++i) {
      from.push_back({matrix_view<const T>(m[i].data(), m[i].rows(), m[i].cols()), false});
      to.push_back({matrix_view<T>(d[i].data(), d[i].rows(), d[i].cols()), false});
    }
    plan.add(spectral(), 2, 6, 9, exact{});
    plan.add(max_row(), 0.5, 8, 3);
    plan.add(max_abs(), 3, 4, 4);
  }
  layers_report execute() { return plan.execute(from, to); }

  /// cᵢ nᵢ(xᵢ), by definition; or nᵢ*(xᵢ)/cᵢ.
  static std::vector<double> norms(const std::vector<matrix_of<T>>& x, bool dual) {
    using reference::all_lengths, reference::facts_of, reference::longest;
    const auto a = facts_of(x[0]), b = facts_of(x[1]), c = facts_of(x[2]);
    if (dual)
      return {static_cast<double>(reference::nuclear(a) / 2),
              static_cast<double>(all_lengths(b, false) / 0.5L),
              static_cast<double>(reference::sum_abs(c) / 3)};
    return {static_cast<double>(2 * reference::spectral(a)),
            static_cast<double>(0.5L * longest(b, false)),
            static_cast<double>(3 * reference::max_abs(c))};
  }
};

double combined(layer_norm how, const std::vector<double>& x) {
  if (how == layer_norm::largest) return *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const double v : x) sum += how == layer_norm::sum ? v : v * v;
  return how == layer_norm::sum ? sum : std::sqrt(sum);
}
/// largest and sum are dual to each other, squares to itself.
layer_norm dual_of_layers(layer_norm how) {
  return how == layer_norm::largest ? layer_norm::sum
         : how == layer_norm::sum   ? layer_norm::largest
                                    : layer_norm::squares;
}

}  // namespace

TEST_CASE_TEMPLATE("layers attain the dual of their norm, inside its ball", T, float, double) {
  for (const double scale : {1.0, 1e-30, 1e30})
    for (const layer_norm how : {layer_norm::largest, layer_norm::sum, layer_norm::squares}) {
      network<T> net(how, scale);
      const layers_report report = net.execute();
      const double want = combined(dual_of_layers(how), network<T>::norms(net.m, true));
      double attained = 0;
      for (std::size_t i = 0; i < net.m.size(); ++i)
        attained -= static_cast<double>(
            reference::dot(reference::widen(net.m[i]), reference::widen(net.d[i])));
      const double tol = 100 * static_cast<double>(std::numeric_limits<T>::epsilon());
      CHECK(attained == doctest::Approx(want).epsilon(tol));
      CHECK(-report.objective == doctest::Approx(want).epsilon(tol));
      CHECK(report.bound >= want * (1 - tol));
      CHECK(report.gap() <= 10 * tol);
      CHECK(combined(how, network<T>::norms(net.d, false)) <= 1 + tol);
      CHECK(report.feasibility >= 1 - tol);
      CHECK(report.outcome == outcome::converged);
      CHECK(report.passes >= 3);
      // In a sum one layer moves.
      index_t moved = 0;
      for (const auto& d : net.d) moved += d.norm() > T(0) ? 1 : 0;
      CHECK(moved == (how == layer_norm::sum ? 1 : 3));
    }
}

TEST_CASE("zero and non-finite layers") {
  for (const layer_norm how : {layer_norm::largest, layer_norm::sum, layer_norm::squares}) {
    network<double> net(how);
    net.m[1].setZero();
    CHECK(net.execute().outcome == outcome::converged);
    CHECK(net.d[1].norm() == 0);
    for (auto& m : net.m) m.setZero();
    CHECK(net.execute().outcome == outcome::zero_input);
    for (const auto& d : net.d) CHECK(d.norm() == 0);
    for (auto& d : net.d) d.setOnes();
    net.m[2](1, 1) = std::numeric_limits<double>::quiet_NaN();
    net.m[0].setOnes();
    const layers_report report = net.execute();
    CHECK(report.outcome == outcome::non_finite);
    CHECK(std::isnan(report.gap()));
    for (const auto& d : net.d) CHECK(d.norm() == 0);
  }
}

TEST_CASE("layers that do not fit are refused, and nothing is written") {
  network<double> net(layer_norm::largest);
  const auto before = net.d;
  const auto refused = [&] {
    CHECK_THROWS_AS((void)net.execute(), std::invalid_argument);
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(net.d[i] == before[i]);
  };
  const auto kept = net.to;
  net.to.pop_back();
  refused();
  net.to = kept;
  net.to[2].storage = matrix_view<double>(net.d[2].data(), 2, 8);
  refused();
  net.to = kept;
  net.to[2].storage = matrix_view<double>(net.m[2].data(), 4, 4);
  refused();
  net.to = kept;
  net.to[2].storage = matrix_view<double>(net.d[0].data(), 4, 4);
  refused();
  CHECK_THROWS_AS(net.plan.add(spectral(), 0, 3, 3), std::invalid_argument);
}
