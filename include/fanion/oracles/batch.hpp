/// @file  The oracle of many matrices of one shape in one call, on threads over the batch.
#pragma once

#include <fanion/backend/dense/threads.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/oracles/check_batch.hpp>
#include <fanion/oracles/plan.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace fanion {

/// The oracle of N's ball for `count` m x n matrices in the host's memory. Each stops by itself,
/// and its answer is bit for bit what a plan of its own would give, whatever the number of threads.
///
/// A method that starts from its last answer has a plan for each matrix; others have one for each
/// thread, whose memory stays in the cache. Movable, not copyable; one caller at a time.
template <LmoTractable N, Real T>
class lmo_batch_plan {
 public:
  using plan = lmo_plan<N, T, typename default_backend<host_space>::type>;

  /// @throws std::invalid_argument as lmo_plan, and unless count >= 0 and 1 <= threads <= 64.
  template <SpectralMethod Method>
  lmo_batch_plan(const N& n, index_t rows, index_t cols, index_t count, const Method& method,
                 index_t threads)
      : rows_(rows),
        cols_(cols),
        count_(expects_at_least(count, 0, "plan_lmo_batch: count")),
        threads_(expects_at_least(threads, 1, "plan_lmo_batch: threads")) {
    if (threads > dense::most_threads) refuse("plan_lmo_batch: threads", "at most 64", threads);
    threads_ = std::min(threads_, std::max<index_t>(1, count_));
    const auto make = [&] { return plan(n, rows, cols, false, method, {}); };
    plans_.push_back(make());
    remembers_ = plans_.front().keeps_subspace();
    const index_t plans = remembers_ ? std::max<index_t>(1, count_) : threads_;
    plans_.reserve(static_cast<std::size_t>(plans));
    while (static_cast<index_t>(plans_.size()) < plans) plans_.push_back(make());
  }

  [[nodiscard]] index_t count() const noexcept { return count_; }

  /// D[i] <- argmin { <M[i], X> : N(X) <= 1 }, and reports[i] says how good it is. Allocates
  /// nothing.
  /// @throws std::invalid_argument where a batch has another shape or count, `reports` another
  /// length, or a D[i] shares memory with an M[j] or another D[j]; nothing is written then.
  void execute(const batch_view<const T>& m, const batch_view<T>& d,
               std::span<lmo_report> reports) {
    check_batch(count_, rows_, cols_, m, d, reports.size());
    run([&](plan& p, index_t i) { reports[static_cast<std::size_t>(i)] = p.execute(m[i], d[i]); });
  }
  /// X[i] <- keep X[i] + rate D[i], with D[i] never formed where it has low rank.
  /// @throws std::invalid_argument as `execute`.
  void update(const batch_view<const T>& m, const batch_view<T>& x, double keep, double rate,
              std::span<lmo_report> reports) {
    check_batch(count_, rows_, cols_, m, x, reports.size());
    run([&](plan& p, index_t i) {
      reports[static_cast<std::size_t>(i)] = p.update(m[i], x[i], keep, rate);
    });
  }

  void reset() {
    for (plan& p : plans_) p.reset();
  }

 private:
  /// f(plan, i) for every member, each thread a contiguous share.
  template <class F>
  void run(const F& f) {
    dense::for_each_slice(threads_, [&](index_t s) {
      const index_t end = dense::slice_begin(count_, 1, threads_, s + 1);
      for (index_t i = dense::slice_begin(count_, 1, threads_, s); i < end; ++i) {
        plan& p = plans_[static_cast<std::size_t>(remembers_ ? i : s)];
        if (!remembers_) p.reset();
        f(p, i);
      }
    });
  }

  index_t rows_, cols_, count_, threads_;
  bool remembers_ = false;
  std::vector<plan> plans_;
};

/// A plan for batches like `like`, of which shape and count are read. Allocates. Threads run where
/// the program is compiled with OpenMP; without it the same answers come one after another.
template <LmoTractable N, class E, SpectralMethod Method = automatic>
[[nodiscard]] auto plan_lmo_batch(const N& n, const batch_view<E>& like, const Method& method = {},
                                  index_t threads = 1) {
  return lmo_batch_plan<N, std::remove_const_t<E>>(n, like.rows, like.cols, like.count, method,
                                                   threads);
}

}  // namespace fanion
