// A text, under a list of merges that reach across several bytes, spaces and UTF-8.
#include <common/bpe.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trainers::byte_pair_encoding e = [] {
    const fuzz::memory_file file(
        "#version: 0.2\n"
        "a a\naa aa\naa a\nt h\nth e\n\u0120 the\n\u0120 \u0120\n\u0120\u0120 \u0120\u0120\n"
        "\u00c3 \u00a9\n1 2\n12 12\n' s\n\u010a \u010a\n");
    return trainers::byte_pair_encoding(file.path());
  }();
  const std::string_view text = fuzz::text_of(data, size);
  const auto tokens = e.encode(text);
  fuzz::expect(tokens.size() <= text.size());
  fuzz::expect(e.decode(tokens) == text);
  return 0;
}
