// A number is not a norm.
// expect: (no match for|invalid operands to binary expression)
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/frobenius.hpp>

auto n = 2.0 + fanion::frobenius();
