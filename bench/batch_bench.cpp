/// How many matrices of one shape gain from a second thread, beside what one large product gains.
///
/// batch/<norm>/<m>x<n>x<count>/float: plan_lmo_batch on one thread and on two, and one 2048 x 2048
/// product of Eigen's on one and on two, all in turn. `scaling` and `sgemm_scaling` are the
/// medians' ratios, `share` the first over the second; `worst_gap` is the largest certified gap of
/// the batch.
#include "support/clock.hpp"

#include <fanion/eigen.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace fanion;
using Eigen::MatrixXf;

template <class N, class Method>
void batch_cost(benchmark::State& state, const N& n, const Method& method, index_t rows,
                index_t cols, index_t count) {
  MatrixXf m(rows, cols * count), d(rows, cols * count);
  const eigen_backend b;
  b.random(matrix_view<float>(m.data(), m.rows(), m.cols()), 1);
  const batch_view<const float> in{m.data(), rows, cols, rows, rows * cols, count};
  const batch_view<float> out{d.data(), rows, cols, rows, rows * cols, count};
  std::vector<lmo_report> reports(static_cast<std::size_t>(count));
  auto one = plan_lmo_batch(n, in, method, 1), two = plan_lmo_batch(n, in, method, 2);
  const MatrixXf x = MatrixXf::Random(2048, 2048), y = MatrixXf::Random(2048, 2048);
  MatrixXf z(2048, 2048);
  const auto product = [&](int threads) {
    Eigen::setNbThreads(threads);
    z.noalias() = x * y;
  };
  std::vector<double> alone, both, small, large;
  for (auto _ : state)
    for (int round = 0; round < 9; ++round) {
      alone.push_back(bench::milliseconds([&] { one.execute(in, out, reports); }));
      both.push_back(bench::milliseconds([&] { two.execute(in, out, reports); }));
      small.push_back(bench::milliseconds([&] { product(1); }));
      large.push_back(bench::milliseconds([&] { product(2); }));
    }
  const double scaling = bench::median(alone) / bench::median(both);
  const double sgemm = bench::median(small) / bench::median(large);
  double worst = 0;
  for (const lmo_report& r : reports) worst = std::max(worst, r.gap());
  state.SetIterationTime(1e-3 * bench::median(both));
  state.counters["one_ms"] = bench::median(alone);
  state.counters["scaling"] = scaling;
  state.counters["sgemm_scaling"] = sgemm;
  state.counters["share"] = scaling / sgemm;
  state.counters["worst_gap"] = worst;
}

template <class N, class Method>
void add(const std::string& name, const N& n, const Method& method, index_t rows, index_t cols,
         index_t count) {
  benchmark::RegisterBenchmark(
      ("batch/" + name + "/" + std::to_string(rows) + "x" + std::to_string(cols) + "x" +
       std::to_string(count) + "/float")
          .c_str(),
      [=](benchmark::State& state) { batch_cost(state, n, method, rows, cols, count); })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  add("spectral", spectral(), automatic{.gap = 1e-3}, 256, 256, 24);
  add("spectral", spectral(), automatic{.gap = 1e-3}, 64, 256, 48);
  add("dual_ky_fan_8", dual(ky_fan(8)), automatic{.gap = 1e-2}, 256, 256, 24);
  return true;
}();

}  // namespace
