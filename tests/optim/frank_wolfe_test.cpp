// Frank and Wolfe's method against minima that are known, against loops in long double that take
// the same steps, and against true gaps.
#include <fanion/eigen.hpp>

#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <functional>
#include <vector>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;
using reference::real;
using reference::table;

namespace {

/// Σ aᵢⱼ (xᵢⱼ - tᵢⱼ)² / 2.
template <class M>
struct weighted_distance {
  M t, a;

  double value(const M& x) const {
    return 0.5 * (x - t)
                     .template cast<double>()
                     .cwiseAbs2()
                     .cwiseProduct(a.template cast<double>())
                     .sum();
  }
  void gradient(const M& x, M& g) const { g = a.cwiseProduct(x - t); }
  double curvature(const M&, const M& d) const {
    return d.template cast<double>().cwiseAbs2().cwiseProduct(a.template cast<double>()).sum();
  }
};
template <class M>
weighted_distance<M> distance_to(const M& t) {
  return {t, M::Ones(t.rows(), t.cols())};
}

/// The nearest point to t of one of the balls, by definition: each of `numbers` goes through
/// `cut(number, θ)` with the least θ >= 0 for which `size` of the results is at most the radius.
std::vector<real> nearest(const std::vector<real>& numbers, real radius,
                          const std::function<real(real, real)>& cut,
                          const std::function<real(const std::vector<real>&)>& size) {
  const auto at = [&](real theta) {
    std::vector<real> out;
    for (const real x : numbers) out.push_back(cut(x, theta));
    return out;
  };
  if (size(at(0)) <= radius) return at(0);
  real low = 0, high = 0;
  for (const real x : numbers) high = std::max(high, std::fabs(x));
  for (int i = 0; i < 200; ++i) {
    const real middle = (low + high) / 2;
    (size(at(middle)) <= radius ? high : low) = middle;
  }
  return at(high);
}
real soft(real x, real theta) { return x > theta ? x - theta : x < -theta ? x + theta : 0; }
real sum_of(const std::vector<real>& x) {
  real sum = 0;
  for (const real v : x) sum += std::fabs(v);
  return sum;
}

/// ‖·‖²/2 of what stays between t and its nearest point of the ball.
template <class T>
real least_distance(const matrix_of<T>& t, const char* ball, real radius) {
  const std::string name = ball;
  const reference::facts f = reference::facts_of(t);
  std::vector<real> entries;
  for (Eigen::Index i = 0; i < f.x.size(); ++i) entries.push_back(f.x.data()[i]);
  const std::vector<real>& numbers = name == "nuclear" || name == "spectral" ? f.sigma : entries;
  std::vector<real> to;
  if (name == "nuclear" || name == "sum_abs") {
    to = nearest(numbers, radius, soft, sum_of);
  } else if (name == "frobenius") {
    const real length = std::sqrt(reference::dot(f.x, f.x));
    for (const real x : numbers) to.push_back(length > radius ? x * radius / length : x);
  } else {
    for (const real x : numbers) to.push_back(std::clamp(x, -radius, radius));
  }
  real square = 0;
  for (std::size_t i = 0; i < to.size(); ++i) square += (numbers[i] - to[i]) * (numbers[i] - to[i]);
  return square / 2;
}

template <class T>
real size_of(const matrix_of<T>& x, const char* ball) {
  const std::string name = ball;
  const reference::facts f = reference::facts_of(x);
  if (name == "nuclear") return reference::leading_sum(f, x.rows() + x.cols());
  if (name == "spectral") return reference::spectral(f);
  if (name == "frobenius") return std::sqrt(reference::dot(f.x, f.x));
  real sum = 0, most = 0;
  for (Eigen::Index i = 0; i < f.x.size(); ++i) {
    sum += std::fabs(f.x.data()[i]);
    most = std::max(most, std::fabs(f.x.data()[i]));
  }
  return name == "sum_abs" ? sum : most;
}

template <class T, class N, class Rule>
void check_projection(const char* name, const N& n, const matrix_of<T>& t, double radius,
                      const Rule& rule) {
  INFO(name);
  CAPTURE(radius);
  const auto f = distance_to(t);
  matrix_of<T> x = matrix_of<T>::Zero(t.rows(), t.cols());
  const double start = f.value(x);
  const auto r = frank_wolfe(
      n, f, x, {.radius = radius, .tolerance = 0.02 * start, .iterations = 40000}, rule);
  CHECK(r.outcome == descent_outcome::converged);
  const real rounding = tolerance<T>(t.rows(), t.cols());
  const real above = static_cast<real>(f.value(x)) - least_distance<T>(t, name, radius);
  CHECK(r.value == f.value(x));
  CHECK(above >= -rounding * start);
  CHECK(above <= r.certified_gap + rounding * start);
  CHECK(r.certified_gap <= 0.02 * start);
  CHECK(r.gap <= r.certified_gap + static_cast<double>(rounding) * start);
  CHECK(size_of<T>(x, name) <= radius * (1 + rounding));
}

template <class T>
void check_balls(const matrix_of<T>& t) {
  const auto all_rules = [&](const char* name, const auto& n, double radius) {
    check_projection<T>(name, n, t, radius, adaptive_step{});
    check_projection<T>(name, n, t, radius, exact_line_search{});
    check_projection<T>(name, n, t, radius, short_step{.lipschitz = 1});
    check_projection<T>(name, n, t, radius, open_loop{});
  };
  for (const real share : {0.3L, 1.5L}) {
    const auto radius = [&](const char* name) {
      return static_cast<double>(share * size_of<T>(t, name));
    };
    all_rules("nuclear", nuclear(), radius("nuclear"));
    all_rules("frobenius", frobenius(), radius("frobenius"));
    all_rules("spectral", spectral(), radius("spectral"));
    all_rules("max_abs", max_abs(), radius("max_abs"));
    all_rules("sum_abs", sum_abs(), radius("sum_abs"));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the nearest point of a ball is found, from inside and outside", T, float,
                   double) {
  for (const auto& s : std::vector<matrices::shape>{{1, 1}, {1, 5}, {5, 1}, {6, 4}, {5, 9}})
    for (const auto& kind : matrices::kinds()) {
      if (kind.name == "ones" || kind.name == "clustered") continue;
      CAPTURE(kind.name);
      CAPTURE(s.name());
      check_balls<T>(kind.make(s.rows, s.cols).template cast<T>());
    }
}

TEST_CASE("combinations: the gap at the end is the true one, by the dual norm's definition") {
  const Eigen::MatrixXd t = matrices::gaussian(8, 6);
  const auto f = distance_to(t);
  const auto check = [&](const char* name, const auto& n) {
    INFO(name);
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(8, 6), g(8, 6), s(8, 6);
    const auto r = frank_wolfe(n, f, x, {.radius = 0.7, .relative = 1e-2, .iterations = 3000});
    CHECK(r.outcome == descent_outcome::converged);
    f.gradient(x, g);
    // The dual norm of the gradient from a solver that the run did not use.
    const double dual_norm = -lmo(n, g, s, exact{}).objective;
    const double gap = 0.7 * dual_norm + g.cwiseProduct(x).sum();
    CHECK(r.certified_gap == doctest::Approx(gap).epsilon(1e-5));
    CHECK(r.gap == doctest::Approx(gap).epsilon(1e-5));
  };
  check("F-Fanion", dual(0.5 * ky_fan(3) + 0.5 * frobenius()));
  check("S-Fanion", dual(0.5 * ky_fan(3) + 0.5 * sum_abs()));
  check("max_of", max_of(spectral(), 0.5 * nuclear()));
  check("owl", owl({2, 1, 0.5}));
}

namespace {

/// The method over the ball of sum_abs, whose oracle is a comparison of entries: f weighted as
/// above, X from zero. `rule(t, gap, d, g, x)` says how far to go.
template <class Rule>
table loops(const table& t, const table& a, real radius, int steps, Rule rule) {
  table x = table::Zero(t.rows(), t.cols());
  for (int step = 0; step < steps; ++step) {
    const table g = a.cwiseProduct(x - t);
    Eigen::Index row = 0, col = 0;
    for (Eigen::Index j = 0; j < g.cols(); ++j)
      for (Eigen::Index i = 0; i < g.rows(); ++i)
        if (std::fabs(g(i, j)) > std::fabs(g(row, col))) row = i, col = j;
    table d = -x;
    d(row, col) += g(row, col) > 0 ? -radius : radius;
    x += rule(step, -reference::dot(g, d), d, x) * d;
  }
  return x;
}

}  // namespace

TEST_CASE("every rule takes the steps that its formula says") {
  const Eigen::MatrixXd t = matrices::gaussian(4, 5),
                        a = matrices::gaussian(4, 5, 9).cwiseAbs2() + Eigen::MatrixXd::Ones(4, 5);
  const weighted_distance<Eigen::MatrixXd> f{t, a};
  const table wide_t = reference::widen(t), wide_a = reference::widen(a);
  constexpr int steps = 25;
  constexpr real radius = 2;
  const auto run = [&](const auto& rule) {
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(4, 5);
    const auto r =
        frank_wolfe(sum_abs(), f, x, {.radius = 2, .relative = 0, .iterations = steps}, rule);
    CHECK(r.iterations == steps);
    CHECK(r.outcome == descent_outcome::budget_spent);
    return reference::widen(x);
  };
  const auto close = [](const table& x, const table& y) {
    return (x - y).cwiseAbs().maxCoeff() <= 1e-12L;
  };
  const auto bend = [&](const table& d) { return reference::dot(d, wide_a.cwiseProduct(d)); };
  const auto value = [&](const table& x) { return bend(x - wide_t) / 2; };

  CHECK(close(run(open_loop{}),
              loops(wide_t, wide_a, radius, steps,
                    [](int k, real, const table&, const table&) { return 2 / (real(k) + 2); })));
  CHECK(close(run(open_loop{.l = 4}),
              loops(wide_t, wide_a, radius, steps,
                    [](int k, real, const table&, const table&) { return 4 / (real(k) + 4); })));
  CHECK(close(run(short_step{.lipschitz = 9}),
              loops(wide_t, wide_a, radius, steps, [](int, real gap, const table& d, const table&) {
                return std::min<real>(1, gap / (9 * reference::dot(d, d)));
              })));
  CHECK(close(run(exact_line_search{}), loops(wide_t, wide_a, radius, steps,
                                              [&](int, real gap, const table& d, const table&) {
                                                return std::min<real>(1, gap / bend(d));
                                              })));
  for (const adaptive_step& rule :
       {adaptive_step{}, adaptive_step{.lipschitz = 0.1, .grow = 1.5, .shrink = 0.5}}) {
    real lipschitz = 0;
    CHECK(close(
        run(rule),
        loops(wide_t, wide_a, radius, steps, [&](int k, real gap, const table& d, const table& x) {
          const real square = reference::dot(d, d);
          if (k == 0)
            lipschitz = rule.lipschitz ? *rule.lipschitz : gap / square;
          else
            lipschitz *= rule.shrink;
          real step = std::min<real>(1, gap / (lipschitz * square));
          while (value(x + step * d) >
                 value(x) - step * gap + step * step * lipschitz * square / 2 + 1e-15L) {
            lipschitz *= rule.grow;
            step = std::min<real>(1, gap / (lipschitz * square));
          }
          return step;
        })));
  }
}

TEST_CASE("an inexact oracle: the certificate holds, stops, and X stays in the ball") {
  const Eigen::MatrixXd t = matrices::gaussian(12, 9);
  const auto f = distance_to(t);
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(12, 9), g(12, 9);
  index_t calls = 0;
  const auto watch = [&](const frank_wolfe_report& r) {
    ++calls;
    f.gradient(x, g);
    const real truth = 2 * reference::leading_sum(reference::facts_of(g), 9) +
                       reference::dot(reference::widen(g), reference::widen(x));
    CHECK(static_cast<real>(r.certified_gap) >= truth * (1 - 1e-10L));
    CHECK(r.gap <= r.certified_gap);
    CHECK(size_of<double>(x, "spectral") <= 2 * (1 + 1e-12L));
    CHECK(r.evaluations == calls);
  };
  // Singular values of D between 0.68 and 1.13: S leaves the ball before it is drawn back.
  const auto r = frank_wolfe(spectral(), f, x, {.radius = 2, .relative = 1e-2, .iterations = 40},
                             exact_line_search{}, newton_schulz{}, watch);
  CHECK(calls > 2);
  CHECK(r.outcome != descent_outcome::converged);  // such an oracle cannot prove a hundredth
  CHECK(r.certified_gap > 1.5 * r.gap);
}

namespace {

/// A distance that turns bad in the gradient or the value after some calls.
struct spoiled : weighted_distance<Eigen::MatrixXd> {
  int gradients = 1000, values = 1000;
  double bad = std::numeric_limits<double>::quiet_NaN();

  double value(const Eigen::MatrixXd& x) {
    return values-- > 0 ? weighted_distance::value(x) : bad;
  }
  void gradient(const Eigen::MatrixXd& x, Eigen::MatrixXd& g) {
    weighted_distance::gradient(x, g);
    if (gradients-- <= 0) g(1, 2) = bad;
  }
};

}  // namespace

TEST_CASE("a gradient or value that is not finite: X is the last good point, bit for bit") {
  const Eigen::MatrixXd t = matrices::gaussian(5, 6), start = 0.01 * matrices::gaussian(5, 6, 2);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const int good : {0, 1, 2, 5})
      for (const bool in_gradient : {true, false}) {
        CAPTURE(good);
        CAPTURE(in_gradient);
        spoiled f{distance_to(t)};
        f.bad = bad;
        (in_gradient ? f.gradients : f.values) = good;
        Eigen::MatrixXd x = start, seen = start;
        frank_wolfe_report last;
        const auto r =
            frank_wolfe(frobenius(), f, x, {.radius = 1, .relative = 0, .iterations = 100},
                        open_loop{}, automatic{}, [&](const frank_wolfe_report& now) {
                          seen = x;
                          last = now;
                        });
        CHECK(r.outcome == descent_outcome::non_finite);
        CHECK(x == seen);
        if (good == 0) {
          CHECK(x == start);
          CHECK(std::isnan(r.gap));
        } else {
          CHECK(r.iterations == good - 1);
          CHECK(r.value == last.value);
          CHECK(r.gap == last.gap);
        }
      }
  // A trial that is not finite shortens the step and does not end the run.
  spoiled f{distance_to(t)};
  struct walled : weighted_distance<Eigen::MatrixXd> {
    double value(const Eigen::MatrixXd& x) const {
      return x.norm() > 0.5 ? std::numeric_limits<double>::infinity() : weighted_distance::value(x);
    }
  } wall{distance_to(t)};
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(5, 6);
  const auto r = frank_wolfe(frobenius(), wall, x, {.radius = 1, .iterations = 20});
  CHECK(r.outcome != descent_outcome::non_finite);
  CHECK(x.norm() > 0.1);
  CHECK(x.norm() <= 0.5);
}

TEST_CASE_TEMPLATE("scale changes nothing: 1e30 and 1e-30 in float, 1e140 in double", T, float,
                   double) {
  const matrix_of<T> t = matrices::gaussian(6, 5).cast<T>();
  const auto run = [&](double scale) {
    const auto f = distance_to<matrix_of<T>>(static_cast<T>(scale) * t);
    matrix_of<T> x = matrix_of<T>::Zero(6, 5);
    const auto r = frank_wolfe(nuclear(), f, x, {.radius = 3 * scale, .relative = 1e-2});
    CHECK(r.outcome == descent_outcome::converged);
    const double square = scale * scale;
    CHECK(r.certified_gap / square > 0);
    CHECK(r.certified_gap / square <= 0.2);
    return std::pair(r.iterations, matrix_of<T>(x / static_cast<T>(scale)));
  };
  const auto [steps, x] = run(1);
  const double big = std::ldexp(1.0, sizeof(T) == 4 ? 100 : 470);
  for (const double scale : {big, 1 / big}) {
    const auto [other_steps, y] = run(scale);
    CHECK(other_steps == steps);
    CHECK((x - y).norm() <= static_cast<T>(tolerance<T>(6, 5)) * x.norm());
  }
}

TEST_CASE("ends without a step") {
  const Eigen::MatrixXd t = 0.1 * matrices::gaussian(5, 6);
  const auto f = distance_to(t);
  Eigen::MatrixXd x = t;  // the gradient is zero
  auto r = frank_wolfe(spectral(), f, x, {.radius = 2});
  CHECK(r.outcome == descent_outcome::converged);
  CHECK(r.iterations == 0);
  CHECK(r.certified_gap == 0);
  CHECK(x == t);

  x.setZero();
  r = frank_wolfe(spectral(), f, x, {.radius = 2, .iterations = 0});
  CHECK(r.outcome == descent_outcome::budget_spent);
  CHECK(r.certified_gap > 0);
  CHECK(x.isZero(0));

  // Linear f: the first vertex is the minimum, and from there no S is better.
  struct slope {
    Eigen::MatrixXd g;
    double value(const Eigen::MatrixXd& at) const { return g.cwiseProduct(at).sum(); }
    void gradient(const Eigen::MatrixXd&, Eigen::MatrixXd& to) const { to = g; }
    double curvature(const Eigen::MatrixXd&, const Eigen::MatrixXd&) const { return 0; }
  } linear{matrices::gaussian(5, 6)};
  x.setZero();
  r = frank_wolfe(max_abs(), linear, x, {.relative = 0, .iterations = 50}, exact_line_search{});
  CHECK(r.outcome == descent_outcome::no_descent);
  CHECK(r.iterations == 1);
  CHECK(x.isApprox(Eigen::MatrixXd(-linear.g.array().sign()), 1e-14));
  const Eigen::MatrixXd corner = x;
  r = frank_wolfe(max_abs(), linear, x, {.relative = 0, .iterations = 50});
  CHECK(r.outcome == descent_outcome::no_descent);
  CHECK(x == corner);

  Eigen::MatrixXd none(0, 4);
  r = frank_wolfe(max_abs(), distance_to<Eigen::MatrixXd>(none), none);
  CHECK(r.outcome == descent_outcome::converged);
}

TEST_CASE("other matrices: by rows, of fixed size, vectors") {
  const Eigen::MatrixXd t = matrices::gaussian(5, 6);
  const auto run = [&]<class M>(M x) {
    const auto f = distance_to<M>(t);
    const auto r = frank_wolfe(nuclear(), f, x, {.radius = 3, .relative = 1e-3});
    CHECK(r.outcome == descent_outcome::converged);
    return std::pair(r.value, Eigen::MatrixXd(x));
  };
  const auto [value, x] = run(Eigen::MatrixXd(Eigen::MatrixXd::Zero(5, 6)));
  using by_rows = Eigen::Matrix<double, -1, -1, Eigen::RowMajor>;
  CHECK(run(by_rows(by_rows::Zero(5, 6))).first == doctest::Approx(value).epsilon(1e-3));
  using fixed = Eigen::Matrix<double, 5, 6>;
  CHECK(run(fixed(fixed::Zero())).first == doctest::Approx(value).epsilon(1e-3));
  Eigen::VectorXd v = Eigen::VectorXd::Zero(6);
  const auto f = distance_to<Eigen::VectorXd>(t.row(0).transpose());
  const auto r = frank_wolfe(sum_abs(), f, v, {.radius = 0.5});
  CHECK(r.outcome == descent_outcome::converged);
  CHECK(v.lpNorm<1>() <= 0.5 * (1 + 1e-14));
}

TEST_CASE("what is refused, and X stays as it was") {
  const Eigen::MatrixXd t = matrices::gaussian(5, 6);
  const auto f = distance_to(t);
  Eigen::MatrixXd x = Eigen::MatrixXd::Constant(5, 6, 1);  // one singular value, √30
  const Eigen::MatrixXd start = x;
  const double edge = std::sqrt(30.0);
  const auto refused = [&](const frank_wolfe_options& o, const auto& rule) {
    CHECK_THROWS_AS((void)frank_wolfe(nuclear(), f, x, o, rule), std::invalid_argument);
    CHECK(x == start);
  };
  refused({.radius = 5}, adaptive_step{});
  refused({.radius = edge * (1 - 1e-12)}, adaptive_step{});
  refused({.radius = 0}, adaptive_step{});
  refused({.radius = 9, .tolerance = -1}, adaptive_step{});
  refused({.radius = 9, .relative = 2}, adaptive_step{});
  refused({.radius = 9, .iterations = -1}, adaptive_step{});
  refused({.radius = 9}, short_step{});
  refused({.radius = 9}, open_loop{.l = 0});
  refused({.radius = 9}, adaptive_step{.lipschitz = 0});
  refused({.radius = 9}, adaptive_step{.grow = 1});
  refused({.radius = 9}, adaptive_step{.shrink = 0});
  CHECK_NOTHROW((void)frank_wolfe(nuclear(), f, x, {.radius = edge, .iterations = 1}));
  x = start;
  x(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(frank_wolfe(nuclear(), f, x).outcome == descent_outcome::non_finite);
  CHECK(x(1, 1) == 1);
}

TEST_CASE("what an objective is") {
  struct plain {
    double value(const Eigen::MatrixXd&) const { return 0; }
    void gradient(const Eigen::MatrixXd&, Eigen::MatrixXd&) const {}
  };
  CHECK(SmoothObjective<plain, Eigen::MatrixXd>);
  CHECK_FALSE(SmoothObjective<plain, Eigen::MatrixXf>);
  CHECK_FALSE(ObjectiveFor<plain, Eigen::MatrixXd, exact_line_search>);
  CHECK(ObjectiveFor<plain, Eigen::MatrixXd, adaptive_step>);
  CHECK(OwningMatrix<Eigen::Matrix3f>);
  CHECK_FALSE(OwningMatrix<Eigen::Map<Eigen::MatrixXd>>);
}
