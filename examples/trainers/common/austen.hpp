/// @file  Reader of the six novels in Debian's r-cran-janeaustenr, without R.
///
/// Rdata.rdx, gzipped, is an R object: a list whose first member is a list of named pairs (offset,
/// length). Each pair is a chunk of Rdata.rdb: a big-endian uint32, the inflated length, and a zlib
/// stream. A chunk is again an R object: a vector of strings, one a line of the novel.
///
/// An R object here is "X\n" and big-endian words (XDR): three versions, from version 3 on the name
/// of an encoding, then items. The low byte of an item's first word is its type. R Internals,
/// "Serialization Formats", describes it.
#pragma once

#include <common/text.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trainers {

struct novel {
  std::string name;  ///< as in the index, "emma"
  std::string text;  ///< every line ends with "\n"
};

namespace detail {

/// Inflates a zlib or gzip stream to at most `limit` bytes; bytes behind its end are ignored.
/// In pieces, so that memory follows the stream and not what was promised.
/// @throws std::runtime_error: `name`, and damaged, truncated, or longer than the limit.
[[nodiscard]] inline std::string inflated(const std::string& name, std::string_view packed,
                                          std::size_t limit) {
  const auto refuse = [&](const std::string& why) { throw std::runtime_error(name + ": " + why); };
  z_stream stream{};
  constexpr int either = 32 + 15;  // zlib or gzip, the largest window
  if (inflateInit2(&stream, either) != Z_OK) refuse("zlib cannot start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> hold(&stream, inflateEnd);
  // zlib does not write through next_in, and has it const only where it is told to.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  for (int code = Z_OK; code != Z_STREAM_END;) {
    const std::size_t have = out.size();
    if (have > limit) refuse("inflates to more than " + std::to_string(limit) + " bytes");
    const std::size_t room = std::min(std::size_t(1) << 18, limit + 1 - have);
    out.resize(have + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = static_cast<uInt>(room);
    code = inflate(&stream, Z_NO_FLUSH);
    out.resize(have + room - stream.avail_out);
    if (code == Z_BUF_ERROR) refuse("truncated in its zlib stream");
    if (code != Z_OK && code != Z_STREAM_END)
      refuse(std::string("damaged: ") + (stream.msg != nullptr ? stream.msg : "not a zlib stream"));
  }
  if (out.size() > limit) refuse("inflates to more than " + std::to_string(limit) + " bytes");
  return out;
}

[[nodiscard]] inline std::uint32_t big_endian(std::string_view four) noexcept {
  std::uint32_t word = 0;
  for (const char c : four.substr(0, 4)) word = word << 8 | static_cast<unsigned char>(c);
  return word;
}

/// The items of one R object, front to back.
class r_reader {
 public:
  enum type : std::uint32_t {
    symbol = 1,
    pair_list = 2,
    characters = 9,
    integers = 13,
    strings = 16,
    list = 19
  };

  /// Reads what stands before the first item.
  r_reader(std::string name, std::string_view bytes) : name_(std::move(name)), rest_(bytes) {
    if (take(2, "its format") != "X\n") refuse("not an R object in XDR");
    const std::uint32_t version = word("its version");
    if (version != 2 && version != 3)
      refuse("R serialization version " + std::to_string(version) + ", expected 2 or 3");
    take(8, "its version");  // of R: the writer's, and the oldest that can read it
    if (version == 3) take(word("its encoding"), "its encoding");
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw std::runtime_error(name_ + ": " + why);
  }

  std::uint32_t word(const char* of) { return big_endian(take(4, of)); }

  std::string_view take(std::size_t count, const char* of) {
    if (count > rest_.size())
      refuse(std::string("truncated in ") + of + ": " + std::to_string(count) +
             " bytes expected, found " + std::to_string(rest_.size()));
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  void expect(type wanted, const char* of) {
    const std::uint32_t found = word(of) & 0xff;
    if (found != wanted)
      refuse("item of R type " + std::to_string(found) + " as " + of + ", expected " +
             std::to_string(wanted));
  }

  /// The length of a vector, whose type was expected before. No item takes less than 4 bytes.
  std::size_t length(const char* of) {
    const std::uint32_t count = word(of);
    if (count > rest_.size() / 4)
      refuse("truncated in " + std::string(of) + ": " + std::to_string(count) +
             " items promised in " + std::to_string(rest_.size()) + " bytes");
    return count;
  }

  std::string_view string(const char* of) {
    expect(characters, of);
    const std::uint32_t size = word(of);
    if (size == 0xffffffff) refuse(std::string("a missing string (NA) as ") + of);
    return take(size, of);
  }

 private:
  std::string name_;
  std::string_view rest_;
};

struct r_chunk {
  std::string name;
  std::uint32_t offset;
  std::uint32_t length;
};

/// The named chunks that an inflated index lists.
[[nodiscard]] inline std::vector<r_chunk> chunks_of(const std::string& name,
                                                    std::string_view index) {
  r_reader in(name, index);
  in.expect(r_reader::list, "the index");
  (void)in.length("the index");
  in.expect(r_reader::list, "the list of variables");
  std::vector<r_chunk> chunks(in.length("the list of variables"));
  for (r_chunk& c : chunks) {
    in.expect(r_reader::integers, "a chunk's place");
    if (in.length("a chunk's place") != 2) in.refuse("a chunk's place is not two numbers");
    c.offset = in.word("a chunk's place");
    c.length = in.word("a chunk's place");
  }
  in.expect(r_reader::pair_list, "the names");
  in.expect(r_reader::symbol, "the names");
  if (in.string("the names") != "names") in.refuse("its variables have no names");
  in.expect(r_reader::strings, "the names");
  if (in.length("the names") != chunks.size()) in.refuse("not as many names as variables");
  for (r_chunk& c : chunks) c.name = in.string("a name");
  return chunks;
}

/// The lines of an inflated chunk.
[[nodiscard]] inline std::string lines_of(const std::string& name, std::string_view chunk) {
  r_reader in(name, chunk);
  in.expect(r_reader::strings, "the lines");
  std::string text;
  for (std::size_t left = in.length("the lines"); left > 0; --left) {
    text += in.string("a line");
    text += '\n';
  }
  return text;
}

}  // namespace detail

/// The novels of an index and its data, in the order of the index.
/// @throws std::runtime_error naming the file, and for the data the novel: missing, damaged,
///         truncated, or not of this layout.
[[nodiscard]] inline std::vector<novel> read_novels(const std::filesystem::path& index,
                                                    const std::filesystem::path& data) {
  constexpr std::size_t index_limit = std::size_t(1) << 20;
  constexpr std::size_t novel_limit = std::size_t(1) << 26;
  const std::string packed = read_text(index);
  const std::string places = detail::inflated(index.string(), packed, index_limit);
  const std::string all = read_text(data);
  std::vector<novel> novels;
  std::size_t total = 0;
  for (const detail::r_chunk& c : detail::chunks_of(index.string(), places)) {
    const std::string name = data.string() + ": " + c.name;
    const auto refuse = [&](const std::string& why) {
      throw std::runtime_error(name + ": " + why);
    };
    if (c.offset > all.size() || c.length > all.size() - c.offset || c.length < 4)
      refuse(std::to_string(c.length) + " bytes at " + std::to_string(c.offset) + " promised in " +
             std::to_string(all.size()));
    const std::string_view chunk = std::string_view(all).substr(c.offset, c.length);
    const std::size_t size = detail::big_endian(chunk);
    if (size > novel_limit - total)
      refuse(std::to_string(size) + " bytes promised, expected at most " +
             std::to_string(novel_limit) + " for all novels together");
    total += size;
    const std::string object = detail::inflated(name, chunk.substr(4), size);
    if (object.size() != size)
      refuse("inflates to " + std::to_string(object.size()) + " bytes, expected " +
             std::to_string(size));
    novels.push_back({c.name, detail::lines_of(name, object)});
  }
  return novels;
}

/// Rdata.rdx and Rdata.rdb of a folder, or of the package unpacked there, as one text: Emma,
/// Mansfield Park, Northanger Abbey, Persuasion, Pride and Prejudice, Sense and Sensibility.
/// 4,025,029 bytes of 82 kinds. examples/trainers/gpt/get_austen.sh makes such a folder.
/// @throws std::runtime_error naming the folder, or as read_novels.
[[nodiscard]] inline std::string read_austen(const std::filesystem::path& folder) {
  for (const char* below : {".", "usr/lib/R/site-library/janeaustenr/data"}) {
    const std::filesystem::path at = (folder / below).lexically_normal();
    if (!std::filesystem::exists(at / "Rdata.rdx")) continue;
    std::string text;
    for (const novel& n : read_novels(at / "Rdata.rdx", at / "Rdata.rdb")) text += n.text;
    return text;
  }
  throw std::runtime_error(folder.string() +
                           ": holds no Rdata.rdx (examples/trainers/gpt/get_austen.sh fetches it)");
}

}  // namespace trainers
