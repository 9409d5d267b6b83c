/// @file  bfloat16 and half: every pattern, and rounding against a search among all numbers.
#include <fanion/core/reduced.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <vector>

using namespace fanion;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// The value of a pattern from the definition of the format, in double.
double value_of(std::uint32_t pattern, int exponent_bits, int fraction_bits) {
  const int exponent = static_cast<int>(pattern >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(pattern) & ((1 << fraction_bits) - 1);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = (pattern & 0x8000u) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1)
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}
template <Reduced Low>
double value_of(Low x) {
  return std::same_as<Low, bfloat16> ? value_of(x.bits, 8, 7) : value_of(x.bits, 5, 10);
}

/// Every number at least 0 in order, then what would be the next one were there no infinity.
template <Reduced Low>
std::vector<double> ladder() {
  std::vector<double> all;
  for (std::uint32_t p = 0; std::isfinite(value_of(Low{static_cast<std::uint16_t>(p)})); ++p)
    all.push_back(value_of(Low{static_cast<std::uint16_t>(p)}));
  all.push_back(2 * all.back() - all[all.size() - 2]);
  return all;
}

/// The pattern nearest to x >= 0, by distances in double, which are exact near x.
template <Reduced Low>
std::uint16_t nearest(const std::vector<double>& all, double x) {
  if (x >= all.back()) return static_cast<std::uint16_t>(all.size() - 1);
  std::size_t low = 0, high = all.size() - 1;
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (all[middle] <= x ? low : high) = middle;
  }
  const double below = x - all[low], above = all[high] - x;
  const bool up = above < below || (above == below && low % 2 == 1);
  return static_cast<std::uint16_t>(up ? high : low);
}

template <Reduced Low>
void check_rounding(const std::vector<double>& all, float x) {
  const std::uint16_t expected = nearest<Low>(all, static_cast<double>(x));
  CAPTURE(x);
  REQUIRE(rounded<Low>(x).bits == expected);
  REQUIRE(rounded<Low>(-x).bits == (expected | 0x8000u));
}

}  // namespace

TEST_CASE_TEMPLATE("every pattern is what its format says, and comes back", Low, bfloat16,
                   float16) {
  for (std::uint32_t p = 0; p < 0x10000u; ++p) {
    const Low x{static_cast<std::uint16_t>(p)};
    const double value = value_of(x);
    CAPTURE(p);
    if (std::isnan(value)) {
      REQUIRE(std::isnan(widened(x)));
      REQUIRE(std::signbit(widened(x)) == ((p & 0x8000u) != 0));
    } else {
      REQUIRE(static_cast<double>(widened(x)) == value);
    }
    REQUIRE(rounded<Low>(widened(x)) == x);
  }
}

TEST_CASE_TEMPLATE("rounding is to the nearest, ties to even", Low, bfloat16, float16) {
  const auto all = ladder<Low>();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    // Of neighbours: both, their middle, which is a float, and the floats around each.
    const float a = static_cast<float>(all[i]);
    const float middle = static_cast<float>((all[i] + all[i + 1]) / 2);
    for (const float x : {a, middle})
      for (const float y : {std::nextafter(x, 0.0f), x, std::nextafter(x, infinity)})
        check_rounding<Low>(all, y);
  }
  // Every exponent, with fractions all over it.
  for (std::uint32_t exponent = 0; exponent < 255; ++exponent)
    for (std::uint32_t k = 0; k < 64; ++k)
      check_rounding<Low>(all,
                          std::bit_cast<float>((exponent << 23) | ((k * 0x9e3779b9u) & 0x7fffffu)));
}

TEST_CASE_TEMPLATE("infinity, NaN and zeros", Low, bfloat16, float16) {
  CHECK(widened(rounded<Low>(infinity)) == infinity);
  CHECK(widened(rounded<Low>(-infinity)) == -infinity);
  CHECK(widened(rounded<Low>(std::numeric_limits<float>::max())) == infinity);
  CHECK(rounded<Low>(0.0f) == Low{0});
  CHECK(rounded<Low>(-0.0f) == Low{0x8000});
  CHECK(rounded<Low>(std::numeric_limits<float>::denorm_min()) == Low{0});
  // The payload's low bits alone would leave an infinity behind.
  for (const std::uint32_t nan : {0x7f800001u, 0xff800001u, 0x7fffffffu, 0x7fc00000u}) {
    const Low x = rounded<Low>(std::bit_cast<float>(nan));
    CHECK(std::isnan(widened(x)));
    CHECK((x.bits >> 15) == (nan >> 31));
  }
}

static_assert(rounded<bfloat16>(1 + 0x1p-8f) == bfloat16{0x3f80});
static_assert(rounded<bfloat16>(1 + 0x3p-8f) == bfloat16{0x3f82});
static_assert(rounded<float16>(0x1p-25f) == float16{0});
static_assert(rounded<float16>(0x3p-25f) == float16{2});
static_assert(widened(float16{1}) == 0x1p-24f && widened(bfloat16{1}) == 0x1p-133f);
