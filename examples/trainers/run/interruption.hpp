/// @file  SIGINT and SIGTERM as a question that a loop asks.
#pragma once

#include <csignal>
#include <stdexcept>

namespace trainers {

namespace detail {
// A signal handler can reach nothing else.
inline volatile std::sig_atomic_t signal_seen = 0;
}  // namespace detail

/// Thrown by a run, once its checkpoint is written, because a signal asked the program to end. A
/// run that tunes has no checkpoint.
struct interrupted : std::runtime_error {
  explicit interrupted(bool resumable)
      : std::runtime_error(resumable ? "interrupted; --resume goes on from here"
                                     : "interrupted; nothing is kept of what was tuned") {}
};

/// From now on the first SIGINT or SIGTERM is remembered, and a second one ends the program.
inline void watch_signals() {
  const auto remember = [](int number) {
    detail::signal_seen = 1;
    std::signal(number, SIG_DFL);
  };
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
}

[[nodiscard]] inline bool signal_seen() { return detail::signal_seen != 0; }

}  // namespace trainers
