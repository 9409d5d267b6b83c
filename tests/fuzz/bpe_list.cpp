// A list of merges, and what it makes of a text.
#include <common/bpe.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string list = "#version: 0.2\n" + std::string(fuzz::text_of(data, size));
  for (const std::string& text : {list, list.substr(14)}) {
    const fuzz::memory_file file(text);
    fuzz::may_refuse([&] {
      const trainers::byte_pair_encoding e(file.path());
      const auto tokens = e.encode(text);
      fuzz::expect(tokens.size() <= text.size());
      fuzz::expect(e.decode(tokens) == text);
    });
  }
  return 0;
}
