// A gradient on a CUDA device, a step of Muon on the device, and the certificate. Skips without one.
#include <fanion/cuda.cuh>

#include <cstdio>
#include <vector>

using namespace fanion;

int main() {
  const cuda_availability found = cuda_available();
  if (!found) {
    std::printf("Skipped: %s.\n", found.why.c_str());
    return 77;
  }
  // One stream, one handle of each library. All that follows goes into that stream.
  cuda_backend backend;
  const index_t m = 512, n = 2048;
  const auto memory = backend.make_workspace<float>(3 * m * n);
  const matrix_view<float, device_space> X(memory.data(), m, n), G(X.data() + m * n, m, n),
      D(G.data() + m * n, m, n);
  backend.random(X, 1);
  backend.random(G, 2);

  // An oracle: D = argmin { <G, D> : ‖D‖₂ <= 1 }, on the device.
  auto plan = plan_lmo(spectral(), G, polar_express{.gap = 1e-3}, backend);
  const lmo_report oracle = plan.execute(G, D);
  std::printf("<G, D> = %.1f, at best %.1f, gap %.1e\n", oracle.objective, -oracle.bound,
              oracle.gap());

  // An optimizer's step: momentum, oracle and update without leaving the device.
  const auto rule = muon({.decay = 0.1, .scaling = shape_scaling::widening});
  lmo_step<spectral, float, cuda_backend> step(rule, m, n, backend);
  const float before = backend.norm(X);
  const step_report report = step.step({X, false}, {G.as_const(), false}, 0.02);
  std::printf("|X| %.1f -> %.1f, gap %.1e\n", before, backend.norm(X), report.gap);

  // What the host wants to see, it asks for. This waits.
  std::vector<float> column(static_cast<std::size_t>(m));
  backend.download(X.columns(0, 1).as_const(), matrix_view<float>(column.data(), m, 1));
  return oracle.gap() <= 2e-3 && !report.skipped && column[0] != 0 ? 0 : 1;
}
