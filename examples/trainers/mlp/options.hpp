/// @file  The command line of the multi-layer perceptron's trainer.
#pragma once

#include <run/image_options.hpp>

namespace trainers {

struct mlp_options : image_options {
  index_t hidden = 512;

  /// Peak rates for 2 epochs of Fashion-MNIST at batch 768 (k = 8 where a family has a k), each the
  /// best of a grid by the loss on the 5,000 held-out training images:
  /// `fanion-train mlp --tune --seeds 101 --methods …`.
  mlp_options() {
    methods = {"sgd",  "adamw",    "nsgd",   "sign-sgd", "muon",
               "neon", "fanion-8", "f-neon", "f-muon",   "s-muon"};
    tuned = {{"sgd", 0.16},      {"adamw", 0.016},  {"lion", 2e-3},    {"nsgd", 0.4},
             {"sign-sgd", 5e-4}, {"muon", 0.05},    {"neon", 0.2},     {"fanion", 0.2},
             {"f-muon", 0.1},    {"f-neon", 0.4},   {"f-fanion", 0.2}, {"s-muon", 0.05},
             {"s-neon", 0.1},    {"s-fanion", 0.1}, {"dion", 0.1},     {rest_name, 0.016}};
  }
};

/// The flags of `fanion-train mlp`; `check_image_options` comes after they are read.
inline void add_mlp_options(CLI::App& app, mlp_options& o, run_flags& flags) {
  app.add_option("--hidden", o.hidden, "width of the hidden layer")
      ->check(CLI::Range(index_t(1), index_t(1) << 30))
      ->capture_default_str();
  add_image_options(app, o, flags);
}

}  // namespace trainers
