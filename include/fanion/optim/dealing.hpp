/// @file  Which worker steps which parameter, and the threads on which they do.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace fanion {

/// What a step of rows x cols costs beside others: m n min(m, n) for an oracle, m n for the rest.
[[nodiscard]] inline double step_cost(index_t rows, index_t cols, bool has_oracle) {
  const auto m = static_cast<double>(rows), n = static_cast<double>(cols);
  return m * n * (has_oracle ? std::min(m, n) : 1.0);
}

/// A worker for each cost: largest first, each to the worker with the least work so far, but where
/// `stays(i)` names one. The same for the same arguments, so that results do not depend on timing.
template <class Stays>
[[nodiscard]] std::vector<std::size_t> workers_for(std::span<const double> costs,
                                                   std::size_t workers, Stays stays) {
  std::vector<std::size_t> order(costs.size()), chosen(costs.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::vector<double> load(workers, 0.0);
  for (const std::size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end()) - load.begin();
    const std::optional<std::size_t> kept = stays(i);
    chosen[i] = kept ? *kept : static_cast<std::size_t>(least);
    load[chosen[i]] += costs[i];
  }
  return chosen;
}

/// work(0), …, work(workers - 1), each on a thread of its own but the first, and waits. Nothing may
/// leave `work` by an exception.
template <class Work>
void on_workers(std::size_t workers, Work work) {
  std::vector<std::thread> threads;
  for (std::size_t w = 1; w < workers; ++w) threads.emplace_back(work, w);
  work(0);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace fanion
