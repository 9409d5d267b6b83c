/// @file  The flags of trainers on images.
#pragma once

#include <run/options.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace trainers {

struct image_options : run_options {
  std::string dataset = "fashion";
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  index_t epochs = 2;
  index_t batch = 768;
  index_t held_out = 5000;
  index_t limit = 0;            ///< 0: all images
  std::vector<index_t> resize;  ///< empty, or height and width
};

inline void add_image_options(CLI::App& app, image_options& o, run_flags& flags) {
  const CLI::Range count(index_t(1), index_t(1) << 30);
  app.add_option("--dataset", o.dataset,
                 "fashion (IDX files, gzipped or not), cifar10 or cifar100 (binary)")
      ->check(CLI::IsMember({"fashion", "cifar10", "cifar100"}))
      ->capture_default_str();
  app.add_option("--data", o.data, "folder of the data files")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--epochs", o.epochs, "passes over the training images")
      ->check(count)
      ->capture_default_str();
  app.add_option("--batch", o.batch, "images a step")->check(count)->capture_default_str();
  app.add_option("--held-out", o.held_out, "training images kept for choosing rates")
      ->check(count)
      ->capture_default_str();
  app.add_option("--limit", o.limit, "use at most this many images of each set; 0 for all")
      ->check(detail::whole())
      ->capture_default_str();
  app.add_option("--resize", o.resize, "resample the images: height,width (48,64: 3,072 inputs)")
      ->delimiter(',')
      ->expected(2)
      ->check(count);
  add_run_options(app, o, flags);
}

/// @throws CLI::ValidationError naming flag, text and rule.
inline void check_image_options(const CLI::App& app, image_options& o, const run_flags& flags) {
  check_run_options(o, flags);
  if (o.dataset.starts_with("cifar") && app.get_option("--data")->count() == 0)
    throw CLI::ValidationError("--data",
                               "--dataset " + o.dataset + " needs the folder of its .bin files");
}

/// What the numbers of a run on these images depend on, as text.
[[nodiscard]] inline std::string identity_of(const image_options& o) {
  std::string text = o.dataset + " from " + o.data.string() + ", " + std::to_string(o.epochs) +
                     " epochs of batches of " + std::to_string(o.batch) + ", held out " +
                     std::to_string(o.held_out) + ", limit " + std::to_string(o.limit);
  for (const index_t side : o.resize) text += ", resized " + std::to_string(side);
  return text;
}

}  // namespace trainers
