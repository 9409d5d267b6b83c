#include <common/atomic_file.hpp>
#include <trainers/files.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <cstring>

using namespace trainers;
using namespace trainer_tests;

namespace {

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// While it lives, no file of this process may grow beyond `bytes`: a disk that is full.
class small_disk {
 public:
  explicit small_disk(::rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const ::rlimit limit{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~small_disk() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

 private:
  ::rlimit old_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("a file is made, replaced and left alone in its folder") {
  const scratch_folder folder;
  const auto path = folder / "a.bin";
  for (const std::string& text : {std::string("first"), std::string(100000, 'x'), std::string()}) {
    write_atomically(path, text);
    CHECK(text_of(path) == text);
    CHECK(entries(folder.path()) == 1);
  }
}

TEST_CASE("pieces are appended, and the old file stands until all of them are there") {
  const scratch_folder folder;
  const auto path = folder / "a.bin";
  write_atomically(path, "old");
  {
    atomic_file file(path);
    file.write(bytes_of("ne"));
    file.write({});
    file.write(bytes_of("wer"));
    CHECK(text_of(path) == "old");
    CHECK(entries(folder.path()) == 2);
    atomic_file other(path);  // a second one under way does not disturb the first
    other.write(bytes_of("unrelated"));
    file.commit();
  }
  CHECK(text_of(path) == "newer");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("what is not committed leaves nothing behind") {
  const scratch_folder folder;
  write_atomically(folder / "a.bin", "old");
  { atomic_file(folder / "a.bin").write(bytes_of("new")); }
  { atomic_file(folder / "b.bin").write(bytes_of("new")); }
  CHECK(text_of(folder / "a.bin") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a failure names the file and the reason, and leaves the old file") {
  const scratch_folder folder;
  const auto path = folder / "a.bin";
  write_atomically(path, "old");
  std::string said;
  {
    const small_disk full(1000);
    said = message_of([&] { write_atomically(path, std::string(5000, 'x')); });
  }
  CHECK(said == path.string() + ": cannot be written: " + std::strerror(EFBIG));
  CHECK(text_of(path) == "old");
  CHECK(entries(folder.path()) == 1);

  const auto lost = folder / "no" / "a.bin";
  CHECK(message_of([&] { write_atomically(lost, "x"); }) ==
        lost.string() + ": no temporary file beside it: " + std::strerror(ENOENT));

  std::filesystem::create_directory(folder / "taken");
  CHECK(message_of([&] { write_atomically(folder / "taken", "x"); }) ==
        (folder / "taken").string() + ": cannot be replaced: " + std::strerror(EISDIR));
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("rights are those of the old file, or of any new file") {
  const scratch_folder folder;
  const auto path = folder / "a.bin";
  using std::filesystem::perms;
  const auto rights = [&] { return std::filesystem::status(path).permissions(); };
  write_bytes(folder / "plain", {});
  write_atomically(path, "x");
  CHECK(rights() == std::filesystem::status(folder / "plain").permissions());
  std::filesystem::permissions(path, perms::owner_read | perms::owner_write | perms::group_read);
  write_atomically(path, "y");
  CHECK(rights() == (perms::owner_read | perms::owner_write | perms::group_read));
}

TEST_CASE("a path without a folder means the current one") {
  const scratch_folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const std::string said = message_of([] { write_atomically("a.bin", "here"); });
  std::filesystem::current_path(before);
  CHECK(said.empty());
  CHECK(text_of(folder / "a.bin") == "here");
}
