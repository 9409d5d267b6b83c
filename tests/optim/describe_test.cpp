/// @file  Expressions as text.
#include <fanion/norms/describe.hpp>

#include <doctest/doctest.h>

using namespace fanion;

namespace own {

struct nameless : norm_base {
  using category = spectral_tag;
  friend constexpr bool operator==(const nameless&, const nameless&) = default;
};
struct named : norm_base {
  using category = spectral_tag;
  std::string name() const { return "own::named(" + std::to_string(weight) + ")"; }
  int weight = 3;
  friend bool operator==(const named&, const named&) = default;
};

}  // namespace own

TEST_CASE("leaves") {
  CHECK(describe(frobenius()) == "frobenius()");
  CHECK(describe(spectral()) == "spectral()");
  CHECK(describe(nuclear()) == "nuclear()");
  CHECK(describe(max_abs()) == "max_abs()");
  CHECK(describe(sum_abs()) == "sum_abs()");
  CHECK(describe(ky_fan(5)) == "ky_fan(5)");
  CHECK(describe(rms_to_rms(3, 5)) == "rms_to_rms(3, 5)");
  CHECK(describe(own::nameless()) == "norm");
  CHECK(describe(own::named()) == "own::named(3)");
}

TEST_CASE("expressions") {
  CHECK(describe(dual(ky_fan(5))) == "dual(ky_fan(5))");
  CHECK(describe(dual(rms_to_rms(3, 5))) == "dual(rms_to_rms(3, 5))");
  CHECK(describe(dual(spectral())) == "nuclear()");
  CHECK(describe(dual(dual(ky_fan(5)))) == "ky_fan(5)");
  CHECK(describe(dual(0.5 * ky_fan(5) + 0.5 * frobenius())) ==
        "dual(0.5 * ky_fan(5) + 0.5 * frobenius())");
  CHECK(describe(2 * (spectral() + 3 * sum_abs())) == "2 * (spectral() + 3 * sum_abs())");
  CHECK(describe(dual(4 * spectral())) == "0.25 * nuclear()");
  CHECK(describe(0.25 * own::nameless() + frobenius()) == "0.25 * norm + frobenius()");
}

TEST_CASE("coefficients that differ, differ as text") {
  const double x = 0.1, next = 0x1.999999999999bp-4;
  REQUIRE(x != next);
  CHECK(describe(x * spectral()) == "0.1 * spectral()");
  CHECK(describe(x * spectral()) != describe(next * spectral()));
}
