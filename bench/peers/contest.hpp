/// @file  From contenders to rows: each looks for its best setting, then all
/// run in turn.
#pragma once

#include "contender.hpp"
#include "errors.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace peers {

/// When an answer is good enough: `measure` of it is at most `limit`.
struct target {
  enum class kind { err1, gap, certified } measure = kind::err1;
  double limit = 1e-2;
};

/// How long things may take.
struct patience {
  double run = 20e3;     ///< milliseconds of one answer; a slower contender is out
  double search = 35e3;  ///< for one contender's settings: then no more of them are tried
  double rounds = 15e3;  ///< for the rounds in which all run in turn
  int least_rounds = 5;
  int most_rounds = 9;
};

/// One answer, without its matrices.
struct sample {
  std::string label;
  answer what;
  errors error;

  [[nodiscard]] double measure(const target& t) const {
    switch (t.measure) {
      case target::kind::err1:
        return error.err1;
      case target::kind::gap:
        return error.gap;
      case target::kind::certified:
        return std::isnan(error.gap) ? unknown : std::max(error.gap, what.certified);
    }
    return unknown;
  }
  /// False for an answer that is not there.
  [[nodiscard]] bool reaches(const target& t) const { return measure(t) <= t.limit; }
};

struct row {
  contender who;
  bool reached = false;
  setting best;
  std::vector<sample> tried;
  std::vector<sample> timed;
};

/// What is asked, when it is answered, how an answer is judged, and what a step of iteration on b
/// columns gains by the truth: ln (σ(k) / σ(b + 1))².
struct problem {
  question asked;
  target goal;
  std::function<errors(const answer&)> judge;
  std::function<double(index_t b)> rate = nullptr;
};

class contest {
 public:
  /// `known`: answers to other questions about the same k triplets, which serve this one too.
  contest(problem p, patience limits, std::function<void(int)> use_threads,
          std::map<std::string, sample>& known)
      : problem_(std::move(p)),
        limits_(limits),
        use_threads_(std::move(use_threads)),
        known_(&known) {}

  /// Every contender's row, its setting chosen and timed.
  [[nodiscard]] std::vector<row> rows(const contenders& all) {
    std::vector<row> found;
    for (const contender& c : all) {
      use_threads_(c.threads);
      found.push_back(c.fit ? fitted(c) : searched(c));
      say(found.back());
    }
    take_turns(found);
    return found;
  }

 private:
  /// Answers slower than this are timed once, by the search.
  static constexpr double slow = 8e3;
  static constexpr double brief = 20;
  /// From which a setting must be good enough.
  static constexpr std::uint64_t starts = 3;
  /// OpenBLAS's threads spin for a tenth of a second after a call.
  static constexpr std::chrono::milliseconds pause{150};

  sample ask(const setting& s, std::uint64_t seed, double patience) const {
    question q = problem_.asked;
    q.seed = seed;
    q.patience = patience;
    sample got{s.label, s.run(q), {}};
    got.error = problem_.judge(got.what);
    got.what.u = got.what.v = got.what.polar = {};
    return got;
  }

  sample remembered(const contender& c, const setting& s, std::uint64_t seed,
                    double allowed) const {
    const std::string key = c.name + "/" + c.scalar + "/" + s.label + "/" +
                            std::to_string(c.threads) + "/" + std::to_string(seed);
    if (const auto found = known_->find(key); found != known_->end()) return found->second;
    sample got = ask(s, seed, allowed);
    // One run of a few milliseconds says little.
    for (int again = 0; again < 2 && got.what.milliseconds < brief; ++again)
      got.what.milliseconds =
          std::min(got.what.milliseconds, ask(s, seed, allowed).what.milliseconds);
    if (got.what.milliseconds <= allowed) known_->emplace(key, got);
    return got;
  }

  /// The fastest setting that reaches the goal from several starts: of each basis the loosest. What
  /// has become slower than the best so far need not be tightened further, and a new basis starts
  /// two settings looser than where the last one was good enough.
  row searched(const contender& c) const {
    row r{c, false, {}, {}, {}};
    double best = std::numeric_limits<double>::infinity(), spent = 0;
    double closest = best;
    std::size_t skip = 0;
    for (std::size_t first = 0; first < c.settings.size() && spent < limits_.search;) {
      std::size_t end = first;
      while (end < c.settings.size() && c.settings[end].basis == c.settings[first].basis) ++end;
      for (std::size_t i = std::min(first + skip, end - 1); i < end && spent < limits_.search;
           ++i) {
        const double allowed = std::min(limits_.run, 1.05 * best);
        sample got = remembered(c, c.settings[i], 1, allowed);
        spent += got.what.milliseconds;
        r.tried.push_back(got);
        // Luck with one start is not enough, where there is a choice.
        for (std::uint64_t seed = 2; seed <= starts && c.settings.size() > 1 &&
                                     got.reaches(problem_.goal) && got.what.milliseconds < best;
             ++seed) {
          const sample other = remembered(c, c.settings[i], seed, limits_.run);
          spent += other.what.milliseconds;
          r.tried.push_back(other);
          if (!other.reaches(problem_.goal)) got = other;
        }
        const double measure = got.measure(problem_.goal);
        if (got.reaches(problem_.goal)) {
          if (got.what.milliseconds < best) {
            r.reached = true;
            r.best = c.settings[i];
            best = got.what.milliseconds;
          }
          skip = i - first > 2 ? i - first - 2 : 0;
          break;
        }
        if (!r.reached && (measure < closest || r.best.run == nullptr)) {
          closest = measure < closest ? measure : closest;
          r.best = c.settings[i];
        }
        if (got.what.milliseconds > allowed) break;
      }
      first = end;
    }
    return r;
  }

  /// The least number of iterations, to a tenth. The error of vectors falls at a known rate, from
  /// which the search starts; that of values is small long before, so there it doubles. Between one
  /// that is good enough and one that is not, the logarithm of the error is near a straight line.
  row fitted(const contender& c) const {
    row r{c, false, {}, {}, {}};
    const double rate = std::max(problem_.rate(c.block), 1e-6);
    const bool known = problem_.goal.measure == target::kind::err1;
    const double limit = std::log(problem_.goal.limit);
    struct point {
      double iterations = 0, error = 0;
    };
    std::optional<point> enough, less;
    double next = known ? -limit / rate : 2;
    for (int attempt = 0, bracketed = 0; attempt < 14 && bracketed < 3; ++attempt) {
      const auto n = static_cast<index_t>(std::ceil(std::clamp(next, 1.0, 1e5)));
      if (!r.tried.empty()) {
        const answer& last = r.tried.back().what;
        if (last.milliseconds * static_cast<double>(n) / last.iterations > limits_.run) break;
      }
      const setting s{std::to_string(n) + " iterations", 0,
                      [fit = c.fit, n](const question& q) { return fit(q, n); }};
      const sample got = ask(s, 1, limits_.run);
      r.tried.push_back(got);
      const double measure = got.measure(problem_.goal);
      if (std::isnan(measure)) break;
      const point here{static_cast<double>(n), std::log(std::max(measure, 1e-16))};
      if (got.reaches(problem_.goal)) {
        r.reached = true;
        r.best = s;
        enough = here;
      } else {
        if (!r.reached) r.best = s;
        less = here;
      }
      if (enough && less) {
        ++bracketed;
        if (enough->iterations <= 1.1 * less->iterations + 1) break;
        const double share = (less->error - limit) / (less->error - enough->error);
        next = less->iterations + 1.03 * share * (enough->iterations - less->iterations);
        next = std::clamp(next, less->iterations + 1, enough->iterations - 1);
      } else if (enough) {
        next = known ? enough->iterations - (limit - enough->error) / rate : enough->iterations / 2;
        if (next < 1 || next >= 0.9 * enough->iterations) break;
      } else {
        next =
            known ? less->iterations + 1.03 * (less->error - limit) / rate : 2 * less->iterations;
      }
    }
    return r;
  }

  void take_turns(std::vector<row>& rows) const {
    double total = 0;
    for (const row& r : rows)
      if (plays(r)) total += time_of(r);
    const int rounds = std::clamp(static_cast<int>(limits_.rounds / std::max(total, 1.0)),
                                  limits_.least_rounds, limits_.most_rounds);
    for (int round = 0; round < rounds; ++round)
      for (std::size_t i = 0; i < rows.size(); ++i) {
        row& r = rows[(i + static_cast<std::size_t>(round)) % rows.size()];
        if (!plays(r)) continue;
        use_threads_(r.who.threads);
        std::this_thread::sleep_for(pause);
        r.timed.push_back(ask(r.best, static_cast<std::uint64_t>(round) + 1,
                              std::numeric_limits<double>::infinity()));
      }
    for (row& r : rows)
      if (r.timed.empty())
        for (const sample& s : r.tried)
          if (s.label == r.best.label) r.timed = {s};
  }
  [[nodiscard]] static double time_of(const row& r) {
    for (const sample& s : r.tried)
      if (s.label == r.best.label) return s.what.milliseconds;
    return 0;
  }
  [[nodiscard]] static bool plays(const row& r) {
    return (r.reached || r.who.reference) && time_of(r) < slow;
  }

  void say(const row& r) const {
    std::clog << "  " << r.who.name << " (" << r.who.scalar
              << "): " << (r.reached ? r.best.label : "does not reach it") << ", " << r.tried.size()
              << " tried, " << time_of(r) << " ms\n";
  }

  problem problem_;
  patience limits_;
  std::function<void(int)> use_threads_;
  std::map<std::string, sample>* known_;
};

}  // namespace peers
