/// @file  Everything that a subcommand does once it has data and a network.

#include <run/command.hpp>
#include <run/output.hpp>
#include <run/tune.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace trainers {

int compare(const run_options& o, const task_kind& kind) {
  const auto start = std::chrono::steady_clock::now();
  make_folder("--out", o.out);
  if (!o.record.empty()) make_folder("--record", o.record);
  const auto written = [&](const char* name) {
    std::printf("written: %s\n", (o.out / name).c_str());
  };
  progress say;
  if (o.tune) {
    std::printf("%s\n", to_text(tune(o, kind, say)).c_str());
    written("tuning.json");
    written("tuning.md");
    return 0;
  }
  std::vector<planned_run> plan;
  for (const std::string& method : o.methods)
    for (const double factor : o.rate_factors)
      for (const std::uint64_t seed : o.seeds)
        plan.push_back({method, factor * o.rate_of(method), seed});
  const std::vector<run_record> runs = run_all(o, kind, plan, say);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_comparison(o, kind, runs, seconds);
  std::printf("\n%s: %s\n\n%s\n%zu runs in %.0f s, %lld at once, %lld thread(s) each\n",
              o.out.filename().c_str(), kind.title.c_str(),
              to_text(comparison(best_of_each(summaries(runs)))).c_str(), runs.size(), seconds,
              static_cast<long long>(o.jobs), static_cast<long long>(o.shards()));
  written("results.json");
  written("report.html");
  return 0;
}

}  // namespace trainers
