/// @file  This library's rows. To add a method, add a line to `leading`, `value` or `polar`.
///
/// The solvers are called as the oracles call them. D itself is not formed, as no peer forms it.
#pragma once

#include "../support/clock.hpp"
#include "contender.hpp"

#include <fanion/eigen.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace peers::ours {

using namespace fanion;

template <class T>
const auto& in_precision(const question& q) {
  if constexpr (std::same_as<T, float>)
    return q.narrow;
  else
    return q.a;
}

template <class T>
Eigen::MatrixXd wide(matrix_view<const T> x) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::MatrixXd y(x.rows(), x.cols());
  for (index_t j = 0; j < x.cols(); ++j)
    y.col(j) = Eigen::Map<const matrix>(x.col(j), x.rows(), 1).template cast<double>();
  return y;
}

/// A solver's answer, whose numbers times `unit` are those of the matrix.
template <class Found>
struct in_units {
  Found found;
  double unit = 1;
};

/// The read for ‖A‖_F, of which the solver makes what it can, then the solver.
template <class T, class S>
auto solved(S& s, eigen_backend& b, const oriented_view<const T>& m) {
  T norm;
  if constexpr (requires { s.approach(b, m, m.transposed, T(0), T(1)); })
    norm = s.approach(b, m, m.transposed, T(0), T(1));
  else
    norm = b.norm(m.storage);
  const T power = std::ldexp(T(1), -std::ilogb(norm));
  const double unit = 1 / static_cast<double>(power);
  const operand<T, host_space> a{m, power, static_cast<double>(norm) / unit};
  if constexpr (requires { s.solve(b, a); }) {
    return in_units<decltype(s.solve(b, a))>{s.solve(b, a), unit};
  } else {
    arrived<T, host_space> all(norm);
    return in_units<decltype(s.solve(b, a, all))>{s.solve(b, a, all), unit};
  }
}

/// 1 - Σσ / bound with the bound that a report would state for dual(ky_fan(k)).
template <class T>
void report(const triplets<T, host_space>& t, double unit, answer& to) {
  to.u = wide<T>(t.u);
  to.v = wide<T>(t.v);
  to.sigma.resize(static_cast<index_t>(t.sigma.size()));
  for (index_t i = 0; i < to.sigma.size(); ++i)
    to.sigma(i) = static_cast<double>(t.sigma[static_cast<std::size_t>(i)]) * unit;
  const auto count = static_cast<std::ptrdiff_t>(t.sigma.size());
  const double bound = std::accumulate(t.upper.begin(), t.upper.begin() + count, 0.0) * unit;
  to.certified = 1 - to.sigma.sum() / (std::max(1.0, t.contraction) * bound);
}

template <class T>
void report(const polar_factor<T, host_space>& x, double, answer& to) {
  const Eigen::MatrixXd storage = wide<T>(x.x.storage);
  to.polar = x.x.transposed ? Eigen::MatrixXd(storage.transpose()) : storage;
  to.certified = 1 - x.product / (std::max(1.0, x.spectral_bound) * x.nuclear_bound);
}

/// The solver is made, its memory written to, before the clock starts. `columns` is how many an
/// iteration multiplies, all of its products counted; 0: nobody can tell.
template <class T, class Method>
answer run(const Method& method, const question& q, spectral_need need, int threads,
           double columns) {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const matrix& a = in_precision<T>(q);
  eigen_backend b(threads);
  Method seeded = method;
  if constexpr (requires { seeded.seed; }) seeded.seed = q.seed;
  auto solver = make_solver<T>(b, a.rows(), a.cols(), need, seeded);
  const oriented_view<const T> view = matrix_adapter<matrix>::view(a);
  answer got;
  std::visit(
      [&]<class S>(S& s) {
        if constexpr (!std::same_as<S, std::monostate>) {
          decltype(solved<T>(s, b, view)) done;
          got.milliseconds = bench::milliseconds([&] { done = solved<T>(s, b, view); });
          const effort& e = done.found.effort;
          got.reads = static_cast<double>(e.passes) + 1;
          if (columns > 0) got.products = columns * static_cast<double>(e.iterations);
          got.iterations = static_cast<double>(e.iterations);
          got.failure_probability = e.failure_probability;
          got.outcome = to_string(e.outcome);
          report<T>(done.found, done.unit, got);
        }
      },
      solver);
  return got;
}

template <class T>
inline constexpr const char* scalar = std::same_as<T, float> ? "float" : "double";

/// One row of the leading questions: a method in its settings, loose to tight.
template <class T, class Method>
contender row(const std::string& name, index_t k, int threads, double columns,
              const std::vector<std::pair<std::string, Method>>& settings) {
  contender c{
      .name = name, .kind = "ours", .scalar = scalar<T>, .threads = threads, .settings = {}};
  for (const auto& [label, method] : settings)
    c.settings.push_back({label, 0, [=, method = method](const question& q) {
                            return run<T>(method, q, {.depth = k, .polar = false}, threads,
                                          columns);
                          }});
  return c;
}

/// Columns of a block by default.
inline double krylov_block(index_t k) {
  return static_cast<double>(std::clamp<index_t>(k + 2, 3, 16));
}

inline std::string block_name(index_t columns) {
  return "block_krylov, " + std::to_string(columns) + (columns == 1 ? " column" : " columns");
}

/// For the vectors. `tol` asks for err_1 outright; where the spectrum is flat its estimate closes
/// late, so Lanczos is also tried with gaps, of which the loosest that is good enough plays.
template <class T>
contenders leading(index_t k, int threads) {
  std::vector<std::pair<std::string, lanczos>> gaps;
  for (const auto& [label, gap] : {std::pair{"gap = 1e-3", 1e-3},
                                   {"gap = 1e-4", 1e-4},
                                   {"gap = 1e-5", 1e-5},
                                   {"gap = 1e-6", 1e-6},
                                   {"gap = 1e-7", 1e-7}})
    gaps.push_back({label, {.gap = gap}});
  const index_t most = 1000 + 20 * k;
  contenders all;
  all.push_back(row<T, block_krylov>("block_krylov, tol", k, threads, 2 * krylov_block(k),
                                     {{"tol = 1e-2", {.tol = 1e-2}}}));
  if constexpr (std::same_as<T, double>) {
    all.push_back(row<T, block_krylov>("block_krylov, in float", k, threads, 2 * krylov_block(k),
                                       {{"tol = 1e-2", {.tol = 1e-2, .in_float = true}}}));
    // The fewest products, and few reads.
    for (const index_t columns : {1, 8})
      all.push_back(row<T, block_krylov>(block_name(columns), k, threads,
                                         2 * static_cast<double>(columns),
                                         {{"tol = 1e-2", {.tol = 1e-2, .block = columns}}}));
  }
  all.push_back(row<T, lanczos>("lanczos", k, threads, 2, gaps));
  all.push_back(row<T, lanczos>(
      "lanczos, tol", k, threads, 2,
      {{"tol = 1e-2, passes <= " + std::to_string(most), {.tol = 1e-2, .passes = most}}}));
  return all;
}

/// For the value: the gap is asked for, or a smaller one where its proof lags behind.
template <class T>
contenders value(index_t k, int threads) {
  const double b = static_cast<double>(k + 4);
  contenders all;
  all.push_back(row<T, block_krylov>("block_krylov", k, threads, 2 * krylov_block(k),
                                     {{"gap = 1e-2", {.gap = 1e-2}}}));
  if constexpr (std::same_as<T, double>) {
    all.push_back(row<T, block_krylov>("block_krylov, in float", k, threads, 2 * krylov_block(k),
                                       {{"gap = 1e-2", {.gap = 1e-2, .in_float = true}}}));
    all.push_back(row<T, block_krylov>(block_name(1), k, threads, 2,
                                       {{"gap = 1e-2", {.gap = 1e-2, .block = 1}}}));
  }
  all.push_back(row<T, subspace>("subspace", k, threads, 2 * b,
                                 {{"gap = 1e-2", {.oversample = 4, .gap = 1e-2}}}));
  all.push_back(row<T, lanczos>("lanczos", k, threads, 2,
                                {{"gap = 1e-2", {.gap = 1e-2}}, {"gap = 1e-4", {.gap = 1e-4}}}));
  return all;
}

/// The seeds' baselines in double: only a number of iterations to choose.
inline contenders baselines(index_t k, int threads) {
  constexpr index_t oversample = 10;
  const auto fitted = [=](const std::string& name, index_t block, auto method_of) {
    return contender{.name = name,
                     .kind = "baseline",
                     .threads = threads,
                     .settings = {},
                     .fit =
                         [=](const question& q, index_t iterations) {
                           return run<double>(method_of(iterations), q,
                                              {.depth = k, .polar = false}, threads,
                                              2 * static_cast<double>(block));
                         },
                     .block = block};
  };
  return {fitted("power", k, [](index_t i) { return power{.passes = i}; }),
          fitted("randomized", k + oversample, [](index_t i) {
            return randomized{.oversample = oversample, .iterations = i - 1};
          })};
}

/// A step multiplies r columns `products` times.
template <class T, class Method>
contender polar_row(const std::string& name, int threads, double products,
                    const std::vector<std::pair<std::string, Method>>& settings) {
  contender c{
      .name = name, .kind = "ours", .scalar = scalar<T>, .threads = threads, .settings = {}};
  for (const auto& [label, method] : settings)
    c.settings.push_back({label, 0, [=, method = method](const question& q) {
                            const index_t r = std::min(q.a.rows(), q.a.cols());
                            return run<T>(method, q, {.depth = r, .polar = true}, threads,
                                          products * static_cast<double>(r));
                          }});
  return c;
}

/// For the polar factor at a gap.
template <class T>
contenders polar(double gap, int threads) {
  contenders all = {polar_row<T, polar_express>("polar_express", threads, 0, {{"", {.gap = gap}}}),
                    polar_row<T, automatic>("automatic", threads, 0, {{"", {.gap = gap}}})};
  if constexpr (std::same_as<T, double>) {
    all.push_back(polar_row<T, qdwh>("qdwh", threads, 0, {{"", {.gap = gap}}}));
    all.push_back(polar_row<T, gram_eigen>("gram_eigen", threads, 0, {{"", {.gap = gap}}}));
  }
  return all;
}

/// For the polar factor at an error of its entries, which no method takes: gaps and steps to try.
inline contenders polar_entries(int threads) {
  std::vector<std::pair<std::string, polar_express>> gaps;
  for (const auto& [label, gap] :
       {std::pair{"gap = 1e-2", 1e-2}, {"gap = 1e-3", 1e-3}, {"gap = 1e-4", 1e-4}})
    gaps.push_back({label, {.gap = gap}});
  std::vector<std::pair<std::string, newton_schulz>> steps;
  for (index_t i = 20; i <= 40; i += 2)
    steps.push_back({std::to_string(i) + " steps", {.steps = i, .coefficients = schulz::classic}});
  return {polar_row<double>("polar_express", threads, 3, gaps),
          polar_row<double>("newton_schulz, classic", threads, 2, steps)};
}

}  // namespace peers::ours
