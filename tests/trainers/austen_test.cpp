#include <common/austen.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

#include <set>

using namespace trainers;
using namespace trainer_tests;

namespace {

std::string word(std::uint32_t x) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(x >> shift & 255);
  return out;
}

std::string start(std::uint32_t version = 3) {
  std::string out = "X\n" + word(version) + word(0x40201) + word(0x30500);
  if (version == 3) out += word(5) + "UTF-8";
  return out;
}

std::string string_item(const std::string& text) {
  return word(0x40009) + word(static_cast<std::uint32_t>(text.size())) + text;
}

std::string strings_item(const std::vector<std::string>& lines) {
  std::string out = word(16) + word(static_cast<std::uint32_t>(lines.size()));
  for (const std::string& line : lines) out += string_item(line);
  return out;
}

struct place {
  std::string name;
  std::uint32_t offset, length;
};

std::string index_of(const std::vector<place>& places) {
  std::string out = start() + word(0x213) + word(3) + word(0x213) +
                    word(static_cast<std::uint32_t>(places.size()));
  std::vector<std::string> names;
  for (const place& p : places) {
    out += word(13) + word(2) + word(p.offset) + word(p.length);
    names.push_back(p.name);
  }
  return out + word(0x402) + word(1) + string_item("names") + strings_item(names) + word(0xfe);
}

std::string deflated(const std::string& plain) {
  std::string out(compressBound(plain.size()), '\0');
  uLongf size = out.size();
  REQUIRE(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(plain.data()), plain.size()) == Z_OK);
  out.resize(size);
  return out;
}

std::string chunk(const std::string& object) {
  return word(static_cast<std::uint32_t>(object.size())) + deflated(object);
}

/// Two novels, of three lines and of none.
struct synthetic {
  std::string first = chunk(start(2) + strings_item({"EMMA", "", "By Jane Austen"}));
  std::string second = chunk(start() + strings_item({}));
  std::vector<place> places = {{"emma", 0, static_cast<std::uint32_t>(first.size())},
                               {"silence", static_cast<std::uint32_t>(first.size()),
                                static_cast<std::uint32_t>(second.size())}};

  void write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    write_text(folder / "Rdata.rdx", deflated(index_of(places)));
    write_text(folder / "Rdata.rdb", first + second);
  }
};

}  // namespace

TEST_CASE("novels are found through the index and read line by line") {
  const scratch_folder folder;
  synthetic().write(folder.path());
  const std::vector<novel> novels = read_novels(folder / "Rdata.rdx", folder / "Rdata.rdb");
  REQUIRE(novels.size() == 2);
  CHECK(novels[0].name == "emma");
  CHECK(novels[0].text == "EMMA\n\nBy Jane Austen\n");
  CHECK(novels[1].name == "silence");
  CHECK(novels[1].text.empty());
  CHECK(read_austen(folder.path()) == "EMMA\n\nBy Jane Austen\n");
}

TEST_CASE("the folder may be the package unpacked, and the index gzipped") {
  const scratch_folder folder;
  const auto below = folder / "usr/lib/R/site-library/janeaustenr/data";
  synthetic s;
  s.write(below);
  std::filesystem::remove(below / "Rdata.rdx");
  const gzFile file = gzopen((below / "Rdata.rdx").c_str(), "wb");
  const std::string index = index_of(s.places);
  gzwrite(file, index.data(), static_cast<unsigned>(index.size()));
  gzclose(file);
  CHECK(read_austen(folder.path()) == "EMMA\n\nBy Jane Austen\n");
  CHECK(contains(message_of([&] { (void)read_austen(folder / "no"); }), "holds no Rdata.rdx"));
}

TEST_CASE("a bad index is named together with its fault") {
  const scratch_folder folder;
  synthetic s;
  s.write(folder.path());
  const std::string good = index_of(s.places);
  const auto said = [&](const std::string& packed) {
    write_text(folder / "Rdata.rdx", packed);
    return message_of([&] { (void)read_austen(folder.path()); });
  };
  CHECK(contains(said("plain text"), "Rdata.rdx: damaged"));
  CHECK(contains(said(deflated(good).substr(0, 40)), "Rdata.rdx: truncated in its zlib stream"));
  CHECK(contains(said(deflated(std::string(3 << 20, 'x'))), "inflates to more than 1048576 bytes"));
  CHECK(contains(said(deflated("A\n" + good.substr(2))), "not an R object in XDR"));
  CHECK(contains(said(deflated("X\n" + word(4) + good.substr(6))), "version 4, expected 2 or 3"));
  CHECK(contains(said(deflated(start() + word(16) + word(0))),
                 "item of R type 16 as the index, expected 19"));
  CHECK(contains(said(deflated(start() + word(19) + word(0xffffffff))),
                 "truncated in the index: 4294967295 items promised in 0 bytes"));
  CHECK(contains(said(deflated(start() + word(19) + word(1) + word(19) + word(1) + word(13))),
                 "truncated in a chunk's place"));
  CHECK(contains(said(deflated(good.substr(0, good.size() - 8))), "truncated in a name"));
  std::string renamed = good;
  renamed.replace(renamed.find("names"), 5, "nomes");
  CHECK(contains(said(deflated(renamed)), "its variables have no names"));
  s.places.push_back({"more", 0, 3});
  CHECK(contains(said(deflated(index_of(s.places))), "Rdata.rdb: more: 3 bytes at 0 promised"));
  s.places.back() = {"more", 20, 0xfffffff0};
  CHECK(contains(said(deflated(index_of(s.places))), "more: 4294967280 bytes at 20 promised in"));
  s.places.back() = {"more", 0xfffffff0, 20};
  CHECK(contains(said(deflated(index_of(s.places))), "more: 20 bytes at 4294967280 promised in"));
}

TEST_CASE("a bad novel is named together with its fault") {
  const scratch_folder folder;
  const auto said = [&](const std::string& data) {
    write_text(folder / "Rdata.rdx",
               deflated(index_of({{"emma", 0, static_cast<std::uint32_t>(data.size())}})));
    write_text(folder / "Rdata.rdb", data);
    return message_of([&] { (void)read_austen(folder.path()); });
  };
  const std::string object = start() + strings_item({"EMMA"});
  const std::string packed = deflated(object);
  const auto size = static_cast<std::uint32_t>(object.size());
  CHECK(said(word(size) + packed).empty());
  CHECK(contains(said(word(size - 1) + packed), "Rdata.rdb: emma: inflates to more than"));
  CHECK(contains(said(word(size + 1) + packed), "emma: inflates to " + std::to_string(size)));
  CHECK(contains(said(word(0x7fffffff) + packed), "emma: 2147483647 bytes promised, expected at"));
  CHECK(contains(said(word(size) + packed.substr(0, 12)), "emma: truncated in its zlib stream"));
  std::string damaged = packed;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);  // the checksum
  CHECK(contains(said(word(size) + damaged), "emma: damaged"));
  CHECK(contains(said(chunk(start() + word(13) + word(0))), "item of R type 13 as the lines"));
  CHECK(contains(said(chunk(start() + word(16) + word(1) + word(9) + word(0xffffffff))),
                 "a missing string (NA) as a line"));
  CHECK(contains(said(chunk(start() + word(16) + word(1) + word(9) + word(5) + "EMMA")),
                 "truncated in a line: 5 bytes expected, found 4"));
}

TEST_CASE("the six novels, where Debian's package is at hand") {
  const char* named = std::getenv("FANION_AUSTEN");
  const std::filesystem::path folder = named != nullptr ? named : "/";
  if (named == nullptr &&
      !std::filesystem::exists(folder / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdx")) {
    MESSAGE("skipped: FANION_AUSTEN names no folder (examples/trainers/gpt/get_austen.sh)");
    return;
  }
  const std::string text = read_austen(folder);
  CHECK(text.size() == 4025029);
  CHECK(std::set<char>(text.begin(), text.end()).size() == 82);
  CHECK(text.starts_with("EMMA\n\nBy Jane Austen\n"));
  if (const char* out = std::getenv("FANION_AUSTEN_TEXT")) write_text(out, text);
}
