// A file of CIFAR-10, and one of CIFAR-100. The input is the head of the records, and its first
// byte the number of bytes that follow it: a whole record is more than a fuzzer likes to carry.
#include <common/cifar.hpp>
#include <fuzz.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(fuzz::text_of(data + 1, size - 1));
  const trainers::detail::cifar_label labels[] = {{"coarse ", 20}, {"fine ", 100}};
  for (std::size_t count = 1; count <= 2; ++count) {
    const std::size_t record = count + std::size_t(trainers::cifar_pixels);
    bytes.resize(bytes.size() / record * record + (data[0] == 0 ? record : record + data[0] - 1));
    const fuzz::memory_file file(bytes);
    fuzz::may_refuse([&] {
      trainers::image_set images{32, 32, 3, {}, {}, 100};
      trainers::detail::append_cifar(file.path(), "CIFAR", {labels, count}, count - 1, images);
      fuzz::expect(images.pixels.size() == images.labels.size() * 3072);
      for (const std::uint8_t label : images.labels)
        fuzz::expect(label < labels[count - 1].classes);
    });
  }
  return 0;
}
