#include <common/text.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

using token_list = std::vector<std::uint16_t>;

TEST_CASE("a text is the bytes of its file") {
  const scratch_folder folder;
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(static_cast<unsigned char>(b));
  write_text(folder / "all", all);
  CHECK(read_text(folder / "all") == all);
  write_text(folder / "line", "one\r\n");
  CHECK(read_text(folder / "line") == "one\r\n");
}

TEST_CASE("a text that is missing, empty or a folder is named") {
  const scratch_folder folder;
  CHECK(message_of([&] { (void)read_text(folder / "no"); }) ==
        (folder / "no").string() + ": no such file");
  CHECK(contains(message_of([&] { (void)read_text(folder.path()); }), "no such file"));
  write_text(folder / "none", "");
  CHECK(message_of([&] { (void)read_text(folder / "none"); }) ==
        (folder / "none").string() + ": empty, expected text");
}

TEST_CASE("tokens are the places of the distinct bytes in ascending order") {
  const character_vocabulary v("hello, w\xc3\xb6rld");
  CHECK(v.alphabet() == " ,dehlorw\xb6\xc3");
  CHECK(v.size() == 11);
  CHECK(v.encode("he\xc3") == token_list{4, 3, 10});
  CHECK(v.decode(token_list{4, 3, 10}) == "he\xc3");
  CHECK(v.encode("").empty());
  CHECK(v.decode({}).empty());
  CHECK(character_vocabulary(v.alphabet()).alphabet() == v.alphabet());
}

TEST_CASE("one byte and all bytes are vocabularies") {
  CHECK(character_vocabulary("aaa").encode("aa") == token_list{0, 0});
  std::string all;
  for (int b = 255; b >= 0; --b) all += static_cast<char>(static_cast<unsigned char>(b));
  const character_vocabulary v(all);
  CHECK(v.size() == 256);
  const token_list tokens = v.encode(all);
  CHECK(tokens.front() == 255);
  CHECK(tokens.back() == 0);
  CHECK(v.decode(tokens) == all);
}

TEST_CASE("what a vocabulary lacks is refused") {
  CHECK(contains(message_of([] { character_vocabulary(""); }), "text is empty"));
  const character_vocabulary v("abc");
  CHECK(message_of([&] { (void)v.encode("ab\xff"); }) ==
        "character vocabulary: byte 255 at position 2 is none of its 3");
  CHECK(message_of([&] {
          (void)v.decode(token_list{2, 3});
        }) == "character vocabulary: token 3, expected 0 to 2");
}
