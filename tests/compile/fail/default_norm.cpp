// A norm with a parameter has no default.
// expect: (no matching function for call to|no matching constructor for initialization of)
#include <fanion/norms/ky_fan.hpp>

fanion::ky_fan n{};
