/// How close products with few columns come to reading the matrix and doing nothing else.
///
/// product/<verb>/<m>x<n>x<k>/<T>/<threads>: `share` is the time of the fastest of several
/// vectorised sums over the same matrix, on the same threads and in turn, over that of the verb;
/// `reads` is its inverse. multiply_pair makes both products, so its floor is one read as well.
/// `error` is relative, in Frobenius norm, against Eigen in double.
#include "support/clock.hpp"

#include <fanion/eigen.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

namespace {

using namespace fanion;
namespace dense = fanion::dense;

/// Σ of all entries with `Lines` vectors in flight, each `ahead` bytes after it asked for.
template <class T, index_t Lines>
double sum(const T* x, index_t count, index_t ahead) {
  dense::vec<T> parts[static_cast<std::size_t>(Lines)] = {};
  constexpr index_t width = Lines * dense::lanes<T>;
  for (index_t i = 0; i + width <= count; i += width)
#pragma GCC unroll 16
    for (index_t l = 0; l < Lines; ++l) {
      const T* at = x + i + l * dense::lanes<T>;
      if (ahead > 0) __builtin_prefetch(reinterpret_cast<const char*>(at) + ahead);
      parts[l] += dense::load<T>(at);
    }
  double total = 0;
  for (const auto& p : parts) total += static_cast<double>(dense::lane_sum<T>(p));
  return total;
}

/// One sum of all of A by `threads` threads: 0 to 3 name the variant.
template <class T>
void read_once(const std::vector<T>& a, index_t threads, int variant) {
  const auto size = static_cast<index_t>(a.size());
  dense::for_each_slice(threads, [&](index_t s) {
    const index_t from = dense::slice_begin(size, 1024, threads, s);
    const index_t count = dense::slice_begin(size, 1024, threads, s + 1) - from;
    const index_t ahead = variant % 2 == 0 ? 0 : 4096;
    benchmark::DoNotOptimize(variant < 2 ? sum<T, 8>(a.data() + from, count, ahead)
                                         : sum<T, 16>(a.data() + from, count, ahead));
  });
}

enum class verb { multiply, multiply_adjoint, multiply_pair };

template <class T>
void product_cost(benchmark::State& state, verb what, index_t n, index_t k, index_t threads) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  static std::vector<T> a;
  const eigen_backend b(threads);
  if (static_cast<index_t>(a.size()) != n * n) {
    a.resize(static_cast<std::size_t>(n * n));
    b.random(matrix_view<T>(a.data(), n, n), 1);
  }
  matrix x(n, k), y(n, k), z(n, k);
  const auto view = [](matrix& e) { return matrix_view<T>(e.data(), e.rows(), e.cols()); };
  const matrix_view<const T> A(a.data(), n, n);
  b.random(view(x), 2);
  auto scratch = b.template make_workspace<T>(b.template multiply_pair_size<T>(n, n, k));
  index_t passes = 1;
  const auto run = [&] {
    if (what == verb::multiply)
      b.multiply(T(1), A, view(x).as_const(), T(0), view(y), scratch.span());
    else if (what == verb::multiply_adjoint)
      b.multiply_adjoint(T(1), A, view(x).as_const(), T(0), view(y), scratch.span());
    else
      passes = b.multiply_pair(T(1), A, view(x).as_const(), view(z), view(y), scratch.span(),
                               ignore_columns<T>());
  };
  std::array<std::vector<double>, 4> reads;
  std::vector<double> products;
  for (auto _ : state)
    for (int round = 0; round < 11; ++round) {
      for (std::size_t variant = 0; variant < reads.size(); ++variant)
        reads[variant].push_back(
            bench::milliseconds([&] { read_once(a, threads, static_cast<int>(variant)); }));
      products.push_back(bench::milliseconds(run));
    }
  double read = bench::median(reads[0]);
  for (const auto& variant : reads) read = std::min(read, bench::median(variant));
  const double product = bench::median(products);
  state.SetIterationTime(1e-3 * product);
  state.counters["read_ms"] = read;
  state.counters["share"] = read / product;
  state.counters["reads"] = product / read;
  state.counters["passes"] = static_cast<double>(passes);
  state.counters["GB/s"] = 1e-6 * static_cast<double>(n * n) * sizeof(T) / product;

  const Eigen::MatrixXd exact = Eigen::Map<const matrix>(a.data(), n, n).template cast<double>();
  const Eigen::MatrixXd xd = x.template cast<double>();
  Eigen::MatrixXd want = what == verb::multiply ? Eigen::MatrixXd(exact * xd)
                                                : Eigen::MatrixXd(exact.transpose() * xd);
  if (what == verb::multiply_pair) want = exact * want;
  state.counters["error"] = (y.template cast<double>() - want).norm() / want.norm();
}

template <class T>
void add(const char* scalar) {
  for (const index_t threads : {1, 2})
    for (const auto& [name, what] : {std::pair("multiply", verb::multiply),
                                     {"multiply_adjoint", verb::multiply_adjoint},
                                     {"multiply_pair", verb::multiply_pair}})
      for (const index_t k : {1, 2, 4, 8, 16, 32})
        benchmark::RegisterBenchmark(
            ("product/" + std::string(name) + "/5000x5000x" + std::to_string(k) + "/" + scalar +
             "/" + std::to_string(threads))
                .c_str(),
            [what = what, k, threads](benchmark::State& state) {
              product_cost<T>(state, what, 5000, k, threads);
            })
            ->Iterations(1)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  add<float>("float");
  add<double>("double");
  return true;
}();

}  // namespace
