/// @file  The oracle of many matrices of one shape in one call, on threads over the batch.
#pragma once

#include <fanion/backend/dense/threads.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/oracles/plan.hpp>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>
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
    check(m, d, reports.size());
    run([&](plan& p, index_t i) { reports[static_cast<std::size_t>(i)] = p.execute(m[i], d[i]); });
  }
  /// X[i] <- keep X[i] + rate D[i], with D[i] never formed where it has low rank.
  /// @throws std::invalid_argument as `execute`.
  void update(const batch_view<const T>& m, const batch_view<T>& x, double keep, double rate,
              std::span<lmo_report> reports) {
    check(m, x, reports.size());
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

  template <class V>
  void check_shape(const char* what, const batch_view<V>& b) const {
    if (b.rows != rows_ || b.cols != cols_ || b.count != count_)
      refuse(what, (std::to_string(count_) + " of " + shape_text(rows_, cols_)).c_str(),
             std::to_string(b.count) + " of " + shape_text(b.rows, b.cols));
  }

  void check(const batch_view<const T>& m, const batch_view<T>& d, std::size_t reports) const {
    check_shape("batch: M", m);
    check_shape("batch: D", d);
    if (static_cast<index_t>(reports) != count_) refuse("batch: reports", "one a matrix", reports);
    // All pairs (i, j) with one difference j - i stand alike.
    for (index_t i = 1; i < count_; ++i)
      if (overlaps(d[0], d[i])) refuse("batch: the memory of D", "apart for each matrix", i);
    if (!overlaps(extent(m), extent(d))) return;
    for (index_t i = 0; i < count_; ++i)
      for (index_t j = 0; j < count_; ++j)
        if (overlaps(m[i], d[j])) refuse("batch: the memory of D", "apart from that of every M", j);
  }

  /// All memory between the first and the last element of a batch, as one line.
  template <class V>
  static element_lattice<T> extent(const batch_view<V>& b) {
    if (b.count == 0 || b.rows == 0 || b.cols == 0) return {};
    const index_t last = (b.count - 1) * b.stride;
    const T* first = b.pointer + std::min<index_t>(0, last);
    return {first, std::abs(last) + (b.cols - 1) * b.ld + b.rows, 1, 1, 0};
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
