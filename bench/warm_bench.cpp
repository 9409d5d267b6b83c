/// How well the last step's subspace serves the next one, in a training run.
///
/// warm/<sequence>/<k>: the oracle of dual(ky_fan(k)) with automatic{.gap = 1e-2}, as the
/// optimizers ask, over all matrices of a sequence in turn. Counters: the worst and the median gap
/// after the first step, measured against singular values in double, and the passes of a step, the
/// read that finds ‖M‖ included. Time is that of a step, flushed from the cache.
///
/// Sequences: the recorded momenta of FANION_MOMENTA (512 x 3072, an MLP) and of FANION_MOMENTA_GPT
/// (768 x 3072, the shape of GPT-2's feed-forward matrices); `noise`, a momentum (0.95) of Gaussian
/// gradients with nothing else in it, whose spectrum has no gap; `turn`, the MLP's momenta with
/// those of steps 100 on mirrored top to bottom, so that no direction of the last step is left.
#include "support/clock.hpp"
#include "support/momenta.hpp"
#include "support/reference.hpp"

#include <fanion/eigen.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace fanion;
using Eigen::MatrixXf;

std::vector<MatrixXf> recorded(const char* variable) {
  const char* path = std::getenv(variable);
  if (path == nullptr) return {};
  return bench::read_momenta(path);
}

std::vector<MatrixXf> noise() {
  std::vector<MatrixXf> momenta;
  MatrixXf momentum = MatrixXf::Zero(512, 1024);
  for (std::uint64_t t = 0; t < 200; ++t) {
    MatrixXf gradient(512, 1024);
    for (index_t j = 0; j < 1024; ++j)
      for (index_t i = 0; i < 512; ++i)
        gradient(i, j) = static_cast<float>(random_normal(t + 1, i, j));
    momentum = 0.95f * momentum + 0.05f * gradient;
    momenta.push_back(momentum);
  }
  return momenta;
}

std::vector<MatrixXf> turned() {
  std::vector<MatrixXf> momenta = recorded("FANION_MOMENTA");
  for (std::size_t t = 100; t < momenta.size(); ++t)
    momenta[t] = momenta[t].colwise().reverse().eval();
  return momenta;
}

void serve(benchmark::State& state, const std::function<std::vector<MatrixXf>()>& sequence,
           index_t k) {
  const std::vector<MatrixXf> momenta = sequence();
  if (momenta.empty()) {
    state.SkipWithError("set FANION_MOMENTA and FANION_MOMENTA_GPT (see run.sh)");
    return;
  }
  for (auto _ : state) {
    auto plan = plan_lmo(dual(ky_fan(k)), momenta[0], automatic{.gap = 1e-2});
    bench::cache_flush flush;
    MatrixXf d;
    std::vector<double> gaps, passes, times;
    for (std::size_t t = 0; t < momenta.size(); ++t) {
      lmo_report report;
      flush();
      const double time = bench::milliseconds([&] { report = plan.execute(momenta[t], d); });
      if (t == 0) continue;
      const double best = bench::singular_values(momenta[t].cast<double>()).head(k).sum();
      gaps.push_back(1 + report.objective / (std::max(1.0, report.feasibility) * best));
      passes.push_back(static_cast<double>(report.passes));
      times.push_back(time);
    }
    state.SetIterationTime(1e-3 * bench::median(times));
    state.counters["worst_gap"] = *std::max_element(gaps.begin(), gaps.end());
    state.counters["median_gap"] = bench::median(gaps);
    state.counters["passes"] = bench::median(passes);
    state.counters["most_passes"] = *std::max_element(passes.begin(), passes.end());
    state.counters["steps"] = static_cast<double>(momenta.size());
  }
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, std::function<std::vector<MatrixXf>()> sequence) {
    for (const index_t k : {1, 8, 32})
      benchmark::RegisterBenchmark(("warm/" + name + "/" + std::to_string(k)).c_str(),
                                   [=](benchmark::State& state) { serve(state, sequence, k); })
          ->Iterations(1)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
  };
  add("mlp", [] { return recorded("FANION_MOMENTA"); });
  add("gpt_shape", [] { return recorded("FANION_MOMENTA_GPT"); });
  add("noise", noise);
  add("turn", turned);
  return true;
}();

}  // namespace
