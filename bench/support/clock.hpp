/// @file  Timing by interleaved rounds: what is compared runs in turn, so that a busy moment of the
/// machine hits all of it alike, and medians are taken at the end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace bench {

/// Runs from its construction.
class stopwatch {
 public:
  [[nodiscard]] double milliseconds() const {
    return std::chrono::duration<double, std::milli>(clock::now() - start_).count();
  }

 private:
  using clock = std::chrono::steady_clock;
  clock::time_point start_ = clock::now();
};

/// Milliseconds that f took.
template <class F>
double milliseconds(F&& f) {
  const stopwatch watch;
  f();
  return watch.milliseconds();
}

inline double median(std::vector<double> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

/// Overwrites more memory than the last-level cache holds, so that what follows starts cold, as an
/// optimizer does after a forward and a backward pass.
class cache_flush {
 public:
  void operator()() {
    for (std::size_t i = 0; i < memory_.size(); i += 16) memory_[i] += 1.0f;
  }

 private:
  std::vector<float> memory_ = std::vector<float>(std::size_t(24) << 20, 0.0f);
};

}  // namespace bench
