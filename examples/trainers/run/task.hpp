/// @file  What a trainer has to supply: a network over data, seen from the loop that trains it.
#pragma once

#include <common/shards.hpp>
#include <common/tally.hpp>

#include <fanion/optim/parameters.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trainers {

/// Which examples: those that are trained on, those that rates are chosen on, and those that nobody
/// looks at before the end.
enum class examples_of { training, held_out, test };

/// One network in training. Everything in it follows from the seed, the number of the step and the
/// number of shards, so that a run that goes on from a checkpoint makes the same bits.
class task {
 public:
  virtual ~task() = default;

  /// The seed's weights.
  virtual void start(std::uint64_t seed) = 0;
  /// Weights and gradients, always at the same addresses and in the same order.
  [[nodiscard]] virtual std::vector<fanion::parameter<float>> parameters() = 0;
  /// Gradients of the mean loss over the step's batch; what the batch added up.
  virtual tally descend(std::uint64_t seed, index_t step) = 0;
  /// Losses of the weights as they are; of no example where there are none.
  [[nodiscard]] virtual tally evaluate(examples_of which) = 0;
  /// What the trained network has to say at the end of a run, for the reader; empty for nothing.
  [[nodiscard]] virtual std::string sample(std::uint64_t) { return {}; }
  /// Writes the trained network into the folder, where the options ask for it.
  virtual void keep(const std::filesystem::path&, const std::string&) {}
};

/// One kind of task for all runs of an experiment. Usable from several threads at once.
struct task_kind {
  std::string title;       ///< of the report
  std::string lead;        ///< its first paragraph
  index_t steps = 0;       ///< of one run
  index_t look_every = 0;  ///< steps from one look at the held-out examples to the next
  double epoch = 0;        ///< steps that see every example once; 0: say steps
  std::string identity;    ///< all that the task's numbers depend on, as text
  std::function<std::unique_ptr<task>(shard_team&)> make;
};

}  // namespace trainers
