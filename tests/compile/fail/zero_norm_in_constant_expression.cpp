// 0 * n alone is no norm: a compile error where the expression is constant.
// expect: (call to non-'constexpr' function|must be initialized by a constant expression)
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/frobenius.hpp>

constexpr auto n = dual(0 * fanion::frobenius());
