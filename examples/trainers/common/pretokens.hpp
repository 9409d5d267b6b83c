/// @file  GPT-2's first cut of a text, into the pieces that byte-pair merges do not cross.
///
/// The pieces are the matches, one behind the other, of the regular expression
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// where the first alternative that matches wins. Source: encoder.py of github.com/openai/gpt-2.
#pragma once

#include <common/unicode_ranges.hpp>

#include <cstddef>
#include <string_view>

namespace trainers {

namespace detail {

enum class character_kind { letter, number, space, other };

struct character {
  character_kind kind;
  std::size_t bytes;  ///< that it takes in UTF-8
};

/// Property White_Space of Unicode.
[[nodiscard]] constexpr bool is_space(char32_t c) noexcept {
  return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

[[nodiscard]] constexpr character_kind kind_of(char32_t c) noexcept {
  if (is_space(c)) return character_kind::space;
  if (unicode::holds(unicode::letters, c)) return character_kind::letter;
  if (unicode::holds(unicode::numbers, c)) return character_kind::number;
  return character_kind::other;
}

/// The code point that `text` starts with, and its length in UTF-8; length 0 where it starts with
/// none: a stray byte, an overlong form, half of a surrogate pair, beyond U+10FFFF, or cut short.
struct code_point {
  char32_t value;
  std::size_t bytes;
};
[[nodiscard]] constexpr code_point first_code_point(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {0, 0};
  char32_t value = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    value = value << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = value < (bytes == 4 ? 0x10000u : bytes == 3 ? 0x800u : 0x80u);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return {0, 0};
  return {value, bytes};
}

/// The character that `text` starts with. A byte that is not UTF-8 counts as one of kind other.
[[nodiscard]] constexpr character first_character(std::string_view text) noexcept {
  const code_point c = first_code_point(text);
  return c.bytes == 0 ? character{character_kind::other, 1} : character{kind_of(c.value), c.bytes};
}

/// Bytes of the longest run of one kind that `text` starts with.
[[nodiscard]] constexpr std::size_t run_of(character_kind kind, std::string_view text) noexcept {
  std::size_t end = 0;
  while (end < text.size()) {
    const character c = first_character(text.substr(end));
    if (c.kind != kind) break;
    end += c.bytes;
  }
  return end;
}

/// Bytes of the piece that `text`, which starts with a space, starts with, when no word takes it.
[[nodiscard]] constexpr std::size_t space_piece(std::string_view text) noexcept {
  std::size_t end = 0;
  std::size_t last = 0;  // where the last space of the run starts
  while (end < text.size()) {
    const character c = first_character(text.substr(end));
    if (c.kind != character_kind::space) break;
    last = end;
    end += c.bytes;
  }
  const bool at_end = end == text.size();
  return at_end || last == 0 ? end : last;  // before a word, the last space is left to the word
}

}  // namespace detail

/// Bytes of the first piece of a text that is not empty; between 1 and text.size().
[[nodiscard]] constexpr std::size_t first_pretoken(std::string_view text) noexcept {
  using detail::character_kind;
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(ending)) return ending.size();
  const std::size_t space = text.starts_with(' ') && text.size() > 1 ? 1 : 0;
  const std::string_view word = text.substr(space);
  const character_kind kind = detail::first_character(word).kind;
  if (kind == character_kind::space) return detail::space_piece(text);
  return space + detail::run_of(kind, word);
}

static_assert(first_pretoken("hello world") == 5 && first_pretoken(" world") == 6 &&
              first_pretoken("   world") == 2 && first_pretoken("'tis") == 2);

}  // namespace trainers
