// Solvers one by one: polar factors, leading triplets, and the spectra that are hard for them.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <Eigen/Eigenvalues>

using namespace fanion;
using oracle_check::matrix_of;
using oracle_check::tolerance;

namespace {

/// ‖D + UVᵀ‖_F over the singular values above `cut`.
template <class T>
double distance_to_polar(const matrix_of<T>& m, const matrix_of<T>& d, double cut) {
  const reference::table polar = reference::polar_factor(reference::svd(reference::widen(m)), cut);
  const reference::table off = polar + reference::widen(d);
  return static_cast<double>(std::sqrt(reference::dot(off, off)));
}

/// The share of Ky Fan k that D misses.
template <class T, class Method>
double lost(const matrix_of<T>& m, std::ptrdiff_t k, const Method& method,
            lmo_report* out = nullptr) {
  static reference::facts f;  // of the last matrix: most are used many times
  static matrix_of<T> last;
  if (last.rows() != m.rows() || last.cols() != m.cols() || last != m) {
    last = m;
    f = reference::facts_of(m);
  }
  matrix_of<T> d;
  const auto report = lmo(dual(ky_fan(k)), m, d, method);
  if (out != nullptr) *out = report;
  return static_cast<double>(1 + reference::dot(f.x, reference::widen(d)) /
                                     reference::leading_sum(f, k));
}

}  // namespace

TEST_CASE_TEMPLATE("polar methods find the polar factor", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{30, 20}, {20, 30}, {25, 25}}) {
    const matrix_of<T> m = matrices::with_spectrum(s.rows, s.cols, [](Eigen::Index k) {
                             return 1 / (1 + 0.3 * static_cast<double>(k));
                           }).template cast<T>();
    const double tiny = 10 * static_cast<double>(tolerance<T>(s.rows, s.cols));
    matrix_of<T> d;
    (void)lmo(spectral(), m, d, exact{});
    CHECK(distance_to_polar<T>(m, d, 1e-6) <= tiny);
    (void)lmo(spectral(), m, d, newton_schulz{.steps = 25, .coefficients = schulz::classic});
    CHECK(distance_to_polar<T>(m, d, 1e-6) <= tiny);
    const auto report = lmo(spectral(), m, d, polar_express{});
    CHECK(distance_to_polar<T>(m, d, 1e-6) <= 20 * default_gap<T>);
    CHECK(report.residual <= 20 * default_gap<T>);
    CHECK(report.gap() <= default_gap<T>);
    // Keller Jordan's steps leave σ in [0.68, 1.21]: a fixed distance, and no more.
    (void)lmo(spectral(), m, d, newton_schulz{});
    const double off = distance_to_polar<T>(m, d, 1e-6) / std::sqrt(20.0);
    CHECK(off > 0.01);
    CHECK(off < 0.35);
  }
}

TEST_CASE_TEMPLATE("polar express goes as low as the matrix needs", T, float, double) {
  // Half of the nuclear norm lies far below the default lower end.
  const matrix_of<T> m = matrices::with_spectrum(80, 80, [](Eigen::Index k) {
                           return k == 0 ? 1.0 : 1.0 / 80 / (k > 40 ? 50 : 1);
                         }).template cast<T>();
  for (const double gap : {1e-2, 1e-3}) {
    matrix_of<T> d;
    const auto report = lmo(spectral(), m, d, polar_express{.gap = gap, .lower = 0.1});
    CHECK(report.outcome == outcome::converged);
    CHECK(report.gap() <= gap);
    const auto f = reference::facts_of(m);
    CHECK(static_cast<double>(1 + reference::dot(f.x, reference::widen(d)) /
                                      reference::nuclear(f)) <= gap);
  }
  // A plan remembers how low: the second call needs fewer steps.
  auto plan = plan_lmo(spectral(), m, polar_express{.gap = 1e-3, .lower = 0.1});
  matrix_of<T> d;
  const auto first = plan.execute(m, d), second = plan.execute(m, d);
  CHECK(second.passes <= first.passes);
  CHECK(second.gap() <= 1e-3);
}

TEST_CASE_TEMPLATE("fixed work is fixed, and the report stays honest", T, float, double) {
  const matrix_of<T> m = matrices::graded(70, 66).cast<T>();
  for (const index_t steps : {1, 2, 3, 8}) {
    matrix_of<T> d;
    const auto report = lmo(spectral(), m, d, polar_express{.steps = steps});
    CHECK(report.iterations == steps);
    const auto f = reference::facts_of(m);
    const auto size = reference::spectral(reference::facts_of(d));
    const auto miss = 1 + reference::dot(f.x, reference::widen(d)) /
                              std::max<reference::real>(1, size) / reference::nuclear(f);
    CHECK(static_cast<reference::real>(report.gap()) >= miss - tolerance<T>(70, 66));
    CHECK(static_cast<reference::real>(report.feasibility) >= size);
    CHECK(static_cast<reference::real>(report.bound) >= reference::nuclear(f));
  }
}

TEST_CASE_TEMPLATE("extreme lower ends stay finite", T, float, double) {
  const matrix_of<T> m = matrices::gaussian(70, 66).cast<T>();
  for (const double lower : {1.0, 0.999999, 0.5, 1e-8, 1e-30}) {
    CAPTURE(lower);
    matrix_of<T> d;
    const auto report = lmo(spectral(), m, d, polar_express{.lower = lower});
    CHECK(d.allFinite());
    CHECK(report.gap() <= default_gap<T>);
  }
}

TEST_CASE_TEMPLATE("every copy of a repeated singular value is found", T, float, double) {
  // Groups of three: one Krylov sequence sees one copy.
  for (std::uint64_t seed = 0; seed < 12; ++seed)
    for (const auto& s : std::vector<matrices::shape>{{66, 90}, {90, 66}}) {
      CAPTURE(seed);
      const matrix_of<T> m =
          matrices::with_spectrum(
              s.rows, s.cols,
              [](Eigen::Index k) { return std::pow(0.9, static_cast<double>(k / 3)); }, seed + 100)
              .template cast<T>();
      for (const std::ptrdiff_t k : {1, 3, 5}) {
        CAPTURE(k);
        CHECK(lost<T>(m, k, lanczos{.gap = 1e-4, .seed = seed}) <= 3e-4);
        CHECK(lost<T>(m, k, lanczos{.tol = 1e-3, .seed = seed}) <= 1e-3);
        CHECK(lost<T>(m, k, subspace{.gap = 1e-4, .seed = seed}) <= 1e-3);
      }
    }
}

TEST_CASE_TEMPLATE("a closed gap leaves the vectors open, and the outcome says so", T, float,
                   double) {
  lmo_report report;
  const matrix_of<T> tied = matrices::clustered(66, 90).cast<T>();
  CHECK(lost<T>(tied, 2, lanczos{.tol = 1e-3}, &report) <= 1e-3);
  CHECK(report.outcome == outcome::vectors_not_identified);
  CHECK(lost<T>(tied, 3, lanczos{.tol = 1e-3}, &report) <= 1e-3);
  // 1, 1, 1, 0.9: open again, but Lanczos cannot prove it.
  CHECK(report.outcome == outcome::vectors_not_identified);
  CHECK(lost<T>(tied, 3, block_krylov{.tol = 1e-3}, &report) <= 1e-3);
  CHECK(report.outcome == outcome::converged);
  const matrix_of<T> eye = matrix_of<T>::Identity(80, 80);
  CHECK(lost<T>(eye, 3, lanczos{.tol = 1e-3}, &report) <= 1e-5);
  CHECK(report.outcome == outcome::vectors_not_identified);
  // Asked for a value, it says nothing of vectors.
  CHECK(lost<T>(eye, 3, lanczos{}, &report) <= 1e-5);
  CHECK(report.outcome == outcome::converged);
}

TEST_CASE_TEMPLATE("with tol, the vectors are as good as asked for", T, float, double) {
  const matrix_of<T> m = matrices::with_spectrum(90, 70, [](Eigen::Index k) {
                           return std::pow(0.8, static_cast<double>(k));
                         }).template cast<T>();
  const auto s = reference::svd(reference::widen(m));
  const reference::table best = reference::compose(s, {1, 1, 1});
  for (const double tol : {1e-2, 1e-3}) {
    matrix_of<T> d;
    CHECK(lmo(dual(ky_fan(3)), m, d, lanczos{.tol = tol}).outcome == outcome::converged);
    const reference::table off = best + reference::widen(d);
    CHECK(static_cast<double>(std::sqrt(reference::dot(off, off) / 3)) <= tol);
  }
}

TEST_CASE_TEMPLATE("spectra that are hard", T, float, double) {
  const auto check = [](const matrix_of<T>& m, const char* name) {
    CAPTURE(name);
    for (const std::ptrdiff_t k : {1, 4}) {
      CAPTURE(k);
      CHECK(lost<T>(m, k, lanczos{.gap = 1e-4}) <= 3e-4);
      CHECK(lost<T>(m, k, subspace{.gap = 1e-3}) <= 3e-3);
      CHECK(lost<T>(m, k, automatic{}) <= 3e-4);
      CHECK(lost<T>(m, k, power{.gap = 1e-2}) <= 5e-2);
    }
  };
  const auto spectrum = [](auto f) {
    return matrix_of<T>(matrices::with_spectrum(100, 80, f).template cast<T>());
  };
  check(spectrum([](Eigen::Index k) { return 1 - 1e-3 * static_cast<double>(k); }),
        "no gap anywhere");
  check(spectrum([](Eigen::Index) { return 1.0; }), "all equal");
  check(spectrum([](Eigen::Index k) { return k == 0 ? 1.0 : 1e-8; }), "one and noise");
  check(spectrum([](Eigen::Index k) { return k < 2 ? 1.0 : 0.0; }), "rank below k");
  check(spectrum([](Eigen::Index k) { return std::pow(10.0, -0.5 * static_cast<double>(k)); }),
        "steep");
  matrix_of<T> corner = matrix_of<T>::Zero(100, 80);
  corner(99, 79) = T(2);
  check(corner, "one entry");
  matrix_of<T> diagonal = matrix_of<T>::Zero(100, 80);
  for (Eigen::Index i = 0; i < 80; ++i) diagonal(i, i) = i % 2 == 0 ? T(1) : T(-1);
  check(diagonal, "signs on a diagonal");
}

TEST_CASE_TEMPLATE("block methods report what D attains, however small the last of the block", T,
                   float, double) {
  // Beside three large singular values the block holds some at the reach of rounding: the matrix
  // that turns products with X into products with V must not carry the large ones over.
  const double small = sizeof(T) == 4 ? 1e-4 : 1e-12;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    const matrix_of<T> m = (matrices::gaussian(90, 3, seed) * matrices::gaussian(3, 70, seed + 50) +
                            small * matrices::gaussian(90, 70, seed + 90))
                               .template cast<T>();
    const auto f = reference::facts_of(m);
    for (const std::ptrdiff_t k : {1, 5, 20, 70}) {
      CAPTURE(k);
      const auto check = [&](const auto& method) {
        matrix_of<T> d;
        const auto said =
            static_cast<reference::real>(lmo(dual(ky_fan(k)), m, d, method).objective);
        const auto off = said - reference::dot(f.x, reference::widen(d));
        CHECK(static_cast<double>(std::fabs(off) / reference::leading_sum(f, k)) <=
              static_cast<double>(tolerance<T>(90, 70)) / 16);
      };
      check(subspace{.gap = 1e-2, .seed = seed});
      check(randomized{.seed = seed});
    }
  }
}

TEST_CASE_TEMPLATE("a budget that runs out says so, and the answer stays in the ball", T, float,
                   double) {
  const matrix_of<T> m = matrices::gaussian(100, 80).cast<T>();
  const auto f = reference::facts_of(m);
  matrix_of<T> d;
  const auto report = lmo(dual(ky_fan(3)), m, d, lanczos{.gap = 1e-9, .passes = 12});
  CHECK(report.outcome == outcome::budget_spent);
  CHECK(report.passes <= 14);
  CHECK(reference::ky_fan_dual(reference::facts_of(d), 3) <= 1 + tolerance<T>(100, 80));
  CHECK(static_cast<reference::real>(report.bound) >= reference::leading_sum(f, 3));
  CHECK(report.gap() >= static_cast<double>(1 + reference::dot(f.x, reference::widen(d)) /
                                                    reference::leading_sum(f, 3)) -
                            1e-5);
  // passes fixes the work of the block methods; one more reads ‖M‖ and multiplies a first time.
  CHECK(lmo(dual(ky_fan(3)), m, d, subspace{.passes = 6}).passes == 7);
  CHECK(lmo(dual(ky_fan(3)), m, d, power{.passes = 6}).passes == 7);
  CHECK(lmo(dual(ky_fan(3)), m, d, randomized{.iterations = 2}).passes == 4);
}

TEST_CASE("seeds: another seed, another start; the same seed, the same bits") {
  const Eigen::MatrixXd m = matrices::gaussian(100, 80);
  const auto answer = [&](const auto& method) {
    Eigen::MatrixXd d;
    (void)lmo(dual(ky_fan(3)), m, d, method);
    return d;
  };
  CHECK(answer(power{.passes = 4, .seed = 1}) == answer(power{.passes = 4, .seed = 1}));
  CHECK(answer(power{.passes = 4, .seed = 1}) != answer(power{.passes = 4, .seed = 2}));
  CHECK(answer(lanczos{.seed = 1}) == answer(lanczos{.seed = 1}));
  CHECK(answer(lanczos{.seed = 1}) != answer(lanczos{.seed = 2}));
  CHECK(answer(subspace{.passes = 4, .seed = 1}) != answer(subspace{.passes = 4, .seed = 2}));
  CHECK(answer(randomized{.seed = 1}) != answer(randomized{.seed = 2}));
}

TEST_CASE("the feasibility of a full decomposition holds at larger sizes, too") {
  for (const Eigen::Index n : {200, 400})
    for (const auto& make : {matrices::plain_gaussian, matrices::sparse}) {
      const Eigen::MatrixXf m = make(n + 20, n).cast<float>();
      Eigen::MatrixXf d;
      const auto report = lmo(spectral(), m, d, exact{});
      const Eigen::MatrixXd wide = d.cast<double>();
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> gram(wide.transpose() * wide,
                                                                Eigen::EigenvaluesOnly);
      CHECK(report.feasibility >= std::sqrt(gram.eigenvalues().maxCoeff()));
      CHECK(report.bound >=
            -static_cast<double>(reference::dot(reference::widen(m), reference::widen(d))) /
                report.feasibility);
    }
}
