/// @file  A fixed team of threads that each take one shard of every batch.
#pragma once

#include <fanion/core/contract.hpp>

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace trainers {

using fanion::index_t;

/// Half-open range of one shard's items.
struct item_range {
  index_t first;
  index_t count;
};

/// The part of `items` that belongs to one of `shards`: contiguous, sizes differing by at most 1,
/// and a function of the numbers alone, so that the same thread count gives the same sums.
[[nodiscard]] constexpr item_range shard_of(index_t items, index_t shard, index_t shards) noexcept {
  const index_t first = items * shard / shards;
  return {first, items * (shard + 1) / shards - first};
}

/// Runs one function per shard, shard 0 on the calling thread. Which thread has which shard never
/// changes, so results that are combined in shard order do not depend on timing. Use from one
/// thread at a time.
class shard_team {
 public:
  /// @throws std::invalid_argument unless count >= 1.
  explicit shard_team(index_t count)
      : errors_(static_cast<std::size_t>(fanion::expects_at_least(count, 1, "shard_team: count"))) {
    for (index_t shard = 1; shard < count; ++shard)
      workers_.emplace_back([this, shard] { serve(shard); });
  }
  ~shard_team() {
    {
      const std::lock_guard hold(mutex_);
      closing_ = true;
    }
    start_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  shard_team(const shard_team&) = delete;
  shard_team& operator=(const shard_team&) = delete;

  [[nodiscard]] index_t count() const noexcept { return static_cast<index_t>(errors_.size()); }

  /// work(0), …, work(count() - 1), and waits. What a shard throws is thrown here afterwards,
  /// the lowest shard's first.
  void run(const std::function<void(index_t)>& work) {
    {
      const std::lock_guard hold(mutex_);
      work_ = &work;
      ++round_;
      pending_ = count() - 1;
    }
    start_.notify_all();
    attempt(0);
    std::unique_lock hold(mutex_);
    done_.wait(hold, [this] { return pending_ == 0; });
    for (std::exception_ptr& error : errors_)
      if (error) {
        const std::exception_ptr first = error;
        for (std::exception_ptr& e : errors_) e = nullptr;
        std::rethrow_exception(first);
      }
  }

 private:
  void attempt(index_t shard) noexcept {
    try {
      (*work_)(shard);
    } catch (...) {
      errors_[static_cast<std::size_t>(shard)] = std::current_exception();
    }
  }

  void serve(index_t shard) {
    for (index_t seen = 0;;) {
      {
        std::unique_lock hold(mutex_);
        start_.wait(hold, [&] { return closing_ || round_ != seen; });
        if (closing_) return;
        seen = round_;
      }
      attempt(shard);
      const std::lock_guard hold(mutex_);
      if (--pending_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(index_t)>* work_ = nullptr;
  index_t round_ = 0;
  index_t pending_ = 0;
  bool closing_ = false;
  std::vector<std::exception_ptr> errors_;  ///< one a shard
  std::vector<std::thread> workers_;        ///< last: the threads use all of the above
};

}  // namespace trainers
