/// @file  What the fuzzers share: an input as a file, and the one kind of exception that is right.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fuzz {

/// A file in memory with a path, for readers that take one.
class memory_file {
 public:
  explicit memory_file(std::string_view bytes) : descriptor_(::memfd_create("input", 0)) {
    if (descriptor_ < 0) std::abort();
    while (!bytes.empty()) {
      const ::ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
      if (wrote <= 0) std::abort();
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  ~memory_file() { ::close(descriptor_); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;

  [[nodiscard]] std::filesystem::path path() const {
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the program, which the fuzzer reports, unless the condition holds.
inline void expect(bool holds) {
  if (!holds) std::abort();
}

/// Lets `read` refuse its input, with a message. Whatever else it throws ends the program.
template <class F>
void may_refuse(F&& read) {
  try {
    read();
  } catch (const std::runtime_error& error) {
    expect(!std::string_view(error.what()).empty());
  }
}

}  // namespace fuzz
