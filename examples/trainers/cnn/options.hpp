/// @file  The command line of the convolutional networks' trainer.
#pragma once

#include <run/image_options.hpp>

#include <string>

namespace trainers {

struct cnn_options : image_options {
  std::string network = "plain";
  index_t width = 0;  ///< channels of the first convolution; 0: 16 plain, 64 airbench
  double dropout = 0.25;
  double smoothing = 0;
  bool flip = false;           ///< mirror half of the training images
  index_t shift = 0;           ///< move training images by up to so many pixels
  bool tta = false;            ///< test images mirrored and moved too, logits averaged
  bool fixed_lengths = false;  ///< kernels have ‖W‖_F = sqrt(outputs) before every step

  /// Peak rates for the plain network on Fashion-MNIST, chosen on held-out images after one epoch:
  /// `fanion-train cnn --tune --seeds 101 --epochs 1`, the rest at 2e-3 throughout.
  cnn_options() {
    batch = 128;
    methods = {"sgd", "adamw", "muon", "f-muon", "neon"};
    seeds = {1};
    scaling_name = "widening";
    tuned = {{"sgd", 0.1},      {"adamw", 0.016}, {"muon", 0.04},    {"f-muon", 0.08},
             {"s-muon", 0.08},  {"neon", 0.2},    {"f-neon", 0.4},   {"fanion", 0.05},
             {"dion", 0.08},    {"nsgd", 0.2},    {"lion", 2e-3},    {"sign-sgd", 2e-3},
             {"f-fanion", 0.1}, {"s-neon", 0.2},  {"s-fanion", 0.1}, {rest_name, 2e-3}};
  }
  [[nodiscard]] index_t channels() const {
    return width > 0 ? width : network == "plain" ? 16 : 64;
  }
};

/// The settings of Jordan's airbench94_muon (github.com/KellerJordan/cifar10-airbench) and what
/// Kravatskiy et al. 2025 (arXiv:2512.09678) report with them; flags of the command line win. There
/// the bias of the whitening stops after three epochs; here it goes on with the rest.
inline void set_preset(const std::string& name, cnn_options& o) {
  o.preset = name;
  o.dataset = "cifar10";
  o.network = "airbench";
  o.batch = 2000;
  o.epochs = 8;
  o.smoothing = 0.2;
  o.flip = true;
  o.shift = 2;
  o.tta = o.fixed_lengths = true;
  o.rest_rule = "sgd";
  o.momentum = 0.6;
  o.warmup = 0;
  o.eta = 0.003;
  o.scaling_name = "none";
  o.methods = {"muon", "f-muon", "s-muon", "nsgd", "sign-sgd", "neon", "f-neon", "fanion-5"};
  o.rates = {{"muon", 0.24},      {"f-muon", 0.4}, {"s-muon", 0.42}, {"nsgd", 0.5},
             {"sign-sgd", 0.003}, {"neon", 0.24},  {"f-neon", 0.4},  {"fanion-5", 0.24}};
  o.published = {{"muon", 0.24, "test accuracy 94.01 ± 0.13 %"},
                 {"f-muon", 0.4, "94.02 ± 0.13 %"},
                 {"s-muon", 0.42, "94.03 ± 0.13 %"},
                 {"nsgd", 0.5, "91.6 ± 0.5 %, momentum 0.95"},
                 {"sign-sgd", 0.003, "91.5 ± 0.3 %, momentum 0.95"},
                 {"neon", 0.24, "69.8 ± 0.5 %"},
                 {"f-neon", 0.4, "87.2 ± 0.2 %"},
                 {"fanion-5", 0.24, "80.7 ± 1.3 %"}};
}

/// What of a preset depends on the batch, once its size is known: airbench's rates are for the sum
/// of the losses of a batch, where there is their mean here.
inline void finish_preset(cnn_options& o) {
  if (o.preset.empty() || o.rest_rule != "sgd") return;
  const auto batch = static_cast<double>(o.batch);
  o.rates.try_emplace(std::string(rest_name), 0.053 * batch);
  o.rates.try_emplace(std::string(head_name), 0.67 * batch);
  o.rest_decay = 2e-6 * batch;
}

/// The flags of `fanion-train cnn`; `check_image_options` and `finish_preset` come after they are
/// read.
inline void add_cnn_options(CLI::App& app, cnn_options& o, run_flags& flags) {
  app.add_option_function<std::string>(
         "--preset", [&o](const std::string& name) { set_preset(name, o); },
         "published settings: cifar10-airbench; other flags win")
      ->check(CLI::IsMember({"cifar10-airbench"}))
      ->trigger_on_parse();
  app.add_option("--network", o.network,
                 "plain (two convolutions, two linear layers) or airbench (whitening and three "
                 "groups with batch normalisation)")
      ->check(CLI::IsMember({"plain", "airbench"}))
      ->capture_default_str();
  app.add_option("--width", o.width, "channels of the first convolution; 0: 16 plain, 64 airbench")
      ->check(detail::whole())
      ->capture_default_str();
  app.add_option("--dropout", o.dropout, "share of hidden units dropped by the plain network")
      ->check(detail::between(0, 0.95))
      ->capture_default_str();
  app.add_option("--smoothing", o.smoothing, "label smoothing")
      ->check(detail::between(0, 0.95))
      ->capture_default_str();
  app.add_flag("--flip", o.flip, "mirror half of the training images");
  app.add_option("--shift", o.shift, "move training images by up to so many pixels")
      ->check(CLI::Range(index_t(0), index_t(16)))
      ->capture_default_str();
  app.add_flag("--fixed-lengths", o.fixed_lengths,
               "bring every kernel to the length sqrt(its outputs) before every step");
  app.add_flag("--tta", o.tta, "average the logits of test images, mirrored and moved by a pixel");
  add_image_options(app, o, flags);
}

}  // namespace trainers
