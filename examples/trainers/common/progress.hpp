/// @file  What a long program says while it runs.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

namespace trainers {

/// On a terminal one line that is rewritten in place, at most ten times a second; elsewhere (a log
/// file, a pipe) only the lines that matter later. Usable from several threads.
class progress {
 public:
  explicit progress(std::FILE* out = stderr) : progress(out, isatty(fileno(out)) != 0) {}
  progress(std::FILE* out, bool terminal) : out_(out), terminal_(terminal) {}
  ~progress() { wipe(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// What is going on now; lost when something newer comes, never written to a file.
  void status(const std::string& text) {
    const std::lock_guard hold(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    std::fprintf(out_, "\r%s\033[K", text.substr(0, 118).c_str());
    std::fflush(out_);
    open_ = true;
  }

  /// A line that stays.
  void line(const std::string& text) {
    const std::lock_guard hold(mutex_);
    wipe();
    std::fprintf(out_, "%s\n", text.c_str());
    std::fflush(out_);
  }

 private:
  void wipe() {
    if (open_) std::fputs("\r\033[K", out_);
    open_ = false;
  }

  std::FILE* out_;
  bool terminal_;
  bool open_ = false;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace trainers
