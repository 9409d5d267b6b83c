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
  bool flip = false;  ///< mirror half of the training images
  index_t shift = 0;  ///< move training images by up to so many pixels
  bool tta = false;   ///< test images mirrored and moved too, logits averaged

  /// Peak rates for 2 epochs of Fashion-MNIST at batch 128 by the plain network, chosen on the
  /// 5,000 held-out training images: `fanion-train cnn --tune --seeds 101`.
  cnn_options() {
    batch = 128;
    methods = {"sgd", "adamw", "muon", "f-muon", "neon"};
    seeds = {1};
    scaling_name = "widening";
    tuned = {{"sgd", 0.05},    {"adamw", 2e-3}, {"muon", 0.02},  {"f-muon", 0.04},
             {"s-muon", 0.02}, {"neon", 0.05},  {"f-neon", 0.1}, {"fanion", 0.05},
             {"dion", 0.02},   {"nsgd", 0.1},   {"lion", 3e-4},  {rest_name, 2e-3}};
  }
  [[nodiscard]] index_t channels() const {
    return width > 0 ? width : network == "plain" ? 16 : 64;
  }
};

/// The flags of `fanion-train cnn`; `check_image_options` comes after they are read.
inline void add_cnn_options(CLI::App& app, cnn_options& o, run_flags& flags) {
  app.add_option("--network", o.network,
                 "plain (two convolutions, two linear layers) or airbench (whitening and three "
                 "groups with batch normalisation)")
      ->check(CLI::IsMember({"plain", "airbench"}))
      ->capture_default_str();
  app.add_option("--width", o.width, "channels of the first convolution; 0: 16 plain, 64 airbench")
      ->check(CLI::NonNegativeNumber)
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
  app.add_flag("--tta", o.tta, "average the logits of test images, mirrored and moved by a pixel");
  add_image_options(app, o, flags);
}

}  // namespace trainers
