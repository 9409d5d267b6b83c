/// @file  One run: one method, one rate, one seed.
#pragma once

#include <common/shards.hpp>
#include <mlp/data.hpp>
#include <mlp/methods.hpp>
#include <mlp/network.hpp>
#include <mlp/options.hpp>
#include <mlp/record.hpp>

#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace trainers {

/// The held-out images seen in the middle of a run.
struct checkpoint {
  index_t step;
  double loss;
  double accuracy;
};

/// All that is known of a run when it ends.
struct run_record {
  std::string method;
  double rate = 0;
  std::uint64_t seed = 0;
  index_t steps = 0;
  std::vector<float> losses;  ///< of each step's batch, before the step
  std::vector<checkpoint> held_out;
  std::vector<float> step_seconds;       ///< wall: batch, forward, backward, optimizer
  std::vector<float> optimizer_seconds;  ///< wall: the optimizer's part of it
  std::vector<float> gaps;               ///< certified, of the hidden matrix's oracle
  std::vector<float> dual_norms;         ///< n* of the hidden momentum, as the oracle attained it
  double passes = 0;                     ///< full reads of the hidden momentum, mean
  index_t diverged_at = -1;              ///< the step whose loss was not finite; -1: none
  tally train, test;                     ///< at the end; empty if diverged (test also if tuning)

  [[nodiscard]] bool diverged() const noexcept { return diverged_at >= 0; }
};

/// Forward passes over all images by every shard, in pieces; sums in shard order.
template <fanion::Real T>
[[nodiscard]] tally evaluate(const mlp<T>& net, const image_set& images, pixel_scale scale,
                             shard_team& team, std::vector<tape<T>>& tapes) {
  constexpr index_t piece = 512;
  std::vector<tally> sums(static_cast<std::size_t>(team.count()));
  team.run([&](index_t s) {
    const item_range mine = shard_of(images.size(), s, team.count());
    tape<T>& t = tapes[static_cast<std::size_t>(s)];
    std::vector<std::uint32_t> which;
    std::vector<std::uint8_t> labels;
    for (index_t at = mine.first; at < mine.first + mine.count; at += piece) {
      which.clear();
      for (index_t i = at; i < std::min(at + piece, mine.first + mine.count); ++i)
        which.push_back(static_cast<std::uint32_t>(i));
      gather<T>(images, which, scale, t.input, labels);
      sums[static_cast<std::size_t>(s)] += forward<T>(net, labels, t);
    }
  });
  tally all;
  for (const tally& sum : sums) all += sum;
  return all;
}

/// Loss and gradient of the mean loss over one batch: each shard on its own columns, single
/// threaded inside, then one sum in shard order.
class batch_gradient {
 public:
  batch_gradient(const mlp<float>& net, shard_team& team)
      : team_(team),
        tapes_(static_cast<std::size_t>(team.count())),
        labels_(tapes_.size()),
        sums_(tapes_.size()),
        gradients_(tapes_.size(),
                   mlp<float>(net.hidden.cols(), net.hidden.rows(), net.head.rows())) {}

  tally operator()(const mlp<float>& net, const image_set& images,
                   std::span<const std::uint32_t> which, pixel_scale scale) {
    const auto size = static_cast<index_t>(which.size());
    team_.run([&](index_t s) {
      const auto i = static_cast<std::size_t>(s);
      const item_range mine = shard_of(size, s, team_.count());
      const auto ids =
          which.subspan(static_cast<std::size_t>(mine.first), static_cast<std::size_t>(mine.count));
      gather<float>(images, ids, scale, tapes_[i].input, labels_[i]);
      sums_[i] = forward<float>(net, labels_[i], tapes_[i]);
      backward<float>(net, labels_[i], 1.0f / static_cast<float>(size), tapes_[i], gradients_[i]);
    });
    tally all = sums_[0];
    for (std::size_t i = 1; i < gradients_.size(); ++i) {
      gradients_[0] += gradients_[i];
      all += sums_[i];
    }
    return all;
  }

  [[nodiscard]] mlp<float>& gradient() noexcept { return gradients_[0]; }
  [[nodiscard]] std::vector<tape<float>>& tapes() noexcept { return tapes_; }

 private:
  shard_team& team_;
  std::vector<tape<float>> tapes_;
  std::vector<std::vector<std::uint8_t>> labels_;
  std::vector<tally> sums_;
  std::vector<mlp<float>> gradients_;
};

[[nodiscard]] inline index_t steps_per_epoch(const options& o, const experiment_data& data) {
  return (data.train.size() + o.batch - 1) / o.batch;
}

/// What a run tells while it goes on: its record so far, once a step.
using run_listener = std::function<void(const run_record&)>;

/// The same for every method: a linear rise over the warm-up's share, then the chosen shape.
[[nodiscard]] inline fanion::schedule schedule_of(const options& o, index_t steps) {
  using fanion::decay_shape;
  const decay_shape shape = o.schedule == "constant" ? decay_shape::constant
                            : o.schedule == "cosine" ? decay_shape::cosine
                            : o.schedule == "stable" ? decay_shape::stable
                                                     : decay_shape::linear;
  return {shape, steps, static_cast<index_t>(std::lround(o.warmup * double(steps)))};
}

/// Trains from the seed's weights over the seed's batches and measures the result. A loss that is
/// not finite ends the run; the record says so. Deterministic for a seed and a shard count.
[[nodiscard]] inline run_record train_run(const options& o, const experiment_data& data,
                                          const std::string& method, double rate,
                                          std::uint64_t seed, shard_team& team,
                                          const run_listener& listen,
                                          momentum_recorder* recorder = nullptr) {
  using clock = std::chrono::steady_clock;
  const auto seconds = [](clock::duration d) { return std::chrono::duration<float>(d).count(); };

  mlp<float> net = initial_mlp<float>(data.features(), o.hidden, 10, seed);
  batch_gradient batch(net, team);
  network_optimizer opt = make_optimizer(method,
                                         {rate, o.rate_of(std::string(rest_name)), o.momentum,
                                          o.decay, o.alpha, o.eta, o.shards(), o.norm},
                                         net, batch.gradient());

  const index_t images = data.train.size();
  const index_t per_epoch = steps_per_epoch(o, data);
  run_record run{method, rate, seed, per_epoch * o.epochs, {}, {}, {}, {}, {}, {}, 0, -1, {}, {}};
  const fanion::schedule plan = schedule_of(o, run.steps);
  const auto look = [&] {
    const tally t = evaluate(net, data.held_out, data.scale, team, batch.tapes());
    run.held_out.push_back({static_cast<index_t>(run.losses.size()), t.mean_loss(), t.accuracy()});
  };

  double passes = 0;
  std::vector<std::uint32_t> order;
  for (index_t step = 0; step < run.steps; ++step) {
    const index_t in_epoch = step % per_epoch;
    if (in_epoch == 0) order = permutation(images, fanion::mix_bits(seed) + std::uint64_t(step));
    const auto start = clock::now();
    const index_t first = in_epoch * o.batch;
    const auto ids = std::span<const std::uint32_t>(order).subspan(
        static_cast<std::size_t>(first),
        static_cast<std::size_t>(std::min(o.batch, images - first)));
    const double loss = batch(net, data.train, ids, data.scale).mean_loss();
    if (!std::isfinite(loss)) {
      run.diverged_at = step;
      return run;
    }
    if (recorder) recorder->add(batch.gradient().hidden);
    const auto before = clock::now();
    const fanion::step_report hidden = opt.step(rate * plan.factor(step)).parameters.front();
    const auto end = clock::now();
    run.step_seconds.push_back(seconds(end - start));
    run.optimizer_seconds.push_back(seconds(end - before));
    run.losses.push_back(static_cast<float>(loss));
    passes += static_cast<double>(hidden.passes);
    run.passes = passes / static_cast<double>(step + 1);
    run.gaps.push_back(static_cast<float>(hidden.gap));
    run.dual_norms.push_back(static_cast<float>(hidden.dual_norm));
    // At each half and each end of an epoch.
    if (in_epoch + 1 == per_epoch || in_epoch + 1 == per_epoch / 2) look();
    listen(run);
  }
  run.train = evaluate(net, data.train, data.scale, team, batch.tapes());
  if (!std::isfinite(run.train.mean_loss())) {
    run.diverged_at = run.steps;
    return run;
  }
  if (data.test) run.test = evaluate(net, *data.test, data.scale, team, batch.tapes());
  return run;
}

}  // namespace trainers
