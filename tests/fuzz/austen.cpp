// An index and its novels. The first byte says how the rest is used: as the two files as they are,
// as an index to deflate, or as a novel to deflate, since no fuzzer guesses a zlib stream.
#include <common/austen.hpp>
#include <fuzz.hpp>

namespace {

std::string deflated(std::string_view plain) {
  std::string out(compressBound(plain.size()), '\0');
  uLongf size = out.size();
  fuzz::expect(compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                         reinterpret_cast<const Bytef*>(plain.data()), plain.size(), 1) == Z_OK);
  out.resize(size);
  return out;
}

void read(const std::string& index, std::string_view data) {
  const fuzz::memory_file index_file(index);
  const fuzz::memory_file data_file(data);
  fuzz::may_refuse([&] { (void)trainers::read_novels(index_file.path(), data_file.path()); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest = fuzz::text_of(data + 2, size - 2);
  const std::string_view head = rest.substr(0, rest.size() * data[1] / 255);
  const std::string_view tail = rest.substr(head.size());
  switch (data[0] % 3) {
    case 0:
      read(std::string(head), tail);
      break;
    case 1:
      read(deflated(head), tail);
      break;
    default:
      fuzz::may_refuse([&] {
        const std::string packed = deflated(rest);
        const std::string plain = trainers::detail::inflated("chunk", packed, rest.size());
        fuzz::expect(plain == rest);
        (void)trainers::detail::lines_of("chunk", plain);
      });
      fuzz::may_refuse([&] { (void)trainers::detail::inflated("chunk", rest, 1 << 16); });
  }
  return 0;
}
