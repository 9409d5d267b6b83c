/// @file  What tests of whole runs share: whether two are the same, and a signal in the middle.
#pragma once

#include <run/one_run.hpp>

#include <doctest/doctest.h>

#include <csignal>

namespace trainer_tests {

/// All that a run reports except its times.
inline bool same_numbers(const trainers::run_record& a, const trainers::run_record& b) {
  const auto same_tally = [](const trainers::tally& x, const trainers::tally& y) {
    return x.loss == y.loss && x.correct == y.correct && x.count == y.count;
  };
  bool same = a.method == b.method && a.seed == b.seed && a.losses == b.losses &&
              a.gaps == b.gaps && a.dual_norms == b.dual_norms && a.passes == b.passes &&
              same_tally(a.train, b.train) && same_tally(a.test, b.test) && a.sample == b.sample &&
              a.held_out.size() == b.held_out.size() && a.spectra.size() == b.spectra.size();
  for (std::size_t i = 0; same && i < a.held_out.size(); ++i)
    same = a.held_out[i].loss == b.held_out[i].loss && a.held_out[i].step == b.held_out[i].step;
  for (std::size_t i = 0; same && i < a.spectra.size(); ++i)
    same = a.spectra[i].gradient == b.spectra[i].gradient &&
           a.spectra[i].momentum == b.spectra[i].momentum &&
           a.spectra[i].weight == b.spectra[i].weight &&
           a.spectra[i].update_rms == b.spectra[i].update_rms &&
           a.spectra[i].dual_norm == b.spectra[i].dual_norm;
  return same;
}

/// `run(listen)` with a signal once `step` steps are done: it leaves a checkpoint and stops.
template <class Run>
void interrupt_at(std::size_t step, Run run) {
  trainers::watch_signals();
  CHECK_THROWS_AS((void)run([&](const trainers::run_record& r) {
                    if (r.losses.size() == step) std::raise(SIGTERM);
                  }),
                  trainers::interrupted);
  trainers::detail::signal_seen = 0;
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace trainer_tests
