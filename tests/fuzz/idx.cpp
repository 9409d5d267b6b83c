// An IDX file of 1 or 3 dimensions, gzipped or not.
#include <common/idx.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::memory_file file(fuzz::text_of(data, size));
  for (const trainers::index_t dimensions : {1, 3})
    fuzz::may_refuse([&] {
      const trainers::idx_array array = trainers::read_idx(file.path(), dimensions);
      trainers::index_t total = 1;
      for (const trainers::index_t side : array.shape) total *= side;
      fuzz::expect(static_cast<std::size_t>(total) == array.bytes.size());
    });
  return 0;
}
