#include <run/momenta.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

#include <cstring>

using namespace trainers;
using namespace trainer_tests;

TEST_CASE("a recording is a header and the momenta, one a step, up to the limit") {
  const scratch_folder folder;
  Eigen::MatrixXf g(2, 3);
  g << 1, 2, 3, 4, 5, 6;
  {
    momentum_recorder record(folder / "m", 2);
    record.add(g);
    CHECK_FALSE(record.full());
    record.add(2 * g);
    CHECK(record.full());
    record.add(g);  // beyond the limit: ignored
  }
  std::vector<char> bytes(static_cast<std::size_t>(std::filesystem::file_size(folder / "m")));
  REQUIRE(bytes.size() == 8 + 3 * 8 + 2 * 6 * 4);
  std::ifstream(folder / "m", std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  CHECK(std::string(bytes.data(), 8) == "FANMOM01");
  std::int64_t head[3];
  std::memcpy(head, bytes.data() + 8, sizeof head);
  CHECK(head[0] == 2);
  CHECK(head[1] == 3);
  CHECK(head[2] == 2);
  float m[12];
  std::memcpy(m, bytes.data() + 32, sizeof m);
  // M1 = 0.05 G, M2 = 0.95 M1 + 0.05 (2 G) = 0.1475 G; column-major: 1 4 2 5 3 6.
  CHECK(m[1] == doctest::Approx(0.05 * 4));
  CHECK(m[2] == doctest::Approx(0.05 * 2));
  CHECK(m[6] == doctest::Approx(0.1475 * 1));
  CHECK(m[11] == doctest::Approx(0.1475 * 6));
}

TEST_CASE("a recording that cannot be written is named") {
  const scratch_folder folder;
  const std::string said = message_of([&] { momentum_recorder record(folder / "no" / "m", 1); });
  CHECK(contains(said, (folder / "no" / "m").string()));
  CHECK(contains(said, "--record"));
}
