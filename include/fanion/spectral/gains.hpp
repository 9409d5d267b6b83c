/// @file  What a block iteration still misses of its value, from what its steps have gained.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <limits>

namespace fanion {

/// An estimate, not a proof. Each step raises the value twice, by updating V and then U, and with a
/// ratio q of two gains in a row Δq/(1-q) is left after a gain Δ; twice that is reported, since
/// ratios grow as the fast parts die out.
///
/// The first step of a call knows one gain only, that of U. What was left after it is seen when
/// there is a second step, and remembered: `trust`, that much for each unit of the gain. It grows
/// with each call that relies on it, until a second step measures it again. A call that starts from
/// another matrix's vectors has no use for it, and shows by its value, which has fallen.
class gain_estimate {
 public:
  /// A call begins: from what the last one left, or, cold, from noise.
  void start(bool cold) noexcept {
    cold_ = cold;
    steps_ = 0;
  }

  /// After a step that brought the value to `middle` by a new V and to `now` by a new U, both as
  /// shares of ‖A‖: the share of the value that may be missing, 1 where nothing is known. Gains
  /// below a sixteenth of `gap` are not worth measuring against: they may be rounding.
  [[nodiscard]] double missed(double middle, double now, double gap) noexcept {
    const double first = std::max(0.0, middle - value_), second = std::max(0.0, now - middle);
    const double before = gain_, last = value_;
    value_ = now;
    gain_ = now > 0 ? second / now : 0;
    if (!(now > 0)) return 1;
    if (++steps_ == 1) {
      lead_ = gain_;
      since_ = 0;
      if (cold_ || trust_ == unknown || now < last * (1 - 4 * gap)) return 1;
      trust_ *= 1.05;
      return 2 * trust_ * gain_;
    }
    since_ += (first + second) / now;
    const double q = std::min(std::max(ratio(first / now, before), ratio(second, first)), 0.99);
    const double left = gain_ * q / (1 - q);
    // A cold start's first gain is like no other, but its ratio is the matrix's.
    if (cold_ || trust_ == unknown)
      trust_ = q / (1 - q);
    else if (lead_ > gap / 16)
      trust_ = (since_ + left) / lead_;
    trust_ = std::max(trust_, 0.02);
    return 2 * left;
  }

  /// What the last update of U gained, as a share of the value.
  [[nodiscard]] double last_gain() const noexcept { return gain_; }

  /// What one call leaves to the next; trust is infinite before the first.
  [[nodiscard]] double trust() const noexcept { return trust_; }
  [[nodiscard]] double value() const noexcept { return value_; }
  void restore(double trust, double value) noexcept {
    trust_ = trust;
    value_ = value;
  }

  static constexpr double unknown = std::numeric_limits<double>::infinity();

 private:
  [[nodiscard]] static double ratio(double later, double earlier) noexcept {
    return later <= 0 ? 0 : earlier <= later ? 1 : later / earlier;
  }

  double trust_ = unknown;
  bool cold_ = true;
  index_t steps_ = 0;
  double value_ = 0;
  double gain_ = 0;
  double lead_ = 0;   ///< the gain of U in the first step
  double since_ = 0;  ///< what all later steps gained
};

}  // namespace fanion
