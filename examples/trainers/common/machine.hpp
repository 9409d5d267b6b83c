/// @file  What made the numbers: processor, compiler, versions.
#pragma once

#include <fanion/core/version.hpp>

#include <Eigen/Core>

#include <fstream>
#include <string>
#include <thread>

namespace trainers {

/// The processor's name as Linux gives it; empty elsewhere.
[[nodiscard]] inline std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      if (const std::size_t at = line.find(": "); at != std::string::npos)
        return line.substr(at + 2);
  return {};
}

/// How this program was called, as Linux remembers it; empty elsewhere.
[[nodiscard]] inline std::string command_line() {
  std::ifstream words("/proc/self/cmdline", std::ios::binary);
  std::string line;
  for (std::string word; std::getline(words, word, '\0');) {
    const bool plain = word.find_first_of(" '\"()*$&|<>;") == std::string::npos;
    line += (line.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return line;
}

[[nodiscard]] inline std::string describe_machine() {
  const auto n = [](int i) { return std::to_string(i); };
  return "fanion " + n(FANION_VERSION_MAJOR) + "." + n(FANION_VERSION_MINOR) + "." +
         n(FANION_VERSION_PATCH) + ", Eigen " + n(EIGEN_WORLD_VERSION) + "." +
         n(EIGEN_MAJOR_VERSION) + "." + n(EIGEN_MINOR_VERSION) + ", " +
#if defined(__clang__)
         "clang " __clang_version__
#else
         "g++ " __VERSION__
#endif
         + ", " + n(static_cast<int>(std::thread::hardware_concurrency())) + " x " +
         processor_name();
}

/// Text as a page or a terminal can show it: bytes below 32 but line breaks, and bytes that are no
/// UTF-8, become question marks.
[[nodiscard]] inline std::string printable(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    bool good = length > 0 && i + length <= text.size() && (lead >= 32 || lead == '\n');
    for (std::size_t k = 1; good && k < length; ++k)
      good = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
    out += good ? text.substr(i, length) : "?";
    i += good ? length : 1;
  }
  return out;
}

}  // namespace trainers
