/// @file  All that is known of a run, and its way into a checkpoint and back.
#pragma once

#include <common/tally.hpp>

#include <fanion/core/archive.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace trainers {

/// The held-out examples seen in the middle of a run.
struct look {
  index_t step;
  double loss;
  double accuracy;
};

/// What a matrix is like at one step: of its gradient, of the average of gradients with β = 0.95,
/// and of its weights. Singular values fall.
struct spectrum {
  index_t step;
  std::string name;
  std::vector<float> gradient, momentum, weight;
  double update_rms;  ///< of what the step then added to the weights
  double dual_norm;   ///< n* of the optimizer's own momentum, as attained; 0 without an oracle
};

struct run_record {
  std::string method;
  double rate = 0;
  std::uint64_t seed = 0;
  index_t steps = 0;
  std::vector<float> losses;  ///< of each step's batch, before the step
  std::vector<look> held_out;
  std::vector<float> step_seconds;       ///< wall: batch, forward, backward, optimizer
  std::vector<float> optimizer_seconds;  ///< wall: the optimizer's part of it
  std::vector<float> gaps;               ///< certified, the worst of the oracles
  std::vector<float> dual_norms;  ///< n* of the momentum, summed over the matrices, as attained
  std::vector<float> passes;      ///< full reads of a momentum, the most of them
  std::vector<spectrum> spectra;
  index_t diverged_at = -1;  ///< the step whose loss was not finite; -1: none
  tally train, test;         ///< at the end; empty if diverged (test also if tuning)
  std::string sample;        ///< what the network says at the end

  [[nodiscard]] bool diverged() const noexcept { return diverged_at >= 0; }
};

/// Hands every number and text of a record to `f`, in the order of the file.
template <class Record, class F>
void for_each_part(Record& run, F&& f) {
  f(run.method), f(run.rate), f(run.seed), f(run.steps);
  f(run.losses), f(run.step_seconds), f(run.optimizer_seconds);
  f(run.gaps), f(run.dual_norms), f(run.passes);
  f(run.diverged_at);
  for (auto* t : {&run.train, &run.test}) f(t->loss), f(t->correct), f(t->count);
  f(run.sample);
}

inline void save(fanion::archive_writer& out, const run_record& run) {
  const auto write = [&]<class V>(const V& part) {
    if constexpr (std::is_same_v<V, std::vector<float>>) {
      out.write(static_cast<std::uint64_t>(part.size()));
      out.write(std::span<const float>(part));
    } else {
      out.write(part);
    }
  };
  for_each_part(run, write);
  out.write(static_cast<std::uint64_t>(run.held_out.size()));
  for (const look& l : run.held_out) write(l.step), write(l.loss), write(l.accuracy);
  out.write(static_cast<std::uint64_t>(run.spectra.size()));
  for (const spectrum& s : run.spectra) {
    write(s.step), write(s.name), write(s.update_rms), write(s.dual_norm);
    write(s.gradient), write(s.momentum), write(s.weight);
  }
}

/// @throws std::invalid_argument where the data ends early.
[[nodiscard]] inline run_record load_record(fanion::archive_reader& in) {
  constexpr std::uint64_t most = std::uint64_t(1) << 32;
  const auto count = [&] {
    const auto n = in.read<std::uint64_t>();
    if (n > most) throw std::invalid_argument("checkpoint: a list of impossible length");
    return n;
  };
  const auto read = [&]<class V>(V& part) {
    if constexpr (std::is_same_v<V, std::string>) {
      part = in.read_text(most);
    } else if constexpr (!std::is_same_v<V, std::vector<float>>) {
      part = in.read<V>();
    } else {
      part.clear();
      for (auto left = count(); left > 0;) {  // in pieces: a length may lie
        const auto now = std::min<std::uint64_t>(left, 1 << 16);
        const std::size_t have = part.size();
        part.resize(have + static_cast<std::size_t>(now));
        in.read(std::span<float>(part).subspan(have));
        left -= now;
      }
    }
  };
  run_record run;
  for_each_part(run, read);
  for (auto n = count(); n > 0; --n) {
    look l{};
    read(l.step), read(l.loss), read(l.accuracy);
    run.held_out.push_back(l);
  }
  for (auto n = count(); n > 0; --n) {
    spectrum s{};
    read(s.step), read(s.name), read(s.update_rms), read(s.dual_norm);
    read(s.gradient), read(s.momentum), read(s.weight);
    run.spectra.push_back(std::move(s));
  }
  return run;
}

}  // namespace trainers
