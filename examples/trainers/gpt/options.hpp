/// @file  The command line of the GPT trainer.
#pragma once

#include <run/options.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace trainers {

struct gpt_options : run_options {
  std::filesystem::path austen = "build/austen";  ///< unpacked r-cran-janeaustenr
  std::filesystem::path text;                     ///< instead: any text file
  std::vector<std::filesystem::path> tokens;      ///< instead: shards of tokens
  std::vector<std::filesystem::path> validation;  ///< held out, with `tokens`
  std::filesystem::path vocab_bpe;                ///< GPT-2's merges; empty: characters
  std::filesystem::path init;                     ///< an llm.c checkpoint to start from
  bool keep_model = false;                        ///< write llm.c checkpoints at the end
  index_t vocabulary = 50257;                     ///< of `tokens`; GPT-2's
  index_t layers = 3;
  index_t heads = 3;
  index_t width = 96;
  index_t context = 64;
  index_t batch = 32;       ///< sequences a step
  index_t micro_batch = 0;  ///< sequences that a thread has in memory at once; 0: all of its own
  index_t steps = 300;
  index_t look_every = 50;
  index_t windows = 256;  ///< of `context` tokens, looked at to measure a loss
  index_t sample = 300;   ///< tokens said at the end
  double temperature = 0.8;
  double clip = 1;  ///< gradients longer than this are shortened to it; 0: none

  /// Rates for the default model on Austen, 300 steps, chosen on its held-out text:
  /// `fanion-train gpt --tune --seeds 101`.
  gpt_options() {
    methods = {"sgd", "adamw", "muon"};
    seeds = {1};
    jobs = 1;
    scaling_name = "widening";
    tuned = {{"sgd", 0.2},     {"adamw", 4e-3}, {"muon", 0.04},    {"f-muon", 0.08},
             {"s-muon", 0.08}, {"neon", 0.025}, {"f-neon", 0.025}, {"fanion", 0.05},
             {"dion", 0.04},   {"nsgd", 0.05},  {rest_name, 4e-3}};
  }
};

/// Published settings, and what was reported with them; flags of the command line win. The figures
/// are those of Kravatskiy et al. 2025 (arXiv:2512.09678). Theirs on FineWeb are of
/// modded-nanogpt's network, which differs from GPT-2's in positions, norms and activation.
inline void set_preset(const std::string& name, gpt_options& o) {
  o.preset = name;
  o.context = 1024;
  o.micro_batch = 4;
  o.momentum = 0.95;
  o.warmup = 0;
  o.schedule = "stable";
  o.look_every = 125;
  if (name == "gpt2-fineweb") {
    o.layers = 12, o.heads = 12, o.width = 768;
    o.batch = 512, o.steps = 1750;
    o.eta = 4.3e-3;
    o.methods = {"muon", "f-muon", "s-muon", "sign-sgd", "nsgd"};
    o.rates = {
        {"muon", 0.05}, {"f-muon", 0.07}, {"s-muon", 0.07}, {"sign-sgd", 3e-4}, {"nsgd", 0.15}};
    o.published = {{"muon", 0.05, "validation loss 3.2786"},
                   {"f-muon", 0.07, "3.2811"},
                   {"s-muon", 0.07, "3.2869"},
                   {"sign-sgd", 3e-4, "3.3909"},
                   {"nsgd", 0.15, "3.4483"}};
  } else if (name == "gpt2-medium-fineweb") {
    o.layers = 24, o.heads = 16, o.width = 1024;
    o.batch = 512, o.steps = 5960;
    o.eta = 4.3e-3;
    o.decay = 0.01;
    o.methods = {"muon", "f-muon", "s-muon"};
    o.rates = {{"muon", 0.025}, {"f-muon", 0.029}, {"s-muon", 0.029}};
    o.published = {{"muon", 0.025, "validation loss 2.91975"},
                   {"f-muon", 0.029, "2.92152"},
                   {"s-muon", 0.029, "2.92347"}};
  } else {
    // Fine-tuning: give --init a checkpoint of GPT-2 medium.
    o.layers = 24, o.heads = 16, o.width = 1024;
    o.batch = 32, o.micro_batch = 1, o.steps = 200;
    o.eta = 1.0 / 3;
    o.look_every = 20;
    o.methods = {"muon", "f-muon", "s-muon"};
    o.rates = {{"muon", 1e-3}, {"f-muon", 1e-3}, {"s-muon", 1e-3}, {"rest", 1e-3}};
    o.published = {{"s-muon", 1e-3, "as low as Muon"},
                   {"f-muon", 1e-3, "far less sensitive to the rate than Muon"}};
  }
}

/// The flags of `fanion-train gpt`; `check_gpt_options` comes after they are read.
inline void add_gpt_options(CLI::App& app, gpt_options& o, run_flags& flags) {
  const CLI::Range count(index_t(1), index_t(1) << 30);
  app.add_option_function<std::string>(
         "--preset", [&o](const std::string& name) { set_preset(name, o); },
         "published settings: gpt2-fineweb, gpt2-medium-fineweb, gpt2-tinystories; other flags win")
      ->check(CLI::IsMember({"gpt2-fineweb", "gpt2-medium-fineweb", "gpt2-tinystories"}))
      ->trigger_on_parse();
  app.add_option("--austen", o.austen,
                 "folder into which examples/trainers/gpt/get_austen.sh unpacked the novels")
      ->capture_default_str();
  app.add_option("--text", o.text, "a text file instead")->check(CLI::ExistingFile);
  app.add_option("--tokens", o.tokens,
                 "token files instead: nanoGPT's .bin or llm.c's shards, in this order")
      ->check(CLI::ExistingFile);
  app.add_option("--validation", o.validation, "token files to hold out, with --tokens")
      ->check(CLI::ExistingFile);
  app.add_option("--vocabulary", o.vocabulary, "how many tokens there are, with --tokens")
      ->check(CLI::Range(index_t(1), index_t(65536)))
      ->capture_default_str();
  app.add_option("--vocab-bpe", o.vocab_bpe,
                 "GPT-2's vocab.bpe: text becomes its tokens, and not characters")
      ->check(CLI::ExistingFile);
  app.add_option("--init", o.init, "an llm.c checkpoint to go on from; it says how large")
      ->check(CLI::ExistingFile);
  app.add_flag("--keep-model", o.keep_model, "write each trained model as an llm.c checkpoint");
  app.add_option("--layers", o.layers, "layers")->check(count)->capture_default_str();
  app.add_option("--heads", o.heads, "attention heads")->check(count)->capture_default_str();
  app.add_option("--width", o.width, "channels; a multiple of the heads")
      ->check(count)
      ->capture_default_str();
  app.add_option("--context", o.context, "tokens that the model sees")
      ->check(CLI::Range(index_t(1), index_t(65536)))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "sequences a step")->check(count)->capture_default_str();
  app.add_option("--micro-batch", o.micro_batch,
                 "sequences that a thread works on at once, gradients being summed; 0: all")
      ->check(detail::whole())
      ->capture_default_str();
  app.add_option("--steps", o.steps, "steps")->check(count)->capture_default_str();
  app.add_option("--look-every", o.look_every, "steps from one held-out loss to the next")
      ->check(count)
      ->capture_default_str();
  app.add_option("--windows", o.windows, "windows of the text that a held-out loss is a mean over")
      ->check(count)
      ->capture_default_str();
  app.add_option("--clip", o.clip, "longest gradient of all parameters together; 0: any")
      ->check(detail::between(0, 1e30))
      ->capture_default_str();
  app.add_option("--sample", o.sample, "tokens that the model says at the end; 0: none")
      ->check(detail::whole())
      ->capture_default_str();
  app.add_option("--temperature", o.temperature, "of what it says")
      ->check(detail::between(0, 100))
      ->capture_default_str();
  add_run_options(app, o, flags);
}

/// @throws CLI::ValidationError naming flag, text and rule.
inline void check_gpt_options(gpt_options& o, const run_flags& flags) {
  check_run_options(o, flags);
  if (o.width % o.heads != 0)
    throw CLI::ValidationError("--width", std::to_string(o.width) + " is no multiple of --heads " +
                                              std::to_string(o.heads));
  if (!o.text.empty() && !o.tokens.empty())
    throw CLI::ValidationError("--tokens", "and --text are two sources: give one");
  if (o.tokens.empty() != o.validation.empty())
    throw CLI::ValidationError("--validation", "belongs to --tokens, and --tokens needs it");
}

}  // namespace trainers
