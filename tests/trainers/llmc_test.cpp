#include <common/llmc.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace trainers;
using namespace trainer_tests;

namespace {

const gpt_shape small{2, 5, 8, 2, 2, 4};

using word_list = std::vector<std::int32_t>;

/// A checkpoint: the leading words of the header, then the data.
template <class T>
std::vector<std::uint8_t> file_of(word_list header, const std::vector<T>& data) {
  header.resize(256);
  std::vector<std::uint8_t> out(1024 + data.size() * sizeof(T));
  std::memcpy(out.data(), header.data(), 1024);
  if (!data.empty()) std::memcpy(out.data() + 1024, data.data(), data.size() * sizeof(T));
  return out;
}

std::vector<float> ramp(index_t count) {
  std::vector<float> x;
  for (index_t i = 0; i < count; ++i) x.push_back(0.5f * static_cast<float>(i) - 3);
  return x;
}

}  // namespace

TEST_CASE("parameters are counted tensor by tensor") {
  const index_t c = small.width;
  index_t layer = 0;
  for (const index_t tensor :
       {c, c, 3 * c * c, 3 * c, c * c, c, c, c, 4 * c * c, 4 * c, 4 * c * c, c})
    layer += tensor;
  CHECK(parameter_count(small) == 8 * c + 2 * c + 2 * layer + 2 * c);
}

TEST_CASE("what is written is read back to the bit") {
  const scratch_folder folder;
  std::vector<float> x = ramp(parameter_count(small));
  x[0] = std::numeric_limits<float>::quiet_NaN();
  x[1] = -std::numeric_limits<float>::infinity();
  x[2] = -0.0f;
  x[3] = std::numeric_limits<float>::denorm_min();
  write_llmc(folder / "m.bin", small, x);
  const llmc_checkpoint got = read_llmc(folder / "m.bin");
  CHECK(got.shape == small);
  REQUIRE(got.parameters.size() == x.size());
  CHECK(std::memcmp(got.parameters.data(), x.data(), x.size() * sizeof(float)) == 0);
  CHECK(std::filesystem::file_size(folder / "m.bin") == 1024 + 4 * x.size());
}

TEST_CASE("the header is llm.c's") {
  const scratch_folder folder;
  write_llmc(folder / "m.bin", small, ramp(parameter_count(small)));
  const std::string text = text_of(folder / "m.bin");
  word_list header(256);
  std::memcpy(header.data(), text.data(), 1024);
  word_list expected = {20240326, 3, 2, 5, 2, 2, 4, 8};
  expected.resize(256);
  CHECK(header == expected);
}

TEST_CASE("version 1 has no padding, version 5 has bfloat16") {
  const scratch_folder folder;
  const gpt_shape bare{2, 5, 5, 2, 2, 4};
  const std::vector<float> x = ramp(parameter_count(bare));
  write_bytes(folder / "1.bin", file_of(word_list{20240326, 1, 2, 5, 2, 2, 4, 0}, x));
  CHECK(read_llmc(folder / "1.bin").shape == bare);
  CHECK(read_llmc(folder / "1.bin").parameters == x);

  std::vector<std::uint16_t> halves(static_cast<std::size_t>(parameter_count(small)), 0x3f80);
  halves[1] = 0xc040;
  halves[2] = 0x7f80;
  halves.back() = 0x0001;
  write_bytes(folder / "5.bin", file_of(word_list{20240326, 5, 2, 5, 2, 2, 4, 8}, halves));
  const llmc_checkpoint got = read_llmc(folder / "5.bin");
  CHECK(got.shape == small);
  REQUIRE(got.parameters.size() == halves.size());
  CHECK(got.parameters[0] == 1.0f);
  CHECK(got.parameters[1] == -3.0f);
  CHECK(std::isinf(got.parameters[2]));
  CHECK(got.parameters.back() == std::ldexp(1.0f, -133));
}

TEST_CASE("bfloat16 beyond one piece of the reader") {
  const scratch_folder folder;
  const gpt_shape wide{1, 1, 9000, 1, 1, 8};
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(parameter_count(wide)));
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i % 30000);
  REQUIRE(halves.size() > 65536);
  write_bytes(folder / "5.bin", file_of(word_list{20240326, 5, 1, 1, 1, 1, 8, 9000}, halves));
  const llmc_checkpoint got = read_llmc(folder / "5.bin");
  REQUIRE(got.parameters.size() == halves.size());
  bool same = true;
  for (std::size_t i = 0; i < halves.size(); ++i)
    same = same && std::bit_cast<std::uint32_t>(got.parameters[i]) == std::uint32_t(halves[i])
                                                                          << 16;
  CHECK(same);
}

TEST_CASE("a bad checkpoint is named together with its fault") {
  const scratch_folder folder;
  const std::vector<float> x = ramp(parameter_count(small));
  std::vector<std::uint8_t> cut = file_of(word_list{20240326, 3, 2, 5, 2, 2, 4, 8}, x);
  cut.pop_back();
  struct row {
    const char* name;
    std::vector<std::uint8_t> bytes;
    const char* fault;
  };
  const auto with = [&](const word_list& header) { return file_of(header, x); };
  constexpr std::int32_t most = 0x7fffffff;
  for (const row& r : std::vector<row>{
           {"empty", {}, "0 bytes, expected a header of 1024"},
           {"header", std::vector<std::uint8_t>(1023), "1023 bytes, expected a header of 1024"},
           {"magic", with({20240327, 3, 2, 5, 2, 2, 4, 8}), "magic number 20240327, expected"},
           {"version", with({20240326, 2, 2, 5, 2, 2, 4, 8}), "version 2, expected 1, 3 or 5"},
           {"context", with({20240326, 3, 0, 5, 2, 2, 4, 8}), "context 0, expected 1 to"},
           {"layers", with({20240326, 3, 2, 5, -2, 2, 4, 8}), "layers -2, expected 1 to"},
           {"heads", with({20240326, 3, 2, 5, 2, 0, 4, 8}), "heads 0, expected 1 to"},
           {"multiple", with({20240326, 3, 2, 5, 2, 3, 4, 8}), "width 4 is no multiple of 3 heads"},
           {"padding", with({20240326, 3, 2, 5, 2, 2, 4, 4}),
            "padded vocabulary 4 below vocabulary 5"},
           {"cut", cut, "after the header, expected 536 parameters of 4"},
           {"long", with({20240326, 3, 1, 5, 2, 2, 4, 8}), "expected 532 parameters of 4"},
           {"halves", with({20240326, 5, 2, 5, 2, 2, 4, 8}), "expected 536 parameters of 2"},
           {"widest", with({20240326, 3, 2, 5, 2, 2, most, 8}), "width 2147483647, expected 1 to"},
           {"huge", with({20240326, 3, 1 << 30, 1 << 30, 1 << 16, 1, 1 << 20, 1 << 30}),
            "parameters of 4"}}) {
    CAPTURE(r.name);
    write_bytes(folder / r.name, r.bytes);
    const std::string said = message_of([&] { (void)read_llmc(folder / r.name); });
    CAPTURE(said);
    CHECK(contains(said, (folder / r.name).string() + ": "));
    CHECK(contains(said, r.fault));
  }
  CHECK(contains(message_of([&] { (void)read_llmc(folder / "no"); }), "no such file"));
}

TEST_CASE("what cannot be a checkpoint is not written, and the old file stands") {
  const scratch_folder folder;
  const auto path = folder / "m.bin";
  write_llmc(path, small, ramp(parameter_count(small)));
  const std::string before = text_of(path);
  CHECK(contains(message_of([&] { write_llmc(path, small, ramp(3)); }),
                 "m.bin: 3 parameters, expected 536"));
  gpt_shape wrong = small;
  wrong.heads = 3;
  CHECK(contains(message_of([&] { write_llmc(path, wrong, ramp(parameter_count(small))); }),
                 "no multiple of 3 heads"));
  CHECK(text_of(path) == before);
}
