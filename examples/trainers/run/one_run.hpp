/// @file  One run: one method, one rate, one seed.
#pragma once

#include <common/files.hpp>
#include <run/checkpoint.hpp>
#include <run/interruption.hpp>
#include <run/methods.hpp>
#include <run/momenta.hpp>
#include <run/options.hpp>
#include <run/run_record.hpp>
#include <run/spectra.hpp>
#include <run/task.hpp>

#include <fanion/optim/schedule.hpp>

#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>

namespace trainers {

/// What a run tells while it goes on: its record so far, once a step.
using run_listener = std::function<void(const run_record&)>;

struct planned_run {
  std::string method;
  double rate;
  std::uint64_t seed;
};

/// The same for every method: a linear rise over the warm-up's share, then the chosen shape.
[[nodiscard]] inline fanion::schedule schedule_of(const run_options& o, index_t steps) {
  using fanion::decay_shape;
  const decay_shape shape = o.schedule == "constant" ? decay_shape::constant
                            : o.schedule == "cosine" ? decay_shape::cosine
                            : o.schedule == "stable" ? decay_shape::stable
                                                     : decay_shape::linear;
  return {shape, steps, static_cast<index_t>(std::lround(o.warmup * double(steps)))};
}

/// All that the numbers of a run depend on, as text; but for rounding, which a device does
/// otherwise.
[[nodiscard]] inline std::string identity_of(const run_options& o, const task_kind& kind,
                                             const planned_run& p) {
  std::string text =
      kind.identity + formatted("; method %s, rate %.17g, rest %.17g, seed %llu", p.method.c_str(),
                                p.rate, o.rest_rate(), static_cast<unsigned long long>(p.seed));
  text += formatted("; head %.17g, rest by %s, losing %.17g", o.head_rate(), o.rest_rule.c_str(),
                    o.rest_decay);
  text += formatted("; %lld steps, looks every %lld, warm-up %.17g, %s",
                    static_cast<long long>(kind.steps), static_cast<long long>(kind.look_every),
                    o.warmup, o.schedule.c_str());
  text += formatted("; momentum %.17g, decay %.17g, alpha %.17g, eta %.17g, scaling %s, norm '%s'",
                    o.momentum, o.decay, o.alpha, o.eta, o.scaling_name.c_str(), o.norm.c_str());
  text += formatted("; shards %lld; spectra", static_cast<long long>(o.shards()));
  for (const index_t step : o.spectra) text += formatted(" %lld", static_cast<long long>(step));
  return text;
}

/// Of a run's files.
[[nodiscard]] inline std::string name_of(const planned_run& p) {
  return formatted("%s-%.9g-%llu", p.method.c_str(), p.rate,
                   static_cast<unsigned long long>(p.seed));
}
[[nodiscard]] inline std::filesystem::path checkpoint_path(const run_options& o,
                                                           const planned_run& p) {
  return o.out / "checkpoints" / (name_of(p) + ".run");
}

/// Trains from the seed's weights, or from where a checkpoint stands, over the seed's batches and
/// measures the result. A loss that is not finite ends the run; the record says so. Deterministic
/// for a seed and a shard count. @throws interrupted where a signal ended it after its checkpoint.
class one_run {
 public:
  one_run(const run_options& o, const task_kind& kind, planned_run p, shard_team& team,
          momentum_recorder* recorder = nullptr)
      : o_(o),
        kind_(kind),
        plan_(std::move(p)),
        net_(kind.make(team)),
        opt_(make_optimizer(plan_.method,
                            {.rate = plan_.rate,
                             .rest_rate = o.rest_rate(),
                             .head_rate = o.head_rate(),
                             .rest_rule = o.rest_rule,
                             .rest_decay = o.rest_decay,
                             .momentum = o.momentum,
                             .decay = o.decay,
                             .alpha = o.alpha,
                             .eta = o.eta,
                             .threads = o.shards(),
                             .scaling = o.scaling(),
                             .norm = o.norm,
                             .on_device = o.on_device},
                            *net_)),
        spectra_(o.spectra, *net_),
        recorder_(recorder) {
    net_->start(plan_.seed);
    at_.record.method = plan_.method;
    at_.record.rate = plan_.rate;
    at_.record.seed = plan_.seed;
    at_.record.steps = kind.steps;
  }

  [[nodiscard]] run_record operator()(const run_listener& listen) {
    const auto path = checkpoint_path(o_, plan_);
    if (o_.resume && std::filesystem::exists(path)) {
      std::string momenta;
      at_ = read_checkpoint(path, identity_of(o_, kind_, plan_), *net_, *opt_, momenta);
      if (!at_.ended) spectra_.set_state(momenta);
    }
    const fanion::schedule rates = schedule_of(o_, kind_.steps);
    while (!at_.ended) {
      at_.ended = at_.step == kind_.steps || !advance(plan_.rate * rates.factor(at_.step));
      if (at_.ended) finish();
      const bool asked = signal_seen() && !at_.ended;
      if ((asked && !o_.tune) || due()) {
        make_folder("--out", path.parent_path());
        write_checkpoint(path, identity_of(o_, kind_, plan_), at_, *net_, *opt_, spectra_.state());
      }
      if (asked) throw interrupted(!o_.tune);
      if (!at_.record.losses.empty()) listen(at_.record);
    }
    return at_.record;
  }

 private:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] static float seconds(clock::duration d) {
    return std::chrono::duration<float>(d).count();
  }

  /// Whether this is a place for a checkpoint. Nobody goes on from a run that tunes.
  [[nodiscard]] bool due() const {
    return !o_.tune && (at_.ended || (o_.save_every > 0 && at_.step % o_.save_every == 0));
  }

  /// One step; false where its loss is not finite, and then there is none.
  [[nodiscard]] bool advance(double rate) {
    run_record& run = at_.record;
    const auto start = clock::now();
    const double loss = net_->descend(plan_.seed, at_.step).mean_loss();
    if (!std::isfinite(loss)) {
      run.diverged_at = at_.step;
      return false;
    }
    if (recorder_) recorder_->add(*net_);
    spectra_.before(at_.step, run);
    const auto before = clock::now();
    const auto& report = opt_->step(rate).parameters;
    const auto end = clock::now();
    spectra_.after(at_.step, report, run);
    double gap = 0, dual_norm = 0;
    index_t passes = 0;
    for (const fanion::step_report& r : report) {
      gap = std::fmax(gap, r.gap);
      dual_norm += r.dual_norm;
      passes = std::max(passes, r.passes);
    }
    run.losses.push_back(static_cast<float>(loss));
    run.step_seconds.push_back(seconds(end - start));
    run.optimizer_seconds.push_back(seconds(end - before));
    run.gaps.push_back(static_cast<float>(gap));
    run.dual_norms.push_back(static_cast<float>(dual_norm));
    run.passes.push_back(static_cast<float>(passes));
    ++at_.step;
    if (at_.step % kind_.look_every == 0 || at_.step == kind_.steps) {
      const tally t = net_->evaluate(examples_of::held_out);
      run.held_out.push_back({at_.step, t.mean_loss(), t.accuracy()});
    }
    return true;
  }

  void finish() {
    run_record& run = at_.record;
    if (run.diverged()) return;
    run.train = net_->evaluate(examples_of::training);
    if (!std::isfinite(run.train.mean_loss())) {
      run.diverged_at = kind_.steps;
      return;
    }
    if (!o_.tune) run.test = net_->evaluate(examples_of::test);
    run.sample = net_->sample(plan_.seed);
    net_->keep(o_.out, name_of(plan_));
  }

  const run_options& o_;
  const task_kind& kind_;
  planned_run plan_;
  std::unique_ptr<task> net_;
  std::unique_ptr<network_optimizer> opt_;
  spectrum_recorder spectra_;
  momentum_recorder* recorder_;
  run_position at_;
};

}  // namespace trainers
