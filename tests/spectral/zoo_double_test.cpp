// The zoo in double: no wrong answer, no report that is not true, no NaN. See
// support/zoo_check.hpp.
#include <doctest/doctest.h>

#include "support/zoo_check.hpp"

TEST_CASE("the zoo, double") { zoo::examine_zoo<double>(); }
TEST_CASE("the zoo, double, scaled by powers of two: the same bits") {
  zoo::examine_powers_of_two<double>();
}
TEST_CASE("the zoo, double, at the ends of its range") { zoo::examine_extremes<double>(); }
