/// @file  What the trainer tests share: small synthetic data, and the support of tests of files.
#pragma once

#include <run/image_data.hpp>
#include <trainers/files.hpp>

namespace trainer_tests {

/// Noise on top of one bright row per class: learnable in a few steps, and never real.
[[nodiscard]] inline trainers::image_set striped_images(trainers::index_t count,
                                                        std::uint64_t seed) {
  trainers::image_set images{10, 6, 1, {}, {}};
  for (trainers::index_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint8_t>(fanion::random_bits(seed, i, -1) % 10);
    images.labels.push_back(label);
    for (trainers::index_t p = 0; p < images.features(); ++p) {
      const auto noise = static_cast<std::uint8_t>(fanion::random_bits(seed, i, p) % 100);
      const int bright = p / images.width == label ? 120 : 0;
      images.pixels.push_back(static_cast<std::uint8_t>(noise + bright));
    }
  }
  return images;
}

[[nodiscard]] inline trainers::image_data striped_data() {
  trainers::image_data data;
  data.train = striped_images(600, 1);
  data.held_out = striped_images(100, 2);
  data.test = striped_images(100, 3);
  data.scale = trainers::scale_of(data.train);
  return data;
}

}  // namespace trainer_tests
