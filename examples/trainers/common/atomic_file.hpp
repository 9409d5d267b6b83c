/// @file  A file that is replaced whole or not at all.
///
/// The bytes go to a temporary file in the same folder, which takes the name only once they are on
/// the disk. Whoever opens the name, at any time and after any crash, finds the old file or the
/// new one.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace trainers {

/// A file under way to its name. Bytes are appended by write(); commit() gives it the name. One
/// that is destroyed before that leaves neither a temporary file nor a change to the old one.
class atomic_file {
 public:
  /// Opens `<path>.tmp-<process>-<number>`, a name that nothing has.
  /// @throws std::runtime_error naming the path and the reason.
  explicit atomic_file(std::filesystem::path path) : path_(std::move(path)) {
    for (int number = 0; descriptor_ < 0; ++number) {
      temporary_ =
          path_.string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(number);
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno != EEXIST) refuse("no temporary file beside it");
    }
  }
  ~atomic_file() { discard(); }
  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;

  /// @throws std::runtime_error naming the path and the reason.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ::ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) refuse("cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
  }

  /// Waits for the disk, then replaces what had the name: a file, whose rights it takes over, or
  /// a symbolic link, not what that points at. Nothing may be written afterwards.
  /// @throws std::runtime_error naming the path and the reason; the old file is then untouched,
  ///         unless only the folder did not reach the disk.
  void commit() {
    struct ::stat old {};
    if (::stat(path_.c_str(), &old) == 0 && ::fchmod(descriptor_, old.st_mode & 0777) != 0)
      refuse("its rights cannot be kept");
    if (::fsync(descriptor_) != 0) refuse("does not reach the disk");
    if (::close(std::exchange(descriptor_, -1)) != 0) refuse("cannot be closed");
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) refuse("cannot be replaced");
    temporary_.clear();
    sync_folder();
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    const int reason = errno;
    throw std::runtime_error(path_.string() + ": " + what + ": " +
                             std::generic_category().message(reason));
  }

  /// A rename is on the disk only once its folder is. A file system that cannot do that for a
  /// folder says EINVAL, and has nothing to wait for.
  void sync_folder() const {
    const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) refuse("its folder cannot be opened");
    const int result = ::fsync(descriptor);
    const int reason = errno;
    ::close(descriptor);
    errno = reason;
    if (result != 0 && reason != EINVAL) refuse("its folder does not reach the disk");
  }

  void discard() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  std::filesystem::path path_;
  std::string temporary_;  ///< empty once it has taken its name
  int descriptor_ = -1;
};

/// Writes `bytes` as the whole file. @throws std::runtime_error naming the path and the reason.
inline void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  atomic_file file(path);
  file.write(bytes);
  file.commit();
}

inline void write_atomically(const std::filesystem::path& path, std::string_view text) {
  write_atomically(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace trainers
