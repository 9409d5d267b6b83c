/// @file  From runs to the one row that a method gets.
#pragma once

#include <run/run_record.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace trainers {

/// Mean and sample deviation (n - 1) over the seeds; the deviation of one value is 0.
struct spread {
  double mean = std::nan("");
  double deviation = std::nan("");
};

[[nodiscard]] inline spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const double n = static_cast<double>(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  double squares = 0;
  for (const double v : values) squares += (v - sum / n) * (v - sum / n);
  return {sum / n, values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0};
}

[[nodiscard]] inline double median_of(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// One method over its seeds. Runs that diverged count in `diverged` and nowhere else.
struct method_summary {
  std::string method;
  double rate = 0;
  index_t runs = 0;
  index_t diverged = 0;
  spread test_accuracy, test_loss, train_loss, held_out_loss;
  double step_ms = 0;          ///< median wall time of a step: a stall of the machine is no cost
  double worst_step_ms = 0;    ///< the longest after the first
  double optimizer_share = 0;  ///< median of the optimizer's part over that, 0 to 1
  double passes = 0;           ///< full reads of a momentum a step, mean
  double worst_gap = 0;        ///< the largest certified gap after the first step
};

[[nodiscard]] inline method_summary summarise(const std::vector<const run_record*>& runs) {
  method_summary s;
  s.method = runs.front()->method;
  s.rate = runs.front()->rate;
  std::vector<double> test_accuracy, test_loss, train_loss, held_out_loss;
  std::vector<double> step, optimizer;
  double passes = 0;
  for (const run_record* run : runs) {
    ++s.runs;
    if (run->diverged()) {
      ++s.diverged;
      continue;
    }
    train_loss.push_back(run->train.mean_loss());
    held_out_loss.push_back(run->held_out.back().loss);
    if (run->test.count > 0) {
      test_accuracy.push_back(run->test.accuracy());
      test_loss.push_back(run->test.mean_loss());
    }
    for (std::size_t i = 0; i < run->step_seconds.size(); ++i) {
      step.push_back(double(run->step_seconds[i]));
      optimizer.push_back(double(run->optimizer_seconds[i]));
      if (i == 0) continue;
      s.worst_step_ms = std::fmax(s.worst_step_ms, 1e3 * double(run->step_seconds[i]));
      s.worst_gap = std::fmax(s.worst_gap, double(run->gaps[i]));
    }
    for (const float p : run->passes) passes += double(p) / double(run->passes.size());
  }
  s.test_accuracy = spread_of(test_accuracy);
  s.test_loss = spread_of(test_loss);
  s.train_loss = spread_of(train_loss);
  s.held_out_loss = spread_of(held_out_loss);
  s.step_ms = 1e3 * median_of(step);
  s.optimizer_share = median_of(optimizer) / median_of(step);
  s.passes = passes / static_cast<double>(s.runs - s.diverged);
  return s;
}

/// Of each method the rate whose runs end lowest on the held-out examples, none of them diverged if
/// possible.
[[nodiscard]] inline std::vector<method_summary> best_of_each(
    const std::vector<method_summary>& all) {
  std::vector<method_summary> best;
  const auto better = [](const method_summary& a, const method_summary& b) {
    if (a.diverged != b.diverged) return a.diverged < b.diverged;
    return a.held_out_loss.mean < b.held_out_loss.mean;
  };
  for (const method_summary& s : all) {
    const auto at = std::find_if(best.begin(), best.end(),
                                 [&](const method_summary& b) { return b.method == s.method; });
    if (at == best.end())
      best.push_back(s);
    else if (better(s, *at))
      *at = s;
  }
  return best;
}

/// One summary per (method, rate), in the order in which they first appear.
[[nodiscard]] inline std::vector<method_summary> summaries(const std::vector<run_record>& runs) {
  std::vector<std::vector<const run_record*>> groups;
  for (const run_record& run : runs) {
    auto at = groups.begin();
    while (at != groups.end() &&
           (at->front()->method != run.method || at->front()->rate != run.rate))
      ++at;
    if (at == groups.end()) at = groups.insert(at, std::vector<const run_record*>());
    at->push_back(&run);
  }
  std::vector<method_summary> all;
  for (const auto& group : groups) all.push_back(summarise(group));
  return all;
}

}  // namespace trainers
