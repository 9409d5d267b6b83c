/// @file  The command line of the trainer.
#pragma once

#include <mlp/catalogue.hpp>

#include <fanion/core/types.hpp>
#include <fanion/norms/parse.hpp>

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

using fanion::index_t;

struct options {
  std::string dataset = "fashion";
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  std::filesystem::path out = "mlp-results";
  std::filesystem::path record;  ///< empty: nothing is recorded
  index_t record_steps = 210;
  std::vector<std::string> methods = default_methods();
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::map<std::string, double> rates;  ///< only what the user sets; see rate_of
  index_t epochs = 2;
  index_t batch = 768;
  index_t hidden = 512;
  index_t held_out = 5000;
  index_t limit = 0;            ///< 0: all images
  std::vector<index_t> resize;  ///< empty, or height and width
  index_t threads = 1;
  index_t jobs = 0;  ///< 0: as many runs at once as threads
  double warmup = 0.1;
  std::string schedule = "linear";
  double momentum = 0.9;
  double decay = 0;
  double alpha = 0.5;
  double eta = 0.01;
  std::string norm;  ///< empty, or the ball of the method "norm"
  bool tune = false;

  /// Threads that share the batches of one run.
  [[nodiscard]] index_t shards() const { return threads / jobs; }
  [[nodiscard]] double rate_of(const std::string& name) const {
    const auto it = rates.find(name);
    return it == rates.end() ? default_rate(name) : it->second;
  }
};

namespace detail {

/// "muon=0.02" -> rates["muon"]. @throws CLI::ValidationError naming flag, text and rule.
inline void set_rate(options& o, const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    throw CLI::ValidationError("--lr", "'" + text + "': " + why);
  };
  const std::size_t at = text.find('=');
  if (at == std::string::npos) refuse("expected method=rate");
  const std::string name = text.substr(0, at);
  if (name != rest_name && !is_method(name)) refuse("unknown method '" + name + "'; " + known());
  double rate = 0;
  if (!CLI::detail::lexical_cast(text.substr(at + 1), rate)) refuse("the rate is not a number");
  if (!std::isfinite(rate) || rate <= 0) refuse("the rate must be finite and above 0");
  o.rates[name] = rate;
}

/// The method "norm" and the flag --norm need each other, a rate, and a ball with an oracle.
inline void check_norm(options& o) {
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

}  // namespace detail

/// Reads the command line into `o`. @throws CLI::ParseError, which app.exit() prints and turns
/// into an exit code; --help arrives that way too.
inline void parse_options(CLI::App& app, options& o, int argc, const char* const* argv) {
  std::vector<std::string> rates;
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  o.threads = static_cast<index_t>(cores);
  const CLI::Range count(index_t(1), index_t(1) << 30);
  const auto fraction = detail::between(0, 1);

  app.description(
      "Trains input-512-10 with GELU by the whole family of methods and compares them.\n"
      "Writes results.json and report.html into the folder --out.");
  app.add_option("--dataset", o.dataset, "fashion (IDX files, gzipped or not) or cifar10 (binary)")
      ->check(CLI::IsMember({"fashion", "cifar10"}))
      ->capture_default_str();
  CLI::Option* data = app.add_option("--data", o.data, "folder of the data files")
                          ->check(CLI::ExistingDirectory)
                          ->capture_default_str();
  app.add_option("--out", o.out, "folder for the report and the JSON")->capture_default_str();
  app.add_option("--methods", o.methods, known())->delimiter(',')->capture_default_str();
  app.add_option("--seeds", o.seeds, "one run of each method per seed")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--lr", rates,
                 "method=rate, repeatable or comma-separated; rest=rate is AdamW's rate for what "
                 "is not the hidden matrix")
      ->delimiter(',');
  app.add_option("--epochs", o.epochs, "passes over the training images")
      ->check(count)
      ->capture_default_str();
  app.add_option("--batch", o.batch, "images a step")->check(count)->capture_default_str();
  app.add_option("--hidden", o.hidden, "width of the hidden layer")
      ->check(count)
      ->capture_default_str();
  app.add_option("--held-out", o.held_out, "training images kept for choosing rates")
      ->check(count)
      ->capture_default_str();
  app.add_option("--limit", o.limit, "use at most this many images of each set; 0 for all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--resize", o.resize, "resample the images: height,width (48,64: 3,072 inputs)")
      ->delimiter(',')
      ->expected(2)
      ->check(count);
  app.add_option("--warmup", o.warmup, "share of the steps in which the rate rises to its peak")
      ->check(fraction)
      ->capture_default_str();
  app.add_option("--schedule", o.schedule, "after the warm-up")
      ->check(CLI::IsMember({"linear", "cosine", "stable", "constant"}))
      ->capture_default_str();
  app.add_option("--momentum", o.momentum, "of every method but AdamW (which keeps 0.9, 0.999)")
      ->check(detail::between(0, 0.9999))
      ->capture_default_str();
  app.add_option("--decay", o.decay, "decoupled weight decay")
      ->check(detail::between(0, 1e6))
      ->capture_default_str();
  app.add_option("--alpha", o.alpha, "share of the spectral part in f-... and s-... methods")
      ->check(fraction)
      ->capture_default_str();
  app.add_option("--eta", o.eta, "size of the sign part in s-... methods")
      ->check(detail::between(0, 1e6))
      ->capture_default_str();
  app.add_option(
      "--norm", o.norm,
      "ball of the method \"norm\", such as 'dual(0.5*ky_fan(8) + 0.5*frobenius())'; needs "
      "--lr norm=RATE");
  app.add_option("--threads", o.threads, "threads in all")->check(count)->capture_default_str();
  app.add_option("--jobs", o.jobs,
                 "runs at once, each on threads/jobs of them (its batches split into as many "
                 "shards); 0: one thread a run")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--record", o.record,
                 "folder for the hidden matrix's momenta (raw float32), one file a method");
  app.add_option("--record-steps", o.record_steps, "how many consecutive steps --record keeps")
      ->check(count)
      ->capture_default_str();
  app.add_flag("--tune", o.tune,
               "choose rates on the held-out images instead: writes tuning.json and tuning.md and "
               "never opens the test set");
  app.parse(argc, argv);

  for (const std::string& name : o.methods)
    if (!is_method(name))
      throw CLI::ValidationError("--methods", "unknown method '" + name + "'; " + known());
  for (auto at = o.methods.begin(); at != o.methods.end(); ++at)
    if (std::find(o.methods.begin(), at, *at) != at)
      throw CLI::ValidationError("--methods", "'" + *at + "' stands there twice");
  for (auto at = o.seeds.begin(); at != o.seeds.end(); ++at)
    if (std::find(o.seeds.begin(), at, *at) != at)
      throw CLI::ValidationError("--seeds", std::to_string(*at) + " stands there twice");
  for (const std::string& text : rates) detail::set_rate(o, text);
  detail::check_norm(o);
  if (o.dataset == "cifar10" && data->count() == 0)
    throw CLI::ValidationError("--data", "--dataset cifar10 needs the folder of its .bin files");
  if (o.jobs == 0) o.jobs = o.threads;
  if (o.jobs > o.threads)
    throw CLI::ValidationError("--jobs", std::to_string(o.jobs) +
                                             " runs at once need at least as "
                                             "many --threads, got " +
                                             std::to_string(o.threads));
}

}  // namespace trainers
