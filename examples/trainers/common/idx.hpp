/// @file  Reader of IDX files, the format of the MNIST family, gzipped or not.
///
/// Big-endian 32-bit words: a magic number 0x0000080d for bytes in d dimensions, then d sizes;
/// then the bytes. https://yann.lecun.com/exdb/mnist describes it.
#pragma once

#include <common/images.hpp>

#include <zlib.h>

#include <array>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace trainers {

struct idx_array {
  std::vector<index_t> shape;
  std::vector<std::uint8_t> bytes;
};

/// Reads a whole IDX file of unsigned bytes. zlib reads a plain file as it is.
/// @throws std::runtime_error naming the file: missing, not IDX, other dimensions, truncated,
///         damaged, or followed by more bytes than its header promises.
[[nodiscard]] inline idx_array read_idx(const std::filesystem::path& path, index_t dimensions) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  if (!std::filesystem::is_regular_file(path)) refuse("no such file");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) refuse("cannot be opened");

  const auto read = [&](std::uint8_t* to, std::size_t count) -> std::size_t {
    const int got = gzread(file.get(), to, static_cast<unsigned>(count));
    if (got >= 0) return static_cast<std::size_t>(got);
    int code = 0;
    refuse(std::string("damaged: ") + gzerror(file.get(), &code));
    return 0;
  };
  const auto word = [&](const char* what) {
    std::array<std::uint8_t, 4> b{};
    if (read(b.data(), 4) != 4) refuse(std::string("truncated in ") + what);
    return std::uint32_t(b[0]) << 24 | std::uint32_t(b[1]) << 16 | std::uint32_t(b[2]) << 8 | b[3];
  };

  const std::uint32_t magic = word("its magic number");
  const auto wanted = 0x0800u + static_cast<std::uint32_t>(dimensions);
  if (magic != wanted) {
    std::ostringstream text;
    text << std::hex << "magic number 0x" << magic << ", expected 0x" << wanted << std::dec
         << " (IDX, unsigned bytes, dimensions: " << dimensions << ")";
    refuse(text.str());
  }

  idx_array out;
  std::size_t total = 1;
  constexpr std::size_t limit = std::size_t(1) << 32;
  for (index_t d = 0; d < dimensions; ++d) {
    const std::uint32_t size = word("its header");
    out.shape.push_back(static_cast<index_t>(size));
    if (size != 0 && total > limit / size) refuse("header promises more than 4 GiB");
    total *= size;
  }
  // In pieces, so that a header that lies costs a message and not the memory it asks for.
  constexpr std::size_t piece = std::size_t(1) << 24;
  while (out.bytes.size() < total) {
    const std::size_t have = out.bytes.size();
    const std::size_t want = std::min(piece, total - have);
    out.bytes.resize(have + want);
    const std::size_t got = read(out.bytes.data() + have, want);
    if (got < want)
      refuse("truncated: " + std::to_string(have + got) + " of " + std::to_string(total) +
             " bytes of data");
  }
  std::uint8_t more = 0;
  if (read(&more, 1) != 0) refuse("more data than its header promises");
  return out;
}

/// Reads `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte`, each with or without `.gz`.
/// @throws std::runtime_error naming the folder or file.
[[nodiscard]] inline image_set read_mnist(const std::filesystem::path& folder,
                                          const std::string& part) {
  if (!std::filesystem::is_directory(folder))
    throw std::runtime_error(folder.string() + ": no such folder");
  const auto find = [&](const std::string& name) {
    for (const char* ending : {"", ".gz"})
      if (const auto path = folder / (name + ending); std::filesystem::exists(path)) return path;
    throw std::runtime_error(folder.string() + ": holds neither " + name + " nor " + name + ".gz");
  };
  const auto image_path = find(part + "-images-idx3-ubyte");
  const auto label_path = find(part + "-labels-idx1-ubyte");
  idx_array images = read_idx(image_path, 3);
  idx_array labels = read_idx(label_path, 1);
  if (images.shape[0] != labels.shape[0])
    throw std::runtime_error(label_path.string() + ": " + std::to_string(labels.shape[0]) +
                             " labels for " + std::to_string(images.shape[0]) + " images");
  for (const std::uint8_t label : labels.bytes)
    if (label > 9)
      throw std::runtime_error(label_path.string() + ": label " + std::to_string(label) +
                               ", expected 0 to 9");
  return {images.shape[1],         images.shape[2],         1,
          std::move(images.bytes), std::move(labels.bytes), 10};
}

}  // namespace trainers
