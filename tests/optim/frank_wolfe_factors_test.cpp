// The form in factors: the steps of the dense form, known minima, and an iterate that is right when
// it is written out.
#include <fanion/adapters/eigen_sparse.hpp>
#include <fanion/eigen.hpp>

#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <Eigen/SparseCore>

#include <vector>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;
using reference::real;
using reference::table;

namespace {

/// A matrix in memory as an operator.
template <class T>
struct written_operator {
  using scalar = T;
  matrix_of<T> a;

  [[nodiscard]] index_t rows() const { return a.rows(); }
  [[nodiscard]] index_t cols() const { return a.cols(); }
  using map = Eigen::Map<matrix_of<T>, 0, Eigen::OuterStride<>>;
  using const_map = Eigen::Map<const matrix_of<T>, 0, Eigen::OuterStride<>>;
  void apply(matrix_view<const T> x, matrix_view<T> y) const {
    map(y.data(), y.rows(), y.cols(), Eigen::OuterStride<>(y.ld())) =
        a * const_map(x.data(), x.rows(), x.cols(), Eigen::OuterStride<>(x.ld()));
  }
  void apply_adjoint(matrix_view<const T> x, matrix_view<T> y) const {
    map(y.data(), y.rows(), y.cols(), Eigen::OuterStride<>(y.ld())) =
        a.transpose() * const_map(x.data(), x.rows(), x.cols(), Eigen::OuterStride<>(x.ld()));
  }
};

template <class T>
matrix_of<T> written(const factor_view<T>& f) {
  matrix_of<T> x(f.rows(), f.cols());
  for (index_t j = 0; j < x.cols(); ++j)
    for (index_t i = 0; i < x.rows(); ++i) x(i, j) = static_cast<T>(f.entry(i, j));
  return x;
}
template <class T>
matrix_of<T> written(const low_rank<T>& x) {
  return written(x.factors());
}

/// Σ aᵢⱼ (xᵢⱼ - tᵢⱼ)² / 2 in both forms.
template <class T>
struct weighted_distance {
  matrix_of<T> t, a, x, d;
  written_operator<T> g;
  int gradients = 1000;
  T bad = std::numeric_limits<T>::quiet_NaN();

  explicit weighted_distance(const matrix_of<T>& to)
      : t(to), a(matrix_of<T>::Ones(to.rows(), to.cols())) {}

  [[nodiscard]] double at(const matrix_of<T>& y) const {
    return 0.5 * (y - t)
                     .template cast<double>()
                     .cwiseAbs2()
                     .cwiseProduct(a.template cast<double>())
                     .sum();
  }
  double value(const matrix_of<T>& y) const { return at(y); }
  void gradient(const matrix_of<T>& y, matrix_of<T>& to) const { to = a.cwiseProduct(y - t); }
  double curvature(const matrix_of<T>&, const matrix_of<T>& along) const {
    return a.template cast<double>().cwiseProduct(along.template cast<double>().cwiseAbs2()).sum();
  }

  void begin(const factor_view<T>& from) { x = written(from); }
  double value() const { return at(x); }
  const written_operator<T>& gradient() {
    g.a = a.cwiseProduct(x - t);
    if (gradients-- <= 0) g.a(0, 1) = bad;
    return g;
  }
  double aim(const factor_view<T>& s) {
    d = written(s) - x;
    return g.a.template cast<double>().cwiseProduct(d.template cast<double>()).sum();
  }
  double value_along(double step) const { return at(x + static_cast<T>(step) * d); }
  void advance(double step) { x += static_cast<T>(step) * d; }
  double curvature() const { return curvature(x, d); }
};

/// The least distance² / 2 from numbers to a simplex of nonnegative ones with this sum.
real beyond_nuclear(const std::vector<real>& sigma, real radius) {
  real low = 0, high = sigma.front(), total = 0;
  for (const real s : sigma) total += s;
  if (total <= radius) return 0;
  for (int i = 0; i < 200; ++i) {
    const real middle = (low + high) / 2;
    real sum = 0;
    for (const real s : sigma) sum += std::max<real>(0, s - middle);
    (sum <= radius ? high : low) = middle;
  }
  real square = 0;
  for (const real s : sigma) square += std::min(s, high) * std::min(s, high);
  return square / 2;
}

}  // namespace

TEST_CASE_TEMPLATE("nuclear ball: the soft threshold, in factors of its rank", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{1, 1}, {1, 8}, {8, 1}, {20, 15}, {15, 30}})
    for (const char* kind : {"gaussian", "graded", "rank deficient", "identity"})
      for (const double share : {0.2, 2.0}) {
        CAPTURE(s.name());
        INFO(kind);
        CAPTURE(share);
        const auto kinds = matrices::kinds();
        const auto made = std::find_if(kinds.begin(), kinds.end(),
                                       [&](const auto& k) { return std::string(k.name) == kind; });
        REQUIRE(made != kinds.end());
        weighted_distance<T> f(made->make(s.rows, s.cols).template cast<T>());
        const reference::facts facts = reference::facts_of(f.t);
        const real total = reference::leading_sum(facts, std::min(s.rows, s.cols));
        const double radius = share * static_cast<double>(total);
        const double start = f.at(matrix_of<T>::Zero(s.rows, s.cols));
        low_rank<T> x(s.rows, s.cols, 8);
        const auto r = frank_wolfe(
            nuclear(), f, x, {.radius = radius, .tolerance = 0.05 * start, .iterations = 5000},
            exact_line_search{}, block_krylov{.gap = 1e-4});
        const real rounding = 4 * tolerance<T>(s.rows, s.cols) * start;
        CHECK(r.outcome == descent_outcome::converged);
        const matrix_of<T> at = written(x);
        const real above = f.at(at) - beyond_nuclear(facts.sigma, radius);
        CHECK(std::fabs(r.value - f.at(at)) <= rounding);  // the objective follows the factors
        CHECK(above >= -rounding);
        CHECK(above <= r.certified_gap + rounding);
        CHECK(r.gap <= r.certified_gap + static_cast<double>(rounding));
        const real size = reference::leading_sum(reference::facts_of(at), std::min(s.rows, s.cols));
        CHECK(size <= radius * (1 + 4 * tolerance<T>(s.rows, s.cols)));
        CHECK(x.columns() <= std::min(s.rows, s.cols));
      }
}

TEST_CASE("both forms take the same steps, by every rule") {
  const Eigen::MatrixXd t = matrices::gaussian(14, 11);
  weighted_distance<double> f(t);
  f.a = matrices::gaussian(14, 11, 9).cwiseAbs2();
  const auto check = [&](const auto& n, const auto& rule) {
    const frank_wolfe_options o{.radius = 4, .relative = 0, .iterations = 20};
    Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(14, 11);
    low_rank<double> x(14, 11, 6);
    const auto r = frank_wolfe(n, f, dense, o, rule, exact{});
    const auto q = frank_wolfe(n, f, x, o, rule, block_krylov{.gap = 1e-13});
    CHECK(q.iterations == r.iterations);
    CHECK((written(x) - dense).norm() <= 1e-6 * dense.norm());
    CHECK(q.gap == doctest::Approx(r.gap).epsilon(1e-5));
    CHECK(q.value == doctest::Approx(r.value).epsilon(1e-9));
    CHECK(q.evaluations == r.evaluations);
    CHECK(q.certified_gap >= r.gap * (1 - 1e-9));
  };
  const auto all = [&](const auto& n) {
    check(n, adaptive_step{});
    check(n, exact_line_search{});
    check(n, short_step{.lipschitz = 4});
    check(n, open_loop{});
  };
  all(nuclear());
  all(dual(ky_fan(3)));
  all(spectral());
  all(dual(0.5 * ky_fan(2) + 0.5 * spectral()));
}

TEST_CASE("a sparse gradient: only observed entries count") {
  // The same minimum as the dense form with weights 0 and 1.
  struct observed {
    using sparse = Eigen::SparseMatrix<double, Eigen::RowMajor>;
    sparse data, x, s, residual;
    std::optional<sparse_operator<sparse>> g;

    void read(sparse& to, const factor_view<double>& from) const {
      to = data;
      for (index_t i = 0; i < to.outerSize(); ++i)
        for (sparse::InnerIterator e(to, i); e; ++e) e.valueRef() = from.entry(e.row(), e.col());
    }
    void begin(const factor_view<double>& from) { read(x, from); }
    double value() const { return 0.5 * (x - data).squaredNorm(); }
    sparse_operator<sparse>& gradient() {
      residual = x - data;
      return g.emplace(residual);
    }
    double aim(const factor_view<double>& to) {
      read(s, to);
      s -= x;
      return s.cwiseProduct(residual).sum();
    }
    double value_along(double step) const { return 0.5 * (x + step * s - data).squaredNorm(); }
    void advance(double step) { x += step * s; }
    double curvature() const { return s.squaredNorm(); }
  } sparse;
  const Eigen::MatrixXd t = matrices::gaussian(25, 3, 4) * matrices::gaussian(3, 20, 5);
  weighted_distance<double> dense(t);
  dense.a = (matrices::gaussian(25, 20, 6).array() > 0).cast<double>();
  sparse.data = t.cwiseProduct(dense.a).sparseView();
  const frank_wolfe_options o{.radius = 20, .relative = 1e-2, .iterations = 3000};
  Eigen::MatrixXd x = Eigen::MatrixXd::Zero(25, 20);
  low_rank<double> factors(25, 20);
  const auto r = frank_wolfe(nuclear(), dense, x, o);
  const auto q =
      frank_wolfe(nuclear(), sparse, factors, o, adaptive_step{}, block_krylov{.gap = 1e-4});
  CHECK(r.outcome == descent_outcome::converged);
  CHECK(q.outcome == descent_outcome::converged);
  CHECK(q.value <= r.value + r.certified_gap + 1e-9);
  CHECK(r.value <= q.value + q.certified_gap + 1e-9);
  CHECK(q.value == doctest::Approx(dense.at(written(factors))).epsilon(1e-9));
}

TEST_CASE("the certificate holds for an oracle that stops early") {
  weighted_distance<double> f(matrices::gaussian(40, 30));
  low_rank<double> x(40, 30);
  int seen = 0;
  const auto r = frank_wolfe(
      dual(ky_fan(2)), f, x, {.radius = 3, .relative = 0, .iterations = 12}, exact_line_search{},
      block_krylov{.passes = 4}, [&](const frank_wolfe_report& now) {
        const Eigen::MatrixXd g = f.x - f.t;
        const real truth = 3 * reference::leading_sum(reference::facts_of(g), 2) +
                           reference::dot(reference::widen(g), reference::widen(f.x));
        CHECK(static_cast<real>(now.certified_gap) >= truth * (1 - 1e-10L));
        CHECK(static_cast<real>(now.gap) <= truth * (1 + 1e-10L));
        CHECK(now.gap < now.certified_gap);
        CHECK(now.failure_probability > 0);
        ++seen;
      });
  CHECK(seen == 13);
  CHECK(r.passes > 13);

  low_rank<double> y(40, 30);
  const auto unproven = frank_wolfe(dual(ky_fan(2)), f, y, {.radius = 3, .iterations = 3},
                                    adaptive_step{}, lanczos{});
  CHECK(std::isinf(unproven.certified_gap));
  CHECK(unproven.outcome == descent_outcome::budget_spent);
}

TEST_CASE("a gradient that is not finite: X is the last good point") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const int good : {0, 1, 2, 9}) {
      CAPTURE(good);
      weighted_distance<double> f(matrices::gaussian(12, 10));
      f.gradients = good;
      f.bad = bad;
      low_rank<double> x(12, 10, 4);
      Eigen::MatrixXd seen = Eigen::MatrixXd::Zero(12, 10);
      double gap = 0;
      const auto r = frank_wolfe(nuclear(), f, x, {.radius = 5, .relative = 0}, open_loop{},
                                 block_krylov{}, [&](const frank_wolfe_report& now) {
                                   seen = written(x);
                                   gap = now.gap;
                                 });
      CHECK(r.outcome == descent_outcome::non_finite);
      CHECK((written(x) - seen).norm() <= 1e-13 * seen.norm());
      CHECK(r.iterations == std::max(0, good - 1));
      if (good > 0) CHECK(r.gap == gap);
    }
}

TEST_CASE("no step is left: the steps before stay") {
  /// Infinite in every direction after three steps.
  struct walled : weighted_distance<double> {
    using weighted_distance::weighted_distance;
    int left = 3;
    double value_along(double step) const {
      return left > 0 ? weighted_distance::value_along(step)
                      : std::numeric_limits<double>::infinity();
    }
    void advance(double step) {
      --left;
      weighted_distance::advance(step);
    }
  } f(matrices::gaussian(12, 10));
  low_rank<double> x(12, 10);
  const auto r = frank_wolfe(nuclear(), f, x, {.radius = 5, .relative = 0});
  CHECK(r.outcome == descent_outcome::no_descent);
  CHECK(r.iterations == 3);
  CHECK(f.at(written(x)) == doctest::Approx(r.value).epsilon(1e-12));
}

TEST_CASE("starts: from factors, outside the ball, not finite, at a zero gradient") {
  const Eigen::MatrixXd t =
      matrices::with_spectrum(9, 8, [](Eigen::Index i) { return i < 2 ? 3.0 - double(i) : 0.0; });
  weighted_distance<double> f(t);
  const auto start = [&](double scale) {  // singular values 3 and 2, times scale
    const auto svd = reference::svd(matrix_of<double>(t));
    const std::vector<double> w{svd.sigma[0], svd.sigma[1]};
    low_rank<double> x(9, 8);
    x.update(1,
             {matrix_view<const double>(svd.u.data(), 9, 2),
              matrix_view<const double>(svd.v.data(), 8, 2), w},
             scale);
    return x;
  };
  auto x = start(1);
  auto r = frank_wolfe(nuclear(), f, x, {.radius = 5.5});  // what is left is rounding
  CHECK((r.outcome == descent_outcome::converged || r.outcome == descent_outcome::no_descent));
  CHECK(r.iterations < 20);
  CHECK(r.value <= 1e-20);
  CHECK((written(x) - t).norm() <= 1e-12);
  const auto refused = [&](const auto& n, double radius, double inside) {
    auto y = start(1);
    CHECK_THROWS_AS((void)frank_wolfe(n, f, y, {.radius = radius}), std::invalid_argument);
    CHECK((written(y) - t).norm() <= 1e-12);
    CHECK_NOTHROW((void)frank_wolfe(n, f, y, {.radius = inside, .iterations = 1}));
  };
  refused(nuclear(), 4.99, 5.01);
  refused(spectral(), 2.99, 3.01);
  refused(dual(ky_fan(2)), 2.99, 3.01);
  refused(2 * nuclear(), 9.99, 10.01);
  refused(nuclear() + frobenius(), 5 + std::sqrt(13.0) - 0.01, 5 + std::sqrt(13.0) + 0.01);

  auto bad = start(std::numeric_limits<double>::quiet_NaN());
  r = frank_wolfe(nuclear(), f, bad);
  CHECK(r.outcome == descent_outcome::non_finite);
  CHECK(std::isnan(r.value));
  CHECK(bad.columns() == 2);

  weighted_distance<double> nothing(Eigen::MatrixXd::Zero(9, 8));
  low_rank<double> zero(9, 8);
  r = frank_wolfe(nuclear(), nothing, zero);
  CHECK(r.outcome == descent_outcome::converged);
  CHECK(r.certified_gap == 0);
  CHECK(zero.columns() == 0);
}

TEST_CASE_TEMPLATE("scales", T, float, double) {
  const auto run = [&](double scale) {
    weighted_distance<T> f(static_cast<T>(scale) * matrices::gaussian(12, 10).cast<T>());
    low_rank<T> x(12, 10, 6);
    const auto r = frank_wolfe(nuclear(), f, x, {.radius = 5 * scale, .relative = 5e-2});
    CHECK(r.outcome == descent_outcome::converged);
    return std::pair(r.iterations, matrix_of<T>(written(x) / static_cast<T>(scale)));
  };
  const auto [steps, x] = run(1);
  const double big = std::ldexp(1.0, sizeof(T) == 4 ? 100 : 470);
  for (const double scale : {big, 1 / big}) {
    const auto [other_steps, y] = run(scale);
    CHECK(other_steps == steps);
    CHECK((x - y).norm() <= 4 * static_cast<T>(tolerance<T>(12, 10)) * x.norm());
  }
}
