/// @file  Reader of the binary files of CIFAR-10 and CIFAR-100.
///
/// A record is its labels, one byte each, and 3 x 32 x 32 bytes: the red plane, the green, the
/// blue, each row after row. CIFAR-10 has one label of 10; data_batch_1.bin to data_batch_5.bin
/// train, test_batch.bin tests. CIFAR-100 has a coarse label of 20 and a fine one of 100; train.bin
/// trains, test.bin tests. https://www.cs.toronto.edu/~kriz/cifar.html describes both.
#pragma once

#include <common/images.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>

namespace trainers {

inline constexpr index_t cifar_pixels = 3 * 32 * 32;

namespace detail {

/// One label of a record: the values below `classes`. `name` stands before "label" in messages.
struct cifar_label {
  const char* name;
  index_t classes;
};

/// Appends the records of one file, with label `kept` of `labels` as their class.
/// @throws std::runtime_error naming the file and the fault.
inline void append_cifar(const std::filesystem::path& path, const char* version,
                         std::span<const cifar_label> labels, std::size_t kept, image_set& images) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  if (!std::filesystem::is_regular_file(path)) refuse("no such file");
  const auto first_pixel = static_cast<index_t>(labels.size());
  const index_t record_size = first_pixel + cifar_pixels;
  const auto size = static_cast<index_t>(std::filesystem::file_size(path));
  if (size == 0 || size % record_size != 0)
    refuse(std::to_string(size) + " bytes, expected records of " + std::to_string(record_size) +
           " bytes: truncated, or not " + version + "'s binary version");
  std::ifstream file(path, std::ios::binary);
  std::vector<char> record(static_cast<std::size_t>(record_size));
  for (index_t i = 0; i < size / record_size; ++i) {
    if (!file.read(record.data(), record_size)) refuse("cannot be read");
    for (std::size_t l = 0; l < labels.size(); ++l) {
      const auto label = static_cast<std::uint8_t>(record[l]);
      if (label >= labels[l].classes)
        refuse("record " + std::to_string(i) + " has " + labels[l].name + "label " +
               std::to_string(label) + ", expected 0 to " + std::to_string(labels[l].classes - 1));
    }
    images.labels.push_back(static_cast<std::uint8_t>(record[kept]));
    images.pixels.insert(images.pixels.end(), record.begin() + first_pixel, record.end());
  }
}

inline void expect_folder(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw std::runtime_error(folder.string() + ": no such folder");
}

}  // namespace detail

/// The training images (all five batches) or the test images of a folder of CIFAR-10.
/// @throws std::runtime_error naming the folder or file.
[[nodiscard]] inline image_set read_cifar10(const std::filesystem::path& folder,
                                            const std::string& part) {
  detail::expect_folder(folder);
  constexpr std::array<detail::cifar_label, 1> labels = {{{"", 10}}};
  image_set images{32, 32, 3, {}, {}, 10};
  const auto append = [&](const std::string& name) {
    detail::append_cifar(folder / name, "CIFAR-10", labels, 0, images);
  };
  if (part == "test") {
    append("test_batch.bin");
    return images;
  }
  for (int batch = 1; batch <= 5; ++batch) append("data_batch_" + std::to_string(batch) + ".bin");
  return images;
}

/// Which of its two labels is an image's class.
enum class cifar100_label { coarse, fine };

/// The training images or, for "test", the test images of a folder of CIFAR-100.
/// @throws std::runtime_error naming the folder or file.
[[nodiscard]] inline image_set read_cifar100(const std::filesystem::path& folder,
                                             const std::string& part,
                                             cifar100_label label = cifar100_label::fine) {
  detail::expect_folder(folder);
  constexpr std::array<detail::cifar_label, 2> labels = {{{"coarse ", 20}, {"fine ", 100}}};
  const auto kept = static_cast<std::size_t>(label);
  image_set images{32, 32, 3, {}, {}, labels[kept].classes};
  detail::append_cifar(folder / (part == "test" ? "test.bin" : "train.bin"), "CIFAR-100", labels,
                       kept, images);
  return images;
}

}  // namespace trainers
