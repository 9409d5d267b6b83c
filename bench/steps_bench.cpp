/// What an optimizer step costs beside AdamW's, and a polar factor beside five Newton-Schulz steps.
///
/// step/<method>/512x3072/float: one step of the method and one of AdamW in turn, gradient check,
/// momentum, oracle and weight update included, fed with the gradients whose momenta were recorded
/// from a training run (FANION_MOMENTA names the file; see run.sh), so that the oracle sees these
/// very momenta. `ratio` is the median time over AdamW's with caches flushed before each step, as
/// after a forward and backward pass; `ratio_warm` the same without flushing. The gaps are measured
/// against singular values in double; `worst_gap` is the worst after the first step.
///
/// polar/<m>x<n>/float: Polar Express at gap 1e-3 against five plain steps in Eigen's products.
#include "support/clock.hpp"
#include "support/momenta.hpp"
#include "support/plain_newton_schulz.hpp"
#include "support/reference.hpp"

#include <fanion/eigen.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace fanion;
using Eigen::MatrixXf;

oriented_view<float> view(MatrixXf& x) { return matrix_adapter<MatrixXf>::view(x); }
oriented_view<const float> view(const MatrixXf& x) { return matrix_adapter<MatrixXf>::view(x); }

/// The gradients that make an EMA of 0.95 pass through the recorded momenta.
std::vector<MatrixXf> gradients_of(const std::vector<MatrixXf>& momenta) {
  std::vector<MatrixXf> gradients;
  for (std::size_t t = 0; t < momenta.size(); ++t)
    gradients.push_back(t == 0 ? MatrixXf(momenta[0] / 0.05f)
                               : MatrixXf((momenta[t] - 0.95f * momenta[t - 1]) / 0.05f));
  return gradients;
}

/// The worst gap after the first step, and the median: with weights at zero and rate 1 the step
/// leaves D itself, and the momentum it saw is recomputed here.
template <LmoTractable N>
std::pair<double, double> gaps(const lmo_rule<N>& rule, index_t k,
                               const std::vector<MatrixXf>& gradients) {
  eigen_backend b;
  const index_t m = gradients[0].rows(), n = gradients[0].cols();
  lmo_step<N, float, eigen_backend> step(rule, m, n, b);
  MatrixXf average = MatrixXf::Zero(m, n), d(m, n);
  std::vector<double> all;
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    d.setZero();
    step.step(view(d), view(gradients[t]), 1.0);
    average = 0.95f * average + 0.05f * gradients[t];
    if (t == 0) continue;
    const Eigen::MatrixXd seen = average.cast<double>();
    const Eigen::VectorXd s = bench::singular_values(seen);
    const double best = s.head(k).sum(), got = -seen.cwiseProduct(d.cast<double>()).sum();
    // D has rank k: its nuclear and spectral norms from its own spectrum give its place in the
    // ball.
    const Eigen::VectorXd ds = bench::singular_values(d.cast<double>());
    const double ball = std::max({1.0, ds(0), ds.sum() / static_cast<double>(k)});
    all.push_back(1 - got / (ball * best));
  }
  return {*std::max_element(all.begin(), all.end()), bench::median(all)};
}

template <LmoTractable N>
void step_cost(benchmark::State& state, const lmo_rule<N>& rule, index_t k) {
  const char* path = std::getenv("FANION_MOMENTA");
  if (path == nullptr) {
    state.SkipWithError("set FANION_MOMENTA to a file that `mlp --record` wrote (see run.sh)");
    return;
  }
  const auto gradients = gradients_of(bench::read_momenta(path));
  const index_t m = gradients[0].rows(), n = gradients[0].cols();
  eigen_backend b;
  bench::cache_flush flush;
  for (auto _ : state) {
    std::vector<double> cold, cold_adamw, warm, warm_adamw, passes;
    for (const bool flushed : {true, false}) {
      MatrixXf w = gradients[0], w_adamw = gradients[0];
      lmo_step<N, float, eigen_backend> ours(rule, m, n, b);
      elementwise_step<adamw, float, eigen_backend> theirs(adamw{}, m, n, b);
      for (std::size_t t = 0; t < gradients.size(); ++t) {
        step_report report;
        MatrixXf g = gradients[t];  // in cache for both when not flushed
        if (flushed) flush();
        const double a =
            bench::milliseconds([&] { theirs.step(view(w_adamw), view(std::as_const(g)), 1e-3); });
        g = gradients[t];
        if (flushed) flush();
        const double f =
            bench::milliseconds([&] { report = ours.step(view(w), view(std::as_const(g)), 1e-3); });
        if (t == 0) continue;  // the cold start is another matter
        (flushed ? cold : warm).push_back(f);
        (flushed ? cold_adamw : warm_adamw).push_back(a);
        passes.push_back(static_cast<double>(report.passes));
      }
    }
    state.SetIterationTime(1e-3 * bench::median(cold));
    state.counters["adamw_ms"] = bench::median(cold_adamw);
    state.counters["ratio"] = bench::median(cold) / bench::median(cold_adamw);
    state.counters["ratio_warm"] = bench::median(warm) / bench::median(warm_adamw);
    state.counters["passes"] = bench::median(passes);
    state.counters["most_passes"] = *std::max_element(passes.begin(), passes.end());
  }
  const auto [worst, middle] = gaps(rule, k, gradients);
  state.counters["worst_gap"] = worst;
  state.counters["median_gap"] = middle;
  state.counters["steps"] = static_cast<double>(gradients.size());
}

void polar_cost(benchmark::State& state, index_t m, index_t n, double gap) {
  MatrixXf x(m, n), d;
  bench::plain_newton_schulz<float> plain(m, n);
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < m; ++i) x(i, j) = static_cast<float>(random_normal(1, i, j));
  auto plan = plan_lmo(spectral(), x, polar_express{.gap = gap});
  lmo_report report = plan.execute(x, d);
  for (auto _ : state) {
    std::vector<double> ours, theirs;
    for (int round = 0; round < 9; ++round) {
      theirs.push_back(bench::milliseconds([&] { plain.run(x, 5); }));
      ours.push_back(bench::milliseconds([&] { report = plan.execute(x, d); }));
    }
    state.SetIterationTime(1e-3 * bench::median(ours));
    state.counters["plain_ms"] = bench::median(theirs);
    state.counters["ratio"] = bench::median(ours) / bench::median(theirs);
  }
  const Eigen::MatrixXd exact = x.cast<double>();
  const double best = bench::singular_values(exact).sum();
  const auto gap_of = [&](const MatrixXf& answer) {
    const double ball = std::max(1.0, bench::singular_values(answer.cast<double>())(0));
    return 1 - std::abs(exact.cwiseProduct(answer.cast<double>()).sum()) / (ball * best);
  };
  state.counters["gap"] = gap_of(d);
  state.counters["plain_gap"] = gap_of(plain.x());
  state.counters["certified"] = report.gap();
  state.counters["iterations"] = static_cast<double>(report.iterations);
}

template <LmoTractable N>
void add_step(const char* name, const lmo_rule<N>& rule, index_t k) {
  benchmark::RegisterBenchmark((std::string("step/") + name + "/512x3072/float").c_str(),
                               [=](benchmark::State& state) { step_cost(state, rule, k); })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  const lmo_options ema{.momentum = {.beta = 0.95, .lookahead = lookahead::none}};
  add_step("neon", neon(ema), 1);
  add_step("fanion_8", fanion_k(8, ema), 8);
  add_step("fanion_32", fanion_k(32, ema), 32);
  for (const auto& [m, n] : {std::pair<index_t, index_t>{768, 768}, {512, 2048}, {768, 3072}})
    benchmark::RegisterBenchmark(
        ("polar/" + std::to_string(m) + "x" + std::to_string(n) + "/float").c_str(),
        [m = m, n = n](benchmark::State& state) { polar_cost(state, m, n, 1e-3); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
