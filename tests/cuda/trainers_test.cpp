/// @file  A network on the host whose optimizer's state lives on the device of the double.
#include <cuda/bowl.hpp>
#include <cuda/device_matrix.hpp>
#include <cuda/support.hpp>

#include <run/mirrored_optimizer.hpp>

#include <fanion/eigen.hpp>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

using namespace fanion;
using fanion_test::backend_on_double;
using fanion_test::bowl;
using fanion_test::gradient;
using fanion_test::strict_session;

namespace {

const auto on_device = [](backend_on_double& b, auto parameters) {
  optimizer<float, backend_on_double> opt(muon({.decay = 0.1}), adamw{}, b);
  for (auto& p : parameters) opt.add(std::move(p));
  return opt;
};

}  // namespace

TEST_CASE("a run with its state on the device is the host's, and goes on there") {
  const strict_session session;
  bowl here, there;
  optimizer<float> host(muon({.decay = 0.1}), adamw{});
  for (auto& p : here.parameters()) host.add(std::move(p));
  trainers::mirrored_optimizer<backend_on_double> device(there, on_device);
  std::string state;
  for (index_t t = 0; t < 6; ++t) {
    here.descend(1, t);
    there.descend(1, t);
    const auto expected = host.step(0.1);
    const optimizer_report& report = device.step(0.1);
    CHECK(report.parameters.size() == 3);
    CHECK(report.parameters[0].dual_norm ==
          doctest::Approx(expected.parameters[0].dual_norm).epsilon(1e-3));
    for (const auto& [x, y] :
         {std::pair(&here.W, &there.W), {&here.V, &there.V}, {&here.c, &there.c}})
      CHECK((*x - *y).norm() <= 1e-3f * x->norm());
    if (t == 2) {
      std::ostringstream out;
      device.save(out);
      state = out.str();
    }
  }
  // What lies around a parameter is nobody's.
  const Eigen::MatrixXf start = gradient<float>(9, 7, 2);
  CHECK(there.V.row(0) == start.row(0));
  CHECK(there.V.bottomRows(2) == start.bottomRows(2));
  CHECK(there.V.middleRows(1, 6) != start.middleRows(1, 6));

  // The device's checkpoint on the host, and the host's on the device.
  bowl first, second;
  optimizer<float> resumed(muon({.decay = 0.1}), adamw{});
  for (auto& p : first.parameters()) resumed.add(std::move(p));
  std::istringstream in(state);
  resumed.load(in);
  std::ostringstream again;
  resumed.save(again);
  CHECK(again.str() == state);
  trainers::mirrored_optimizer<backend_on_double> other(second, on_device);
  std::istringstream once_more(again.str());
  other.load(once_more);
  // Weights that were changed on the host are those that move.
  first.start(5);
  second.start(5);
  first.descend(1, 3);
  second.descend(1, 3);
  (void)resumed.step(0.1);
  (void)other.step(0.1);
  CHECK((first.W - second.W).norm() <= 1e-3f * first.W.norm());
  std::istringstream cut(state.substr(0, state.size() - 1));
  CHECK_THROWS_AS(other.load(cut), std::invalid_argument);
}

TEST_CASE("a gradient that is not finite, and a call that fails, leave the network as it is") {
  const strict_session session;
  bowl net;
  trainers::mirrored_optimizer<backend_on_double> opt(net, on_device);
  net.descend(1, 0);
  net.dW(1, 1) = std::numeric_limits<float>::quiet_NaN();
  const Eigen::MatrixXf W = net.W, V = net.V, c = net.c;
  CHECK(opt.step(0.1).skipped == std::vector<std::string>{"W"});
  CHECK(net.W == W);
  CHECK(net.V != V);
  CHECK(net.c != c);
  net.descend(1, 1);
  const Eigen::MatrixXf before = net.V;
  cuda_double::fail("cublasSgemm", 1, CUBLAS_STATUS_EXECUTION_FAILED);
  CHECK_THROWS_AS((void)opt.step(0.1), backend_error);
  CHECK(net.W == W);
  CHECK(net.V == before);
  CHECK_THROWS_AS((void)opt.step(-1), std::invalid_argument);
}
