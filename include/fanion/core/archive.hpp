/// @file  Bits to a stream and back, for checkpoints.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <cstdint>
#include <istream>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace fanion {

/// Writes values as their bytes, in the machine's order: a checkpoint belongs to the build that
/// wrote it. @throws std::runtime_error where the stream fails.
class archive_writer {
 public:
  explicit archive_writer(std::ostream& out) : out_(&out) {}

  template <class V>
  requires std::is_arithmetic_v<V>
  void write(V value) { write(std::span<const V>(&value, 1)); }
  template <class V>
  requires std::is_arithmetic_v<V>
  void write(std::span<const V> values) {
    out_->write(reinterpret_cast<const char*>(values.data()),
                static_cast<std::streamsize>(values.size_bytes()));
    if (!*out_) throw std::runtime_error("checkpoint: writing failed");
  }
  void write(const std::string& text) {
    write(static_cast<std::uint64_t>(text.size()));
    write(std::span<const char>(text.data(), text.size()));
  }

 private:
  std::ostream* out_;
};

/// Reads what archive_writer wrote. @throws std::invalid_argument where the data ends early.
class archive_reader {
 public:
  explicit archive_reader(std::istream& in) : in_(&in) {}

  template <class V>
  requires std::is_arithmetic_v<V>
  [[nodiscard]] V read() {
    V value{};
    read(std::span<V>(&value, 1));
    return value;
  }
  template <class V>
  requires std::is_arithmetic_v<V>
  void read(std::span<V> values) {
    in_->read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(values.size_bytes()));
    if (in_->gcount() != static_cast<std::streamsize>(values.size_bytes()))
      throw std::invalid_argument("checkpoint: the data ends early");
  }
  /// @throws std::invalid_argument for a text longer than `most`. Grows with what is really there:
  /// a damaged length must not make the reader allocate at will.
  [[nodiscard]] std::string read_text(std::uint64_t most = 1 << 20) {
    const auto size = read<std::uint64_t>();
    if (size > most) throw std::invalid_argument("checkpoint: a text of impossible length");
    std::string text;
    while (text.size() < size) {
      const std::size_t have = text.size();
      text.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, have + (1 << 20))));
      read(std::span<char>(text.data() + have, text.size() - have));
    }
    return text;
  }

 private:
  std::istream* in_;
};

}  // namespace fanion
