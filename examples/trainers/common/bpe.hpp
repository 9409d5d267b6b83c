/// @file  GPT-2's byte-pair encoding, from its list of merges alone (vocab.bpe).
///
/// Tokens 0 to 255 are the bytes in the order 33-126, 161-172, 174-255, then the others ascending.
/// Line i of the list, "A B", makes token 256 + i from two earlier ones; behind the last stands
/// <|endoftext|>, token 50256 of GPT-2. A and B are written with one character a byte: those of the
/// first three ranges as the character of that number, the n-th of the others as U+0100 + n.
/// Source of the format: encoder.py of github.com/openai/gpt-2.
#pragma once

#include <common/pretokens.hpp>
#include <common/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <queue>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trainers {

namespace detail {

/// The bytes in the order of their tokens.
[[nodiscard]] constexpr std::array<unsigned char, 256> bytes_in_token_order() noexcept {
  const auto printed = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  std::array<unsigned char, 256> order{};
  std::size_t count = 0;
  for (const bool first : {true, false})
    for (int b = 0; b < 256; ++b)
      if (printed(b) == first) order[count++] = static_cast<unsigned char>(b);
  return order;
}

inline constexpr std::array<unsigned char, 256> token_bytes = bytes_in_token_order();
inline constexpr std::size_t printed_bytes = 188;

static_assert(token_bytes[0] == 33 && token_bytes[printed_bytes - 1] == 255 &&
              token_bytes[printed_bytes] == 0 && token_bytes[255] == 173);

/// The bytes that a word of the list stands for; empty where it stands for none.
[[nodiscard]] inline std::string unwritten(std::string_view word) {
  std::string bytes;
  while (!word.empty()) {
    const code_point c = first_code_point(word);
    if (c.bytes == 0) return {};
    if (c.value < 256 && std::find(token_bytes.begin(), token_bytes.begin() + printed_bytes,
                                   c.value) != token_bytes.begin() + printed_bytes)
      bytes += static_cast<char>(static_cast<unsigned char>(c.value));
    else if (c.value >= 256 && c.value < 512 - printed_bytes)
      bytes += static_cast<char>(token_bytes[printed_bytes + c.value - 256]);
    else
      return {};
    word.remove_prefix(c.bytes);
  }
  return bytes;
}

}  // namespace detail

/// Text to tokens and back. Any bytes are text: decode(encode(text)) == text. What is not UTF-8 is
/// kept, whereas encoders that work on decoded text replace it first.
class byte_pair_encoding {
 public:
  /// Reads vocab.bpe.
  /// @throws std::runtime_error naming the file, and the line that is no merge of two tokens made
  ///         before it into a new one.
  explicit byte_pair_encoding(const std::filesystem::path& path) {
    const std::string list = read_text(path);
    std::unordered_map<std::string, std::uint16_t> ids;
    for (const unsigned char b : detail::token_bytes)
      add(std::string(1, static_cast<char>(b)), ids);
    std::size_t number = 0;
    for (std::string_view rest = list; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      const std::string fault = ++number == 1 ? fault_in_version(line) : add_merge(line, ids);
      if (!fault.empty())
        throw std::runtime_error(path.string() + ": line " + std::to_string(number) + ": " + fault);
    }
    pieces_.emplace_back("<|endoftext|>");
  }

  /// Tokens in all: 50257 for GPT-2.
  [[nodiscard]] std::size_t size() const noexcept { return pieces_.size(); }

  /// The last token. No text is encoded to it, not even its own name.
  [[nodiscard]] std::uint16_t end_of_text() const noexcept {
    return static_cast<std::uint16_t>(size() - 1);
  }

  /// Time n log w for n bytes in pieces of at most w.
  [[nodiscard]] std::vector<std::uint16_t> encode(std::string_view text) const {
    std::vector<std::uint16_t> tokens;
    while (!text.empty()) {
      const std::size_t size = first_pretoken(text);
      append(text.substr(0, size), tokens);
      text.remove_prefix(size);
    }
    return tokens;
  }

  /// @throws std::runtime_error naming a token that is not below size().
  [[nodiscard]] std::string decode(std::span<const std::uint16_t> tokens) const {
    std::string text;
    for (const std::uint16_t token : tokens) {
      if (token >= size())
        throw std::runtime_error("byte-pair encoding: token " + std::to_string(token) +
                                 ", expected 0 to " + std::to_string(size() - 1));
      text += pieces_[token];
    }
    return text;
  }

 private:
  static constexpr std::size_t most_tokens = 65535;  // and one more, the end of text

  [[nodiscard]] static std::string fault_in_version(std::string_view line) {
    return line == "#version: 0.2" ? "" : "expected \"#version: 0.2\" (GPT-2's vocab.bpe)";
  }

  void add(std::string bytes, std::unordered_map<std::string, std::uint16_t>& ids) {
    ids.emplace(bytes, static_cast<std::uint16_t>(pieces_.size()));
    pieces_.push_back(std::move(bytes));
  }

  /// Adds the merge of a line. What is wrong with it, or nothing.
  [[nodiscard]] std::string add_merge(std::string_view line,
                                      std::unordered_map<std::string, std::uint16_t>& ids) {
    const std::size_t middle = line.find(' ');
    if (middle == std::string_view::npos) return "expected two tokens with a space between them";
    const auto left = ids.find(detail::unwritten(line.substr(0, middle)));
    const auto right = ids.find(detail::unwritten(line.substr(middle + 1)));
    if (left == ids.end()) return "its first half is no token made by an earlier line";
    if (right == ids.end()) return "its second half is no token made by an earlier line";
    if (pieces_.size() == most_tokens) return "more tokens than 16 bits can number";
    const std::string bytes = left->first + right->first;
    if (ids.contains(bytes)) return "its token was made by an earlier line";
    merges_.emplace(pair_of(left->second, right->second),
                    static_cast<std::uint16_t>(pieces_.size()));
    add(bytes, ids);
    return {};
  }

  [[nodiscard]] static constexpr std::uint32_t pair_of(std::uint16_t a, std::uint16_t b) noexcept {
    return std::uint32_t(a) << 16 | b;
  }

  /// Appends the tokens of one piece: while any neighbours have a merge, those with the earliest
  /// are merged, from the left. A merge only ever makes room for later ones, since its token is in
  /// no earlier line; so one queue of candidates, by line and place, does it.
  void append(std::string_view piece, std::vector<std::uint16_t>& tokens) const {
    struct link {
      std::uint16_t token;
      std::size_t before;
      std::size_t behind;  ///< piece.size() at the end
      bool gone = false;   ///< merged into the one before
    };
    struct candidate {
      std::uint16_t made;  ///< numbers follow the lines
      std::size_t at;
      std::uint32_t pair;  ///< that stood there when it was found
      bool operator>(const candidate& o) const {
        return made != o.made ? made > o.made : at > o.at;
      }
    };
    const std::size_t end = piece.size();
    std::vector<link> links;
    links.reserve(end);
    for (std::size_t i = 0; i < end; ++i)
      links.push_back({byte_tokens_[static_cast<unsigned char>(piece[i])], i - 1, i + 1});
    std::priority_queue<candidate, std::vector<candidate>, std::greater<>> queue;
    const auto consider = [&](std::size_t at) {
      if (links[at].behind == end) return;
      const std::uint32_t pair = pair_of(links[at].token, links[links[at].behind].token);
      if (const auto found = merges_.find(pair); found != merges_.end())
        queue.push({found->second, at, pair});
    };
    for (std::size_t i = 0; i < end; ++i) consider(i);
    while (!queue.empty()) {
      const candidate c = queue.top();
      queue.pop();
      link& left = links[c.at];
      if (left.gone || left.behind == end) continue;
      link& right = links[left.behind];
      if (pair_of(left.token, right.token) != c.pair) continue;
      left.token = c.made;
      left.behind = right.behind;
      right.gone = true;
      if (left.behind != end) links[left.behind].before = c.at;
      consider(c.at);
      if (c.at != 0) consider(left.before);
    }
    for (std::size_t i = 0; i < end; i = links[i].behind) tokens.push_back(links[i].token);
  }

  [[nodiscard]] static constexpr std::array<std::uint16_t, 256> inverse_order() noexcept {
    std::array<std::uint16_t, 256> tokens{};
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[detail::token_bytes[i]] = static_cast<std::uint16_t>(i);
    return tokens;
  }

  std::array<std::uint16_t, 256> byte_tokens_ = inverse_order();
  std::vector<std::string> pieces_;                          ///< bytes of each token
  std::unordered_map<std::uint32_t, std::uint16_t> merges_;  ///< pair of neighbours to token
};

}  // namespace trainers
