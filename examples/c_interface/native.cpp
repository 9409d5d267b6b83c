// The trainer of network.h with the library itself and Eigen's maps: what the C interface has to
// come to.
//
//   native                    prints the loss after the last step
//   native TOLERANCE LOSS     fails unless LOSS, the last word, is that, within a share of it
#include "network.h"

#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace fanion;

int main(int count, char** arguments) {
  using matrix = Eigen::Map<Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>;
  using vector = Eigen::Map<Eigen::VectorXf>;
  static network net;
  network_init(&net, 1);
  float* const x = net.parameters;
  float* const g = net.gradients;
  matrix w1(x + W1, HIDDEN, INPUTS), dw1(g + W1, HIDDEN, INPUTS);
  matrix w2(x + W2, OUTPUTS, HIDDEN), dw2(g + W2, OUTPUTS, HIDDEN);
  vector b1(x + B1, HIDDEN), db1(g + B1, HIDDEN), b2(x + B2, OUTPUTS), db2(g + B2, OUTPUTS);

  optimizer<float> opt(muon(), adamw{});
  opt.add(make_parameter("w1", w1, dw1));
  opt.add(make_parameter("b1", b1, db1, parameter_kind::bias));
  opt.add(make_parameter("w2", w2, dw2));
  opt.add(make_parameter("b2", b2, db2, parameter_kind::bias));
  const double start = static_cast<double>(network_backward(&net));
  for (int step = 0; step < STEPS; ++step) {
    network_backward(&net);
    opt.step(static_cast<double>(rate_at(step)));
  }
  const double loss = static_cast<double>(network_backward(&net));
  std::printf("loss after %d steps: %.9g\n", STEPS, loss);
  if (!(loss < 0.1 * start)) {
    std::printf("which is not below a tenth of the first, %.9g\n", start);
    return 1;
  }
  if (count < 3) return 0;
  const double tolerance = std::atof(arguments[1]);
  const std::string text = arguments[2];
  const double other = std::atof(text.substr(text.rfind(' ') + 1).c_str());
  const double apart = std::abs(other / loss - 1);
  std::printf("the other program: %.9g, apart by %.1e of it\n", other, apart);
  return apart <= tolerance ? 0 : 1;
}
