/// The counter-based generator: moments, independence of neighbours, and no state.
#include <fanion/core/random.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace {

using namespace fanion;

constexpr index_t side = 400;  // 160,000 samples: a mean has a deviation of 1/400

template <class F>
double mean(F f) {
  double sum = 0;
  for (index_t j = 0; j < side; ++j)
    for (index_t i = 0; i < side; ++i) sum += f(i, j);
  return sum / static_cast<double>(side * side);
}

TEST_CASE("random_normal has the moments of a standard normal") {
  const auto x = [](index_t i, index_t j) { return random_normal(7, i, j); };
  // Five deviations of each mean: sqrt(Var) = 1, sqrt(2), sqrt(15), sqrt(96) over 400.
  CHECK(std::abs(mean(x)) < 5 * 1 / 400.0);
  CHECK(std::abs(mean([&](auto i, auto j) { return std::pow(x(i, j), 2); }) - 1) < 5 * 1.42 / 400);
  CHECK(std::abs(mean([&](auto i, auto j) { return std::pow(x(i, j), 3); })) < 5 * 3.88 / 400);
  CHECK(std::abs(mean([&](auto i, auto j) { return std::pow(x(i, j), 4); }) - 3) < 5 * 9.8 / 400);
}

TEST_CASE("neighbours in row, column and seed are uncorrelated") {
  const auto product = [](auto a, auto b) {
    return mean([&](index_t i, index_t j) { return a(i, j) * b(i, j); });
  };
  const auto x = [](index_t i, index_t j) { return random_normal(7, i, j); };
  CHECK(std::abs(product(x, [](auto i, auto j) { return random_normal(7, i + 1, j); })) <
        5 / 400.0);
  CHECK(std::abs(product(x, [](auto i, auto j) { return random_normal(7, i, j + 1); })) <
        5 / 400.0);
  CHECK(std::abs(product(x, [](auto i, auto j) { return random_normal(8, i, j); })) < 5 / 400.0);
}

TEST_CASE("random_uniform lies strictly inside (0, 1) with mean one half") {
  const double average = mean([](index_t i, index_t j) {
    const double u = random_uniform(3, i, j);
    CHECK_UNARY(u > 0 && u < 1);
    return u;
  });
  CHECK(std::abs(average - 0.5) < 5 * 0.29 / 400);
}

static_assert(random_bits(1, 2, 3) == random_bits(1, 2, 3));
static_assert(random_bits(1, 2, 3) != random_bits(1, 3, 2));

}  // namespace
