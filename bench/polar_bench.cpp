/// Polar factors by every method, and whether `automatic` picks a good one.
///
/// polar_grid/<spectrum>/<m>x<n>/<T>/gap_1e-<g>: the methods in turn, medians of several rounds.
/// Counters: each method's time over the best among those whose certificate meets the gap, 0 where
/// it does not, and `automatic`, which is the one to watch: at most 1.15 is wanted.
/// polar_svd/<m>x<n>/double: `automatic` at gap 1e-10 over Eigen's divide and conquer.
#include "support/clock.hpp"

#include <fanion/eigen.hpp>

#include <benchmark/benchmark.h>
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace fanion;

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// Noise, or noise whose short side is graded over four decades.
template <class T>
matrix<T> input_matrix(index_t m, index_t n, bool graded) {
  const index_t r = std::min(m, n);
  matrix<T> x(m, n);
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < m; ++i) {
      const double weight =
          graded
              ? std::pow(10.0, -4.0 * static_cast<double>(m <= n ? i : j) / static_cast<double>(r))
              : 1.0;
      x(i, j) = static_cast<T>(weight * random_normal(1, i, j));
    }
  return x;
}

template <class T>
void grid(benchmark::State& state, index_t m, index_t n, double gap, bool graded) {
  const matrix<T> x = input_matrix<T>(m, n, graded);
  matrix<T> d;
  auto chosen = plan_lmo(spectral(), x, automatic{.gap = gap});
  auto express = plan_lmo(spectral(), x, polar_express{.gap = gap});
  auto single = plan_lmo(spectral(), x, polar_express{.gap = gap, .block = 1});
  auto halley = plan_lmo(spectral(), x, qdwh{.gap = gap});
  auto eigen = plan_lmo(spectral(), x, gram_eigen{});
  std::vector<double> times[5];
  bool met[5] = {};
  for (auto _ : state) {
    for (int round = 0; round < 6; ++round) {
      const auto run = [&](int i, auto& plan) {
        lmo_report report;
        const double ms = bench::milliseconds([&] { report = plan.execute(x, d); });
        // The first call of a plan learns what the matrix needs.
        if (round > 0) times[i].push_back(ms);
        met[i] = report.gap() <= gap;
      };
      run(0, chosen);
      run(1, express);
      run(2, single);
      run(3, halley);
      run(4, eigen);
    }
    state.SetIterationTime(1e-3 * bench::median(times[0]));
  }
  double best = bench::median(times[1]);
  for (int i = 1; i < 5; ++i)
    if (met[i]) best = std::min(best, bench::median(times[i]));
  const char* names[] = {"automatic", "express", "express_block_1", "qdwh", "gram_eigen"};
  for (int i = 0; i < 5; ++i)
    state.counters[names[i]] = met[i] ? bench::median(times[i]) / best : 0;
}

void against_svd(benchmark::State& state, index_t m, index_t n) {
  const matrix<double> x = input_matrix<double>(m, n, false);
  matrix<double> d;
  auto plan = plan_lmo(spectral(), x, automatic{.gap = 1e-10});
  lmo_report report = plan.execute(x, d);
  for (auto _ : state) {
    std::vector<double> ours, theirs;
    for (int round = 0; round < 3; ++round) {
      ours.push_back(bench::milliseconds([&] { report = plan.execute(x, d); }));
      theirs.push_back(bench::milliseconds([&] {
        const Eigen::BDCSVD<matrix<double>> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
        d.noalias() = -svd.matrixU() * svd.matrixV().transpose();
      }));
    }
    state.SetIterationTime(1e-3 * bench::median(ours));
    state.counters["svd_over_ours"] = bench::median(theirs) / bench::median(ours);
    state.counters["certified"] = report.gap();
  }
}

template <class T>
void add_grid(index_t m, index_t n, double gap, bool graded) {
  const std::string name = std::string("polar_grid/") + (graded ? "graded/" : "noise/") +
                           std::to_string(m) + "x" + std::to_string(n) + "/" +
                           (sizeof(T) == 4 ? "float" : "double") + "/gap_1e" +
                           std::to_string(static_cast<int>(std::lround(std::log10(gap))));
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) { grid<T>(state, m, n, gap, graded); })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  for (const bool graded : {false, true})
    for (const auto& [m, n] : std::vector<std::pair<index_t, index_t>>{
             {96, 96}, {256, 256}, {128, 512}, {512, 512}, {256, 1024}, {384, 1536}}) {
      for (const double gap : {1e-2, 1e-3, 1e-4}) add_grid<float>(m, n, gap, graded);
      for (const double gap : {1e-3, 1e-6, 1e-10}) add_grid<double>(m, n, gap, graded);
    }
  for (const auto& [m, n] :
       std::vector<std::pair<index_t, index_t>>{{256, 256}, {512, 512}, {256, 1024}})
    benchmark::RegisterBenchmark(
        ("polar_svd/" + std::to_string(m) + "x" + std::to_string(n) + "/double").c_str(),
        [m = m, n = n](benchmark::State& state) { against_svd(state, m, n); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
