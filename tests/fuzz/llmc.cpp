// A checkpoint of llm.c. The input is the header's eight words and the data, the zeros between them
// left out: a fuzzer then finds files whose size fits their header.
#include <common/llmc.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  std::string bytes(input.substr(0, 32));
  if (size >= 32) bytes.resize(1024);
  if (size >= 32) bytes += input.substr(32);
  const fuzz::memory_file file(bytes);
  fuzz::may_refuse([&] {
    const trainers::llmc_checkpoint c = trainers::read_llmc(file.path());
    fuzz::expect(static_cast<trainers::index_t>(c.parameters.size()) ==
                 trainers::parameter_count(c.shape));
    fuzz::expect(c.parameters.size() * 2 <= bytes.size());
  });
  return 0;
}
