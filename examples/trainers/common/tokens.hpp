/// @file  Streams of 16-bit tokens from files, in the two layouts that GPT-2 trainers write.
///
/// nanoGPT's `.bin` is little-endian uint16 and nothing else. A shard of llm.c and modded-nanogpt
/// has 256 int32 before them: 20240520, version 1, the number of tokens, zeros. As tokens these
/// would start with 55432, which no GPT-2 token is, so the first word tells the layouts apart.
#pragma once

#include <common/mapped_file.hpp>

#include <fanion/core/types.hpp>

#include <glob.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trainers {

using fanion::index_t;

static_assert(std::endian::native == std::endian::little, "the files are mapped as they are");

/// The files that a pattern of the shell matches (`*`, `?`, `[…]`), in the order of their names.
/// @throws std::runtime_error naming a pattern that matches nothing.
[[nodiscard]] inline std::vector<std::filesystem::path> files_matching(const std::string& pattern) {
  ::glob_t found{};
  const std::unique_ptr<::glob_t, void (*)(::glob_t*)> hold(&found, ::globfree);
  if (::glob(pattern.c_str(), 0, nullptr, &found) != 0)
    throw std::runtime_error(pattern + ": no such file");
  return std::vector<std::filesystem::path>(found.gl_pathv, found.gl_pathv + found.gl_pathc);
}

namespace detail {

/// The tokens of a mapped file of either layout. @throws std::runtime_error naming the file.
[[nodiscard]] inline std::span<const std::uint16_t> tokens_in(const std::filesystem::path& path,
                                                              std::span<const std::byte> bytes) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  constexpr std::size_t header = 256 * sizeof(std::int32_t);
  const auto word = [&](std::size_t i) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    return value;
  };
  const std::int32_t magic = bytes.size() < sizeof(std::int32_t) ? 0 : word(0);
  if (magic == 20240801) refuse("a shard of 32-bit Llama 3 tokens, expected 16-bit GPT-2 tokens");
  if (magic == 20240522) refuse("an evaluation set of llm.c, expected a shard of tokens");
  if (magic == 20240520) {
    if (bytes.size() < header)
      refuse("truncated in its header: " + std::to_string(bytes.size()) + " of " +
             std::to_string(header) + " bytes");
    if (word(1) != 1) refuse("version " + std::to_string(word(1)) + ", expected 1");
    const std::int32_t count = word(2);
    if (count < 1) refuse("header promises " + std::to_string(count) + " tokens");
    bytes = bytes.subspan(header);
    if (bytes.size() / 2 != static_cast<std::size_t>(count) || bytes.size() % 2 != 0)
      refuse(std::to_string(bytes.size()) + " bytes after the header, which promises " +
             std::to_string(count) + " tokens of 2");
  }
  if (bytes.size() % 2 != 0)
    refuse(std::to_string(bytes.size()) + " bytes, expected tokens of 2 bytes");
  return {reinterpret_cast<const std::uint16_t*>(bytes.data()), bytes.size() / 2};
}

}  // namespace detail

/// Tokens below a vocabulary's size, one after the other, from memory or from files in a given
/// order. Files stay on the disk; a token is checked when it is read.
class token_stream {
 public:
  /// @throws std::runtime_error if there are no tokens.
  token_stream(std::vector<std::uint16_t> tokens, index_t vocabulary)
      : vocabulary_(vocabulary), owned_(std::move(tokens)) {
    if (owned_.empty()) throw std::runtime_error("token stream: no tokens");
    append("tokens in memory", owned_);
  }

  /// @throws std::runtime_error naming the file: not of one of the two layouts, or not the size
  ///         that its header promises.
  token_stream(const std::vector<std::filesystem::path>& files, index_t vocabulary)
      : vocabulary_(vocabulary) {
    if (files.empty()) throw std::runtime_error("token stream: no files");
    for (const std::filesystem::path& path : files) {
      mapped_.emplace_back(path);
      append(path, detail::tokens_in(path, mapped_.back().bytes()));
    }
  }
  token_stream(token_stream&&) = default;
  token_stream& operator=(token_stream&&) = default;

  [[nodiscard]] index_t size() const noexcept { return size_; }
  [[nodiscard]] index_t vocabulary() const noexcept { return vocabulary_; }

  /// Token i, 0 <= i < size(). @throws as read().
  [[nodiscard]] std::uint16_t operator[](index_t i) const {
    std::uint16_t token = 0;
    read(i, {&token, 1});
    return token;
  }

  /// Writes tokens first, first + 1, …, across the files' borders.
  /// @throws std::runtime_error naming file and place of a token outside the vocabulary, or if
  ///         the stream ends before.
  void read(index_t first, std::span<std::uint16_t> out) const {
    const auto count = static_cast<index_t>(out.size());
    if (first < 0 || first > size_ || count > size_ - first)
      throw std::runtime_error("token stream: tokens " + std::to_string(first) + " to " +
                               std::to_string(first + count) + " of " + std::to_string(size_));
    auto part = std::upper_bound(parts_.begin(), parts_.end(), first,
                                 [](index_t at, const stretch& s) { return at < s.first; });
    for (--part; !out.empty(); ++part) {
      const auto skipped = static_cast<std::size_t>(first - part->first);
      const auto from = part->tokens.subspan(skipped);
      const std::size_t n = std::min(from.size(), out.size());
      for (std::size_t i = 0; i < n; ++i) {
        if (from[i] >= vocabulary_) refuse(*part, skipped + i);
        out[i] = from[i];
      }
      out = out.subspan(n);
      first += static_cast<index_t>(n);
    }
  }

 private:
  struct stretch {
    index_t first;  ///< place of its first token in the stream
    std::filesystem::path from;
    std::span<const std::uint16_t> tokens;
  };

  void append(const std::filesystem::path& from, std::span<const std::uint16_t> tokens) {
    parts_.push_back({size_, from, tokens});
    size_ += static_cast<index_t>(tokens.size());
  }

  [[noreturn]] void refuse(const stretch& part, std::size_t i) const {
    throw std::runtime_error(part.from.string() + ": token " + std::to_string(part.tokens[i]) +
                             " at position " + std::to_string(i) + ", expected below " +
                             std::to_string(vocabulary_));
  }

  index_t size_ = 0;
  index_t vocabulary_;
  std::vector<std::uint16_t> owned_;
  std::vector<mapped_file> mapped_;
  std::vector<stretch> parts_;  ///< views of the two above, none empty
};

}  // namespace trainers
