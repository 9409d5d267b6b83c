/// Oracles one by one: lmo/<norm>/<method>/<m>x<n>/<T>/<backend>, on Gaussian matrices.
///
/// Counters: gap, what D misses of the exact dual norm (a reference in double), certified, what the
/// report admits to, passes over the matrix, GB/s of those passes, and for newton_schulz GFLOP/s.
/// Plans are warm: the matrix is the same in every iteration, which flatters `subspace`; its cost
/// on matrices that move is measured in steps_bench.cpp.
#include "support/reference.hpp"

#include <fanion/eigen.hpp>

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <utility>

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

const Eigen::VectorXd& spectrum(index_t m, index_t n) {
  static std::map<std::pair<index_t, index_t>, Eigen::VectorXd> known;
  auto& s = known[{m, n}];
  if (s.size() == 0) s = bench::singular_values(gaussian<double>(m, n));
  return s;
}

/// Flops of one execution of Newton-Schulz steps.
double schulz_flops(index_t m, index_t n, index_t steps) {
  const double r = static_cast<double>(std::min(m, n)), l = static_cast<double>(std::max(m, n));
  return static_cast<double>(steps) * (r * r * l + r * r * r + 2 * r * r * l);
}

template <class T, class N, class Method>
void oracle(benchmark::State& state, const N& norm, const Method& method, index_t m, index_t n,
            index_t depth) {
  const matrix<T> x = gaussian<T>(m, n);
  matrix<T> d;
  auto plan = plan_lmo(norm, x, method);
  lmo_report report = plan.execute(x, d);
  for (auto _ : state) {
    report = plan.execute(x, d);
    benchmark::DoNotOptimize(d.data());
  }
  const Eigen::VectorXd& sigma = spectrum(m, n);
  const double dual_value =
      depth > 0 ? sigma.head(std::min(depth, sigma.size())).sum() : gaussian<double>(m, n).norm();
  const double product = x.template cast<double>().cwiseProduct(d.template cast<double>()).sum();
  const double ball = std::max(1.0, report.feasibility);
  state.counters["gap"] = 1 + product / (ball * dual_value);
  state.counters["certified"] = report.gap();
  state.counters["passes"] = static_cast<double>(report.passes);
  const double runs = static_cast<double>(state.iterations());
  if constexpr (std::same_as<Method, newton_schulz>)
    state.counters["GFLOP/s"] = benchmark::Counter(
        1e-9 * runs * schulz_flops(m, n, report.iterations), benchmark::Counter::kIsRate);
  state.counters["GB/s"] =
      benchmark::Counter(1e-9 * runs * static_cast<double>(report.passes * m * n) * sizeof(T),
                         benchmark::Counter::kIsRate);
}

template <class T, class N, class Method>
void add(const char* norm_name, const N& norm, const char* method_name, const Method& method,
         index_t m, index_t n, index_t depth) {
  const std::string name = std::string("lmo/") + norm_name + "/" + method_name + "/" +
                           std::to_string(m) + "x" + std::to_string(n) + "/" +
                           (sizeof(T) == 4 ? "float" : "double") + "/eigen";
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    oracle<T>(state, norm, method, m, n, depth);
  })->Unit(benchmark::kMillisecond);
}

template <class T>
void add_shape(index_t m, index_t n) {
  const index_t r = std::min(m, n);
  add<T>("frobenius", frobenius(), "automatic", automatic{}, m, n, 0);
  add<T>("spectral", spectral(), "newton_schulz", newton_schulz{}, m, n, r);
  add<T>("spectral", spectral(), "polar_express", polar_express{.gap = 1e-3}, m, n, r);
  add<T>("spectral", spectral(), "polar_express_block_1", polar_express{.gap = 1e-3, .block = 1}, m,
         n, r);
  add<T>("spectral", spectral(), "polar_express_feasible",
         polar_express{.gap = 1e-3, .feasible = true}, m, n, r);
  add<T>("spectral", spectral(), "qdwh", qdwh{}, m, n, r);
  add<T>("spectral", spectral(), "gram_eigen", gram_eigen{}, m, n, r);
  add<T>("spectral", spectral(), "automatic", automatic{}, m, n, r);
  if (r <= 256) add<T>("spectral", spectral(), "exact", exact{}, m, n, r);
  add<T>("nuclear", nuclear(), "subspace", subspace{.gap = 1e-2}, m, n, 1);
  add<T>("nuclear", nuclear(), "lanczos", lanczos{}, m, n, 1);
  const auto fanion8 = dual(ky_fan(8));
  add<T>("dual_ky_fan_8", fanion8, "subspace", subspace{.gap = 1e-2}, m, n, 8);
  add<T>("dual_ky_fan_8", fanion8, "power", power{.gap = 1e-2}, m, n, 8);
  add<T>("dual_ky_fan_8", fanion8, "randomized", randomized{}, m, n, 8);
  add<T>("dual_ky_fan_8", fanion8, "lanczos", lanczos{}, m, n, 8);
}

[[maybe_unused]] const bool registered = [] {
  add_shape<float>(256, 256);
  add_shape<float>(256, 1024);
  add_shape<float>(768, 768);
  add_shape<float>(768, 3072);
  add_shape<double>(256, 1024);
  return true;
}();

}  // namespace
