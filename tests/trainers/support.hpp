/// @file  What the trainer tests share: a folder that vanishes, small synthetic data, real data.
#pragma once

#include <run/image_data.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace trainer_tests {

/// An empty folder for one test, removed with all it holds.
class scratch_folder {
 public:
  scratch_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fanion-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder: " + name);
    path_ = name;
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

inline void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// The message of what `f` throws; empty if it throws nothing.
template <class F>
[[nodiscard]] std::string message_of(F&& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

[[nodiscard]] inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

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
