// A vocabulary from the first half of a text, the second half encoded by it.
#include <common/text.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::memory_file file(fuzz::text_of(data, size));
  fuzz::may_refuse([&] {
    const std::string text = trainers::read_text(file.path());
    fuzz::expect(text == fuzz::text_of(data, size));
    const trainers::character_vocabulary all(text);
    fuzz::expect(all.decode(all.encode(text)) == text);
    const trainers::character_vocabulary half(text.substr(0, size / 2));
    const std::string rest = text.substr(size / 2);
    fuzz::expect(half.decode(half.encode(rest)) == rest);
  });
  return 0;
}
