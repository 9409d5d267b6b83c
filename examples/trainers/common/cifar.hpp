/// @file  Reader of CIFAR-10's binary files.
///
/// A record is one label byte and 3 x 32 x 32 bytes: the red plane, the green, the blue, each row
/// after row. data_batch_1.bin to data_batch_5.bin train, test_batch.bin tests.
#pragma once

#include <common/images.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace trainers {

inline constexpr index_t cifar_record = 1 + 3 * 32 * 32;

/// Appends the records of one file. @throws std::runtime_error naming the file and the fault.
inline void append_cifar10(const std::filesystem::path& path, image_set& images) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  if (!std::filesystem::is_regular_file(path)) refuse("no such file");
  const auto size = static_cast<index_t>(std::filesystem::file_size(path));
  if (size == 0 || size % cifar_record != 0)
    refuse(std::to_string(size) + " bytes, expected records of " + std::to_string(cifar_record) +
           " bytes: truncated, or not CIFAR-10's binary version");
  std::ifstream file(path, std::ios::binary);
  std::vector<char> record(static_cast<std::size_t>(cifar_record));
  for (index_t i = 0; i < size / cifar_record; ++i) {
    if (!file.read(record.data(), cifar_record)) refuse("cannot be read");
    const auto label = static_cast<std::uint8_t>(record[0]);
    if (label > 9)
      refuse("record " + std::to_string(i) + " has label " + std::to_string(label) +
             ", expected 0 to 9");
    images.labels.push_back(label);
    images.pixels.insert(images.pixels.end(), record.begin() + 1, record.end());
  }
}

/// The training images (all five batches) or the test images of a folder.
/// @throws std::runtime_error naming the folder or file.
[[nodiscard]] inline image_set read_cifar10(const std::filesystem::path& folder,
                                            const std::string& part) {
  if (!std::filesystem::is_directory(folder))
    throw std::runtime_error(folder.string() + ": no such folder");
  image_set images{32, 32, 3, {}, {}};
  if (part == "test") {
    append_cifar10(folder / "test_batch.bin", images);
    return images;
  }
  for (int batch = 1; batch <= 5; ++batch)
    append_cifar10(folder / ("data_batch_" + std::to_string(batch) + ".bin"), images);
  return images;
}

}  // namespace trainers
