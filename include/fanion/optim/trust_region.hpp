/// @file  What theory promises of steps X <- X + η lmo(n, m) along momentum, and the parameters
/// that keep the promise.
///
/// With m <- (1 - α) m + α g, m₀ = g₀, unbiased g of variance E‖g - ∇f‖_F² <= σ², ∇f with Lipschitz
/// constant L from n to n*, n*(X) <= ρ‖X‖_F and Δ₀ = f(X₀) - inf f, the average of n*(∇f(X_k)) over
/// K steps is in expectation at most
///
///   Δ₀/(ηK) + Lη/2 + 2 (ρσ/(αK) + sqrt(α) ρσ + Lη(1 - α)/α).
///
/// The first two terms are those of steps along ∇f itself; the bracket is the error of m: what is
/// left of g₀, the noise that averaging leaves, and how far ∇f moves meanwhile. The orders are
/// those of Kovalev 2025 (arXiv:2503.12645), Corollaries 1 and 2.
#pragma once

#include <fanion/core/contract.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

/// A function and a norm, as the bound sees them.
struct smooth_problem {
  double lipschitz = 1;  ///< L, from n to n*: smoothness() of smoothness.hpp for quadratics
  double distance = 1;   ///< Δ₀ = f(X₀) - inf f
  double noise = 0;      ///< σ, in the Frobenius norm
  double ratio = 1;      ///< ρ: dual_ratio() of ratio.hpp
};

/// η, α and K.
struct trust_region {
  double radius = 0;  ///< η: the step's length in n
  double fresh = 1;   ///< α: the share of the new gradient; 1 is no momentum
  double steps = 1;   ///< K, a whole number
};

inline void check(const smooth_problem& p) {
  (void)expects_positive(p.lipschitz, "smooth_problem: lipschitz");
  (void)expects_positive(p.distance, "smooth_problem: distance");
  (void)expects_coefficient(p.noise, "smooth_problem: noise");
  (void)expects_positive(p.ratio, "smooth_problem: ratio");
}

/// The bound above. @throws std::invalid_argument for impossible numbers.
[[nodiscard]] inline double stationarity_bound(const smooth_problem& p, const trust_region& r) {
  check(p);
  (void)expects_positive(r.radius, "trust_region: radius");
  (void)expects_fraction(expects_positive(r.fresh, "trust_region: fresh"), "trust_region: fresh");
  if (!(r.steps >= 1)) refuse("trust_region: steps", "at least 1", r.steps);
  const double moved = p.lipschitz * r.radius, noise = p.ratio * p.noise;
  return p.distance / (r.radius * r.steps) + moved / 2 +
         2 * (noise / (r.fresh * r.steps) + std::sqrt(r.fresh) * noise +
              moved * (1 - r.fresh) / r.fresh);
}

/// Parameters for which the bound is at most `epsilon`. Without noise α = 1, η = ε/L and
/// K = 2LΔ₀/ε², half of ε for either term. With noise each of four terms gets a quarter:
/// 2 sqrt(α) ρσ, the two that grow with η, the start of f, the start of m. So
///
///   α = min(1, ε²/(8ρσ)²),  η = ε/(4L (1/2 + 2(1 - α)/α)),  K = max(4Δ₀/(ηε), 8ρσ/(αε)),
///
/// K = O(max(ρσ/ε, (ρσ/ε)³, LΔ₀/ε², LΔ₀(ρσ)²/ε⁴)).
/// @throws std::invalid_argument for impossible numbers.
[[nodiscard]] inline trust_region trust_region_for(const smooth_problem& p, double epsilon) {
  check(p);
  const double e = expects_positive(epsilon, "trust_region_for: epsilon");
  const double noise = p.ratio * p.noise;
  if (noise == 0)
    return {e / p.lipschitz, 1, std::max(1.0, std::ceil(2 * p.lipschitz * p.distance / (e * e)))};
  const double share = e / (8 * noise);
  trust_region r;
  r.fresh = std::min(1.0, share * share);
  r.radius = e / (4 * p.lipschitz * (0.5 + 2 * (1 - r.fresh) / r.fresh));
  r.steps = std::max(
      1.0, std::ceil(std::max(4 * p.distance / (r.radius * e), 8 * noise / (r.fresh * e))));
  return r;
}

/// The η for which the bound without noise is least after K steps, sqrt(2Δ₀/(LK)); the bound is
/// then sqrt(2LΔ₀/K).
[[nodiscard]] inline double best_radius(const smooth_problem& p, double steps) {
  check(p);
  return std::sqrt(2 * p.distance / (p.lipschitz * expects_positive(steps, "best_radius: steps")));
}

}  // namespace fanion
