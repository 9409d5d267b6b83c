// The oracles against support functions that share nothing with them: the ellipsoid method on the
// definitions of the norms, and brute force over vertices.
//
// n*(M) = max { <M, X> : n(X) <= 1 } = 1 / min { n(X) : <M, X> = 1 }, a convex problem in mn - 1
// unknowns.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace {

using expressions::definition;
using oracle_check::matrix_of;
using reference::facts;
using reference::real;
using reference::table;
using vector = Eigen::Matrix<real, Eigen::Dynamic, 1>;

/// The least f over the plane <M, X> = 1, by the ellipsoid method (Yudin and Nemirovski 1976) with
/// gradients by differences. It holds the minimum in an ellipsoid whose size bounds its error.
real least_on_plane(const definition& f, const table& m) {
  const Eigen::Index d = m.size() - 1;
  REQUIRE(d >= 2);
  const Eigen::Map<const vector> normal(m.data(), m.size());
  // Columns that span what is orthogonal to M, by Gram and Schmidt.
  table basis = table::Zero(m.size(), d);
  vector first = normal / normal.norm();
  Eigen::Index found = 0;
  for (Eigen::Index e = 0; e < m.size() && found < d; ++e) {
    vector x = vector::Unit(m.size(), e);
    for (int twice = 0; twice < 2; ++twice) {
      x -= first * first.dot(x);
      for (Eigen::Index c = 0; c < found; ++c) x -= basis.col(c) * basis.col(c).dot(x);
    }
    if (x.norm() > 1e-3L) basis.col(found++) = x / x.norm();
  }
  REQUIRE(found == d);
  const vector start = normal / normal.squaredNorm();
  const auto at = [&](const vector& y) {
    const vector x = start + basis * y;
    return f(reference::facts_of(table(Eigen::Map<const table>(x.data(), m.rows(), m.cols()))));
  };
  const real count = static_cast<real>(d), radius = 30 * start.norm(), h = 1e-10L * start.norm();
  vector y = vector::Zero(d);
  table root = radius * table::Identity(d, d);  // the ellipsoid is y + root times the unit ball
  real best = at(y), lower = 0;
  int steps = 0;
  for (; steps < 20000 && best - lower > 1e-6L * best; ++steps) {
    const real here = at(y);
    best = std::min(best, here);
    vector g(d);
    for (Eigen::Index i = 0; i < d; ++i)
      g(i) = (at(y + h * vector::Unit(d, i)) - at(y - h * vector::Unit(d, i))) / (2 * h);
    vector down = root.transpose() * g;
    const real reach = down.norm();
    lower = std::max(lower, here - reach);
    if (!(reach > 0)) break;
    down /= reach;
    const vector step_down = root * down;
    y -= step_down / (count + 1);
    const real narrower = std::sqrt((count - 1) / (count + 1)) - 1;
    root = count / std::sqrt(count * count - 1) *
           (root + narrower * step_down * down.transpose()).eval();
  }
  CAPTURE(static_cast<double>(best));
  CAPTURE(static_cast<double>(lower));
  CAPTURE(steps);
  CHECK(best - lower <= 1e-5L * best);
  return best;
}

real support(const definition& f, const table& m) { return 1 / least_on_plane(f, m); }

template <class N>
void check(const std::string& name, const N& n, const table& m, real want) {
  INFO(name, ", ", m.rows(), "x", m.cols());
  Eigen::MatrixXd d;
  const Eigen::MatrixXd given = m.cast<double>();
  const auto report = fanion::lmo(n, given, d, fanion::exact{});
  const real attained = -reference::dot(m, reference::widen(d));
  CHECK(static_cast<double>(attained / want) == doctest::Approx(1).epsilon(1e-5));
  CHECK(report.bound >= static_cast<double>(want) * (1 - 1e-5));
}

const std::vector<matrices::shape> shapes = {{1, 3}, {3, 1}, {2, 2}, {2, 3}, {3, 2}};

table given(const matrices::shape& s, std::uint64_t seed) {
  return reference::widen(matrices::gaussian(s.rows, s.cols, seed));
}

}  // namespace

TEST_CASE(
    "every norm's oracle attains the support function of the ball that its definition draws") {
  for (const auto& s : shapes)
    for (const std::ptrdiff_t k : {1, 2}) {
      if (k == 1 && s.shorter() == 1) continue;
      const table m = given(s, 7);
      const auto all = [&](const auto& e) {
        if (!e.primal) return;
        INFO(e.name, ", ", s.rows, "x", s.cols);
        check(e.name, e.norm, m, support(e.primal, m));
        Eigen::MatrixXd d;
        (void)fanion::lmo(e.norm, Eigen::MatrixXd(m.cast<double>()), d, fanion::exact{});
        CHECK(static_cast<double>(e.primal(reference::facts_of(d))) <= 1 + 1e-12);
      };
      expressions::for_each(expressions::single(s.rows, s.cols, k), all);
      expressions::for_each(expressions::closed(s.rows, s.cols, k), all);
    }
}

TEST_CASE("the ball of the dual of a sum is the Minkowski sum of the balls of its terms' duals") {
  using namespace fanion;
  for (const auto& s : shapes) {
    const table m = given(s, 8);
    const real ky_fan_2 = support([](const facts&f) { return reference::ky_fan_dual(f, 2); }, m),
               ball = support(reference::frobenius, m), cube = support(reference::max_abs, m),
               rank_one = support(reference::nuclear, m), polar = support(reference::spectral, m),
               by_rows = support([](const facts&f) { return reference::longest(f, false); }, m);
    check("F-Fanion-2", dual(0.4 * ky_fan(2) + 0.6 * frobenius()), m,
          0.4L * ky_fan_2 + 0.6L * ball);
    check("S-Fanion-2", dual(0.4 * ky_fan(2) + 0.6 * sum_abs()), m, 0.4L * ky_fan_2 + 0.6L * cube);
    check("F-Neon", dual(0.5 * spectral() + 0.5 * frobenius()), m, 0.5L * (rank_one + ball));
    check("F-Muon", dual(0.5 * nuclear() + 0.5 * frobenius()), m, 0.5L * (polar + ball));
    check("S-Muon and rows", dual(nuclear() + 0.25 * sum_abs() + 2 * sum_row()), m,
          polar + 0.25L * cube + 2 * by_rows);
  }
}

namespace {

/// max <m, v> over vertices v, given up to signs and order: as large as sorted |m| can make it.
real over_vertices(const std::vector<real>& m, const std::vector<std::vector<real>>& vertices) {
  real best = 0;
  for (std::vector<real> v : vertices) {
    std::sort(v.begin(), v.end());
    do {
      for (unsigned signs = 0; signs < 1u << m.size(); ++signs) {
        real sum = 0;
        for (std::size_t i = 0; i < m.size(); ++i) sum += (signs >> i & 1 ? -1 : 1) * m[i] * v[i];
        best = std::max(best, sum);
      }
    } while (std::next_permutation(v.begin(), v.end()));
  }
  return best;
}

}  // namespace

TEST_CASE("polyhedral balls, vertex by vertex") {
  using namespace fanion;
  const auto w = [](real a, real b, real c) { return std::vector<real>{a, b, c}; };
  for (const auto& values : std::vector<std::array<real, 3>>{
           {3, 2, 1}, {1, 1, 1}, {5, 0.5L, 0.25L}, {2, 2, 0.5L}, {1, 0, 0}, {4, 3.5L, 3.25L}}) {
    // The trace inequality (von Neumann): for a diagonal M a diagonal D does.
    const std::vector<real> m(values.begin(), values.end());
    table diagonal = table::Zero(3, 4);
    for (Eigen::Index i = 0; i < 3; ++i)
      diagonal(i, i) = (i == 1 ? -1 : 1) * m[static_cast<std::size_t>(i)];
    const auto look = [&](const char* name, const auto& n,
                          const std::vector<std::vector<real>>& v) {
      check(name, n, diagonal, over_vertices(m, v));
    };
    look("spectral", spectral(), {w(1, 1, 1)});
    look("nuclear", nuclear(), {w(1, 0, 0)});
    look("ky_fan 2", ky_fan(2), {w(1, 0, 0), w(0.5L, 0.5L, 0.5L)});
    look("dual ky_fan 2", dual(ky_fan(2)), {w(1, 1, 0)});
    look("owl", owl({2, 1, 0.5}),
         {w(0.5L, 0, 0), w(1 / 3.0L, 1 / 3.0L, 0), w(2 / 7.0L, 2 / 7.0L, 2 / 7.0L)});
    look("dual owl", dual(owl({2, 1, 0.5})), {w(2, 1, 0.5L)});
    look("NuMuon, 2.5", max_of(spectral(), 0.4 * nuclear()), {w(1, 1, 0.5L)});
  }
  // Entries: 2mn vertices, and 2^mn.
  const table m = given({2, 3}, 9);
  real corner = 0, signs = 0;
  for (Eigen::Index e = 0; e < m.size(); ++e) corner = std::max(corner, std::fabs(m.data()[e]));
  for (unsigned bits = 0; bits < 1u << m.size(); ++bits) {
    real sum = 0;
    for (Eigen::Index e = 0; e < m.size(); ++e) sum += (bits >> e & 1 ? -1 : 1) * m.data()[e];
    signs = std::max(signs, sum);
  }
  check("sum_abs", sum_abs(), m, corner);
  check("max_abs", max_abs(), m, signs);
}
