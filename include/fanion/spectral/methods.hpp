/// @file  The methods a plan may be asked for: plain values, set by designated initialisers.
///
/// `gap` is the share of the dual norm that D may miss; unset, it follows the scalar (1e-6 in
/// double, 1e-4 in float). With `feasible`, D is divided by the bound that the method proves on its
/// norm, so that n(D) <= 1 holds whatever rounding did; otherwise D is the method's own, and the
/// report's `feasibility` says by how much it may leave the ball. (Where nobody waits for a proof,
/// in graphs and batches, and steps are taken in fewer bits, D is divided by what is expected.)
#pragma once

#include <fanion/core/compute.hpp>
#include <fanion/core/types.hpp>

#include <cstdint>
#include <optional>

namespace fanion {

/// Full singular value decomposition by one-sided Jacobi rotations. O(m n r) per sweep.
struct exact {
  bool feasible = false;
};

/// The odd polynomial that a Newton-Schulz step applies to each singular value.
enum class schulz {
  keller_jordan,  ///< 3.4445 x - 4.7750 x³ + 2.0315 x⁵: fast, never converges, σ in [0.68, 1.13]
  classic         ///< 1.5 x - 0.5 x³: slow from small σ, then quadratic
};

/// Polar factor by a fixed number of equal steps. For full depth only.
struct newton_schulz {
  index_t steps = 5;
  schulz coefficients = schulz::keller_jordan;
  fanion::compute compute = fanion::compute::full;  ///< of the steps; other than full: see below
  bool feasible = false;
};

/// Polar factor by the composition of optimal quintics (Amsel, Persson, Musco and Gower 2025). Runs
/// until the certified gap is met; a positive `steps` fixes the work instead. The polynomials are
/// generated for singular values in [lower, 1] times a bound on ‖M‖₂; unset, `lower` follows from
/// the gap, the shape and the first two Gram matrices, and from what earlier calls needed.
struct polar_express {
  std::optional<double> gap = {};
  std::optional<double> lower = {};
  double safety = 1.0001;  ///< each polynomial but the last is made for σ up to this much larger
  index_t steps = 0;
  index_t block = 0;  ///< steps between Gram matrices; 0: as many as precision and shape suggest
  fanion::compute compute = fanion::compute::full;  ///< other than full: with steps and lower given
  bool feasible = false;
};

/// Polar factor by dynamically weighted Halley steps (Nakatsukasa, Bai and Gygi 2010), rational
/// functions that need at most six or seven steps down to the last digit: for high accuracy and
/// ill-conditioned matrices. Runs until the certified gap is met.
struct qdwh {
  std::optional<double> gap = {};
  bool feasible = false;
};

/// Polar factor by the eigenvectors of the Gram matrix in double, whatever M's scalar is. Singular
/// values below 1e-7 of the largest are lost to it: where the certificate misses a `gap` that was
/// asked for, QDWH does the work again.
struct gram_eigen {
  std::optional<double> gap = {};
  bool feasible = false;
};

/// Block subspace iteration with Rayleigh-Ritz, started from the subspace of the last call and a
/// fresh random column. Stops on an estimate of the gap; `passes` fixes the work instead.
struct subspace {
  index_t oversample = 8;
  std::optional<double> gap = {};
  index_t passes = 0;
  std::uint64_t seed = 0;
  bool feasible = false;
};

/// Block power iteration from a random start, without oversampling or memory: the seeds' baseline.
struct power {
  std::optional<double> gap = {};
  index_t passes = 0;
  std::uint64_t seed = 0;
  bool feasible = false;
};

/// Randomized range finder (Halko, Martinsson and Tropp 2011): Gaussian start, no memory, a fixed
/// number of products: those of `iterations` power iterations and one more.
struct randomized {
  index_t oversample = 8;
  index_t iterations = 2;
  std::uint64_t seed = 0;
  bool feasible = false;
};

/// Block Krylov iteration (Musco and Musco 2015), one read of the matrix a block. Stops on a gap
/// that is proven, but for a failure of probability 1e-3, or with `tol` on the estimated error of Σ
/// uᵢvᵢᵀ, which is then reported as identified only where it is proven; `passes` fixes the work
/// instead.
struct block_krylov {
  std::optional<double> tol = {};
  std::optional<double> gap = {};
  index_t block = 0;  ///< columns multiplied at once; 0: k + 2, at most 16
  index_t basis = 0;  ///< columns kept at most; 0: max(4k, 512)
  index_t passes = 0;
  /// For doubles: multiplies a copy in float, with the difference added to what is proven. An unset
  /// gap is then that of float, and vectors are not called identified.
  bool in_float = false;
  std::uint64_t seed = 0;
  bool feasible = false;
};

/// Golub-Kahan-Lanczos bidiagonalisation, two-sided, full reorthogonalisation, thick restarts.
/// With `tol` it stops on the estimated error of Σ uᵢvᵢᵀ, otherwise on the estimated gap.
struct lanczos {
  std::optional<double> tol = {};
  std::optional<double> gap = {};
  index_t basis = 0;   ///< vectors kept at most; 0: max(2k + 20, 60)
  index_t passes = 0;  ///< products allowed; 0: 4000
  std::uint64_t seed = 0;
  bool feasible = false;
};

/// Chooses by shape, depth and gap: see spectral/automatic.hpp.
struct automatic {
  std::optional<double> gap = {};
  std::uint64_t seed = 0;
  bool feasible = false;
};

// Steps in fewer bits than M has: M/‖M‖_F is computed in M's scalar and rounded once, sums are of
// floats at least, Gram matrices are taken anew in every step, and each polynomial but the last is
// made for σ up to 1 + 8u, u = unit_roundoff(compute). The certificate trusts none of it
// (spectral/measured_certificate.hpp) and costs nearly two steps in full. What the rounding of M
// takes away does not come back: up to u sqrt(min(m, n)) of the value where M is a large matrix of
// low rank and a small rest. docs/numerics.md has figures.

/// What Polar Express's polynomials are made for: σ up to this, in fewer bits at least 1 + 8u.
[[nodiscard]] constexpr double safety_in(compute how, double given) noexcept {
  const double least = 1 + 8 * unit_roundoff(how);
  return how == compute::full || given > least ? given : least;
}

/// Whether a polar factor is a fixed polynomial of M/‖M‖_F, so that no step has to wait for a
/// number.
[[nodiscard]] constexpr bool fixes_work(const newton_schulz&) noexcept { return true; }
[[nodiscard]] constexpr bool fixes_work(const polar_express& m) noexcept {
  return m.steps > 0 && m.lower.has_value();
}

}  // namespace fanion
