#include <common/idx.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

using byte_list = std::vector<std::uint8_t>;

/// An IDX file: magic, sizes, data.
byte_list idx(std::uint8_t dimensions, const std::vector<std::uint32_t>& sizes,
              const byte_list& data) {
  byte_list out = {0, 0, 8, dimensions};
  for (const std::uint32_t s : sizes)
    for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(s >> shift));
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

void write_gzip(const std::filesystem::path& path, const byte_list& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

const byte_list two_images = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

}  // namespace

TEST_CASE("an IDX file is read plain and gzipped") {
  const scratch_folder folder;
  const byte_list bytes = idx(3, {2, 2, 3}, two_images);
  write_bytes(folder / "plain", bytes);
  write_gzip(folder / "packed.gz", bytes);
  for (const char* name : {"plain", "packed.gz"}) {
    const idx_array a = read_idx(folder / name, 3);
    CHECK(a.shape == std::vector<index_t>{2, 2, 3});
    CHECK(a.bytes == two_images);
  }
}

TEST_CASE("sizes are big-endian") {
  const scratch_folder folder;
  const byte_list data(70000, 3);
  write_gzip(folder / "long.gz", idx(1, {70000}, data));
  CHECK(read_idx(folder / "long.gz", 1).bytes == data);
}

TEST_CASE("a bad IDX file is named together with its fault") {
  const scratch_folder folder;
  struct row {
    const char* name;
    byte_list bytes;
    const char* fault;
  };
  byte_list wrong_magic = idx(3, {2, 2, 3}, two_images);
  wrong_magic[2] = 9;
  const byte_list good = idx(3, {2, 2, 3}, two_images);
  for (const row& r : std::vector<row>{
           {"magic", wrong_magic, "magic number 0x903, expected 0x803"},
           {"dimensions", idx(1, {12}, two_images), "magic number 0x801, expected 0x803"},
           {"empty", {}, "truncated in its magic number"},
           {"header", byte_list(good.begin(), good.begin() + 10), "truncated in its header"},
           {"data", byte_list(good.begin(), good.end() - 1), "truncated: 11 of 12 bytes"},
           {"long", idx(3, {2, 2, 2}, two_images), "more data than its header promises"},
           {"huge", idx(3, {4294967295U, 4294967295U, 2}, {}), "promises more than 4 GiB"}}) {
    CAPTURE(r.name);
    write_bytes(folder / r.name, r.bytes);
    const std::string said = message_of([&] { return read_idx(folder / r.name, 3); });
    CAPTURE(said);
    CHECK(contains(said, (folder / r.name).string()));
    CHECK(contains(said, r.fault));
  }
  CHECK(contains(message_of([&] { return read_idx(folder / "absent", 3); }), "no such file"));
}

TEST_CASE("a damaged or truncated gzip stream is refused") {
  const scratch_folder folder;
  byte_list noise(5000);
  for (std::size_t i = 0; i < noise.size(); ++i)
    noise[i] = static_cast<std::uint8_t>(fanion::mix_bits(i));
  write_gzip(folder / "whole.gz", idx(1, {5000}, noise));
  byte_list packed(static_cast<std::size_t>(std::filesystem::file_size(folder / "whole.gz")));
  std::ifstream(folder / "whole.gz", std::ios::binary)
      .read(reinterpret_cast<char*>(packed.data()), static_cast<std::streamsize>(packed.size()));
  write_bytes(folder / "short.gz", byte_list(packed.begin(), packed.begin() + 2000));
  CHECK(contains(message_of([&] { return read_idx(folder / "short.gz", 1); }), "short.gz: "));
  packed[packed.size() - 6] ^= 0xff;  // the checksum at the end
  write_bytes(folder / "damaged.gz", packed);
  CHECK(contains(message_of([&] { return read_idx(folder / "damaged.gz", 1); }),
                 "damaged.gz: damaged"));
}

TEST_CASE("images and labels are put together, and faults between them found") {
  const scratch_folder folder;
  const auto images = [&] { return read_mnist(folder.path(), "t"); };
  CHECK(contains(message_of(images), "holds neither t-images-idx3-ubyte nor"));
  write_bytes(folder / "t-images-idx3-ubyte", idx(3, {2, 2, 3}, two_images));
  CHECK(contains(message_of(images), "holds neither t-labels-idx1-ubyte nor"));
  write_gzip(folder / "t-labels-idx1-ubyte.gz", idx(1, {2}, {9, 4}));
  const image_set set = images();
  CHECK(set.size() == 2);
  CHECK(set.features() == 6);
  CHECK(set.image(1)[0] == 7);
  CHECK(set.labels == byte_list{9, 4});

  write_gzip(folder / "t-labels-idx1-ubyte.gz", idx(1, {3}, {9, 4, 1}));
  CHECK(contains(message_of(images), "3 labels for 2 images"));
  write_gzip(folder / "t-labels-idx1-ubyte.gz", idx(1, {2}, {9, 10}));
  CHECK(contains(message_of(images), "label 10, expected 0 to 9"));
  CHECK(contains(message_of([&] { return read_mnist(folder / "no", "t"); }), "no such folder"));
}

TEST_CASE("resizing keeps constants, corners and linear ramps") {
  image_set ramp{3, 4, 1, {}, {0}};
  for (int i = 0; i < 12; ++i) ramp.pixels.push_back(static_cast<std::uint8_t>(10 * (i % 4)));
  const image_set wide = resized(ramp, 6, 8);
  REQUIRE(wide.features() == 48);
  CHECK(wide.pixels[0] == 0);
  CHECK(wide.pixels[47] == 30);
  CHECK(wide.pixels[1] == 3);  // a quarter of the way from 0 to 10, rounded
  CHECK(resized(ramp, 3, 4).pixels == ramp.pixels);
}

TEST_CASE("the pixel scale is the mean and the deviation") {
  const image_set images{1, 2, 1, {0, 10, 20, 30}, {0, 1}};
  CHECK(scale_of(images).mean == doctest::Approx(15));
  CHECK(scale_of(images).deviation == doctest::Approx(std::sqrt(125.0)));
  const image_set flat{1, 2, 1, {7, 7}, {0}};
  CHECK(scale_of(flat).deviation == 1.0f);
}
