/// @file  What steps and oracles ask of a CUDA device: launches, waits, flops and bytes, counted by
/// the double of CUDA's libraries from the sizes of the calls. A model: nothing is timed, and no
/// device is needed.
///
///   fanion_cuda_model [--only TEXT] [rows cols]...        default: 512 512 512 2048
///
/// With --only, the rows whose names hold TEXT. Bytes are those that a call names, once each:
/// caches may save some, and a library may read twice.
#include <cuda/device_matrix.hpp>

#include <fanion/fanion.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

using namespace fanion;
using fanion_test::backend_on_double;
using fanion_test::device_matrix;
using fanion_test::gradient;

namespace {

constexpr double mega = 1e6;

/// What cannot be done without: matrices of M's size to read or write, and flops.
struct floor_of {
  double matrices = 0;
  double flops = 0;
};
/// A Gram matrix of the short side, and one product with it.
double polar_flops(index_t m, index_t n) {
  const auto r = static_cast<double>(std::min(m, n));
  return 3 * r * static_cast<double>(m * n);
}
/// A product with k columns from either side.
double leading_flops(index_t m, index_t n, index_t k) { return 4 * static_cast<double>(m * n * k); }

/// What has come since `before`, without the wait of the bench at its end.
void row(const char* name, index_t m, index_t n, const cuda_double::tally& before, floor_of least) {
  const cuda_double::tally now = cuda_double::counted();
  const double size = static_cast<double>(m * n * static_cast<index_t>(sizeof(float)));
  const double moved = (now.read - before.read + now.written - before.written) / size;
  std::printf("| %s | %ld | %ld | %.1f | %.1f | %.1f | %.1f | %.2f | %.0f |\n", name,
              now.launches - before.launches, now.waits - before.waits - 1,
              (now.flops - before.flops) / mega, least.flops / mega, moved, least.matrices,
              (now.watched - before.watched) / size, now.transferred - before.transferred);
}

/// One step of a rule after three others.
template <class Step>
void step_row(const char* name, backend_on_double& b, Step step, index_t m, index_t n,
              const float* input, floor_of least) {
  device_matrix<float> x(b, m, n), g(b, m, n);
  cuda_double::tally before;
  for (unsigned t = 0; t < 4; ++t) {
    g.set(gradient<float>(m, n) + 0.1f * gradient<float>(m, n, t + 1));
    if (input != nullptr)
      cuda_double::watch(input, static_cast<std::size_t>(m * n) * sizeof(float));
    before = cuda_double::counted();
    (void)step.step({x.view(), false}, {g.view().as_const(), false}, 0.02);
    b.wait();
  }
  row(name, m, n, before, least);
}
template <LmoTractable N>
void lmo_row(const char* name, backend_on_double& b, const lmo_rule<N>& rule, index_t m, index_t n,
             double flops) {
  lmo_step<N, float, backend_on_double> step(rule, m, n, b);
  const float* input = step.oracle_input().data();
  // Gradient, momentum and weight are read, the latter two written.
  step_row(name, b, std::move(step), m, n, input, {5, flops});
}

/// The same of a rule that leaves its decisions to the device.
template <class Rule>
void rule_row(const char* name, backend_on_double& b, const Rule& rule, index_t m, index_t n,
              double flops) {
  auto step = make_step<float>(rule, m, n, b);
  const float* input = step.oracle_input().data();
  step_row(name, b, std::move(step), m, n, input, {5, flops});
}

/// One launch of a recorded step. What it does was counted while it was recorded.
template <class Rule>
void captured_row(const char* name, backend_on_double& b, const Rule& rule, index_t m, index_t n,
                  double flops) {
  const device_matrix<float> x(b, gradient<float>(m, n)), g(b, gradient<float>(m, n, 2)),
      rate(b, 1, 1);
  auto step = make_step<float>(rule, m, n, b);
  cuda_double::watch(step.oracle_input().data(), static_cast<std::size_t>(m * n) * sizeof(float));
  b.wait();
  const cuda_double::tally before = cuda_double::counted();
  b.launch(b.capture([&] {
    step.enqueue({x.view(), false}, {g.view().as_const(), false}, rate.view().as_const());
  }));
  b.wait();
  row(name, m, n, before, {5, flops});
}

/// The third execution of an oracle, which reads M and writes D.
template <class N, class Method>
void oracle_row(const char* name, backend_on_double& b, const N& norm, const Method& method,
                index_t m, index_t n, double flops) {
  const device_matrix<float> g(b, gradient<float>(m, n)), d(b, m, n);
  auto plan = plan_lmo(norm, g.view(), method, b);
  cuda_double::watch(g.view().data(), static_cast<std::size_t>(m * n) * sizeof(float));
  cuda_double::tally before;
  for (int t = 0; t < 3; ++t) {
    before = cuda_double::counted();
    (void)plan.execute(g.view(), d.view());
    b.wait();
  }
  row(name, m, n, before, {2, flops});
}

void table(index_t m, index_t n, std::string_view only) {
  backend_on_double b;
  const double polar = polar_flops(m, n), leading = leading_flops(m, n, 32);
  std::printf("\n%td x %td in float\n\n", m, n);
  std::printf(
      "| step or oracle | launches | waits | Mflop | least | matrices moved | least | reads of M | "
      "bytes to or from the host |\n|---|---|---|---|---|---|---|---|---|\n");
  const auto line = [&](const char* name, const auto& print) {
    if (std::string_view(name).find(only) != std::string_view::npos) print(name);
  };
  const auto step_of = [&](const char* name, const auto& rule, double flops) {
    line(name, [&](const char* as) { lmo_row(as, b, rule, m, n, flops); });
  };
  const auto recorded = [&](const char* name, const auto& rule, double flops) {
    line(name, [&](const char* as) { captured_row(as, b, rule, m, n, flops); });
  };
  const auto oracle = [&](const char* name, const auto& norm, const auto& method, double flops) {
    line(name, [&](const char* as) { oracle_row(as, b, norm, method, m, n, flops); });
  };
  const capturable fixed_muon{muon()};
  step_of("Muon", muon(), polar);
  line("Muon, capturable", [&](const char* as) { rule_row(as, b, fixed_muon, m, n, polar); });
  recorded("Muon in a graph", fixed_muon, polar);
  recorded("Muon in a graph, bfloat16",
           capturable{muon(), newton_schulz{.compute = compute::bfloat16}}, polar);
  recorded("F-Muon in a graph", capturable{f_muon(0.5)}, polar);
  recorded("SignSGD in a graph", capturable{sign_sgd()}, 0);
  step_of("Fanion-32", fanion_k(32), leading);
  step_of("Neon", neon(), leading_flops(m, n, 1));
  step_of("NSGD", nsgd(), 0);
  step_of("SignSGD", sign_sgd(), 0);
  using adamw_step = elementwise_step<adamw, float, backend_on_double>;
  line("AdamW", [&](const char* as) {
    step_row(as, b, adamw_step({}, m, n, b), m, n, nullptr, {7, 0});
  });
  oracle("spectral, newton_schulz", spectral(), newton_schulz{}, polar);
  oracle("spectral, newton_schulz, bfloat16", spectral(),
         newton_schulz{.compute = compute::bfloat16}, polar);
  oracle("spectral, polar_express", spectral(), polar_express{.gap = 1e-3}, polar);
  oracle("spectral, qdwh", spectral(), qdwh{.gap = 1e-3}, polar);
  const auto ball = dual(ky_fan(32));
  oracle("dual(ky_fan(32)), subspace", ball, subspace{.gap = 1e-2}, leading);
  oracle("dual(ky_fan(32)), block_krylov", ball, block_krylov{.gap = 1e-2}, leading);
  oracle("max_abs", max_abs(), exact{}, 0);
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view only;
  std::vector<index_t> sizes;
  bool good = true;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else {
      sizes.push_back(std::atol(argv[i]));
      good &= sizes.back() > 0;
    }
  }
  if (!good || sizes.size() % 2 != 0) {
    std::fprintf(stderr, "usage: fanion_cuda_model [--only TEXT] [rows cols]..., all above 0\n");
    return 2;
  }
  if (sizes.empty()) sizes = {512, 512, 512, 2048};
  for (std::size_t i = 0; i < sizes.size(); i += 2) table(sizes[i], sizes[i + 1], only);
  return 0;
}
