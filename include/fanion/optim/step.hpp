/// @file  What every optimizer step says, keeps and checks, whatever its rule.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/core/contract.hpp>
#include <fanion/core/outcome.hpp>
#include <fanion/core/view.hpp>

#include <string>

namespace fanion {

/// What one step did to one parameter.
struct step_report {
  bool skipped = false;  ///< the gradient held NaN or infinity: nothing was changed
  double gap = 0;        ///< the largest certified gap among the parameter's blocks
  /// Σ -<M, D> / max(1, feasibility) over the blocks, M what the oracle saw: a lower bound on
  /// Σ n*(M), within `gap` of it, so a measure of stationarity where M is near the gradient. With
  /// heavy_ball M is about 1/(1-β) gradients long. 0 for zero M and for rules without an oracle,
  /// NaN where M overflowed.
  double dual_norm = 0;
  double residual = 0;     ///< the largest residual among them
  index_t passes = 0;      ///< full reads of the momentum by the oracle
  index_t iterations = 0;  ///< of its solver
  fanion::outcome outcome = fanion::outcome::converged;  ///< of the worst block
};

/// Of two outcomes the one that asks for more attention.
[[nodiscard]] inline outcome worse(outcome a, outcome b) {
  const auto rank = [](outcome o) {
    switch (o) {
      case outcome::converged:
        return 0;
      case outcome::zero_input:
        return 1;
      case outcome::vectors_not_identified:
        return 2;
      case outcome::budget_spent:
        return 3;
      case outcome::non_finite:
        return 4;
    }
    return 4;
  };
  return rank(b) > rank(a) ? b : a;
}

/// Weight and gradient agree. @throws std::invalid_argument naming both shapes.
template <class T, class Space>
void check_step(const oriented_view<T, Space>& weight,
                const oriented_view<const T, Space>& gradient) {
  if (weight.rows() != gradient.rows() || weight.cols() != gradient.cols())
    refuse("step: the shape of the gradient", shape_text(weight.rows(), weight.cols()).c_str(),
           shape_text(gradient.rows(), gradient.cols()));
  if (overlaps(weight.storage, gradient.storage))
    refuse("step: the memory of the gradient", "apart from that of the weight", "an overlap");
}

/// @throws std::invalid_argument unless the next text in the archive is `expected`.
inline void expect_text(archive_reader& in, const std::string& expected) {
  const std::string found = in.read_text();
  if (found != expected)
    throw std::invalid_argument("checkpoint: expected " + expected + ", found " + found);
}

}  // namespace fanion
