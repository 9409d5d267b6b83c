// Polar methods on spectra that are hard for them: the report is true by Eigen's decomposition in
// double, whatever rounding did on the way, and the gap that was asked for is met.
#include "spectral/polar_zoo.hpp"

#include <cstring>
#include <sstream>

using namespace polar_zoo;

TEST_CASE_TEMPLATE("polar express: the certificate is true, and met", T, float, double) {
  for_zoo<T>([](const truth& known, const matrix_of<T>& m) {
    for (const double gap : {1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9}) {
      if (sizeof(T) == 4 && gap < 1e-4) continue;
      check<T>(known, m, polar_express{.gap = gap}, gap);
      check<T>(known, m, polar_express{.gap = gap, .block = 1}, gap);
    }
    // Blocks longer than it would choose: it knows what they cost in digits.
    for (const index_t block : {2, 3})
      check<T>(known, m, polar_express{.gap = 1e-2, .block = block}, 1e-2, false);
    check<T>(known, m, polar_express{.lower = 0.2, .steps = 4}, 1, false);
    check<T>(known, m, newton_schulz{}, 1, false);
  });
}

TEST_CASE_TEMPLATE("qdwh: the certificate is true, and met", T, float, double) {
  for_zoo<T>([](const truth& known, const matrix_of<T>& m) {
    for (const double gap : {1e-2, 1e-4, 1e-6, 1e-10, 1e-13})
      if (sizeof(T) == 8 || gap >= 1e-4) check<T>(known, m, qdwh{.gap = gap}, gap);
  });
}

TEST_CASE_TEMPLATE("automatic: the certificate is true, and met", T, float, double) {
  for_zoo<T>([](const truth& known, const matrix_of<T>& m) {
    for (const double gap : {1e-2, 1e-4, 1e-6, 1e-10})
      if (sizeof(T) == 8 || gap >= 1e-4)
        check<T>(known, m, automatic{.gap = gap}, gap, std::min(m.rows(), m.cols()) > 64, 4);
  });
}

TEST_CASE_TEMPLATE("eigenvectors of the Gram matrix: the certificate is true, and tight", T, float,
                   double) {
  for_zoo<T>([](const truth& known, const matrix_of<T>& m) {
    // Half of the singular values may be zero to the Gram matrix: each is in doubt by 1e-7.
    check<T>(known, m, gram_eigen{}, sizeof(T) == 4 ? 1e-4 : 1e-5);
    // With a gap it meets that, by other means where it must.
    check<T>(known, m, gram_eigen{.gap = 1e-10}, sizeof(T) == 4 ? 1e-4 : 1e-10, sizeof(T) == 8);
  });
  const matrix_of<T> m = matrices::gaussian(90, 100).cast<T>();
  check<T>(truth_of<T>(m), m, gram_eigen{}, sizeof(T) == 4 ? 1e-5 : 1e-11);
}

TEST_CASE_TEMPLATE("in blocks or not, the same factor", T, float, double) {
  const matrix_of<T> m = matrices::gaussian(60, 200).cast<T>();
  matrix_of<T> single, together;
  (void)lmo(spectral(), m, single, polar_express{.steps = 3, .block = 1});
  (void)lmo(spectral(), m, together, polar_express{.steps = 3, .block = 3});
  CHECK((single - together).norm() <= 1e4 * std::numeric_limits<T>::epsilon() * single.norm());
  CHECK(single != together);
}

TEST_CASE("a plan learns how many steps its matrices need") {
  const matrix_of<double> easy = matrices::orthogonal(80, 90), hard = matrices::graded(80, 90);
  auto plan = plan_lmo(spectral(), easy, polar_express{.gap = 1e-3});
  matrix_of<double> d;
  const index_t first = plan.execute(easy, d).iterations;
  for (int call = 0; call < 5; ++call) (void)plan.execute(easy, d);
  const index_t last = plan.report().iterations;
  CHECK(last < first);
  CHECK(plan.report().gap() <= 1e-3);
  // Where they turn hard it takes more, and the next time it need not find out.
  const auto surprise = plan.execute(hard, d), prepared = plan.execute(hard, d);
  CHECK(surprise.gap() <= 1e-3);
  CHECK(prepared.gap() <= 1e-3);
  CHECK(prepared.passes < surprise.passes);
  CHECK(prepared.iterations <= surprise.iterations);
}

TEST_CASE("a checkpoint that no plan wrote is refused") {
  const matrix_of<double> m = matrices::gaussian(70, 70);
  auto plan = plan_lmo(spectral(), m, polar_express{});
  std::ostringstream out;
  plan.save(out);
  const std::string good = out.str();
  // Its memory ends with four numbers: steps beside the guess, calls to wait, patience, trial.
  const auto refuses = [&](std::size_t which, std::int64_t value) {
    std::string bad = good;
    std::memcpy(bad.data() + bad.size() - 8 * (4 - which), &value, sizeof value);
    std::istringstream in(bad);
    CHECK_THROWS_AS(plan.load(in), std::invalid_argument);
  };
  for (const std::int64_t shift : {-61, 61}) refuses(0, shift);
  for (const std::int64_t wait : {-1, 2000}) refuses(1, wait);
  for (const std::int64_t patience : {0, 7, 1025}) refuses(2, patience);
  for (const std::int64_t trial : {-1, 2}) refuses(3, trial);
  std::istringstream in(good);
  plan.load(in);
}

TEST_CASE("a plan does not go back and forth between too few steps and many") {
  const matrix_of<double> m = matrices::gaussian(70, 280);
  for (const double gap : {1e-2, 1e-4, 1e-6, 1e-10}) {
    CAPTURE(gap);
    auto plan = plan_lmo(spectral(), m, polar_express{.gap = gap});
    matrix_of<double> d;
    const index_t first = plan.execute(m, d).iterations;
    int more = 0;
    for (int call = 0; call < 60; ++call) more += plan.execute(m, d).iterations > first;
    CHECK(more <= 3);
  }
}

TEST_CASE("qdwh learns how far down its matrices reach") {
  const matrix_of<double> m = noise_of_four_decades(90, 90);
  for (const double gap : {1e-4, 1e-6, 1e-8}) {
    CAPTURE(gap);
    auto plan = plan_lmo(spectral(), m, qdwh{.gap = gap});
    matrix_of<double> d;
    const index_t first = plan.execute(m, d).iterations;
    index_t more = 0;
    for (int call = 0; call < 40; ++call) {
      const lmo_report report = plan.execute(m, d);
      CHECK(report.outcome == outcome::converged);
      CHECK(report.gap() <= gap);
      if (call < 8) CHECK(report.iterations < first);
      more += report.iterations >= first;
    }
    CHECK(more <= 2);
    plan.reset();
    CHECK(plan.execute(m, d).iterations == first);
  }
}

TEST_CASE("automatic goes over to the polar method that costs less, and back") {
  const matrix_of<double> noise = matrices::gaussian(90, 270),
                          graded = spectrum(
                              90, 270, [](double k, double r) { return std::pow(10, -4 * k / r); });
  auto plan = plan_lmo(spectral(), noise, automatic{.gap = 1e-6});
  matrix_of<double> d;
  // Eigenvectors take one iteration, polynomials take steps.
  const auto by_eigenvectors = [&](const matrix_of<double>& m) {
    const lmo_report report = plan.execute(m, d);
    CHECK(report.outcome == outcome::converged);
    CHECK(report.gap() <= 1e-6);
    return report.iterations == 1;
  };
  for (int call = 0; call < 4; ++call) CHECK(!by_eigenvectors(noise));
  for (int call = 0; call < 2; ++call) CHECK(!by_eigenvectors(graded));
  int eigenvectors = 0;
  for (int call = 0; call < 40; ++call) eigenvectors += by_eigenvectors(graded);
  CHECK(eigenvectors >= 36);
  CHECK(eigenvectors < 40);  // the polynomials are tried anew
  for (int call = 0; call < 70; ++call) (void)by_eigenvectors(noise);
  for (int call = 0; call < 10; ++call) CHECK(!by_eigenvectors(noise));
}

TEST_CASE("a method that costs more than was expected of it is left again") {
  Eigen::MatrixXd noise = matrices::gaussian(90, 270);
  noise /= noise.norm();
  const Eigen::MatrixXd& m = noise;
  const operand<double, host_space> a{matrix_adapter<Eigen::MatrixXd>::view(m), 1.0, 1.0};
  eigen_backend b;
  using eigenvectors = gram_eigen_solver<double, eigen_backend>;
  cheaper_polar_solver<double, eigen_backend, eigenvectors> solver(
      b, 90, 270, polar_express{.gap = 1e-6}, gram_eigen{.gap = 1e-6}, 1.0);
  std::vector<bool> by_eigenvectors;
  for (int call = 0; call < 12; ++call)
    by_eigenvectors.push_back(solver.solve(b, a).effort.iterations == 1);
  std::vector<bool> expected(12, false);
  expected[2] = expected[3] = true;
  CHECK(by_eigenvectors == expected);
}

TEST_CASE("a checkpoint of a choice that no plan made is refused, and changes nothing") {
  const matrix_of<double> m = noise_of_four_decades(90, 270);
  for (const double gap : {1e-6, 1e-10}) {
    auto plan = plan_lmo(spectral(), m, automatic{.gap = gap});
    matrix_of<double> d;
    std::ostringstream out, now, again;
    plan.save(out);
    for (int call = 0; call < 4; ++call) (void)plan.execute(m, d);
    plan.save(now);
    const std::string start = out.str(), good = now.str();
    CHECK(start != good);
    // The memory ends with: the work of both methods, which is used, losses, wait, patience; four
    // numbers of the polynomials; share, wait and patience of the rational steps.
    const auto refuses = [&](std::size_t which, auto value) {
      std::string bad = start;
      std::memcpy(bad.data() + bad.size() - 8 * (13 - which), &value, sizeof value);
      std::istringstream in(bad);
      CHECK_THROWS_AS(plan.load(in), std::invalid_argument);
    };
    for (const double work : {-1.0, std::numeric_limits<double>::quiet_NaN()})
      for (const std::size_t which : {0u, 1u}) refuses(which, work);
    for (const std::int64_t flag : {-1, 2})
      for (const std::size_t which : {2u, 3u}) refuses(which, flag);
    for (const std::int64_t wait : {-1, 2000})
      for (const std::size_t which : {4u, 7u, 11u}) refuses(which, wait);
    for (const std::int64_t patience : {0, 1025})
      for (const std::size_t which : {5u, 8u, 12u}) refuses(which, patience);
    for (const double share : {0.0, 1.5, std::numeric_limits<double>::quiet_NaN()})
      refuses(10, share);
    plan.save(again);
    CHECK(again.str() == good);
    for (const matrix_of<double>& next : {m, matrix_of<double>(matrices::gaussian(90, 270))}) {
      auto first = plan_lmo(spectral(), m, automatic{.gap = gap}),
           second = plan_lmo(spectral(), m, automatic{.gap = gap});
      for (int call = 0; call < 5; ++call) (void)first.execute(next, d);
      std::stringstream file;
      first.save(file);
      second.load(file);
      matrix_of<double> e;
      for (int call = 0; call < 20; ++call) {
        (void)first.execute(next, d);
        (void)second.execute(next, e);
        CHECK(d == e);
      }
    }
  }
}

TEST_CASE("options that cannot be are refused") {
  const matrix_of<double> m = matrices::gaussian(70, 70);
  const auto refuses = [&](const auto& method) {
    CHECK_THROWS_AS((void)plan_lmo(spectral(), m, method), std::invalid_argument);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double gap : {0.0, -1e-3, nan}) refuses(polar_express{.gap = gap});
  for (const double lower : {0.0, -1.0, 1.5, nan}) refuses(polar_express{.lower = lower});
  for (const double safety : {0.0, -1.0, nan}) refuses(polar_express{.safety = safety});
  refuses(polar_express{.steps = -1});
  refuses(polar_express{.steps = 61});
  refuses(polar_express{.block = -1});
  for (const double gap : {0.0, -1e-3, nan}) {
    refuses(qdwh{.gap = gap});
    refuses(gram_eigen{.gap = gap});
  }
  refuses(newton_schulz{.steps = 0});
  refuses(newton_schulz{.steps = 61});
}
