#include <common/bpe.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

using token_list = std::vector<std::uint16_t>;
using string_list = std::vector<std::string>;

string_list pretokens(std::string_view text) {
  string_list pieces;
  while (!text.empty()) {
    const std::size_t size = first_pretoken(text);
    REQUIRE(size >= 1);
    REQUIRE(size <= text.size());
    pieces.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

/// An encoding whose list of merges the test writes; \u0120 is the space, as in GPT-2's.
byte_pair_encoding encoding_of(const std::string& merges) {
  const scratch_folder folder;
  write_text(folder / "vocab.bpe", "#version: 0.2\n" + merges);
  return byte_pair_encoding(folder / "vocab.bpe");
}

std::string every_byte() {
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(static_cast<unsigned char>(b));
  return all;
}

}  // namespace

TEST_CASE("pieces are the matches of GPT-2's regular expression") {
  struct row {
    std::string text;
    string_list pieces;
  };
  for (const row& r : std::vector<row>{
           {"Hello, world", {"Hello", ",", " world"}},
           {"it's we'll I'm they've you're he'd don't",
            {"it", "'s", " we", "'ll", " I", "'m", " they", "'ve", " you", "'re", " he", "'d",
             " don", "'t"}},
           {"IT'S 'sun 'x ''s", {"IT", "'", "S", " '", "sun", " '", "x", " ''", "s"}},
           {"'strange", {"'s", "trange"}},
           {"a1b22 3", {"a", "1", "b", "22", " 3"}},
           {"a  b", {"a", " ", " b"}},
           {"a \n\t b", {"a", " \n\t", " b"}},
           {"a \nb", {"a", " ", "\n", "b"}},
           {"a\nb", {"a", "\n", "b"}},
           {"a\n\n", {"a", "\n\n"}},
           {" ", {" "}},
           {"   ", {"   "}},
           {"x ", {"x", " "}},
           {"\r\n", {"\r\n"}},
           {" ?!.. ", {" ?!..", " "}},
           {"na\u00efve \u00c6on \u4f60\u597d", {"na\u00efve", " \u00c6on", " \u4f60\u597d"}},
           {"x\u00b2 \u0664\u2167\u00bd", {"x", "\u00b2", " \u0664\u2167\u00bd"}},
           {"e\u0301", {"e", "\u0301"}},  // a combining accent is no letter
           {"a\u00a0b\u3000 c", {"a", "\u00a0", "b", "\u3000", " c"}},
           {"!\u200bx", {"!\u200b", "x"}},  // a space of no width is no space
           {"!\x1c", {"!\x1c"}},
           {"a\U0001f600b", {"a", "\U0001f600", "b"}},
           {"\U00010400\U0001d7ce", {"\U00010400", "\U0001d7ce"}},  // letter, number
       }) {
    CAPTURE(r.text);
    CHECK(pretokens(r.text) == r.pieces);
  }
}

TEST_CASE("bytes that are not UTF-8 count as one character of punctuation each") {
  struct row {
    std::string text;
    string_list pieces;
  };
  for (const row& r : std::vector<row>{
           {"a\xff"
            "b",
            {"a", "\xff", "b"}},
           {"a\x80\xbf!b", {"a", "\x80\xbf!", "b"}},
           {"\xc3", {"\xc3"}},  // cut short
           {"\xe4\xbd", {"\xe4\xbd"}},
           {"\xc3(a", {"\xc3(", "a"}},
           {"\xc1\x81", {"\xc1\x81"}},              // overlong A
           {"!\xe0\x80\xa0!", {"!\xe0\x80\xa0!"}},  // overlong space
           {"!\xf0\x80\x81\x81!", {"!\xf0\x80\x81\x81!"}},
           {"\xed\xa0\x80z", {"\xed\xa0\x80", "z"}},          // half of a surrogate pair
           {"\xf4\x90\x80\x80z", {"\xf4\x90\x80\x80", "z"}},  // beyond U+10FFFF
           {"\xf5\x80\x80\x80z", {"\xf5\x80\x80\x80", "z"}},
       }) {
    CAPTURE(r.text);
    CHECK(pretokens(r.text) == r.pieces);
  }
}

TEST_CASE("UTF-8 is read strictly") {
  struct row {
    std::string_view text;
    char32_t value;
    std::size_t bytes;
  };
  for (const row& r : std::vector<row>{{"\x7f", 0x7f, 1},
                                       {"\xc2\x80", 0x80, 2},
                                       {"\xdf\xbf", 0x7ff, 2},
                                       {"\xe0\xa0\x80", 0x800, 3},
                                       {"\xed\x9f\xbf", 0xd7ff, 3},
                                       {"\xee\x80\x80", 0xe000, 3},
                                       {"\xef\xbf\xbf", 0xffff, 3},
                                       {"\xf0\x90\x80\x80", 0x10000, 4},
                                       {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
                                       {"\xc1\xbf", 0, 0},
                                       {"\xe0\x9f\xbf", 0, 0},
                                       {"\xf0\x8f\xbf\xbf", 0, 0},
                                       {"\xed\xa0\x80", 0, 0},
                                       {"\xed\xbf\xbf", 0, 0},
                                       {"\xf4\x90\x80\x80", 0, 0},
                                       {"\xf5\x80\x80\x80", 0, 0},
                                       {"\x80", 0, 0},
                                       {"\xc3", 0, 0},
                                       {"\xc3(", 0, 0}}) {
    CAPTURE(std::uint32_t(r.value));
    const detail::code_point c = detail::first_code_point(r.text);
    CHECK(c.value == r.value);
    CHECK(c.bytes == r.bytes);
  }
}

TEST_CASE("without merges the tokens are the bytes in GPT-2's order") {
  const byte_pair_encoding e = encoding_of("");
  CHECK(e.size() == 257);
  CHECK(e.end_of_text() == 256);
  CHECK(e.encode("!~") == token_list{0, 93});
  CHECK(e.encode("\xa1\xac\xae\xff") == token_list{94, 105, 106, 187});
  CHECK(e.encode(std::string(1, '\0')) == token_list{188});
  CHECK(e.encode("\n ") == token_list{198, 220});
  CHECK(e.encode("\x7f\xa0\xad") == token_list{221, 254, 255});
  CHECK(e.decode(e.encode(every_byte())) == every_byte());
  CHECK(e.encode("").empty());
  CHECK(e.decode(token_list{0, 256, 220}) == "!<|endoftext|> ");
  CHECK(e.encode("<|endoftext|>").size() == 13);
}

TEST_CASE("merges are applied in the order of the list, and not across pieces") {
  const byte_pair_encoding e =
      encoding_of("l o\nlo w\ne r\n\u0120 low\n\u0120 l\nn e\no w\n\u010a \u010a\n");
  CHECK(e.size() == 256 + 8 + 1);
  CHECK(e.encode("low") == token_list{257});
  CHECK(e.encode("lower") == token_list{257, 258});
  CHECK(e.encode(" lower") == token_list{259, 258});
  CHECK(e.encode("newer") == token_list{261, 86, 258});
  CHECK(e.encode("row") == token_list{81, 262});
  CHECK(e.encode("lo w") == token_list{256, 220, 86});
  CHECK(e.encode("\n\n") == token_list{263});
  CHECK(e.decode(token_list{259, 258}) == " lower");
}

TEST_CASE("equal neighbours merge from the left") {
  const byte_pair_encoding e = encoding_of("a a\naa aa\naa a\n");
  const std::uint16_t a = 64;
  CHECK(e.encode("a") == token_list{a});
  CHECK(e.encode("aa") == token_list{256});
  CHECK(e.encode("aaa") == token_list{258});
  CHECK(e.encode("aaaa") == token_list{257});
  CHECK(e.encode("aaaaa") == token_list{257, a});
  CHECK(e.encode("aaaaaa") == token_list{257, 256});
  CHECK(e.encode("aaaaaaa") == token_list{257, 258});
}

TEST_CASE("a long word takes time in proportion") {
  const byte_pair_encoding e = encoding_of("a a\naa aa\naaaa aaaa\n");
  const std::string text(1 << 20, 'a');
  const token_list tokens = e.encode(text);
  CHECK(tokens.size() == text.size() / 8);
  CHECK(e.decode(tokens) == text);
}

TEST_CASE("a bad list of merges is named together with the line") {
  struct row {
    const char* list;
    const char* fault;
  };
  const scratch_folder folder;
  const auto path = folder / "vocab.bpe";
  for (const row& r : std::vector<row>{
           {"a b\n", "line 1: expected \"#version: 0.2\""},
           {"#version: 0.2\nab\n", "line 2: expected two tokens with a space between them"},
           {"#version: 0.2\na b\n\nc d\n", "line 3: expected two tokens"},
           {"#version: 0.2\na b\nabc d\n", "line 3: its first half is no token"},
           {"#version: 0.2\na bc\n", "line 2: its second half is no token"},
           {"#version: 0.2\na b\r\n", "line 2: its second half is no token"},
           {"#version: 0.2\n a\n", "line 2: its first half is no token"},
           {"#version: 0.2\na \xff\n", "line 2: its second half is no token"},
           {"#version: 0.2\na \u0144\n", "line 2: its second half is no token"},
           {"#version: 0.2\na \u00ad\n", "line 2: its second half is no token"},
           {"#version: 0.2\na b\nb c\nab c\na bc\n", "line 5: its token was made by an earlier"}}) {
    CAPTURE(r.list);
    write_text(path, r.list);
    const std::string said = message_of([&] { byte_pair_encoding e(path); });
    CAPTURE(said);
    CHECK(contains(said, path.string() + ": "));
    CHECK(contains(said, r.fault));
  }
  CHECK(contains(message_of([&] { byte_pair_encoding e(folder / "no"); }), "no such file"));
  const byte_pair_encoding e = encoding_of("a b\n");
  CHECK(message_of([&] {
          (void)e.decode(token_list{257, 258});
        }) == "byte-pair encoding: token 258, expected 0 to 257");
}

TEST_CASE("every token has a number of 16 bits") {
  std::string list = "#version: 0.2\n";
  std::size_t made = 0;
  const auto printed = [](std::size_t i) { return static_cast<char>(33 + i % 94); };
  for (std::size_t i = 0; i < 94 * 94; ++i)
    list += std::string{printed(i / 94), ' ', printed(i), '\n'}, ++made;
  const scratch_folder folder;
  for (std::size_t i = 0; made < 65535 - 256; ++i, ++made)
    list += std::string{printed(i / 8836), printed(i / 94), ' ', printed(i), '\n'};
  write_text(folder / "vocab.bpe", list);
  CHECK(byte_pair_encoding(folder / "vocab.bpe").end_of_text() == 65535);
  write_text(folder / "vocab.bpe", list + "~~ ~\n");
  CHECK(contains(message_of([&] { byte_pair_encoding e(folder / "vocab.bpe"); }),
                 "more tokens than 16 bits can number"));
}

TEST_CASE("GPT-2's own list, where it is at hand") {
  const char* path = std::getenv("FANION_VOCAB_BPE");
  if (path == nullptr) {
    MESSAGE("skipped: FANION_VOCAB_BPE does not name GPT-2's vocab.bpe");
    return;
  }
  const byte_pair_encoding e{std::filesystem::path(path)};
  CHECK(e.size() == 50257);
  CHECK(e.end_of_text() == 50256);
  CHECK(e.encode("Hello world") == token_list{15496, 995});
  CHECK(e.encode("Hello, I'm a language model,") ==
        token_list{15496, 11, 314, 1101, 257, 3303, 2746, 11});
  CHECK(e.encode("\n\n") == token_list{628});
  CHECK(e.decode(e.encode(every_byte())) == every_byte());
}
