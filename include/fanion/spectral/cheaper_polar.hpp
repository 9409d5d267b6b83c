/// @file  Two ways to a polar factor, of which each call takes the one that has cost less.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/core/contract.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/polar.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace fanion {

/// What polynomials cost depends on the spectrum, which nobody knows beforehand; what `Other` costs
/// less so. The first calls use polynomials. A method that has twice in a row (the first call
/// learns how many steps it takes) cost more than the other did, or is expected to, gives way to
/// it, and now and then the polynomials are tried anew, in case the spectrum has changed. Costs are
/// flops at the speed of products, in units of r³: counted, not timed, so that a run can be
/// repeated. Both work in the same memory.
template <Real T, class B, class Other>
class cheaper_polar_solver {
 public:
  using space = typename B::space;

  template <class Method>
  cheaper_polar_solver(B& b, index_t m, index_t n, const polar_express& first, const Method& other,
                       double expected)
      : buffer_(b.template make_workspace<T>(
            std::max(polar_solver<T, B>::memory_size(b, m, n), Other::memory_size(b, m, n)))),
        polynomials_(b, m, n, first, buffer_.span()),
        other_(b, m, n, other, buffer_.span()),
        expected_(expected) {
    reset();
  }

  [[nodiscard]] polar_factor<T, space> solve(B& b, const operand<T, space>& a) {
    experience& e = learned_;
    if (e.chosen == 1 && e.wait-- == 0) {
      take_up(0);
      e.patience = std::min(4 * e.patience, most_patience);
      polynomials_.reset();
    }
    const bool other = e.chosen == 1;
    const polar_factor<T, space> answer = other ? other_.solve(b, a) : polynomials_.solve(b, a);
    (other ? e.other : e.polynomials) = other ? other_.work() : polynomials_.work();
    const bool lost = other ? e.other > e.polynomials : e.polynomials > e.other;
    if (!other && !lost) e.patience = least_patience;
    e.losses = lost ? e.losses + 1 : 0;
    if (e.losses == enough) take_up(1 - e.chosen);
    return answer;
  }

  void reset() {
    learned_ = {.other = expected_};
    polynomials_.reset();
    other_.reset();
  }
  void save(archive_writer& out) const {
    out.write(learned_.polynomials);
    out.write(learned_.other);
    out.write(learned_.chosen);
    out.write(learned_.losses);
    out.write(learned_.wait);
    out.write(learned_.patience);
    polynomials_.save(out);
    other_.save(out);
  }
  void load(archive_reader& in) {
    experience e;
    for (double* x : {&e.polynomials, &e.other}) {
      *x = in.read<double>();
      if (!(*x >= 0)) refuse("checkpoint: the work of a polar method", "at least 0", *x);
    }
    for (std::int64_t* x : {&e.chosen, &e.losses, &e.wait, &e.patience})
      *x = in.read<std::int64_t>();
    if (e.chosen < 0 || e.chosen > 1)
      refuse("checkpoint: the choice of a polar method", "0 or 1", e.chosen);
    if (e.losses < 0 || e.losses > 1)
      refuse("checkpoint: the choice of a polar method", "0 or 1", e.losses);
    if (e.patience < least_patience || e.patience > most_patience)
      refuse("checkpoint: the patience", "between 16 and 1024", e.patience);
    if (e.wait < 0 || e.wait > e.patience)
      refuse("checkpoint: the calls to wait", "between 0 and the patience", e.wait);
    const auto first = polynomials_.recall(in);
    other_.adopt(other_.recall(in));
    polynomials_.adopt(first);
    learned_ = e;
  }

 private:
  static constexpr std::int64_t enough = 2, least_patience = 16, most_patience = 1024;

  /// The work of either method's last call, the one in use (1: the other), how often in a row
  /// it has cost more, for how many calls the other stays in use, and for how many next time.
  struct experience {
    double polynomials = 0, other = 0;
    std::int64_t chosen = 0, losses = 0, wait = 0, patience = least_patience;
  };

  void take_up(std::int64_t other) {
    learned_.chosen = other;
    learned_.losses = 0;
    learned_.wait = learned_.patience;
  }

  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  polar_solver<T, B> polynomials_;
  Other other_;
  double expected_;
  experience learned_;
};

}  // namespace fanion
