/// @file  Many runs, several at once, with progress.
#pragma once

#include <common/files.hpp>
#include <common/progress.hpp>
#include <run/one_run.hpp>

#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace trainers {

/// One line about a run that has ended.
[[nodiscard]] inline std::string headline(const run_record& run) {
  std::string text = formatted("%-12s lr %-9.3g seed %-4llu ", run.method.c_str(), run.rate,
                               static_cast<unsigned long long>(run.seed));
  if (run.diverged())
    return text + formatted("loss not finite at step %lld: diverged",
                            static_cast<long long>(run.diverged_at));
  text += formatted("train loss %.4f  held-out loss %.4f", run.train.mean_loss(),
                    run.held_out.back().loss);
  if (run.test.count > 0) text += formatted("  test %.2f %%", 100 * run.test.accuracy());
  return text;
}

/// Runs `plan`, o.jobs at a time, each with its own team of o.shards() threads; the records come
/// back in the order of the plan. A run does not know what runs beside it, so its numbers (not its
/// times) are those it would have alone. Checkpoints stand in o.out/checkpoints.
/// @throws std::invalid_argument where a run is too short to record; what a run threw, after all
/// have stopped: `interrupted` where a signal came.
[[nodiscard]] inline std::vector<run_record> run_all(const run_options& o, const task_kind& kind,
                                                     const std::vector<planned_run>& plan,
                                                     progress& say) {
  if (const index_t steps = kind.steps; !o.record.empty() && steps < o.record_steps)
    throw std::invalid_argument("--record-steps " + std::to_string(o.record_steps) +
                                ": a run has only " + std::to_string(steps) +
                                " steps; ask for more or for fewer");
  std::vector<run_record> records(plan.size());
  std::atomic<std::size_t> next{0}, ended{0};
  std::mutex mutex;
  std::exception_ptr error;

  const auto work = [&] {
    shard_team team(o.shards());
    for (std::size_t i; (i = next++) < plan.size();) {
      const planned_run& p = plan[i];
      const auto listen = [&](const run_record& run) {
        const auto done = run.losses.size();
        const double each = double(run.step_seconds.back());
        say.status(
            formatted("[%zu/%zu] %s lr %.3g seed %llu: step %zu/%lld, loss %.4f, "
                      "%.1f steps/s, %.0f s left of this run",
                      ended.load(), plan.size(), run.method.c_str(), run.rate,
                      static_cast<unsigned long long>(run.seed), done,
                      static_cast<long long>(run.steps), double(run.losses.back()), 1 / each,
                      each * double(run.steps - static_cast<index_t>(done))));
      };
      std::unique_ptr<momentum_recorder> recorder;
      if (!o.record.empty() && p.seed == o.seeds.front())
        recorder =
            std::make_unique<momentum_recorder>(o.record / (p.method + ".momenta"), o.record_steps);
      records[i] = one_run(o, kind, p, team, recorder.get())(listen);
      const std::lock_guard hold(mutex);
      ++ended;
      say.line(formatted("[%2zu/%zu] ", ended.load(), plan.size()) + headline(records[i]));
    }
  };
  const auto guarded = [&] {
    try {
      work();
    } catch (...) {
      const std::lock_guard hold(mutex);
      if (!error) error = std::current_exception();
      next = plan.size();
    }
  };
  std::vector<std::thread> others;
  for (index_t j = 1; j < o.jobs; ++j) others.emplace_back(guarded);
  guarded();
  for (std::thread& t : others) t.join();
  if (error) std::rethrow_exception(error);
  return records;
}

}  // namespace trainers
