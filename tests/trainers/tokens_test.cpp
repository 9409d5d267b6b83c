#include <common/tokens.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

using token_list = std::vector<std::uint16_t>;
using byte_list = std::vector<std::uint8_t>;
using path_list = std::vector<std::filesystem::path>;

byte_list raw(const token_list& tokens) {
  byte_list out;
  for (const std::uint16_t t : tokens) {
    out.push_back(static_cast<std::uint8_t>(t & 255));
    out.push_back(static_cast<std::uint8_t>(t >> 8));
  }
  return out;
}

byte_list shard(const token_list& tokens, std::uint32_t count, std::uint32_t magic = 20240520,
                std::uint32_t version = 1) {
  byte_list out;
  for (const std::uint32_t word : {magic, version, count})
    for (const int shift : {0, 8, 16, 24}) out.push_back(static_cast<std::uint8_t>(word >> shift));
  out.resize(1024);
  const byte_list data = raw(tokens);
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

token_list all_of(const token_stream& stream) {
  token_list tokens(static_cast<std::size_t>(stream.size()));
  stream.read(0, tokens);
  return tokens;
}

}  // namespace

TEST_CASE("a file of nothing but tokens is read as it is, low byte first") {
  const scratch_folder folder;
  write_bytes(folder / "train.bin", {1, 0, 0, 1, 80, 196});
  const token_stream stream(path_list{folder / "train.bin"}, 50257);
  CHECK(stream.size() == 3);
  CHECK(stream.vocabulary() == 50257);
  CHECK(all_of(stream) == token_list{1, 256, 50256});
  CHECK(stream[2] == 50256);
}

TEST_CASE("shards and bare files follow one another, and a window may cross their borders") {
  const scratch_folder folder;
  write_bytes(folder / "a_000002.bin", shard({4, 5}, 2));
  write_bytes(folder / "a_000001.bin", shard({0, 1, 2, 3}, 4));
  write_bytes(folder / "a_000003.bin", raw({6}));
  write_bytes(folder / "b_000001.bin", raw({9}));
  const path_list files = files_matching((folder / "a_*.bin").string());
  REQUIRE(files.size() == 3);
  CHECK(files[1] == folder / "a_000002.bin");
  token_stream first(files, 7);
  const token_stream stream = std::move(first);
  CHECK(all_of(stream) == token_list{0, 1, 2, 3, 4, 5, 6});
  for (index_t from = 0; from <= 7; ++from)
    for (index_t count = 0; count <= 7 - from; ++count) {
      token_list window(static_cast<std::size_t>(count));
      stream.read(from, window);
      for (index_t i = 0; i < count; ++i) {
        CHECK(window[static_cast<std::size_t>(i)] == from + i);
        CHECK(stream[from + i] == from + i);
      }
    }
}

TEST_CASE("tokens in memory make a stream too") {
  token_stream first(token_list{3, 1, 2}, 4);
  const token_stream stream = std::move(first);
  CHECK(all_of(stream) == token_list{3, 1, 2});
  CHECK(contains(message_of([] { token_stream(token_list{}, 4); }), "no tokens"));
}

TEST_CASE("reading beyond the ends is refused") {
  const token_stream stream(token_list{3, 1, 2}, 4);
  token_list two(2);
  for (const index_t from : {index_t(-1), index_t(2), index_t(4)})
    CHECK(contains(message_of([&] { stream.read(from, two); }), "of 3"));
  CHECK(contains(message_of([&] { (void)stream[3]; }), "tokens 3 to 4 of 3"));
}

TEST_CASE("a token outside the vocabulary is found when it is read") {
  const scratch_folder folder;
  write_bytes(folder / "a.bin", raw({1, 2}));
  write_bytes(folder / "b.bin", raw({3, 300, 4}));
  const token_stream stream(path_list{folder / "a.bin", folder / "b.bin"}, 300);
  token_list window(3);
  CHECK_NOTHROW(stream.read(0, window));
  CHECK(message_of([&] { stream.read(1, window); }) ==
        (folder / "b.bin").string() + ": token 300 at position 1, expected below 300");
}

TEST_CASE("a bad file of tokens is named together with its fault") {
  const scratch_folder folder;
  struct row {
    const char* name;
    byte_list bytes;
    const char* fault;
  };
  byte_list header = shard({}, 0);
  header.pop_back();
  byte_list odd = shard({1, 2}, 2);
  odd.push_back(7);
  for (const row& r : std::vector<row>{
           {"empty", {}, "empty"},
           {"one", {1}, "1 bytes, expected tokens of 2 bytes"},
           {"three", {1, 0, 2}, "3 bytes, expected tokens of 2 bytes"},
           {"header", header, "truncated in its header: 1023 of 1024 bytes"},
           {"version", shard({1}, 1, 20240520, 2), "version 2, expected 1"},
           {"none", shard({}, 0), "header promises 0 tokens"},
           {"negative", shard({1}, 0xffffffff), "header promises -1 tokens"},
           {"short", shard({1, 2}, 3), "4 bytes after the header, which promises 3 tokens of 2"},
           {"long", shard({1, 2}, 1), "4 bytes after the header, which promises 1 tokens of 2"},
           {"odd", odd, "5 bytes after the header"},
           {"huge", shard({1}, 0x7fffffff), "which promises 2147483647 tokens"},
           {"llama", shard({1, 0}, 1, 20240801, 7), "32-bit Llama 3 tokens"},
           {"eval", shard({1, 0}, 1, 20240522), "evaluation set"}}) {
    CAPTURE(r.name);
    write_bytes(folder / r.name, r.bytes);
    const std::string said = message_of([&] { token_stream(path_list{folder / r.name}, 50257); });
    CAPTURE(said);
    CHECK(contains(said, (folder / r.name).string() + ": "));
    CHECK(contains(said, r.fault));
  }
  CHECK(contains(message_of([&] { token_stream(path_list{folder / "no"}, 9); }), "no: cannot be"));
  CHECK(contains(message_of([&] { token_stream(path_list{folder.path()}, 9); }), "not a file"));
  CHECK(contains(message_of([&] { token_stream(path_list{}, 9); }), "no files"));
  CHECK(contains(message_of([&] { (void)files_matching((folder / "x*").string()); }),
                 "x*: no such file"));
}
