/// @file  Momentum: what an oracle sees in place of a single gradient.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>

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
/// for row-major weights, and the steps that it has seen.
template <Real T>
struct momentum_state {
  std::span<const T> values = {};
  bool transposed = false;
  index_t steps = 0;
};

inline void check(const momentum& m) {
  if (!(m.beta >= 0 && m.beta < 1)) refuse("momentum: beta", "at least 0 and below 1", m.beta);
}

/// Updates m and, for nesterov, writes what the oracle is to see into `seen` (unused otherwise).
/// Returns the Frobenius norm of what the oracle sees. One read of g and m, one write of m and of
/// seen: a few columns at a time, while they are in the first-level cache.
template <class B, class T, class Space>
T accumulate(B& b, const momentum& rule, const oriented_view<const T, Space>& g,
             matrix_view<T, Space> m, matrix_view<T, Space> seen) {
  const T beta = static_cast<T>(rule.beta);
  const T share = rule.accumulation == accumulation::ema ? static_cast<T>(1 - rule.beta) : T(1);
  const index_t width = std::same_as<Space, host_space>
                            ? std::max<index_t>(1, 2048 / std::max<index_t>(1, m.rows()))
                            : std::max<index_t>(1, m.cols());
  double length = 0;
  for (index_t j = 0; j < m.cols(); j += width) {
    const index_t count = std::min(width, m.cols() - j);
    const auto m_part = m.columns(j, count);
    const auto add = [&](T scale, T keep, matrix_view<T, Space> to) {
      if (g.transposed)
        b.axpby_adjoint(scale, g.storage.block(j, 0, count, g.storage.cols()), keep, to);
      else
        b.axpby(scale, g.storage.columns(j, count), keep, to);
    };
    add(share, beta, m_part);
    auto looked_at = m_part;
    if (rule.lookahead == lookahead::nesterov) {
      looked_at = seen.columns(j, count);
      add(share, T(0), looked_at);
      b.axpby(beta, m_part.as_const(), T(1), looked_at);
    }
    length = std::hypot(length, static_cast<double>(b.norm(looked_at.as_const())));
  }
  return static_cast<T>(length);
}

}  // namespace fanion
