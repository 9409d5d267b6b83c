/// @file  Tuning, floors, and the bound beside what is measured.
#pragma once

#include <least_squares/methods.hpp>

#include <fanion/optim/trust_region.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace least_squares {

struct options {
  index_t size = 100;
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  double threshold = 2e-4;
  index_t steps = 800;
  index_t theory_size = 40;
  index_t theory_steps = 1000;
  index_t threads = 2;
  std::string out = "least-squares-report";
};

/// The best of a method's grid on one seed.
struct tuned {
  double rate = 0;
  double beta = 0;
  index_t steps = -1;          ///< to the threshold; -1 where no setting reached it
  double floor = 0;            ///< median loss of the second half of a run twice as long
  std::vector<double> losses;  ///< of that run
};

[[nodiscard]] inline double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const std::size_t half = x.size() / 2;
  return x.size() % 2 == 1 ? x[half] : 0.5 * (x[half - 1] + x[half]);
}

/// Every rate with every momentum. A setting is given up once it is slower than the best before it,
/// which changes no result; where none reaches the threshold, the one with the least last loss
/// wins.
[[nodiscard]] inline tuned tune(const problem& p, const method& m, const options& o) {
  tuned best;
  double least = std::numeric_limits<double>::infinity();
  for (const double beta : momenta())
    for (const double rate : m.rates) {
      const index_t limit = best.steps < 0 ? o.steps : best.steps - check_every;
      const run r = m.go(p, {rate, beta, limit, o.threshold});
      const bool reached = r.reached >= 0, first = best.steps < 0;
      const double last = r.losses.back();
      if (!reached && (!first || !(last < least))) continue;
      best.rate = rate;
      best.beta = beta;
      if (reached) best.steps = r.reached;
      least = last;
    }
  run longer = m.go(p, {best.rate, best.beta, 2 * o.steps, 0});
  best.floor = median({longer.losses.begin() + std::ssize(longer.losses) / 2, longer.losses.end()});
  best.losses = std::move(longer.losses);
  return best;
}

/// f(i) for i < count on some threads; which thread takes which i changes nothing that f returns.
inline void on_threads(index_t threads, index_t count, const std::function<void(index_t)>& f) {
  std::atomic<index_t> next = 0;
  const auto work = [&] {
    for (index_t i = next++; i < count; i = next++) f(i);
  };
  std::vector<std::thread> pool;
  for (index_t t = 1; t < threads; ++t) pool.emplace_back(work);
  work();
  for (std::thread& t : pool) t.join();
}

/// The average of n*(∇f(X_k)) over the first K steps and the bound on it, for K = 1, 2, …
struct stationarity {
  std::string name;
  int colour = 0;
  bool noisy = false;
  fanion::smooth_problem problem = {};
  bool tight = true;  ///< whether L and ρ are exact
  fanion::trust_region region = {};
  std::vector<double> measured = {}, bound = {};

  [[nodiscard]] bool holds() const {
    for (std::size_t i = 0; i < measured.size(); ++i)
      if (!(measured[i] <= bound[i])) return false;
    return true;
  }
  /// Of the logarithm of what is measured over that of K, between a tenth of the steps and all.
  [[nodiscard]] double slope() const {
    const std::size_t last = measured.size(), first = std::max<std::size_t>(1, last / 10);
    return std::log(measured[last - 1] / measured[first - 1]) /
           std::log(static_cast<double>(last) / static_cast<double>(first));
  }
};

/// Steps of length η along m <- (1 - α)m + αg; the η that is best without noise. Noise has
/// E‖·‖_F² = σ², a quarter of ‖∇f(X₀)‖_F², and α = 0.1 then.
template <class N>
[[nodiscard]] stationarity measure(const char* name, int colour, const N& n, bool noisy,
                                   const options& o) {
  const index_t size = o.theory_size;
  const problem p = make_problem(size, 77);
  Eigen::MatrixXd x = p.start.cast<double>(), d, m;
  const Eigen::MatrixXd a = p.m.cast<double>(), b = p.n.cast<double>();
  stationarity s{.name = name, .colour = colour, .noisy = noisy};
  const auto smooth = fanion::smoothness(n, p.curvatures, size, size);
  const auto ratio = fanion::dual_ratio(n, size, size);
  Eigen::MatrixXd g = a * x * b;
  s.problem = {smooth.value, 0.5 * x.cwiseProduct(g).sum(), noisy ? 0.5 * g.norm() : 0.0,
               ratio.value};
  s.tight = smooth.tight && ratio.tight;
  s.region = {fanion::best_radius(s.problem, static_cast<double>(o.theory_steps)),
              noisy ? 0.1 : 1.0, 1};
  if (noisy) s.region.radius *= 0.1;  // momentum lags behind: Lη(1 - α)/α
  double sum = 0;
  for (index_t k = 1; k <= o.theory_steps; ++k) {
    g = a * x * b;
    sum += value(dual(n), g);
    const auto steps = static_cast<double>(k);
    s.measured.push_back(sum / steps);
    s.region.steps = steps;
    s.bound.push_back(fanion::stationarity_bound(s.problem, s.region));
    if (noisy) {
      const double deviation = s.problem.noise / static_cast<double>(size);
      for (index_t e = 0; e < g.size(); ++e)
        g.data()[e] += deviation * fanion::random_normal(99, e, k);
    }
    m = k == 1 ? g : Eigen::MatrixXd((1 - s.region.fresh) * m + s.region.fresh * g);
    (void)fanion::lmo(n, m, d, fanion::exact{});
    x += s.region.radius * d;
  }
  return s;
}

[[nodiscard]] inline std::vector<stationarity> measure_all(const options& o) {
  using namespace fanion;
  std::vector<stationarity> all(10);
  on_threads(o.threads, 5, [&](index_t i) {
    for (const bool noisy : {false, true}) {
      stationarity& s = all[static_cast<std::size_t>(2 * i + (noisy ? 1 : 0))];
      switch (i) {
        case 0:
          s = measure("Muon", 1, spectral(), noisy, o);
          break;
        case 1:
          s = measure("NSGD", 8, frobenius(), noisy, o);
          break;
        case 2:
          s = measure("Neon", 0, nuclear(), noisy, o);
          break;
        case 3:
          s = measure("F-Muon", 4, dual(0.5 * nuclear() + 0.5 * frobenius()), noisy, o);
          break;
        default:
          s = measure("S-Muon", 5, dual(0.5 * nuclear() + (0.5 * 0.01) * sum_abs()), noisy, o);
      }
    }
  });
  return all;
}

/// How large n*(X) is beside ‖X‖_F: at most (ρ), and for normal matrices, the mean of five with the
/// difference of the largest and the least over it.
struct comparison_row {
  std::string norm;
  std::vector<double> most, typical, spread;
};

inline const std::vector<index_t>& comparison_sizes() {
  static const std::vector<index_t> sizes = {10, 30, 100, 300};
  return sizes;
}

[[nodiscard]] inline std::vector<comparison_row> compare_norms() {
  using namespace fanion;
  std::vector<comparison_row> rows;
  const auto add = [&](const char* name, const auto& n) {
    comparison_row row{name, {}, {}, {}};
    for (const index_t size : comparison_sizes()) {
      row.most.push_back(dual_ratio(n, size, size).value);
      std::vector<double> shares;
      for (const std::uint64_t seed : {5u, 6u, 7u, 8u, 9u}) {
        const Eigen::MatrixXd x = normal_matrix(size, seed);
        shares.push_back(value(dual(n), x) / x.norm());
      }
      const auto [least, largest] = std::minmax_element(shares.begin(), shares.end());
      row.typical.push_back(std::accumulate(shares.begin(), shares.end(), 0.0) / 5);
      row.spread.push_back((*largest - *least) / row.typical.back());
    }
    rows.push_back(row);
  };
  add("Muon: nuclear", spectral());
  add("NSGD: frobenius", frobenius());
  add("Neon: spectral", nuclear());
  add("Fanion-5: ky_fan(5)", dual(ky_fan(5)));
  add("F-Muon: nuclear/2 + frobenius/2", dual(0.5 * nuclear() + 0.5 * frobenius()));
  add("SignSGD: sum_abs", max_abs());
  return rows;
}

struct results {
  std::vector<method> methods;
  std::vector<std::vector<tuned>> best;  ///< by method, then by seed
  std::vector<stationarity> theory;
  std::vector<comparison_row> norms;
};

template <class Say>
[[nodiscard]] results experiment(const options& o, Say&& say) {
  results r;
  r.methods = family(o.size);
  std::vector<problem> problems;
  for (const std::uint64_t seed : o.seeds) problems.push_back(make_problem(o.size, seed));
  r.best.assign(r.methods.size(), std::vector<tuned>(o.seeds.size()));
  const auto seeds = std::ssize(o.seeds);
  on_threads(o.threads, std::ssize(r.methods) * seeds, [&](index_t i) {
    const auto m = static_cast<std::size_t>(i / seeds), s = static_cast<std::size_t>(i % seeds);
    r.best[m][s] = tune(problems[s], r.methods[m], o);
    say(r.methods[m].name + ", seed " + std::to_string(o.seeds[s]) + ": " +
        (r.best[m][s].steps < 0 ? std::string("not reached")
                                : std::to_string(r.best[m][s].steps) + " steps"));
  });
  r.theory = measure_all(o);
  r.norms = compare_norms();
  return r;
}

}  // namespace least_squares
