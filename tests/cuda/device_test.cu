// A gradient on the device, its oracle's answer on the device, and the certificate. Skips with the
// runtime's reason where there is no device.
#include <fanion/cuda.cuh>

#include <cmath>
#include <cstdio>
#include <vector>

using namespace fanion;

namespace {

template <class T, class N, class Method>
bool answers(const char* name, cuda_backend& backend, const N& norm, const Method& method,
             double gap) {
  const index_t m = 192, n = 320;
  const auto memory = backend.make_workspace<T>(2 * m * n);
  const matrix_view<T, device_space> M(memory.data(), m, n), D(memory.data() + m * n, m, n);
  backend.random(M, 1);
  auto plan = plan_lmo(norm, M, method, backend);
  const lmo_report report = plan.execute(M, D);
  const double attained = -static_cast<double>(backend.dot(M, D));
  const bool good = report.gap() <= gap &&
                    std::abs(attained + report.objective) <= 1e-3 * attained && attained > 0;
  std::printf("%-28s <M, D> = %.4f, gap %.1e, %td passes, %s%s\n", name, -attained, report.gap(),
              report.passes, to_string(report.outcome), good ? "" : "   FAILED");
  return good;
}

template <class T>
bool all(cuda_backend& b) {
  bool good = true;
  good &= answers<T>("spectral, newton_schulz", b, spectral(), newton_schulz{}, 1);
  good &= answers<T>("spectral, polar_express", b, spectral(), polar_express{.gap = 1e-3}, 1.1e-3);
  good &= answers<T>("spectral, qdwh", b, spectral(), qdwh{.gap = 1e-4}, 1.1e-4);
  good &= answers<T>("spectral, exact", b, spectral(), exact{}, 1e-3);
  good &= answers<T>("dual(ky_fan(8)), krylov", b, dual(ky_fan(8)), block_krylov{.gap = 1e-2}, 1e-2);
  good &= answers<T>("dual(ky_fan(8)), automatic", b, dual(ky_fan(8)), automatic{.gap = 1e-2}, 1e-2);
  good &= answers<T>("F-Fanion", b, dual(0.5 * ky_fan(8) + 0.5 * frobenius()),
                     automatic{.gap = 1e-2}, 1e-2);
  good &= answers<T>("max_abs", b, max_abs(), exact{}, 1e-3);
  return good;
}

}  // namespace

int main() {
  const cuda_availability found = cuda_available();
  if (!found) {
    std::printf("Skipped: %s.\n", found.why.c_str());
    return 77;
  }
  cuda_backend backend;
  return all<float>(backend) && all<double>(backend) ? 0 : 1;
}
