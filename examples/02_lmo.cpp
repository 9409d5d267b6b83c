// The oracle of a norm's unit ball: D = argmin { <M, X> : n(X) <= 1 }, with a certificate.
#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace fanion;

int main() {
  // A gradient as training gives it: a few strong directions and noise.
  std::srand(1);
  const Eigen::MatrixXf signal = Eigen::MatrixXf::Random(256, 3) * Eigen::MatrixXf::Random(3, 512);
  Eigen::MatrixXf M = signal + 0.2f * Eigen::MatrixXf::Random(256, 512), D;

  // One call. The report says what D attains and how much a better D could add at most: the gap.
  const lmo_report once = lmo(nuclear(), M, D);
  std::printf("one shot:  <M, D> = %.4f, at best %.4f, gap %.1e, %td passes, %s\n", once.objective,
              -once.bound, once.gap(), once.passes, to_string(once.outcome));
  const bool consistent =
      std::abs(static_cast<double>(M.cwiseProduct(D).sum()) - once.objective) <= 1e-4 * once.bound;

  // In a loop, a plan: it allocates once, and starts each time from what it found the last time.
  auto plan = plan_lmo(dual(ky_fan(3)), M, automatic{.gap = 1e-2});
  index_t first = 0, later = 0;
  std::printf("\n step  passes       gap   (dual(ky_fan(3)), the gradient drifts)\n");
  for (int step = 0; step < 6; ++step) {
    M += 0.02f * Eigen::MatrixXf::Random(256, 512);
    const lmo_report r = plan.execute(M, D);
    std::printf("%5d %7td  %8.1e\n", step, r.passes, r.gap());
    (step == 0 ? first : later) = r.passes;
  }

  // Every method answers the same question at its own price; all of them certify their answer.
  std::printf("\n%-34s %8s %10s %10s\n", "spectral ball, 256 x 512", "passes", "gap", "<M, D>");
  const auto show = [&](const char* name, const auto& method) {
    const lmo_report r = lmo(spectral(), M, D, method);
    std::printf("%-34s %8td %10.1e %10.3f\n", name, r.passes, r.gap(), r.objective);
    return r.gap();
  };
  const double full = show("exact: full decomposition", exact{});
  const double polar = show("polar_express, gap 1e-3", polar_express{.gap = 1e-3});
  const double fixed = show("newton_schulz, 5 steps", newton_schulz{.steps = 5});
  return consistent && later < first && full < 1e-2 && polar <= 1e-3 && fixed > polar ? 0 : 1;
}
