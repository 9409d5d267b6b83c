/// The estimate that ends block iteration, on sequences of values whose end is known.
#include <fanion/spectral/gains.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace {

using fanion::gain_estimate;

constexpr double gap = 1e-2;

/// Values 1 - c q^h after h half steps. The estimate after `steps` steps from half step `from`.
double run(gain_estimate& e, double c, double q, int steps, int from, bool cold) {
  e.start(cold);
  double missed = 1;
  for (int s = 0; s < steps; ++s) {
    const int h = from + 2 * s;
    missed = e.missed(1 - c * std::pow(q, h + 1), 1 - c * std::pow(q, h + 2), gap);
  }
  return missed;
}

TEST_CASE("geometric convergence: twice what is left") {
  for (const double q : {0.1, 0.5, 0.8})
    for (int steps = 2; steps < 5; ++steps) {
      gain_estimate e;
      const double end = 0.3 * std::pow(q, 2 * steps);
      const double missed = run(e, 0.3, q, steps, 0, true);
      CAPTURE(q);
      CAPTURE(steps);
      CHECK(missed / (2 * end / (1 - end)) == doctest::Approx(1).epsilon(1e-6));
    }
}

TEST_CASE("one step alone is trusted only where an earlier call has measured") {
  gain_estimate e;
  CHECK(e.trust() == gain_estimate::unknown);
  CHECK(run(e, 0.3, 0.5, 1, 0, true) == 1);
  CHECK(run(e, 0.3, 0.5, 1, 0, false) == 1);
  (void)run(e, 0.3, 0.5, 2, 0, false);
  CHECK(e.trust() == doctest::Approx(1).epsilon(1e-3));  // q/(1-q)
  // From then on one step says twice what is left, 5 % more each time.
  const double left = 2 * 0.1 * 0.25 / (1 - 0.1 * 0.25);
  CHECK(run(e, 0.1, 0.5, 1, 0, false) / left == doctest::Approx(1.05).epsilon(0.005));
  CHECK(run(e, 0.1, 0.5, 1, 0, false) / left == doctest::Approx(1.05 * 1.05).epsilon(0.005));
  CHECK(run(e, 0.1, 0.5, 1, 0, true) == 1);  // but nothing after a cold start
}

TEST_CASE("a value that has fallen is that of another matrix or start: one step is not enough") {
  gain_estimate e;
  (void)run(e, 0.3, 0.1, 3, 0, true);
  CHECK(run(e, 0.03, 0.1, 1, 0, false) < 1);
  e.start(false);
  CHECK(e.missed(0.79, 0.8, gap) == 1);
  e.start(false);
  CHECK(e.missed(0.785, 0.79, gap) < 1);  // by less than four gaps
}

TEST_CASE("a second step measures what the first left, unless the first gained next to nothing") {
  gain_estimate e;
  (void)run(e, 0.3, 0.5, 2, 0, true);
  (void)run(e, 0.3, 0.1, 2, 0, false);
  CHECK(e.trust() == doctest::Approx(0.1 / 0.9).epsilon(0.05));
  (void)run(e, 1e-6, 0.9, 2, 0, false);
  CHECK(e.trust() == doctest::Approx(0.1 / 0.9).epsilon(0.05));
}

TEST_CASE("no gain, nothing missed; no value, nothing known; stagnation is not convergence") {
  gain_estimate e;
  e.start(true);
  (void)e.missed(1, 1, gap);
  CHECK(e.missed(1, 1, gap) == 0);
  e.start(true);
  CHECK(e.missed(0, 0, gap) == 1);
  e.start(true);
  (void)e.missed(0.1, 0.2, gap);
  CHECK(e.missed(0.3, 0.4, gap) > 1);  // equal gains: no end in sight
}

}  // namespace
