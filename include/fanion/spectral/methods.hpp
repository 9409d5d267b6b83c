/// @file  The methods a plan may be asked for: plain values, set by designated initialisers.
///
/// `gap` is the share of the dual norm that D may miss; unset, it follows the scalar (1e-6 in
/// double, 1e-4 in float). `capturable` says that the work is fixed and nothing is read back.
#pragma once

#include <fanion/core/types.hpp>

#include <cstdint>
#include <optional>

namespace fanion {

/// Full singular value decomposition by one-sided Jacobi rotations. O(m n r) per sweep.
struct exact {
  static constexpr bool capturable = false;
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
  static constexpr bool capturable = true;
};

/// Polar factor by the composition of optimal quintics (Amsel, Persson, Musco and Gower 2025),
/// generated for singular values in [lower, 1] ‖M‖_F. Runs until the certified gap is met, going
/// below `lower` where the matrix needs it; a positive `steps` fixes the work instead.
struct polar_express {
  std::optional<double> gap = {};
  double lower = 1e-3;
  double safety = 1.0001;  ///< each polynomial but the last is made for σ up to this much larger
  index_t steps = 0;
  static constexpr bool capturable = false;
};

/// Block subspace iteration with Rayleigh-Ritz, started from the subspace of the last call and a
/// fresh random column. Stops on an estimate of the gap; `passes` fixes the work instead.
struct subspace {
  index_t oversample = 8;
  std::optional<double> gap = {};
  index_t passes = 0;
  std::uint64_t seed = 0;
  static constexpr bool capturable = false;
};

/// Block power iteration from a random start, without oversampling or memory: the seeds' baseline.
struct power {
  std::optional<double> gap = {};
  index_t passes = 0;
  std::uint64_t seed = 0;
  static constexpr bool capturable = false;
};

/// Randomized range finder (Halko, Martinsson and Tropp 2011): Gaussian start, no memory, a fixed
/// number of products: those of `iterations` power iterations and one more.
struct randomized {
  index_t oversample = 8;
  index_t iterations = 2;
  std::uint64_t seed = 0;
  static constexpr bool capturable = false;
};

/// Block Krylov iteration (Musco and Musco 2015), one read of the matrix a block. Stops on a gap
/// that is proven, but for a failure of probability 1e-3, or with `tol` on the estimated error of Σ
/// uᵢvᵢᵀ, which is then reported as identified only where it is proven; `passes` fixes the work
/// instead.
struct block_krylov {
  std::optional<double> tol = {};
  std::optional<double> gap = {};
  index_t block = 0;  ///< columns multiplied at once; 0: k + 3 or a little more, 4 to 16
  index_t basis = 0;  ///< columns kept at most; 0: max(4k, 512)
  index_t passes = 0;
  std::uint64_t seed = 0;
  static constexpr bool capturable = false;
};

/// Golub-Kahan-Lanczos bidiagonalisation, two-sided, full reorthogonalisation, thick restarts.
/// With `tol` it stops on the estimated error of Σ uᵢvᵢᵀ, otherwise on the estimated gap.
struct lanczos {
  std::optional<double> tol = {};
  std::optional<double> gap = {};
  index_t basis = 0;   ///< vectors kept at most; 0: max(2k + 20, 60)
  index_t passes = 0;  ///< products allowed; 0: 4000
  std::uint64_t seed = 0;
  static constexpr bool capturable = false;
};

/// Chooses by shape, depth and gap: see spectral/automatic.hpp.
struct automatic {
  std::optional<double> gap = {};
  std::uint64_t seed = 0;
  static constexpr bool capturable = false;
};

}  // namespace fanion
