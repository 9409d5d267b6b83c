// What fanion::fanion alone gives, with no other library at hand: the algebra of norms.
#include <fanion/fanion.hpp>

using namespace fanion;

constexpr auto ball = dual(0.5 * ky_fan(5) + 0.5 * frobenius());
static_assert(dual(ball) == 0.5 * ky_fan(5) + 0.5 * frobenius());
static_assert(dual(spectral()) == nuclear());

int main() {}
