/// What it costs that a norm is known at run time, and what a threshold saves.
///
/// any_norm/<text>/<m>x<n>/<T>: the expression as the compiler knows it and as text, warm plans, in
/// turn. Counters: over (the time of the text's plan over that of the expression's, at most 1.05
/// wanted), passes of either. A ratio of medians of 301 rounds.
/// depth/<m>x<n>/<T>: the oracle of nuclear() + frobenius() by `automatic`, which finds its depth,
/// and by the full decomposition. Counters: exact_over_ours, depth, gap.
#include "support/clock.hpp"

#include <fanion/eigen.hpp>
#include <fanion/norms/parse.hpp>
#include <fanion/oracles/any_plan.hpp>

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

using namespace fanion;

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T>
matrix<T> gaussian(index_t m, index_t n) {
  matrix<T> x(m, n);
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < m; ++i) x(i, j) = static_cast<T>(random_normal(1, i, j));
  return x;
}

template <class T, class N>
void at_run_time(benchmark::State& state, const std::string& text, const N& norm) {
  const matrix<T> x = gaussian<T>(256, 256);
  matrix<T> d;
  auto known = plan_lmo(norm, x, automatic{.gap = 1e-2});
  auto parsed = plan_lmo(parse_norm(text), x, automatic{.gap = 1e-2});
  std::vector<double> first, second;
  for (auto _ : state) {
    for (int round = 0; round < 301; ++round) {
      first.push_back(bench::milliseconds([&] { (void)known.execute(x, d); }));
      second.push_back(bench::milliseconds([&] { (void)parsed.execute(x, d); }));
    }
    state.SetIterationTime(1e-3 * bench::median(second));
  }
  state.counters["over"] = bench::median(second) / bench::median(first);
  state.counters["passes"] = static_cast<double>(parsed.report().passes);
  state.counters["passes_known"] = static_cast<double>(known.report().passes);
}

template <class T>
void depth(benchmark::State& state, index_t m, index_t n) {
  const matrix<T> x = gaussian<T>(m, n);
  matrix<T> d;
  const auto norm = nuclear() + frobenius();
  auto ours = plan_lmo(norm, x, automatic{.gap = 1e-3});
  auto full = plan_lmo(norm, x, exact{});
  (void)ours.execute(x, d);
  std::vector<double> first, second;
  for (auto _ : state) {
    for (int round = 0; round < 5; ++round) {
      first.push_back(bench::milliseconds([&] { (void)ours.execute(x, d); }));
      second.push_back(bench::milliseconds([&] { (void)full.execute(x, d); }));
    }
    state.SetIterationTime(1e-3 * bench::median(first));
  }
  state.counters["exact_over_ours"] = bench::median(second) / bench::median(first);
  state.counters["depth"] = static_cast<double>(ours.report().depth);
  state.counters["gap"] = ours.report().gap();
  // Of the best that the full decomposition attains, what ours misses.
  state.counters["missed"] = 1 - ours.report().objective / full.report().objective;
}

template <class T, class N>
void add(const std::string& text, const N& norm) {
  benchmark::RegisterBenchmark(
      ("any_norm/" + text + "/256x256/" + (sizeof(T) == 4 ? "float" : "double")).c_str(),
      [=](benchmark::State& state) { at_run_time<T>(state, text, norm); })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  add<float>("dual(0.5*ky_fan(8)+0.5*frobenius())", dual(0.5 * ky_fan(8) + 0.5 * frobenius()));
  add<double>("dual(0.5*ky_fan(8)+0.5*frobenius())", dual(0.5 * ky_fan(8) + 0.5 * frobenius()));
  add<float>("spectral()", spectral());
  add<float>("dual(0.9*nuclear()+0.01*sum_abs())", dual(0.9 * nuclear() + 0.01 * sum_abs()));
  add<float>("nuclear()", nuclear());
  add<float>("max_row()", max_row());
  for (const auto& [m, n] : std::vector<std::pair<index_t, index_t>>{{256, 256}, {256, 1024}})
    benchmark::RegisterBenchmark(
        ("depth/" + std::to_string(m) + "x" + std::to_string(n) + "/float").c_str(),
        [m = m, n = n](benchmark::State& state) { depth<float>(state, m, n); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
