// max_of takes gauges of the singular values: the larger of two norms of other kinds has no oracle
// here.
// expect: (no matching function for call to|constraints not satisfied)
// expect: SpectralSum
#include <fanion/eigen.hpp>

auto make() { return fanion::max_of(fanion::spectral(), fanion::max_abs()); }
