/// @file  Schedules at every boundary, and shape factors, against numbers worked out by hand.
#include <fanion/optim/describe.hpp>
#include <fanion/optim/scaling.hpp>
#include <fanion/optim/schedule.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace fanion;

TEST_CASE("warm-up rises to 1 in its last step, and every shape starts from 1") {
  for (const auto shape :
       {decay_shape::constant, decay_shape::linear, decay_shape::cosine, decay_shape::stable}) {
    const schedule s{.shape = shape, .steps = 24, .warm_up = 4};
    CHECK(s.factor(0) == 0.25);
    CHECK(s.factor(1) == 0.5);
    CHECK(s.factor(3) == 1);
    CHECK(s.factor(4) == 1);
    CHECK(schedule{.shape = shape, .steps = 24}.factor(0) == 1);
  }
}

TEST_CASE("constant") {
  const schedule s{.steps = 10};
  CHECK(s.factor(9) == 1);
  CHECK(s.factor(1000) == 1);
}

TEST_CASE("linear: 20 steps after a warm-up of 4") {
  const schedule s{.shape = decay_shape::linear, .steps = 24, .warm_up = 4};
  CHECK(s.factor(5) == doctest::Approx(0.95).epsilon(1e-15));
  CHECK(s.factor(14) == doctest::Approx(0.5).epsilon(1e-15));
  CHECK(s.factor(23) == doctest::Approx(0.05).epsilon(1e-14));
  CHECK(s.factor(24) == 0);
  CHECK(s.factor(25) == 0);
  const schedule raised{.shape = decay_shape::linear, .steps = 24, .warm_up = 4, .floor = 0.2};
  CHECK(raised.factor(14) == doctest::Approx(0.6).epsilon(1e-15));
  CHECK(raised.factor(24) == 0.2);
  CHECK(raised.factor(99) == 0.2);
}

TEST_CASE("cosine: thirds of the way") {
  const schedule s{.shape = decay_shape::cosine, .steps = 30};
  CHECK(s.factor(10) == doctest::Approx(0.75).epsilon(1e-15));
  CHECK(s.factor(15) == doctest::Approx(0.5).epsilon(1e-15));
  CHECK(s.factor(20) == doctest::Approx(0.25).epsilon(1e-14));
  CHECK(std::abs(s.factor(30)) < 1e-16);
  const schedule raised{.shape = decay_shape::cosine, .steps = 30, .floor = 0.5};
  CHECK(raised.factor(15) == doctest::Approx(0.75).epsilon(1e-15));
  CHECK(raised.factor(31) == 0.5);
}

TEST_CASE("stable: flat, then linear over the tail") {
  const schedule s{.shape = decay_shape::stable, .steps = 100, .tail = 0.25};
  CHECK(s.factor(0) == 1);
  CHECK(s.factor(74) == 1);
  CHECK(s.factor(75) == 1);
  CHECK(s.factor(80) == doctest::Approx(0.8).epsilon(1e-14));
  CHECK(s.factor(99) == doctest::Approx(0.04).epsilon(1e-13));
  CHECK(s.factor(100) == 0);
  const schedule whole{.shape = decay_shape::stable, .steps = 100, .tail = 1};
  CHECK(whole.factor(50) == doctest::Approx(0.5).epsilon(1e-15));
}

TEST_CASE("degenerate lengths") {
  // Warm-up as long as all of it, or longer: it never falls before its end.
  const schedule s{.shape = decay_shape::linear, .steps = 4, .warm_up = 4};
  CHECK(s.factor(3) == 1);
  CHECK(s.factor(4) == 1);
  CHECK(s.factor(5) == 0);
  CHECK(schedule{.shape = decay_shape::linear, .steps = 1}.factor(0) == 1);
}

TEST_CASE("impossible schedules are refused by name and value") {
  CHECK_THROWS_WITH_AS((void)schedule{.steps = 0}.factor(0),
                       "schedule: steps must be at least 1, got 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)schedule{.warm_up = -1}.factor(0),
                       "schedule: warm_up must be at least 0, got -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)schedule{.floor = 1.5}.factor(0),
                       "schedule: floor must be between 0 and 1, got 1.5", std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)schedule{.tail = 0}.factor(0),
                       "schedule: tail must be finite and above 0, got 0", std::invalid_argument);
  CHECK_THROWS_AS((void)schedule{.tail = 1.5}.factor(0), std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)schedule{}.factor(-1), "schedule: t must be at least 0, got -1",
                       std::invalid_argument);
}

TEST_CASE("shape factors for m outputs and n inputs") {
  using enum shape_scaling;
  CHECK(shape_factor(none, 64, 4) == 1);
  CHECK(shape_factor(widening, 64, 4) == 4);
  CHECK(shape_factor(widening, 4, 64) == 1);
  CHECK(shape_factor(rms, 64, 4) == 4);
  CHECK(shape_factor(rms, 4, 64) == 0.25);
  CHECK(shape_factor(shape_scaling::adamw, 100, 4) == doctest::Approx(2).epsilon(1e-15));
  CHECK(shape_factor(shape_scaling::adamw, 4, 100) == doctest::Approx(2).epsilon(1e-15));
}

TEST_CASE("rules as text") {
  CHECK(describe(momentum{}) == "momentum 0.95 ema nesterov");
  CHECK(describe(momentum{0.9, accumulation::heavy_ball, lookahead::none}) ==
        "momentum 0.9 heavy_ball");
  CHECK(
      describe(lmo_rule<frobenius>{{}, {.decay = 0.1, .scaling = shape_scaling::rms, .seed = 7}}) ==
      "lmo(frobenius()), momentum 0.95 ema nesterov, decay 0.1, scaling rms, seed 7");
  CHECK(describe(lmo_options{.form = step_form::constrained, .radius = 50, .gap = 1e-3}) ==
        "momentum 0.95 ema nesterov, decay 0, scaling none, constrained to radius 50, gap 0.001, "
        "seed 0");
  CHECK(describe(fanion::adamw{}) == "adamw, beta1 0.9, beta2 0.999, eps 1e-08, decay 0");
  CHECK(describe(sgd{}) == "sgd, momentum 0.9 heavy_ball nesterov, decay 0");
  CHECK(describe(lion{}) == "lion, beta1 0.9, beta2 0.99, decay 0");
}
