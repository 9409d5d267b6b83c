/// @file  What an oracle says about its answer.
#pragma once

#include <fanion/core/types.hpp>

#include <limits>

namespace fanion {

/// How an execution ended.
enum class outcome {
  converged,              ///< the method's own stopping rule was met
  zero_input,             ///< M = 0, so D = 0, which is optimal
  non_finite,             ///< M holds NaN or infinity; D = 0
  budget_spent,           ///< the work allowed ran out before the stopping rule was met
  vectors_not_identified  ///< the value is good; ties or a closed spectral gap leave D one of many
};

[[nodiscard]] constexpr const char* to_string(outcome o) noexcept {
  switch (o) {
    case outcome::converged:
      return "converged";
    case outcome::zero_input:
      return "zero_input";
    case outcome::non_finite:
      return "non_finite";
    case outcome::budget_spent:
      return "budget_spent";
    case outcome::vectors_not_identified:
      return "vectors_not_identified";
  }
  return "unknown";
}

/// The certificate of D = lmo(N, M). Every number is a double, whatever the matrix holds.
///
/// `bound` and `feasibility` are each proven by the method or infinite; where a proof holds only
/// with high probability over the method's own random numbers, `failure_probability` is the
/// chance that it does not.
struct lmo_report {
  double objective = 0;            ///< <M, D> of the D that was returned, at most 0
  double bound = 0;                ///< N*(M) <= bound
  double feasibility = 0;          ///< N(D) <= feasibility
  double failure_probability = 0;  ///< of the two bounds above; 0 when they are deterministic
  double residual = 0;             ///< of the singular triplets or the polar factor, relative
  index_t passes = 0;              ///< full reads of M, norms and checks included
  index_t iterations = 0;          ///< of the solver, in its own unit
  index_t depth = 0;               ///< singular triplets that were computed; 0 for a polar factor
  fanion::outcome outcome = fanion::outcome::converged;

  /// An upper bound on 1 + <M, D> / (max(1, N(D)) N*(M)): the share of the best possible decrease
  /// that D may miss. 0 for M = 0; NaN for a non-finite M; 1 where nothing was proven.
  [[nodiscard]] constexpr double gap() const noexcept {
    if (outcome == fanion::outcome::zero_input) return 0;
    if (outcome == fanion::outcome::non_finite) return std::numeric_limits<double>::quiet_NaN();
    constexpr double infinite = std::numeric_limits<double>::infinity();
    if (!(objective <= 0 && objective > -infinite)) return 1;
    if (!(bound < infinite) || !(feasibility < infinite)) return 1;
    if (bound <= 0) return 0;
    const double g = 1 + objective / ((feasibility > 1 ? feasibility : 1) * bound);
    return g > 0 ? g : 0;
  }
};

}  // namespace fanion
