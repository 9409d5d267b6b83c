/// @file  The command line of the completion program.
#pragma once

#include <fanion/core/types.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace completion {

using fanion::index_t;

struct options {
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  std::filesystem::path out = "completion-report";
  index_t images = 2000;
  double observed = 0.15;
  double chosen_on = 0.02;
  double held_out = 0.05;
  std::vector<double> radii = {1000, 1500, 2000, 2500, 3500};
  std::vector<index_t> ranks = {4, 8, 12, 16, 24, 32};
  index_t steps = 300;
  index_t rounds = 60;
  double gap = 1e-2;
  std::uint64_t seed = 1;
};

/// Reads the command line into `o`. @throws CLI::ParseError, which app.exit() prints and turns
/// into an exit code; --help arrives that way too.
inline void parse_options(CLI::App& app, options& o, int argc, const char* const* argv) {
  const CLI::Range count(index_t(1), index_t(1) << 20);
  const CLI::Range share(1e-6, 1.0);
  app.description(
      "Completes a matrix of images from a share of its pixels: Frank and Wolfe's method over the\n"
      "nuclear norm's ball, beside matrices of rank k. Writes results.json and report.html into "
      "the\n"
      "folder --out.");
  app.add_option("--data", o.data, "folder of the IDX files, gzipped or not")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--out", o.out, "folder for the report and the JSON")->capture_default_str();
  app.add_option("--images", o.images, "rows of the matrix: the first training images")
      ->check(count)
      ->capture_default_str();
  app.add_option("--observed", o.observed, "share of the pixels that methods read")
      ->check(share)
      ->capture_default_str();
  app.add_option("--chosen-on", o.chosen_on, "share that radius and rank are chosen on")
      ->check(share)
      ->capture_default_str();
  app.add_option("--held-out", o.held_out, "share that the results are judged on")
      ->check(share)
      ->capture_default_str();
  app.add_option("--radii", o.radii, "radii of the nuclear norm's ball to choose from")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--ranks", o.ranks, "ranks of the baselines to choose from")
      ->delimiter(',')
      ->check(count)
      ->capture_default_str();
  app.add_option("--steps", o.steps, "of Frank and Wolfe's method, for each radius")
      ->check(count)
      ->capture_default_str();
  app.add_option("--rounds", o.rounds, "of hard imputation, for each rank")
      ->check(count)
      ->capture_default_str();
  app.add_option("--gap", o.gap, "share of the dual norm that the oracle may miss")
      ->check(share)
      ->capture_default_str();
  app.add_option("--seed", o.seed, "of the choice of pixels")->capture_default_str();
  app.parse(argc, argv);
  if (o.observed + o.chosen_on + o.held_out > 1)
    throw CLI::ValidationError("--observed",
                               "the three shares of the pixels add up to more than 1");
}

}  // namespace completion
