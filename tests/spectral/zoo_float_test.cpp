// The zoo in float: no wrong answer, no report that is not true, no NaN. See support/zoo_check.hpp.
#include <doctest/doctest.h>

#include "support/zoo_check.hpp"

TEST_CASE("the zoo, float") { zoo::examine_zoo<float>(); }
TEST_CASE("the zoo, float, scaled by powers of two: the same bits") {
  zoo::examine_powers_of_two<float>();
}
TEST_CASE("the zoo, float, at the ends of its range") { zoo::examine_extremes<float>(); }
