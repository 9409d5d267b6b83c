// Ky Fan needs k >= 1, and the message names it.
// expect: (call to non-'constexpr' function|must be initialized by a constant expression)
// expect: ky_fan: k
#include <fanion/norms/ky_fan.hpp>

constexpr fanion::ky_fan n(0);
