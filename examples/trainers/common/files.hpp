/// @file  Text made by a format, and the folders and files that a program leaves.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace trainers {

/// printf's formatting into a string.
template <class... Args>
[[nodiscard]] std::string formatted(const char* format, Args... args) {
  const int size = std::snprintf(nullptr, 0, format, args...);
  std::string text(static_cast<std::size_t>(size), '\0');
  std::snprintf(text.data(), text.size() + 1, format, args...);
  return text;
}

/// @throws std::runtime_error naming flag and folder if it is not there and cannot be made.
inline void make_folder(const char* flag, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder))
    throw std::runtime_error(flag + (" " + folder.string()) + ": cannot be made: " +
                             (error ? error.message() : "something else has that name"));
}

/// @throws std::runtime_error naming the file if it cannot be written.
inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error(path.string() + ": cannot be written (--out)");
}

}  // namespace trainers
