#include <common/cifar.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

#include <utility>

using namespace trainers;
using namespace trainer_tests;

namespace {

/// Records whose red, green and blue planes start with the label, 100 + label and 200 + label.
std::vector<std::uint8_t> records(const std::vector<std::uint8_t>& labels) {
  std::vector<std::uint8_t> out;
  for (const std::uint8_t label : labels) {
    std::vector<std::uint8_t> record(1 + cifar_pixels, 50);
    record[0] = label;
    record[1] = label;
    record[1 + 1024] = static_cast<std::uint8_t>(100 + label);
    record[1 + 2048] = static_cast<std::uint8_t>(200 + label);
    out.insert(out.end(), record.begin(), record.end());
  }
  return out;
}

/// CIFAR-100: records of a coarse and a fine label whose red plane starts with the sum of both.
std::vector<std::uint8_t> fine_records(
    const std::vector<std::pair<std::uint8_t, std::uint8_t>>& coarse_and_fine) {
  std::vector<std::uint8_t> out;
  for (const auto& [coarse, fine] : coarse_and_fine) {
    std::vector<std::uint8_t> record(2 + cifar_pixels, 50);
    record[0] = coarse;
    record[1] = fine;
    record[2] = static_cast<std::uint8_t>(coarse + fine);
    record[2 + 3071] = 201;
    out.insert(out.end(), record.begin(), record.end());
  }
  return out;
}

}  // namespace

TEST_CASE("the five batches and the test batch are read in order") {
  const scratch_folder folder;
  for (std::uint8_t b = 1; b <= 5; ++b)
    write_bytes(folder / ("data_batch_" + std::to_string(b) + ".bin"),
                records({b, static_cast<std::uint8_t>(b + 1)}));
  write_bytes(folder / "test_batch.bin", records({0, 9, 3}));

  const image_set train = read_cifar10(folder.path(), "train");
  CHECK(train.labels == std::vector<std::uint8_t>{1, 2, 2, 3, 3, 4, 4, 5, 5, 6});
  CHECK(train.classes == 10);
  CHECK(train.features() == 3072);
  CHECK(train.pixels.size() == 10 * 3072);
  CHECK(train.image(9)[0] == 6);
  CHECK(train.image(9)[1024] == 106);
  CHECK(train.image(9)[2048] == 206);
  CHECK(read_cifar10(folder.path(), "test").labels == std::vector<std::uint8_t>{0, 9, 3});
}

TEST_CASE("a bad CIFAR file is named together with its fault") {
  const scratch_folder folder;
  const auto read = [&] { return read_cifar10(folder.path(), "test"); };
  CHECK(contains(message_of(read), "test_batch.bin: no such file"));
  CHECK(
      contains(message_of([&] { return read_cifar10(folder / "no", "test"); }), "no such folder"));

  auto bytes = records({1, 2});
  bytes.pop_back();
  write_bytes(folder / "test_batch.bin", bytes);
  CHECK(contains(message_of(read), "test_batch.bin: 6145 bytes, expected records of 3073"));
  write_bytes(folder / "test_batch.bin", {});
  CHECK(contains(message_of(read), "0 bytes"));
  write_bytes(folder / "test_batch.bin", records({1, 10}));
  CHECK(contains(message_of(read), "record 1 has label 10, expected 0 to 9"));
  write_bytes(folder / "data_batch_1.bin", records({1}));
  CHECK(contains(message_of([&] { return read_cifar10(folder.path(), "train"); }),
                 "data_batch_2.bin: no such file"));
}

TEST_CASE("CIFAR-100 gives the label that is asked for") {
  const scratch_folder folder;
  using pairs = std::vector<std::pair<std::uint8_t, std::uint8_t>>;
  write_bytes(folder / "train.bin", fine_records(pairs{{0, 0}, {19, 99}, {4, 40}}));
  write_bytes(folder / "test.bin", fine_records(pairs{{3, 70}}));

  const image_set fine = read_cifar100(folder.path(), "train");
  CHECK(fine.labels == std::vector<std::uint8_t>{0, 99, 40});
  CHECK(fine.classes == 100);
  CHECK(fine.pixels.size() == 3 * 3072);
  CHECK(fine.image(1)[0] == 118);
  CHECK(fine.image(1)[3071] == 201);
  const image_set coarse = read_cifar100(folder.path(), "train", cifar100_label::coarse);
  CHECK(coarse.labels == std::vector<std::uint8_t>{0, 19, 4});
  CHECK(coarse.classes == 20);
  CHECK(coarse.pixels == fine.pixels);
  CHECK(read_cifar100(folder.path(), "test").labels == std::vector<std::uint8_t>{70});
  CHECK(slice(fine, 1, 1).classes == 100);
  CHECK(resized(fine, 8, 8).classes == 100);
}

TEST_CASE("a bad CIFAR-100 file is named together with its fault") {
  const scratch_folder folder;
  using pairs = std::vector<std::pair<std::uint8_t, std::uint8_t>>;
  const auto read = [&] { return read_cifar100(folder.path(), "test", cifar100_label::coarse); };
  CHECK(contains(message_of(read), "test.bin: no such file"));
  CHECK(
      contains(message_of([&] { return read_cifar100(folder / "no", "test"); }), "no such folder"));
  write_bytes(folder / "test.bin", records({1, 2}));  // CIFAR-10
  CHECK(contains(message_of(read), "test.bin: 6146 bytes, expected records of 3074"));
  write_bytes(folder / "test.bin", fine_records(pairs{{1, 2}, {20, 2}}));
  CHECK(contains(message_of(read), "record 1 has coarse label 20, expected 0 to 19"));
  write_bytes(folder / "test.bin", fine_records(pairs{{1, 100}}));
  CHECK(contains(message_of(read), "record 0 has fine label 100, expected 0 to 99"));
}
