/// @file  NuMuon: Fanion-k whose k follows a schedule.
///
/// Step t is that of fanion_k(k) with k = ceil(r(t) min(m, n)), at least 1: its ball
/// max(σ₁, Σσ/k) is the intersection of a spectral and a nuclear one. r falls from full rank, which
/// is Muon, to a few directions, so that the weights end near low rank. arXiv:2603.03597, whose
/// momentum has no look-ahead.
#pragma once

#include <fanion/norms/ky_fan.hpp>
#include <fanion/optim/describe.hpp>
#include <fanion/optim/lmo_step.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanion {

/// How the share r(t) of the full rank falls:
///   fixed      first
///   piecewise  first, and from step pieces[i].from on pieces[i].share
///   cosine     from first to last, which it reaches at `steps`, along half a cosine
enum class rank_shape { fixed, piecewise, cosine };

struct rank_piece {
  index_t from = 0;
  double share = 1;
};

/// Shares are above 0 and at most 1.
struct rank_schedule {
  rank_shape shape = rank_shape::fixed;
  double first = 1;
  double last = 0.25;                   ///< of the cosine
  index_t steps = 1;                    ///< of the cosine
  std::vector<rank_piece> pieces = {};  ///< of the piecewise schedule, by rising `from`

  [[nodiscard]] double share(index_t t) const {
    if (shape == rank_shape::cosine) {
      const double done = std::clamp(static_cast<double>(t) / static_cast<double>(steps), 0.0, 1.0);
      return last + (first - last) * 0.5 * (1 + std::cos(std::numbers::pi * done));
    }
    double now = first;
    if (shape == rank_shape::piecewise)
      for (const rank_piece& piece : pieces)
        if (t >= piece.from) now = piece.share;
    return now;
  }
  /// k of step t for matrices whose shorter side is r. What rounding puts above a whole number does
  /// not count: a share of 0.07 of 100 is 7.
  [[nodiscard]] index_t rank(index_t t, index_t r) const {
    const double exact = share(t) * static_cast<double>(r);
    const double slack = 1 - 4 * std::numeric_limits<double>::epsilon();
    return std::clamp<index_t>(static_cast<index_t>(std::ceil(exact * slack)), 1,
                               std::max<index_t>(1, r));
  }
};

inline void check(const rank_schedule& s) {
  const auto share = [](double x) {
    (void)expects_fraction(expects_positive(x, "rank_schedule: share"), "rank_schedule: share");
  };
  share(s.first);
  share(s.last);
  (void)expects_at_least(s.steps, 1, "rank_schedule: steps");
  index_t least = 0;
  for (const rank_piece& piece : s.pieces) {
    share(piece.share);
    least = expects_at_least(piece.from, least, "rank_schedule: from") + 1;
  }
}
[[nodiscard]] inline std::string describe(const rank_schedule& s) {
  std::string text = "rank " + describe(s.first);
  if (s.shape == rank_shape::cosine)
    text += " to " + describe(s.last) + " in " + std::to_string(s.steps);
  if (s.shape == rank_shape::piecewise)
    for (const rank_piece& piece : s.pieces)
      text += ", from " + std::to_string(piece.from) + " " + describe(piece.share);
  return text;
}

template <Real T, class B>
class numuon_step;

struct numuon {
  rank_schedule ranks = {};
  lmo_options options = {};

  static constexpr const char* name = "numuon";
  template <Real T, class B>
  using step = numuon_step<T, B>;
};

inline void check(const numuon& r) {
  check(r.ranks);
  check(r.options);
}
[[nodiscard]] inline std::string describe(const numuon& r) {
  return "numuon, " + describe(r.ranks) + ", " + describe(r.options);
}

/// State and step of one parameter: that of fanion_k. Where k changes, the step is made anew and
/// goes on from the same momentum: that step allocates, and starts without a subspace.
template <Real T, class B>
class numuon_step {
 public:
  using space = typename B::space;

  /// @throws std::invalid_argument as lmo_step's constructor, and for blocks whose shorter sides
  /// differ: they would need several k.
  numuon_step(const numuon& rule, index_t rows, index_t cols, B& backend,
              std::vector<matrix_block> blocks = {})
      : rule_(rule),
        rows_(rows),
        cols_(cols),
        backend_(&backend),
        blocks_(checked_blocks(std::move(blocks), rows, cols, "numuon_step")),
        side_(std::min(blocks_[0].rows, blocks_[0].cols)) {
    check(rule);
    for (const matrix_block& at : blocks_)
      if (std::min(at.rows, at.cols) != side_)
        refuse("numuon_step: the shorter side of a block", std::to_string(side_).c_str(),
               std::min(at.rows, at.cols));
    make(rule_.ranks.rank(0, side_));
  }

  [[nodiscard]] index_t steps() const noexcept { return inner_->steps(); }
  [[nodiscard]] const numuon& rule() const noexcept { return rule_; }
  /// k of the last step, or of the first one before it.
  [[nodiscard]] index_t rank() const noexcept { return rank_; }
  [[nodiscard]] momentum_state<T, space> state() const { return inner_->state(); }
  void adopt(const momentum_state<T, space>& from) { inner_->adopt(from); }

  /// As lmo_step::step.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    const index_t wanted = rule_.ranks.rank(steps(), side_);
    if (wanted != rank_) {
      const inner_type before = std::move(*inner_);
      make(wanted);
      inner_->adopt(before.state());
    }
    return inner_->step(weight, gradient, rate);
  }

  void reset() { make(rule_.ranks.rank(0, side_)); }
  void save(archive_writer& out) const {
    out.write(std::string("numuon_step"));
    out.write(rank_);
    inner_->save(out);
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    expect_text(in, "numuon_step");
    const auto rank = in.read<index_t>();
    if (rank < 1 || rank > side_)
      refuse("checkpoint: the rank", ("from 1 to " + std::to_string(side_)).c_str(), rank);
    make(rank);
    inner_->load(in);
  }

 private:
  using norm = decltype(ky_fan(1).dual());
  using inner_type = lmo_step<norm, T, B>;

  void make(index_t k) {
    inner_.emplace(lmo_rule<norm>{ky_fan(k).dual(), rule_.options}, rows_, cols_, *backend_,
                   blocks_);
    rank_ = k;
  }

  numuon rule_;
  index_t rows_, cols_;
  B* backend_;
  std::vector<matrix_block> blocks_;
  index_t side_, rank_ = 0;
  std::optional<inner_type> inner_;
};

}  // namespace fanion
