// The trainers' methods with their state on a device, beside the same on the host. Skips with the
// runtime's reason where there is no device.
#include <cuda/bowl.hpp>
#include <run/device.hpp>
#include <run/methods.hpp>

#include <cstdio>
#include <string>

int main() {
  using namespace trainers;
  if (const std::string why = why_no_device(); !why.empty()) {
    std::printf("Skipped: %s.\n", why.c_str());
    return 77;
  }
  bool good = true;
  for (const std::string method :
       {"adamw", "lion", "sgd", "nsgd", "sign-sgd", "muon", "neon", "fanion-2", "dion-2", "f-muon",
        "f-neon", "f-fanion-2", "s-muon", "s-neon", "s-fanion-2", "norm"}) {
    method_settings s{.rate = 0.05, .rest_rate = 0.05, .head_rate = 0.05, .norm = "spectral()"};
    fanion_test::bowl here, there;
    const auto host = make_optimizer(method, s, here);
    s.on_device = true;
    const auto device = make_optimizer(method, s, there);
    for (fanion::index_t t = 0; t < 5; ++t) {
      here.descend(1, t);
      there.descend(1, t);
      (void)host->step(0.05);
      (void)device->step(0.05);
    }
    const double apart =
        double((here.W - there.W).norm() + (here.V - there.V).norm() + (here.c - there.c).norm()) /
        double(here.W.norm());
    std::printf("%-12s host and device apart by %.1e of the weights%s\n", method.c_str(), apart,
                apart <= 1e-2 ? "" : "   FAILED");
    good &= apart <= 1e-2;
  }
  return good ? 0 : 1;
}
