/// @file  Reader and writer of llm.c's checkpoints of GPT-2.
///
/// 256 little-endian int32: 20240326, version, context, vocabulary, layers, heads, width, padded
/// vocabulary, zeros; then the parameters. Version 1 is float without padding, 3 float, 5 bfloat16.
/// With C the width and L the layers, each tensor of a layer stacked over the L layers, the order
/// is  wte (padded vocabulary, C), wpe (context, C);  ln1w (C), ln1b (C), qkvw (3C, C), qkvb (3C),
/// attprojw (C, C), attprojb (C), ln2w (C), ln2b (C), fcw (4C, C), fcb (4C), fcprojw (C, 4C),
/// fcprojb (C);  lnfw (C), lnfb (C).  Rows are contiguous. https://github.com/karpathy/llm.c
#pragma once

#include <common/atomic_file.hpp>

#include <fanion/core/types.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace trainers {

using fanion::index_t;

static_assert(std::endian::native == std::endian::little, "the files are read as they are");

struct gpt_shape {
  index_t context;
  index_t vocabulary;
  index_t padded_vocabulary;  ///< rows of wte, not below vocabulary
  index_t layers;
  index_t heads;  ///< a divisor of width
  index_t width;

  friend bool operator==(const gpt_shape&, const gpt_shape&) = default;
};

/// Floats in the file: (padded vocabulary + context + 2) C + L (12 C² + 13 C).
[[nodiscard]] constexpr index_t parameter_count(const gpt_shape& s) noexcept {
  return (s.padded_vocabulary + s.context + 2) * s.width +
         s.layers * (12 * s.width * s.width + 13 * s.width);
}

static_assert(parameter_count({1024, 50257, 50257, 12, 12, 768}) == 124439808);  // GPT-2 small

struct llmc_checkpoint {
  gpt_shape shape;
  std::vector<float> parameters;
};

namespace detail {

inline constexpr std::size_t llmc_words = 256;
using llmc_header = std::array<std::int32_t, llmc_words>;

/// What is wrong with a shape, or nothing. The limits are far beyond any model, and keep
/// parameter_count() within 62 bits.
[[nodiscard]] inline std::string fault_in(const gpt_shape& s) {
  struct entry {
    const char* name;
    index_t value;
    index_t limit;
  };
  for (const entry& e : {entry{"context", s.context, index_t(1) << 30},
                         {"vocabulary", s.vocabulary, index_t(1) << 30},
                         {"padded vocabulary", s.padded_vocabulary, index_t(1) << 30},
                         {"layers", s.layers, index_t(1) << 16},
                         {"heads", s.heads, index_t(1) << 20},
                         {"width", s.width, index_t(1) << 20}})
    if (e.value < 1 || e.value > e.limit)
      return std::string(e.name) + " " + std::to_string(e.value) + ", expected 1 to " +
             std::to_string(e.limit);
  if (s.width % s.heads != 0)
    return "width " + std::to_string(s.width) + " is no multiple of " + std::to_string(s.heads) +
           " heads";
  if (s.padded_vocabulary < s.vocabulary)
    return "padded vocabulary " + std::to_string(s.padded_vocabulary) + " below vocabulary " +
           std::to_string(s.vocabulary);
  return {};
}

/// bfloat16 is the upper half of a float.
[[nodiscard]] inline float widened(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(std::uint32_t(bits) << 16);
}

}  // namespace detail

/// The parameters as floats, whatever the file holds; bfloat16 is widened exactly.
/// @throws std::runtime_error naming the file: missing, not such a checkpoint, a version that is
///         none of 1, 3 and 5, a shape that no model has, or a size other than its header's. The
///         size is checked before memory is taken.
[[nodiscard]] inline llmc_checkpoint read_llmc(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  if (!std::filesystem::is_regular_file(path)) refuse("no such file");
  const auto size = std::filesystem::file_size(path);
  std::ifstream file(path, std::ios::binary);
  const auto read = [&](void* to, std::size_t bytes) {
    if (!file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)))
      refuse("cannot be read");
  };
  detail::llmc_header header{};
  if (size < sizeof header)
    refuse(std::to_string(size) + " bytes, expected a header of " + std::to_string(sizeof header));
  read(header.data(), sizeof header);
  if (header[0] != 20240326)
    refuse("magic number " + std::to_string(header[0]) + ", expected 20240326 (llm.c checkpoint)");
  const std::int32_t version = header[1];
  if (version != 1 && version != 3 && version != 5)
    refuse("version " + std::to_string(version) + ", expected 1, 3 or 5");
  llmc_checkpoint out{
      {header[2], header[3], version == 1 ? header[3] : header[7], header[4], header[5], header[6]},
      {}};
  if (const std::string fault = detail::fault_in(out.shape); !fault.empty()) refuse(fault);

  const auto count = static_cast<std::uintmax_t>(parameter_count(out.shape));
  const std::uintmax_t width = version == 5 ? sizeof(std::uint16_t) : sizeof(float);
  const std::uintmax_t data = size - sizeof header;
  if (data % width != 0 || data / width != count)
    refuse(std::to_string(data) + " bytes after the header, expected " + std::to_string(count) +
           " parameters of " + std::to_string(width));
  out.parameters.resize(static_cast<std::size_t>(count));
  if (version != 5) {
    read(out.parameters.data(), out.parameters.size() * sizeof(float));
    return out;
  }
  std::vector<std::uint16_t> piece;
  const std::span<float> all(out.parameters);
  for (std::size_t done = 0; done < all.size(); done += piece.size()) {
    piece.resize(std::min(all.size() - done, std::size_t(1) << 16));
    read(piece.data(), piece.size() * sizeof(std::uint16_t));
    std::transform(piece.begin(), piece.end(), all.subspan(done).begin(), detail::widened);
  }
  return out;
}

/// Writes version 3. The file is replaced whole or not at all.
/// @throws std::runtime_error naming the file: a shape that no model has, a number of parameters
///         other than its own, or what the disk has to say.
inline void write_llmc(const std::filesystem::path& path, const gpt_shape& shape,
                       std::span<const float> parameters) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  if (const std::string fault = detail::fault_in(shape); !fault.empty()) refuse(fault);
  if (static_cast<index_t>(parameters.size()) != parameter_count(shape))
    refuse(std::to_string(parameters.size()) + " parameters, expected " +
           std::to_string(parameter_count(shape)));
  const auto word = [](index_t x) { return static_cast<std::int32_t>(x); };
  const detail::llmc_header header{20240326,
                                   3,
                                   word(shape.context),
                                   word(shape.vocabulary),
                                   word(shape.layers),
                                   word(shape.heads),
                                   word(shape.width),
                                   word(shape.padded_vocabulary)};
  atomic_file file(path);
  file.write(std::as_bytes(std::span(header)));
  file.write(std::as_bytes(parameters));
  file.commit();
}

}  // namespace trainers
