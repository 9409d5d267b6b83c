// Two files of tokens, as one stream read from end to end in small windows.
#include <common/tokens.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all = fuzz::text_of(data + 1, size - 1);
  const std::size_t cut = all.size() * data[0] / 255;
  const fuzz::memory_file first(all.substr(0, cut));
  const fuzz::memory_file second(all.substr(cut));
  fuzz::may_refuse([&] {
    const trainers::token_stream stream(
        std::vector<std::filesystem::path>{first.path(), second.path()}, 50257);
    fuzz::expect(stream.size() >= 2 && stream.size() <= static_cast<trainers::index_t>(size / 2));
    std::uint16_t window[5];
    for (trainers::index_t i = 0; i + 5 <= stream.size(); ++i) {
      stream.read(i, window);
      for (const std::uint16_t token : window) fuzz::expect(token < 50257);
    }
    stream.read(stream.size() - 2, window);  // refused: it would read beyond the end
    fuzz::expect(false);
  });
  return 0;
}
