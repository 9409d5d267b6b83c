/// @file  A file's bytes in memory without a copy: mapped, and read by the system when touched.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace trainers {

/// A whole file, read-only. Whoever shortens the file meanwhile ends this program (SIGBUS).
class mapped_file {
 public:
  /// @throws std::runtime_error naming the file: missing, not a file, empty, not to be mapped.
  explicit mapped_file(const std::filesystem::path& path) {
    const auto refuse = [&](const std::string& what) {
      throw std::runtime_error(path.string() + ": " + what);
    };
    const auto reason = [] { return std::generic_category().message(errno); };
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) refuse("cannot be opened: " + reason());
    struct ::stat about {};
    const bool known = ::fstat(descriptor, &about) == 0;
    if (known && S_ISREG(about.st_mode) && about.st_size > 0) {
      size_ = static_cast<std::size_t>(about.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    }
    const std::string why = reason();
    ::close(descriptor);  // the mapping keeps the file
    if (!known) refuse("cannot be examined: " + why);
    if (!S_ISREG(about.st_mode)) refuse("not a file");
    if (size_ == 0) refuse("empty");
    if (data_ == MAP_FAILED) refuse("cannot be mapped: " + why);
  }
  ~mapped_file() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  mapped_file(mapped_file&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  /// Starts at a page.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(data_), size_};
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace trainers
