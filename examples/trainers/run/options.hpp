/// @file  The flags that all trainers share.
#pragma once

#include <run/catalogue.hpp>
#include <run/device.hpp>

#include <fanion/norms/parse.hpp>
#include <fanion/optim/scaling.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace trainers {

/// What others report of a method in the setting of a preset.
struct published_result {
  std::string method;
  double rate;
  std::string result;
};

/// What does not depend on the network or its data.
struct run_options {
  std::filesystem::path out = "fanion-results";
  std::filesystem::path record;  ///< empty: nothing is recorded
  index_t record_steps = 210;
  std::vector<std::string> methods;
  rate_table tuned;                                       ///< the trainer's
  std::string rates_are = "chosen on held-out examples";  ///< said of them in the report
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::map<std::string, double> rates;     ///< only what the user sets; see rate_of
  std::vector<double> rate_factors = {1};  ///< of --sweep lr=...
  index_t threads = 1;
  index_t jobs = 0;  ///< 0: as many runs at once as threads
  double warmup = 0.1;
  std::string schedule = "linear";
  double momentum = 0.9;
  double decay = 0;
  double alpha = 0.5;
  double eta = 0.01;
  std::string rest_rule = "adamw";  ///< of what no LMO method touches: adamw or sgd
  double rest_decay = 0;            ///< share that it loses in a step at the peak rate, under sgd
  std::string scaling_name = "none";
  std::string norm;        ///< empty, or the ball of the method "norm"
  bool on_device = false;  ///< the optimizer's state
  bool tune = false;
  bool resume = false;
  index_t save_every = 1000;                ///< steps between checkpoints; 0: only at the end
  std::string preset;                       ///< empty, or whose settings these are
  std::vector<published_result> published;  ///< to compare with
  std::vector<index_t> spectra;             ///< steps at which singular values are taken

  /// Threads that share the batches of one run.
  [[nodiscard]] index_t shards() const { return threads / jobs; }
  [[nodiscard]] double rate_of(const std::string& name) const {
    const auto it = rates.find(name);
    return it == rates.end() ? rate_in(tuned, name) : it->second;
  }
  [[nodiscard]] double rest_rate() const { return rate_of(std::string(rest_name)); }
  [[nodiscard]] double head_rate() const {
    const auto it = rates.find(std::string(head_name));
    return it == rates.end() ? rest_rate() : it->second;
  }
  [[nodiscard]] fanion::shape_scaling scaling() const {
    using fanion::shape_scaling;
    return scaling_name == "widening" ? shape_scaling::widening
           : scaling_name == "rms"    ? shape_scaling::rms
           : scaling_name == "adamw"  ? shape_scaling::adamw
                                      : shape_scaling::none;
  }
  [[nodiscard]] bool sweeps() const { return rate_factors.size() > 1; }
};

namespace detail {

/// "muon=0.02" -> rates["muon"]. @throws CLI::ValidationError naming flag, text and rule.
inline void set_rate(run_options& o, const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    throw CLI::ValidationError("--lr", "'" + text + "': " + why);
  };
  const std::size_t at = text.find('=');
  if (at == std::string::npos) refuse("expected method=rate");
  const std::string name = text.substr(0, at);
  if (name != rest_name && name != head_name && !is_method(name))
    refuse("unknown method '" + name + "'; rest, head, or one of the " + known());
  double rate = 0;
  if (!CLI::detail::lexical_cast(text.substr(at + 1), rate)) refuse("the rate is not a number");
  if (!std::isfinite(rate) || rate <= 0) refuse("the rate must be finite and above 0");
  o.rates[name] = rate;
}

/// The method "norm" and the flag --norm need each other, a rate, and a ball with an oracle.
inline void check_norm(run_options& o) {
  const std::string name(norm_name);
  const bool asked = std::find(o.methods.begin(), o.methods.end(), name) != o.methods.end();
  if (o.norm.empty()) {
    if (asked) throw CLI::ValidationError("--methods", "norm: which one? Give --norm too");
    return;
  }
  if (!asked) o.methods.push_back(name);
  try {
    (void)as_ball(fanion::parse_norm(o.norm));
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError("--norm", error.what());
  }
  if (o.rates.count(name) == 0)
    throw CLI::ValidationError("--norm", "needs a rate: --lr norm=RATE");
}

/// A finite number in [low, high]; CLI::Range alone lets NaN through.
inline CLI::Validator between(double low, double high) {
  return CLI::Validator(
      [low, high](const std::string& text) -> std::string {
        double x = 0;
        if (CLI::detail::lexical_cast(text, x) && x >= low && x <= high) return {};
        std::ostringstream why;
        why << "'" << text << "' is not a number from " << low << " to " << high;
        return why.str();
      },
      "NUMBER");
}

/// A whole number from 0 on.
inline CLI::Validator whole() { return CLI::Range(index_t(0), index_t(1) << 30); }

}  // namespace detail

/// Adds the shared flags. `rates` and `sweep` hold what is read later by check_run_options.
struct run_flags {
  std::vector<std::string> rates;
  std::string sweep;
};

inline void add_run_options(CLI::App& app, run_options& o, run_flags& flags) {
  const CLI::Range count(index_t(1), index_t(1) << 30);
  const auto fraction = detail::between(0, 1);
  o.threads = static_cast<index_t>(std::max(1u, std::thread::hardware_concurrency()));
  app.add_option("--out", o.out, "folder for the report, the JSON and checkpoints")
      ->capture_default_str();
  app.add_option("--methods,--optimizer", o.methods, known())
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--seeds", o.seeds, "one run of each method per seed")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option(
         "--lr", flags.rates,
         "method=rate, repeatable or comma-separated; rest=rate is that of what is no hidden "
         "matrix, head=rate that of the head, if another")
      ->delimiter(',');
  app.add_option("--sweep", flags.sweep,
                 "lr=f1,f2,...: every method at these multiples of its rate; the report shows the "
                 "loss against the rate");
  app.add_option("--warmup", o.warmup, "share of the steps in which the rate rises to its peak")
      ->check(fraction)
      ->capture_default_str();
  app.add_option("--schedule", o.schedule, "after the warm-up")
      ->check(CLI::IsMember({"linear", "cosine", "stable", "constant"}))
      ->capture_default_str();
  app.add_option("--momentum", o.momentum, "of every method but AdamW (which keeps 0.9, 0.999)")
      ->check(detail::between(0, 0.9999))
      ->capture_default_str();
  app.add_option("--decay", o.decay, "decoupled weight decay of matrices")
      ->check(detail::between(0, 1e6))
      ->capture_default_str();
  app.add_option("--rest", o.rest_rule,
                 "who moves what is no hidden matrix beside an LMO method; sgd has Nesterov's "
                 "momentum of 0.85")
      ->check(CLI::IsMember({"adamw", "sgd"}))
      ->capture_default_str();
  app.add_option("--alpha", o.alpha, "share of the spectral part in f-... and s-... methods")
      ->check(fraction)
      ->capture_default_str();
  app.add_option("--eta", o.eta, "size of the sign part in s-... methods")
      ->check(detail::between(0, 1e6))
      ->capture_default_str();
  app.add_option("--scaling", o.scaling_name, "of an oracle's step by the shape of the matrix")
      ->check(CLI::IsMember({"none", "widening", "rms", "adamw"}))
      ->capture_default_str();
  app.add_option(
      "--norm", o.norm,
      "ball of the method \"norm\", such as 'dual(0.5*ky_fan(8) + 0.5*frobenius())'; needs "
      "--lr norm=RATE");
  app.add_flag("--device", o.on_device,
               "keep the optimizer's state on a CUDA device; the network stays on the host");
  app.add_option("--threads", o.threads, "threads in all")->check(count)->capture_default_str();
  app.add_option("--jobs", o.jobs,
                 "runs at once, each on threads/jobs of them (its batches split into as many "
                 "shards); 0: one thread a run")
      ->check(detail::whole())
      ->capture_default_str();
  app.add_option(
         "--save-every", o.save_every,
         "steps between checkpoints in --out; 0: only where a run ends, or a signal ends the "
         "program")
      ->check(detail::whole())
      ->capture_default_str();
  app.add_flag("--resume", o.resume, "go on from the checkpoints in --out, bit for bit");
  app.add_option("--spectra", o.spectra,
                 "steps at which the singular values of gradients, momenta and weights are taken")
      ->delimiter(',')
      ->check(detail::whole());
  app.add_option("--record", o.record,
                 "folder for a matrix's momenta (raw float32), one file a method");
  app.add_option("--record-steps", o.record_steps, "how many consecutive steps --record keeps")
      ->check(count)
      ->capture_default_str();
  app.add_flag("--tune", o.tune,
               "choose rates on the held-out examples instead: writes tuning.json and tuning.md "
               "and never opens the test set");
}

namespace detail {

/// "lr=0.5,1,2" -> rate_factors, rising.
inline void set_sweep(run_options& o, const std::string& text) {
  if (text.empty()) return;
  const auto refuse = [&](const std::string& why) {
    throw CLI::ValidationError("--sweep", "'" + text + "': " + why);
  };
  if (!text.starts_with("lr=")) refuse("expected lr=f1,f2,...");
  o.rate_factors.clear();
  for (const std::string& word : CLI::detail::split(text.substr(3), ',')) {
    double factor = 0;
    if (!CLI::detail::lexical_cast(word, factor)) refuse("'" + word + "' is not a number");
    if (!std::isfinite(factor) || factor <= 0) refuse("factors must be finite and above 0");
    o.rate_factors.push_back(factor);
  }
  std::sort(o.rate_factors.begin(), o.rate_factors.end());
  if (std::adjacent_find(o.rate_factors.begin(), o.rate_factors.end()) != o.rate_factors.end())
    refuse("a factor stands there twice");
}

/// @throws CLI::ValidationError where something stands in the list more than once.
template <class Value, class Text>
void check_once(const char* flag, const std::vector<Value>& values, Text text) {
  for (auto at = values.begin(); at != values.end(); ++at)
    if (std::find(values.begin(), at, *at) != at)
      throw CLI::ValidationError(flag, text(*at) + " stands there twice");
}

}  // namespace detail

/// What the parser cannot see: names, rates, and flags that need each other.
/// @throws CLI::ValidationError naming flag, text and rule.
inline void check_run_options(run_options& o, const run_flags& flags) {
  for (const std::string& name : o.methods)
    if (!is_method(name))
      throw CLI::ValidationError("--methods", "unknown method '" + name + "'; " + known());
  detail::check_once("--methods", o.methods, [](const auto& s) { return "'" + s + "'"; });
  detail::check_once("--seeds", o.seeds, [](auto seed) { return std::to_string(seed); });
  for (const std::string& text : flags.rates) detail::set_rate(o, text);
  detail::set_sweep(o, flags.sweep);
  detail::check_norm(o);
  for (const std::string& name : o.methods)
    if (o.rate_of(name) == 0)
      throw CLI::ValidationError("--lr",
                                 name + " has no tuned rate here: give --lr " + name + "=RATE");
  if (const std::string why = o.on_device ? why_no_device() : ""; !why.empty())
    throw CLI::ValidationError("--device", why);
  if (o.tune && o.sweeps()) throw CLI::ValidationError("--sweep", "--tune makes its own grid");
  if (o.tune && o.resume) throw CLI::ValidationError("--resume", "--tune keeps no checkpoints");
  if (o.jobs == 0) o.jobs = o.threads;
  if (o.jobs > o.threads)
    throw CLI::ValidationError("--jobs", std::to_string(o.jobs) +
                                             " runs at once need at least as "
                                             "many --threads, got " +
                                             std::to_string(o.threads));
}

}  // namespace trainers
