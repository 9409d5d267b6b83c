/// @file  The choice of learning rates on held-out training images.
#pragma once

#include <common/table.hpp>
#include <run/output.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace trainers {

/// One method's grid with the mean held-out loss of each rate; infinite if a seed diverged.
struct tuned_method {
  std::string method;
  std::vector<double> rates;  ///< rising
  std::vector<double> losses;
  std::vector<double> accuracies;
  std::size_t best = 0;
};

/// Runs `rates` for a method over all seeds and adds them to its grid.
inline void try_rates(const run_options& o, const task_kind& kind, tuned_method& tuned,
                      const std::vector<double>& rates, std::vector<run_record>& runs,
                      progress& say) {
  std::vector<planned_run> plan;
  for (const double rate : rates)
    for (const std::uint64_t seed : o.seeds) plan.push_back({tuned.method, rate, seed});
  const std::vector<run_record> records = run_all(o, kind, plan, say);
  for (const method_summary& s : summaries(records)) {
    const auto at = std::lower_bound(tuned.rates.begin(), tuned.rates.end(), s.rate);
    const auto i = at - tuned.rates.begin();
    tuned.rates.insert(at, s.rate);
    const bool ok = s.diverged == 0;
    double accuracy = 0;
    for (const run_record& run : records)
      if (ok && run.rate == s.rate)
        accuracy += run.held_out.back().accuracy / static_cast<double>(o.seeds.size());
    tuned.losses.insert(tuned.losses.begin() + i, ok ? s.held_out_loss.mean : INFINITY);
    tuned.accuracies.insert(tuned.accuracies.begin() + i, accuracy);
  }
  tuned.best = static_cast<std::size_t>(std::min_element(tuned.losses.begin(), tuned.losses.end()) -
                                        tuned.losses.begin());
  runs.insert(runs.end(), records.begin(), records.end());
}

/// Five rates a factor of 2 apart around the method's present rate; while the best stands at an
/// end of the grid the grid grows beyond that end, so that the choice is an inner point (at most
/// six times: a loss that still falls then is reported as it is).
[[nodiscard]] inline tuned_method tune_method(const run_options& o, const task_kind& kind,
                                              const std::string& method,
                                              std::vector<run_record>& runs, progress& say) {
  tuned_method tuned{method, {}, {}, {}, 0};
  const double centre = o.rate_of(method);
  try_rates(o, kind, tuned, {centre / 4, centre / 2, centre, 2 * centre, 4 * centre}, runs, say);
  for (int grown = 0; grown < 6; ++grown) {
    if (tuned.best == 0)
      try_rates(o, kind, tuned, {tuned.rates.front() / 2}, runs, say);
    else if (tuned.best + 1 == tuned.rates.size())
      try_rates(o, kind, tuned, {tuned.rates.back() * 2}, runs, say);
    else
      break;
  }
  return tuned;
}

/// Every rate tried with its held-out loss; the chosen one in bold.
[[nodiscard]] inline text_table tuning_table(const std::vector<tuned_method>& all) {
  text_table table{{"method", "chosen rate", "held-out loss", "held-out accuracy %", "grid"}, {}};
  for (const tuned_method& t : all) {
    std::string grid;
    for (std::size_t i = 0; i < t.rates.size(); ++i) {
      const std::string loss =
          std::isfinite(t.losses[i]) ? formatted("%.4f", t.losses[i]) : std::string("diverged");
      const std::string cell = formatted("%.3g: ", t.rates[i]) + loss;
      grid += (i == 0 ? "" : ", ") + (i == t.best ? "**" + cell + "**" : cell);
    }
    table.rows.push_back({t.method, formatted("%.3g", t.rates[t.best]),
                          formatted("%.4f", t.losses[t.best]),
                          formatted("%.2f", 100 * t.accuracies[t.best]), grid});
  }
  return table;
}

/// tuning.json and tuning.md in o.out, and the table on the terminal.
[[nodiscard]] inline text_table tune(const run_options& o, const task_kind& kind, progress& say) {
  std::vector<tuned_method> all;
  std::vector<run_record> runs;
  nlohmann::json j;
  j["task"] = kind.identity;
  j["command"] = command_line();
  j["options"] = to_json(o);
  for (const std::string& method : o.methods) {
    all.push_back(tune_method(o, kind, method, runs, say));
    const tuned_method& t = all.back();
    nlohmann::json entry = {{"method", t.method}, {"chosen", t.rates[t.best]}};
    for (std::size_t i = 0; i < t.rates.size(); ++i)
      entry["grid"].push_back({{"rate", t.rates[i]},
                               {"held_out_loss", t.losses[i]},
                               {"held_out_accuracy", t.accuracies[i]}});
    j["methods"].push_back(entry);
  }
  for (const run_record& run : runs) j["runs"].push_back(to_json(run));
  const text_table table = tuning_table(all);
  write_file(o.out / "tuning.json", j.dump(1) + "\n");
  write_file(o.out / "tuning.md", to_text(table, true));
  return table;
}

}  // namespace trainers
