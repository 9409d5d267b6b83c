// The host has to look at max_of's terms, which a step without waiting cannot have.
// expect: capturable: the dual of the norm must be a sum of multiples of
#include <fanion/eigen.hpp>

auto run(fanion::eigen_backend& b) {
  const auto ball = fanion::max_of(fanion::nuclear(), fanion::spectral());
  return fanion::make_step<float>(fanion::capturable{fanion::lmo_rule{ball}}, 4, 4, b);
}
