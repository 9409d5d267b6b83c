/// @file  The tokens of one experiment: training, held out, test.
#pragma once

#include <common/austen.hpp>
#include <common/bpe.hpp>
#include <common/text.hpp>
#include <common/tokens.hpp>
#include <gpt/options.hpp>
#include <run/task.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace trainers {

using token_span = std::span<const std::uint16_t>;

/// A stretch of a stream.
struct token_range {
  const token_stream* stream = nullptr;
  index_t first = 0;
  index_t size = 0;

  void read(index_t at, std::span<std::uint16_t> out) const { stream->read(first + at, out); }
};

/// A text is split where it stands, 90 : 5 : 5; token files are what their flags say, and the first
/// half of those that are held out serves as such, the second as test.
struct gpt_data {
  std::string name;
  index_t vocabulary = 0;
  token_range train, held_out, test;
  std::function<std::string(token_span)> text;  ///< of tokens; numbers where nobody knows
  std::vector<token_stream> streams;            ///< what the ranges look at

  [[nodiscard]] const token_range& part(examples_of which) const {
    return which == examples_of::training ? train : which == examples_of::test ? test : held_out;
  }
};

namespace detail {

inline void load_text(const gpt_options& o, gpt_data& data) {
  const std::string text = o.text.empty() ? read_austen(o.austen) : read_text(o.text);
  data.name = o.text.empty() ? "six novels by Jane Austen" : o.text.filename().string();
  std::vector<std::uint16_t> tokens;
  if (!o.vocab_bpe.empty()) {
    const byte_pair_encoding words(o.vocab_bpe);
    tokens = words.encode(text);
    data.vocabulary = static_cast<index_t>(words.size());
    data.text = [words](token_span t) { return words.decode(t); };
  } else {
    const character_vocabulary characters(text);
    tokens = characters.encode(text);
    data.vocabulary = static_cast<index_t>(characters.size());
    data.text = [characters](token_span t) { return characters.decode(t); };
  }
  data.streams.emplace_back(std::move(tokens), data.vocabulary);
  const token_stream& all = data.streams.front();
  const index_t train = all.size() / 10 * 9, held_out = (all.size() - train) / 2;
  data.train = {&all, 0, train};
  data.held_out = {&all, train, held_out};
  data.test = {&all, train + held_out, all.size() - train - held_out};
}

inline void load_tokens(const gpt_options& o, gpt_data& data) {
  data.name = o.tokens.front().filename().string();
  data.vocabulary = o.vocabulary;
  data.streams.emplace_back(o.tokens, o.vocabulary);
  data.streams.emplace_back(o.validation, o.vocabulary);
  const token_stream &train = data.streams[0], &rest = data.streams[1];
  data.train = {&train, 0, train.size()};
  data.held_out = {&rest, 0, rest.size() / 2};
  data.test = {&rest, rest.size() / 2, rest.size() - rest.size() / 2};
  if (o.vocab_bpe.empty()) {
    data.text = [](token_span tokens) {
      std::string numbers;
      for (const std::uint16_t t : tokens) numbers += std::to_string(t) + " ";
      return numbers;
    };
  } else {
    const byte_pair_encoding words(o.vocab_bpe);
    data.text = [words](token_span t) { return words.decode(t); };
  }
}

}  // namespace detail

/// Reads what the options name. `data` stays where it is: its ranges look into it.
/// @throws std::runtime_error naming a file or flag.
inline void load_gpt_data(const gpt_options& o, gpt_data& data) {
  data.streams.reserve(2);
  if (o.tokens.empty())
    detail::load_text(o, data);
  else
    detail::load_tokens(o, data);
  for (const token_range& part : {data.train, data.held_out, data.test})
    if (part.size < o.context + 1)
      throw std::runtime_error(data.name + ": too short for --context " +
                               std::to_string(o.context) + ": a part has only " +
                               std::to_string(part.size) + " tokens");
}

}  // namespace trainers
