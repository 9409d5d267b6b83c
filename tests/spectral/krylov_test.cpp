// Block Krylov: the theorem behind its proof, what it proves, and how it ends.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"
#include "support/wider_run.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

#include <random>
#include <sstream>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;

namespace {

/// Bounds on the first `count` eigenvalues of diag(h) from `degree` products with a random block of
/// c columns; the space by Eigen's QR of all powers, each step orthogonalised.
std::vector<double> bounds_of(const Eigen::VectorXd& h, Eigen::Index c, int degree, double failure,
                              std::size_t count, std::uint64_t seed,
                              Eigen::VectorXd* ritz = nullptr) {
  const Eigen::MatrixXd omega = matrices::gaussian(h.size(), c, seed);
  Eigen::MatrixXd space = omega;
  for (int i = 0; i <= degree; ++i) {
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(space);
    space = qr.householderQ() * Eigen::MatrixXd::Identity(h.size(), space.cols());
    if (i == degree) break;
    const Eigen::Index old = space.cols();
    if (old + c > h.size()) break;
    space.conservativeResize(Eigen::NoChange, old + c);
    space.rightCols(c) = h.asDiagonal() * space.middleCols(old - c, c);
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> t(space.transpose() * h.asDiagonal() *
                                                         space);
  const Eigen::MatrixXd w = t.eigenvectors().transpose() * space.transpose() * omega;
  const Eigen::Index size = space.cols();
  krylov_bound bound(size, c);
  bound.shape(size, c);
  for (Eigen::Index j = 0; j < size; ++j) {
    bound.theta()[static_cast<std::size_t>(j)] = t.eigenvalues()(size - 1 - j);
    for (Eigen::Index i = 0; i < c; ++i)
      bound.weights(j)[static_cast<std::size_t>(i)] = w(size - 1 - j, i);
  }
  if (ritz != nullptr) *ritz = t.eigenvalues().reverse();
  std::vector<double> upper(count);
  bound.bound(degree, failure, upper);
  return upper;
}

/// Spectra of 200 that try the assumptions: copies, clusters, gaps, none.
std::vector<Eigen::VectorXd> spectra() {
  const auto of = [](auto f) {
    Eigen::VectorXd h(200);
    for (Eigen::Index i = 0; i < 200; ++i) h(i) = f(i);
    return h;
  };
  return {of([](Eigen::Index i) { return std::pow(1 - 0.004 * static_cast<double>(i), 2); }),
          of([](Eigen::Index i) { return i < 6 ? 1.0 : 0.25; }),
          of([](Eigen::Index i) { return i < 3 ? 1 + 1e-9 * static_cast<double>(3 - i) : 0.8; }),
          of([](Eigen::Index i) { return std::pow(0.7, static_cast<double>(i / 2)); }),
          of([](Eigen::Index i) { return i < 4 ? 1.0 : 0.0; }),
          of([](Eigen::Index) { return 1.0; })};
}

}  // namespace

TEST_CASE("the least singular value of a normal matrix stays above what is claimed") {
  // 4000 draws: at failure 0.1 the count has a deviation of 19.
  for (const auto& [l, c] : std::vector<std::pair<Eigen::Index, Eigen::Index>>{
           {1, 1}, {1, 8}, {2, 2}, {3, 4}, {5, 8}, {8, 8}, {4, 16}}) {
    const Eigen::Index rows = l, cols = c;  // clang captures no structured bindings
    CAPTURE(rows);
    CAPTURE(cols);
    const double claimed = least_normal_singular_value(l, c, 0.1);
    int below = 0, far_below = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
      const Eigen::JacobiSVD<Eigen::MatrixXd> svd(matrices::gaussian(l, c, seed));
      below += svd.singularValues().minCoeff() < claimed;
      far_below += svd.singularValues().minCoeff() < 3 * claimed;
    }
    CHECK(below <= 400 + 60);
    CHECK(far_below > 40);  // and it is not idle: three times as much would fail
  }
  // A smaller failure claims less, more columns claim more.
  CHECK(least_normal_singular_value(5, 8, 1e-3) < least_normal_singular_value(5, 8, 1e-2));
  CHECK(least_normal_singular_value(5, 8, 1e-3) < least_normal_singular_value(5, 12, 1e-3));
}

TEST_CASE("bounds on eigenvalues hold, whatever the spectrum, and close with the degree") {
  // 40 starts a spectrum at failure 0.01: more than 4 failures of 240 have a chance below 1e-1; the
  // bounds on the tail are loose, none is seen.
  for (const int degree : {2, 6, 12}) {
    int failed = 0;
    for (const Eigen::VectorXd& h : spectra())
      for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const auto upper = bounds_of(h, 8, degree, 0.01, 7, seed);
        bool holds = true;
        for (std::size_t i = 0; i < upper.size(); ++i)
          holds = holds && upper[i] >= h(static_cast<Eigen::Index>(i)) * (1 - 1e-12);
        failed += !holds;
      }
    CHECK(failed <= 4);
  }
  const Eigen::VectorXd flat = spectra()[0], gap = spectra()[1];
  double last = std::numeric_limits<double>::infinity();
  for (const int degree : {2, 4, 8, 14}) {
    const double now = bounds_of(flat, 8, degree, 1e-3, 5, 3)[4];
    CHECK(now < last);
    last = now;
  }
  CHECK(last <= 1.05 * flat(4));
  // Six copies seen through eight columns, and two distinct eigenvalues: closed after one product.
  for (const double x : bounds_of(gap, 8, 4, 1e-3, 6, 3)) CHECK(x <= 1 + 1e-6);
  CHECK(bounds_of(gap, 8, 4, 1e-3, 7, 3)[6] <= 0.25 + 1e-6);
  // More values than columns: the bound of the last one that has its own.
  const auto many = bounds_of(flat, 4, 8, 1e-3, 6, 3);
  CHECK(many[5] == many[3]);
  CHECK(many[3] >= flat(3));
}

TEST_CASE("a bound needs its luck: a start orthogonal to the first vector is not certified away") {
  // The eigenvector of 4 is missing from Ω: whatever is proven then is wrong, and only the chance
  // of such a start makes it a proof. This shows that nothing else protects it.
  Eigen::VectorXd h(100);
  for (Eigen::Index i = 0; i < 100; ++i) h(i) = i == 0 ? 4.0 : 1.0;
  const auto upper = bounds_of(h.tail(99), 8, 6, 1e-3, 1, 5);
  CHECK(upper[0] < 4);
}

TEST_CASE_TEMPLATE("what block_krylov proves holds, for many starts", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{130, 80}, {80, 130}, {100, 100}})
    for (const auto& kind : matrices::hard_kinds()) {
      const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
      const auto f = reference::facts_of(m);
      for (const std::ptrdiff_t k : {1, 5, 20}) {
        const double best = static_cast<double>(reference::leading_sum(f, k));
        for (std::uint64_t seed = 0; seed < (wider_run() ? 6 : 2); ++seed) {
          CAPTURE(kind.name);
          CAPTURE(k);
          CAPTURE(seed);
          matrix_of<T> d;
          const auto report = lmo(dual(ky_fan(k)), m, d, block_krylov{.gap = 1e-2, .seed = seed});
          CHECK(report.outcome == outcome::converged);
          CHECK(report.gap() <= 1e-2);
          CHECK(report.bound >= best);
          CHECK(-report.objective >= (1 - 1e-2) * best);
          CHECK(report.failure_probability <= 1e-3);
        }
      }
    }
}

TEST_CASE_TEMPLATE("copies beyond the block are found", T, float, double) {
  // Twenty copies, and blocks of four: a closed space, five times.
  const matrix_of<T> m = matrices::with_spectrum(120, 90, [](Eigen::Index k) {
                           return k < 20 ? 1.0 : 0.5;
                         }).template cast<T>();
  matrix_of<T> d;
  for (const index_t block : {1, 4, 16}) {
    CAPTURE(block);
    const auto report = lmo(dual(ky_fan(20)), m, d, block_krylov{.gap = 1e-2, .block = block});
    CHECK(-report.objective >= 20 * (1 - 1e-2));
    CHECK(report.bound >= 20 * (1 - 1e-6));
  }
}

TEST_CASE_TEMPLATE("steep spectra leave the basis orthogonal", T, float, double) {
  // A new block nearly lies in the span of the old ones: one projection does not do.
  const matrix_of<T> m = matrices::with_spectrum(150, 120, [](Eigen::Index k) {
                           return std::pow(10.0, -0.2 * static_cast<double>(k));
                         }).template cast<T>();
  const auto f = reference::facts_of(m);
  for (const index_t block : {1, 2, 5}) {
    CAPTURE(block);
    matrix_of<T> d;
    const auto report = lmo(dual(ky_fan(4)), m, d, block_krylov{.block = block, .passes = 40});
    CHECK(reference::ky_fan_dual(reference::facts_of(d), 4) <= 1 + tolerance<T>(150, 120));
    CHECK(static_cast<reference::real>(-report.objective) <=
          reference::leading_sum(f, 4) * (1 + tolerance<T>(150, 120)));
    CHECK(static_cast<reference::real>(report.bound) >= reference::leading_sum(f, 4));
  }
}

TEST_CASE_TEMPLATE("low rank: the remainder is proven small by noise", T, float, double) {
  const matrix_of<T> m =
      (matrices::gaussian(250, 3, 1) * matrices::gaussian(3, 180, 2)).template cast<T>();
  const auto f = reference::facts_of(m);
  matrix_of<T> d;
  for (const std::ptrdiff_t k : {2, 3, 9}) {
    CAPTURE(k);
    // Beyond the rank a bound is sqrt(ε) σ₁ or a few times that.
    const double gap = k > 3 && sizeof(T) == 4 ? 5e-2 : 1e-3;
    const auto report = lmo(dual(ky_fan(k)), m, d, block_krylov{.gap = gap});
    CHECK(report.outcome == outcome::converged);
    CHECK(report.gap() <= gap);
    CHECK(report.passes <= 6);
    CHECK(report.bound >= static_cast<double>(reference::leading_sum(f, k)) * (1 - 1e-6));
  }
}

TEST_CASE_TEMPLATE("tol: identified where the gap is proven, otherwise not", T, float, double) {
  const matrix_of<T> m = matrices::with_spectrum(300, 200, [](Eigen::Index k) {
                           return std::pow(0.8, static_cast<double>(k));
                         }).template cast<T>();
  const auto s = reference::svd(reference::widen(m));
  const reference::table best = reference::compose(s, {1, 1, 1});
  for (const double tol : {1e-2, 1e-3}) {
    matrix_of<T> d;
    const auto report = lmo(dual(ky_fan(3)), m, d, block_krylov{.tol = tol});
    CHECK(report.outcome == outcome::converged);
    const reference::table off = best + reference::widen(d);
    CHECK(static_cast<double>(std::sqrt(reference::dot(off, off) / 3)) <= tol);
  }
  // A tie at k, and no gap worth a proof: right, but not identified.
  matrix_of<T> d;
  const matrix_of<T> tied = matrices::clustered(130, 90).cast<T>();
  CHECK(lmo(dual(ky_fan(2)), tied, d, block_krylov{.tol = 1e-2}).outcome ==
        outcome::vectors_not_identified);
  const matrix_of<T> noise = matrices::gaussian(300, 300).cast<T>();
  const auto report = lmo(dual(ky_fan(5)), noise, d, block_krylov{.tol = 1e-2});
  CHECK(report.outcome == outcome::vectors_not_identified);
  CHECK(report.gap() <= 5e-2);  // the value is certified all the same
  const Eigen::BDCSVD<Eigen::MatrixXd> full(noise.template cast<double>(),
                                            Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::MatrixXd uv = full.matrixU().leftCols(5) * full.matrixV().leftCols(5).transpose();
  CHECK((d.template cast<double>() + uv).norm() / std::sqrt(5.0) <= 1e-2);
}

TEST_CASE_TEMPLATE("passes fix the work", T, float, double) {
  const matrix_of<T> m = matrices::gaussian(350, 320).cast<T>();
  matrix_of<T> d;
  for (const index_t passes : {1, 3, 7})
    for (const std::ptrdiff_t k : {1, 12})  // one more reads ‖M‖
      CHECK(lmo(dual(ky_fan(k)), m, d, block_krylov{.passes = passes}).passes == passes + 1);
  // Warm, they go on from where the last call ended.
  auto plan = plan_lmo(dual(ky_fan(5)), m, block_krylov{.passes = 2});
  double last = 0;
  for (int call = 0; call < 4; ++call) {
    const double now = -plan.execute(m, d).objective;
    CHECK(now > last);
    last = now;
  }
}

TEST_CASE_TEMPLATE("a basis that fills is restarted, and says what it could not prove", T, float,
                   double) {
  const matrix_of<T> m = matrices::gaussian(300, 280).cast<T>();
  const auto f = reference::facts_of(m);
  matrix_of<T> d;
  const auto report =
      lmo(dual(ky_fan(3)), m, d, block_krylov{.gap = 1e-5, .block = 4, .basis = 40});
  CHECK(report.outcome == outcome::budget_spent);
  CHECK(-report.objective >= (1 - 1e-5) * static_cast<double>(reference::leading_sum(f, 3)));
  CHECK(report.bound >= static_cast<double>(reference::leading_sum(f, 3)));
  CHECK(report.gap() < 1);
  // The vectors too are right after restarts.
  const auto found = lmo(dual(ky_fan(3)), m, d, block_krylov{.tol = 1e-3, .block = 4, .basis = 40});
  CHECK(found.outcome == outcome::vectors_not_identified);
  const Eigen::BDCSVD<Eigen::MatrixXd> full(m.template cast<double>(),
                                            Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::MatrixXd uv = full.matrixU().leftCols(3) * full.matrixV().leftCols(3).transpose();
  CHECK((d.template cast<double>() + uv).norm() / std::sqrt(3.0) <= 1e-3);
}

TEST_CASE("another matrix of one plan sees other noise; reset and a checkpoint bring it back") {
  const Eigen::MatrixXd m = matrices::gaussian(90, 80);
  const auto plan = [&] { return plan_lmo(dual(ky_fan(3)), m, block_krylov{.gap = 1e-2}); };
  auto a = plan(), b = plan();
  Eigen::MatrixXd first, second, other;
  (void)a.execute(m, first);
  std::stringstream file;
  a.save(file);
  (void)a.execute(m, second);
  b.load(file);
  (void)b.execute(m, other);
  CHECK(other == second);
  // The same start but for the noise, which is that of the third call and of the first.
  auto c = plan();
  const Eigen::MatrixXd v = matrices::frame(80, 3);
  a.seed_subspace(v);
  c.seed_subspace(v);
  (void)a.execute(m, second);
  (void)c.execute(m, other);
  CHECK(other != second);
  a.reset();
  (void)a.execute(m, other);
  CHECK(other == first);
}

TEST_CASE("a copy in float proves the gap of the doubles") {
  for (const auto& s : std::vector<matrices::shape>{{130, 80}, {80, 130}, {100, 100}})
    for (const auto& kind : matrices::hard_kinds())
      for (const double scale : {1.0, 1e300, 1e-300}) {
        if (scale != 1.0 && s.rows != s.cols && !wider_run()) continue;
        CAPTURE(kind.name);
        CAPTURE(scale);
        const Eigen::MatrixXd m = kind.make(s.rows, s.cols) * scale;
        const auto f = reference::facts_of(m);
        for (const std::ptrdiff_t k : {1, 5}) {
          Eigen::MatrixXd d;
          const auto report =
              lmo(dual(ky_fan(k)), m, d, block_krylov{.gap = 1e-2, .in_float = true});
          CHECK(report.outcome == outcome::converged);
          CHECK(report.gap() <= 1e-2);
          const auto best = reference::leading_sum(f, k);
          const auto attained = -reference::dot(f.x, reference::widen(d));
          CHECK(static_cast<reference::real>(report.bound) >= best);
          // D is orthonormal and its value is M's own, in double.
          CHECK(static_cast<double>(
                    std::fabs(attained + static_cast<reference::real>(report.objective)) / best) <=
                static_cast<double>(tolerance<double>(130, 130)));
          CHECK(static_cast<double>(reference::ky_fan_dual(reference::facts_of(d), k)) <=
                1 + static_cast<double>(tolerance<double>(130, 130)));
        }
      }
  // Asked for more than a float holds, it says that it fell short; vectors are never identified.
  const Eigen::MatrixXd m = matrices::graded(130, 80);
  Eigen::MatrixXd d;
  CHECK(lmo(dual(ky_fan(3)), m, d, block_krylov{.gap = 1e-9, .in_float = true}).outcome ==
        outcome::budget_spent);
  CHECK(lmo(dual(ky_fan(3)), m, d, block_krylov{.tol = 1e-2, .in_float = true}).outcome ==
        outcome::vectors_not_identified);
  CHECK(lmo(dual(ky_fan(3)), m, d, block_krylov{.passes = 4, .in_float = true}).passes >= 6);
  // A large entry that a float of the operand's scale cannot hold beside the small ones is no harm.
  Eigen::MatrixXd far = Eigen::MatrixXd::Identity(90, 70) * 1e-60;
  far(3, 5) = 1;
  const auto report = lmo(dual(ky_fan(2)), far, d, block_krylov{.gap = 1e-2, .in_float = true});
  CHECK(report.gap() <= 1e-2);
}

TEST_CASE_TEMPLATE("a whole space needs no luck, and says so", T, float, double) {
  // Two random columns prove little about seven values until the space is whole.
  const matrix_of<T> m = matrices::gaussian(30, 40).cast<T>();
  matrix_of<T> d;
  const auto report = lmo(dual(ky_fan(7)), m, d, block_krylov{.gap = 1e-12, .block = 2});
  CHECK(report.failure_probability == 0);
  CHECK(static_cast<reference::real>(report.bound) >=
        reference::leading_sum(reference::facts_of(m), 7));
  CHECK(report.gap() <= 1e-3);
}
