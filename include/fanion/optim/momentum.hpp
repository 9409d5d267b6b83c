/// @file  Momentum: what an oracle sees in place of a single gradient.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/measure.hpp>
#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

namespace fanion {

/// The buffer m for gradients g:
///   ema         m <- β m + (1-β) g
///   heavy_ball  m <- β m + g
enum class accumulation { ema, heavy_ball };

/// What the oracle is handed:
///   none      m
///   nesterov  β m + (1-β) g (ema),  g + β m (heavy_ball)
/// Oracles do not see the scale, so the two accumulations give the same steps, up to rounding,
/// each with its own nesterov form.
enum class lookahead { none, nesterov };

/// β = 0 hands the gradient through.
struct momentum {
  double beta = 0.95;
  fanion::accumulation accumulation = fanion::accumulation::ema;
  fanion::lookahead lookahead = fanion::lookahead::nesterov;

  friend bool operator==(const momentum&, const momentum&) = default;
};

/// A momentum buffer as it stands: its entries in storage order, which is that of the transpose
/// for row-major weights, in one column, and the steps that it has seen.
template <Real T, class Space>
struct momentum_state {
  matrix_view<const T, Space> values = {};
  bool transposed = false;
  index_t steps = 0;
};

inline void check(const momentum& m) {
  if (!(m.beta >= 0 && m.beta < 1)) refuse("momentum: beta", "at least 0 and below 1", m.beta);
}

/// The two numbers a, b of the nearest relation `now = a before + b g` between what the oracle sees
/// in two steps in a row. Exact without lookahead.
struct momentum_drift {
  double keep = 0;
  double share = 1;
};
[[nodiscard]] inline momentum_drift drift_of(const momentum& rule) {
  const double share = rule.accumulation == accumulation::ema ? 1 - rule.beta : 1;
  return {rule.beta, rule.lookahead == lookahead::nesterov ? share * (1 + rule.beta) : share};
}

/// One update of a momentum buffer, a few columns at a time and only when they are wanted: an
/// oracle that reads its matrix column by column finds them in the first-level cache. Writes m and,
/// for nesterov, what the oracle is to see (`seen`, unused otherwise).
template <class B, class T, class Space>
class momentum_pass {
 public:
  /// m has norm `before`, g is finite and has norm `gradient`.
  momentum_pass(B& b, const momentum& rule, const oriented_view<const T, Space>& g,
                matrix_view<T, Space> m, matrix_view<T, Space> seen, T before, T gradient)
      : backend_(&b),
        g_(g),
        m_(m),
        seen_(seen),
        beta_(static_cast<T>(rule.beta)),
        share_(rule.accumulation == accumulation::ema ? static_cast<T>(1 - rule.beta) : T(1)),
        ahead_(rule.lookahead == lookahead::nesterov),
        bound_(beta_ * before + share_ * gradient) {
    if (ahead_) bound_ = beta_ * bound_ + share_ * gradient;
    bound_ *= T(1) + T(64) * std::numeric_limits<T>::epsilon();
  }

  /// Updates the columns up to j + count that have not been; returns those that come next.
  matrix_view<const T, Space> operator()(index_t j, index_t count) {
    const index_t end = j + count;
    while (done_ < end) {
      const index_t width = std::min(step_width(), m_.cols() - done_);
      update(done_, width);
      done_ += width;
    }
    if (g_.transposed || done_ + count > m_.cols()) return {};
    return g_.storage.columns(done_, count);
  }

  /// At least the norm of what the oracle sees.
  [[nodiscard]] T bound() const { return bound_; }
  /// The norm of what the oracle sees, of the columns updated so far.
  [[nodiscard]] T length() const { return static_cast<T>(ahead_ ? seen_norm_ : norm_); }
  /// The norm of m, of the columns updated so far.
  [[nodiscard]] T momentum_length() const { return static_cast<T>(norm_); }

 private:
  /// Columns that fit the first-level cache twice; all of them where there is none to speak of.
  [[nodiscard]] index_t step_width() const {
    if (!std::same_as<Space, host_space>) return std::max<index_t>(1, m_.cols());
    return std::max<index_t>(1, 4096 / std::max<index_t>(1, m_.rows()));
  }

  void add(index_t j, index_t count, T keep, matrix_view<T, Space> to) {
    if (g_.transposed)
      backend_->axpby_adjoint(share_, g_.storage.block(j, 0, count, g_.storage.cols()), keep, to);
    else
      backend_->axpby(share_, g_.storage.columns(j, count), keep, to);
  }

  void update(index_t j, index_t count) {
    if constexpr (!std::same_as<Space, host_space>) {
      if (ahead_ && !g_.transposed) return update_at_once();
    }
    const auto m = m_.columns(j, count);
    add(j, count, beta_, m);
    norm_ = std::hypot(norm_, static_cast<double>(backend_->norm(m.as_const())));
    if (!ahead_) return;
    const auto seen = seen_.columns(j, count);
    add(j, count, T(0), seen);
    backend_->axpby(beta_, m.as_const(), T(1), seen);
    seen_norm_ = std::hypot(seen_norm_, static_cast<double>(backend_->norm(seen.as_const())));
  }

  /// In one read and write of everything, and one wait.
  void update_at_once() {
    backend_->for_each_entry(entry::look_ahead<T>{beta_, share_}, m_, g_.storage, seen_);
    const auto lengths = measure(*backend_, measured::norm<T, Space>{m_.as_const()},
                                 measured::norm<T, Space>{seen_.as_const()});
    norm_ = static_cast<double>(lengths[0]);
    seen_norm_ = static_cast<double>(lengths[1]);
  }

  B* backend_;
  oriented_view<const T, Space> g_;
  matrix_view<T, Space> m_, seen_;
  T beta_, share_;
  bool ahead_;
  T bound_;
  index_t done_ = 0;
  double norm_ = 0;
  double seen_norm_ = 0;
};

}  // namespace fanion
