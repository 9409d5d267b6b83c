/// @file  A text file, and its characters as tokens.
///
/// A character is one byte, and a vocabulary the bytes that occur, in ascending order: token i is
/// the i-th of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace trainers {

/// The bytes of a file, as they are.
/// @throws std::runtime_error naming the file: missing, empty, or not to be read.
[[nodiscard]] inline std::string read_text(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path))
    throw std::runtime_error(path.string() + ": no such file");
  std::string text(std::filesystem::file_size(path), '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())))
    throw std::runtime_error(path.string() + ": cannot be read");
  if (text.empty()) throw std::runtime_error(path.string() + ": empty, expected text");
  return text;
}

/// The distinct bytes of a text, and the way from bytes to tokens and back.
class character_vocabulary {
 public:
  /// Two texts with the same distinct bytes give the same vocabulary; its own alphabet() does too.
  /// @throws std::runtime_error if the text is empty.
  explicit character_vocabulary(std::string_view text) {
    if (text.empty()) throw std::runtime_error("character vocabulary: the text is empty");
    std::array<bool, 256> occurs{};
    for (const char c : text) occurs[static_cast<unsigned char>(c)] = true;
    tokens_.fill(absent);
    for (std::size_t byte = 0; byte < occurs.size(); ++byte)
      if (occurs[byte]) {
        tokens_[byte] = static_cast<std::uint16_t>(alphabet_.size());
        alphabet_ += static_cast<char>(static_cast<unsigned char>(byte));
      }
  }

  [[nodiscard]] std::size_t size() const noexcept { return alphabet_.size(); }

  /// The bytes in the order of their tokens: all that a checkpoint need keep.
  [[nodiscard]] const std::string& alphabet() const noexcept { return alphabet_; }

  /// One token a byte.
  /// @throws std::runtime_error naming a byte that the vocabulary lacks, and its place.
  [[nodiscard]] std::vector<std::uint16_t> encode(std::string_view text) const {
    std::vector<std::uint16_t> tokens;
    tokens.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (tokens_[byte] == absent)
        throw std::runtime_error("character vocabulary: byte " + std::to_string(byte) +
                                 " at position " + std::to_string(i) + " is none of its " +
                                 std::to_string(size()));
      tokens.push_back(tokens_[byte]);
    }
    return tokens;
  }

  /// @throws std::runtime_error naming a token that is not below size().
  [[nodiscard]] std::string decode(std::span<const std::uint16_t> tokens) const {
    std::string text;
    text.reserve(tokens.size());
    for (const std::uint16_t token : tokens) {
      if (token >= size())
        throw std::runtime_error("character vocabulary: token " + std::to_string(token) +
                                 ", expected 0 to " + std::to_string(size() - 1));
      text += alphabet_[token];
    }
    return text;
  }

 private:
  static constexpr std::uint16_t absent = 256;

  std::string alphabet_;
  std::array<std::uint16_t, 256> tokens_{};
};

}  // namespace trainers
