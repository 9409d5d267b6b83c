/// @file  A zoo: named matrices on which singular value software has failed before, or should.
///
/// Entries are computed in long double and rounded once, to the scalar under test. Indices in the
/// formulas count from 1. Names without a source are constructions of our own; sources are
///   [H]  N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, ch.
///   28; [T]  N. J. Higham, "The Test Matrix Toolbox for MATLAB (version 3.0)", Manchester 1995;
///   [GV] G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., 2013.
#pragma once

#include "matrices.hpp"
#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace zoo {

using reference::position;
using reference::real;
using reference::table;

inline constexpr real pi = std::numbers::pi_v<real>;

/// f(i, j) for i = 1 … m, j = 1 … n.
template <class F>
[[nodiscard]] table fill(position m, position n, F f) {
  table x(m, n);
  for (position j = 0; j < n; ++j)
    for (position i = 0; i < m; ++i)
      x(i, j) = static_cast<real>(f(static_cast<real>(i + 1), static_cast<real>(j + 1)));
  return x;
}

/// Uniform in [-1, 1), the same numbers with every standard library.
[[nodiscard]] inline table uniform(position m, position n, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  return fill(m, n, [&](real, real) { return std::ldexp(static_cast<real>(bits()), -63) - 1; });
}

/// Orthonormal columns by modified Gram and Schmidt, twice; c <= m.
[[nodiscard]] inline table frame(position m, position c, std::uint64_t seed) {
  table q = uniform(m, c, seed);
  for (int pass = 0; pass < 2; ++pass)
    for (position j = 0; j < c; ++j) {
      for (position k = 0; k < j; ++k) {
        real along = 0;
        for (position i = 0; i < m; ++i) along += q(i, k) * q(i, j);
        for (position i = 0; i < m; ++i) q(i, j) -= along * q(i, k);
      }
      real length = 0;
      for (position i = 0; i < m; ++i) length += q(i, j) * q(i, j);
      for (position i = 0; i < m; ++i) q(i, j) /= std::sqrt(length);
    }
  return q;
}

/// Integers in -size … size: products of such are exact in every scalar.
[[nodiscard]] inline table integers(position m, position n, std::uint64_t seed, int size) {
  std::mt19937_64 bits(seed);
  const auto count = static_cast<std::uint64_t>(2 * size + 1);
  return fill(m, n, [&](real, real) {
    return static_cast<real>(static_cast<int>((bits() >> 11) % count) - size);
  });
}

/// One with probability 1/every, else zero.
[[nodiscard]] inline table zeros_and_ones(position m, position n, std::uint64_t seed,
                                          std::uint64_t every) {
  std::mt19937_64 bits(seed);
  return fill(m, n, [&](real, real) { return (bits() >> 11) % every == 0 ? 1 : 0; });
}

/// diag(a, b).
[[nodiscard]] inline table direct_sum(const table& a, const table& b) {
  table x = table::Zero(a.rows() + b.rows(), a.cols() + b.cols());
  for (position j = 0; j < a.cols(); ++j)
    for (position i = 0; i < a.rows(); ++i) x(i, j) = a(i, j);
  for (position j = 0; j < b.cols(); ++j)
    for (position i = 0; i < b.rows(); ++i) x(a.rows() + i, a.cols() + j) = b(i, j);
  return x;
}

/// `first`, …, `last` in n equal steps, or powers of ten with such exponents.
[[nodiscard]] inline real between(real first, real last, real i, position n) {
  return first + (last - first) * (i - 1) / static_cast<real>(n - 1);
}
[[nodiscard]] inline real ten(real exponent) { return std::pow(real(10), exponent); }

struct specimen {
  std::string name;
  std::function<table()> make;
  /// σ₁ >= σ₂ >= … of the entries before they are rounded, where a formula knows them; negative
  /// where it knows only some.
  std::function<real(position)> sigma = {};
};

/// U diag(sigma(1), sigma(2), …) Vᵀ, m x n, with random U and V; sigma does not increase.
[[nodiscard]] inline specimen with_spectrum(std::string name, position m, position n,
                                            std::uint64_t seed, std::function<real(real)> sigma) {
  const auto make = [=] {
    const position r = std::min(m, n);
    reference::decomposition<real> d{frame(m, r, 2 * seed), frame(n, r, 2 * seed + 1), {}};
    for (position k = 1; k <= r; ++k) d.sigma.push_back(sigma(static_cast<real>(k)));
    return reference::compose(d, d.sigma);
  };
  return {std::move(name), make, [=](position k) { return sigma(static_cast<real>(k)); }};
}

/// Zero, flat, and repeated spectra.
[[nodiscard]] inline std::vector<specimen> flat() {
  return {
      {"zero", [] { return fill(40, 30, [](real, real) { return 0; }); },
       [](position) { return 0; }},
      {"1 x 1", [] { return fill(1, 1, [](real, real) { return -3; }); },
       [](position) { return 3; }},
      {"one row", [] { return uniform(1, 50, 1); }},
      {"one column", [] { return uniform(60, 1, 2); }},
      {"two rows", [] { return uniform(2, 90, 3); }},
      {"identity", [] { return table(table::Identity(70, 70)); }, [](position) { return 1; }},
      {"all ones", [] { return fill(72, 66, [](real, real) { return 1; }); },
       [](position k) { return k == 1 ? std::sqrt(real(72 * 66)) : 0; }},
      {"one entry in a corner",
       [] { return fill(50, 70, [](real i, real j) { return i == 50 && j == 70 ? 2 : 0; }); },
       [](position k) { return k == 1 ? 2 : 0; }},
      {"signs on a diagonal",
       [] {
         return fill(70, 74, [](real i, real j) {
           return i != j ? 0 : std::fmod(i, real(2)) == 0 ? 1 : -1;
         });
       },
       [](position) { return 1; }},
      {"random orthogonal", [] { return frame(66, 66, 4); }, [](position) { return 1; }},
      {"orthonormal columns", [] { return frame(120, 40, 5); }, [](position) { return 1; }},
      // I - 2 v vᵀ / vᵀv; [GV] 5.1.
      {"Householder",
       [] {
         const table v = uniform(70, 1, 6);
         const real length = reference::dot(v, v);
         return fill(70, 70, [&](real i, real j) {
           return (i == j ? 1 : 0) - 2 * v(static_cast<position>(i) - 1, 0) *
                                         v(static_cast<position>(j) - 1, 0) / length;
         });
       },
       [](position) { return 1; }},
      // i -> 7i mod 75: 7 and 75 share no factor.
      {"permutation",
       [] {
         return fill(75, 75, [](real i, real j) { return std::fmod(7 * i, real(75)) == j - 1; });
       },
       [](position) { return 1; }},
      // Sylvester 1867: (-1)^(bits that i and j share).
      {"Hadamard",
       [] {
         return fill(64, 64, [](real i, real j) {
           unsigned shared = (static_cast<unsigned>(i) - 1) & (static_cast<unsigned>(j) - 1);
           int sign = 1;
           for (; shared != 0; shared &= shared - 1) sign = -sign;
           return sign;
         });
       },
       [](position) { return 8; }},
      // DCT-II, orthonormal: sqrt(2/n) cos((i-1)(2j-1)π/2n), the first row over sqrt(2).
      {"cosine transform",
       [] {
         return fill(68, 68, [](real i, real j) {
           return std::sqrt((i == 1 ? 1 : 2) / real(68)) *
                  std::cos((i - 1) * (2 * j - 1) * pi / (2 * 68));
         });
       },
       [](position) { return 1; }},
      with_spectrum("sigma_1 three times", 70, 80, 7,
                    [](real k) -> real { return k <= 3 ? 1 : 1 / k; }),
      // σ_k = σ_(k+1) for k = 1, 2, 5 and 20.
      with_spectrum("ties at every depth", 80, 70, 8,
                    [](real k) -> real {
                      return k <= 3 ? 1 : k <= 4 ? 0.9L : k <= 6 ? 0.8L : k <= 19 ? 0.7L : 0.5L;
                    }),
      with_spectrum("triples, each a tenth smaller", 66, 90, 9,
                    [](real k) -> real { return std::pow(0.9L, std::floor((k - 1) / 3)); }),
      with_spectrum("one cluster of width 1e-10", 80, 70, 10,
                    [](real k) -> real { return 1 - 1e-10L * k / 70; }),
      with_spectrum("two clusters of width 1e-10, five in the first", 70, 70, 11,
                    [](real k) -> real { return (k <= 5 ? 1 : 0.5L) - 1e-10L * k / 70; }),
      with_spectrum(
          "gap of 1e-9 between 5 and 6", 68, 100, 12,
          [](real k) -> real { return k == 6 ? std::pow(0.9L, 5) - 1e-9L : std::pow(0.9L, k); }),
      with_spectrum("no gap anywhere", 80, 68, 13, [](real k) -> real { return 1 - 1e-3L * k; }),
      with_spectrum("twenty equal, then 1e-3", 90, 70, 14,
                    [](real k) -> real { return k <= 20 ? 1 : 1e-3L; }),
      // Structural multiplicities: two copies of every σ, in exact arithmetic too.
      {"the same block twice",
       [] {
         const table a = integers(35, 40, 15, 3);
         return direct_sum(a, a);
       }},
      // Five blocks of ones, 14 x 13: σ = sqrt(14 13) five times, then zeros.
      {"blocks of ones",
       [] {
         return fill(70, 65, [](real i, real j) {
           return std::floor((i - 1) / 14) == std::floor((j - 1) / 13);
         });
       },
       [](position k) { return k <= 5 ? std::sqrt(real(14 * 13)) : 0; }},
  };
}

/// Ranks, graded spectra and scales.
[[nodiscard]] inline std::vector<specimen> graded() {
  return {
      with_spectrum("graded to 1e-15", 70, 70, 21,
                    [](real k) -> real { return ten(between(0, -15, k, 70)); }),
      with_spectrum("half a decade each", 90, 66, 22,
                    [](real k) -> real { return ten((1 - k) / 2); }),
      with_spectrum("one and 1e-8", 100, 66, 23, [](real k) -> real { return k == 1 ? 1 : 1e-8L; }),
      with_spectrum("1/k", 66, 110, 24, [](real k) -> real { return 1 / k; }),
      with_spectrum("k^(-1/2)", 75, 75, 25, [](real k) -> real { return 1 / std::sqrt(k); }),
      // Exact: integers of rank 3.
      {"rank 3", [] { return reference::product(integers(90, 3, 26, 4), integers(3, 70, 27, 4)); }},
      {"rank 35 of 70",
       [] { return reference::product(integers(70, 35, 28, 2), integers(35, 72, 29, 2)); }},
      {"rank 3 and noise of 1e-6",
       [] {
         return table(reference::product(uniform(70, 3, 30), uniform(3, 90, 31)) +
                      1e-6L * uniform(70, 90, 32));
       }},
      {"rank 3 and noise of 1e-12",
       [] {
         return table(reference::product(uniform(90, 3, 33), uniform(3, 70, 34)) +
                      1e-12L * uniform(90, 70, 35));
       }},
      {"a block and zeros",
       [] { return direct_sum(uniform(30, 25, 36), fill(40, 45, [](real, real) { return 0; })); }},
      // What a momentum looks like: a fixed signal of low rank, and noise with most of the energy.
      {"signal in noise",
       [] {
         return table(0.3L * reference::product(uniform(120, 10, 37), uniform(10, 70, 38)) +
                      uniform(120, 70, 39));
       }},
      {"uniform", [] { return uniform(200, 130, 40); }},
      {"uniform, tall", [] { return uniform(200, 30, 41); }},
      {"uniform, wide", [] { return uniform(30, 200, 42); }},
      {"signs",
       [] {
         const table x = uniform(66, 130, 43);
         return fill(66, 130, [&](real i, real j) {
           return x(static_cast<position>(i) - 1, static_cast<position>(j) - 1) < 0 ? -1 : 1;
         });
       }},
      {"0/1, a twentieth ones", [] { return zeros_and_ones(80, 100, 44, 20); }},
      // Rows and columns of zeros, and σ that tie exactly: components that are single edges, stars.
      {"0/1, a hundredth ones", [] { return zeros_and_ones(90, 75, 45, 100); }},
      {"rows from 1 to 1e-15",
       [] {
         const table x = uniform(80, 66, 46);
         return fill(80, 66, [&](real i, real j) {
           return ten(between(0, -15, i, 80)) *
                  x(static_cast<position>(i) - 1, static_cast<position>(j) - 1);
         });
       }},
      {"columns from 1e-15 to 1",
       [] {
         const table x = uniform(66, 80, 47);
         return fill(66, 80, [&](real i, real j) {
           return ten(between(-15, 0, j, 80)) *
                  x(static_cast<position>(i) - 1, static_cast<position>(j) - 1);
         });
       }},
      // Rows and columns, against each other: the energy runs along the antidiagonal.
      {"rows down, columns up",
       [] {
         const table x = uniform(70, 70, 48);
         return fill(70, 70, [&](real i, real j) {
           return ten(between(0, -12, i, 70) + between(-12, 0, j, 70)) *
                  x(static_cast<position>(i) - 1, static_cast<position>(j) - 1);
         });
       }},
      {"one row of 1e20",
       [] {
         table x = uniform(70, 68, 49);
         for (position j = 0; j < 68; ++j) x(50, j) *= 1e20L;
         return x;
       }},
  };
}

/// Matrices with names.
[[nodiscard]] inline std::vector<specimen> classic() {
  return {
      // Ones on the superdiagonal: σ = 1, n - 1 times, and 0.
      {"nilpotent shift", [] { return fill(70, 70, [](real i, real j) { return j == i + 1; }); },
       [](position k) { return k < 70 ? 1 : 0; }},
      // Ones on two diagonals: σ_k = 2 cos(kπ / (2n + 1)).
      {"Jordan block",
       [] { return fill(70, 70, [](real i, real j) { return j == i || j == i + 1; }); },
       [](position k) { return 2 * std::cos(static_cast<real>(k) * pi / 141); }},
      // -1 below the diagonal, 1 on it and on three above; [T] grcar, Grcar 1989.
      {"Grcar",
       [] {
         return fill(120, 120, [](real i, real j) {
           return j == i - 1 ? -1 : j >= i && j <= i + 3 ? 1 : 0;
         });
       }},
      // A row of ones over μI: sqrt(n + μ²), then μ n - 1 times; [T] lauchli, Läuchli 1961.
      {"Lauchli 1e-3",
       [] {
         return fill(71, 70, [](real i, real j) { return i == 1 ? 1 : i == j + 1 ? 1e-3L : 0; });
       },
       [](position k) { return k == 1 ? std::sqrt(70 + 1e-6L) : 1e-3L; }},
      {"Lauchli 1e-7",
       [] {
         return fill(71, 70, [](real i, real j) { return i == 1 ? 1 : i == j + 1 ? 1e-7L : 0; });
       },
       [](position k) { return k == 1 ? std::sqrt(70 + 1e-14L) : 1e-7L; }},
      // 1 / (i + j - 1); [H] 28.1.
      {"Hilbert", [] { return fill(66, 66, [](real i, real j) { return 1 / (i + j - 1); }); }},
      // Hilbert's with its first row all ones; [T] lotkin, Lotkin 1955.
      {"Lotkin",
       [] { return fill(66, 66, [](real i, real j) { return i == 1 ? 1 : 1 / (i + j - 1); }); }},
      // s^(i-1) on the diagonal and -c s^(i-1) right of it, c = cos 1.2; [H] 8.3, Kahan 1966.
      {"Kahan",
       [] {
         return fill(70, 70, [](real i, real j) {
           return j < i ? 0 : std::pow(std::sin(1.2L), i - 1) * (j == i ? 1 : -std::cos(1.2L));
         });
       }},
      // Symmetric Toeplitz, 2w and sin(2πwd)/(πd), w = 1/4: half of the σ at 1, half at 0;
      // [T] prolate, Varah 1993.
      {"prolate",
       [] {
         return fill(70, 70, [](real i, real j) {
           return i == j ? 0.5L : std::sin(pi * (i - j) / 2) / (pi * (i - j));
         });
       }},
      // 2 and -1 on three diagonals: 2 - 2 cos(kπ / (n + 1)); [H] 28.5.
      {"second difference",
       [] {
         return fill(130, 130, [](real i, real j) {
           return i == j ? 2 : std::fabs(i - j) == 1 ? -1 : 0;
         });
       },
       [](position k) { return 2 + 2 * std::cos(static_cast<real>(k) * pi / 131); }},
      // Five-point Laplacian of an 8 x 8 grid: sums of two of the above, so most come twice; [T]
      // poisson.
      {"Poisson",
       [] {
         return fill(64, 64, [](real i, real j) {
           const real p = std::floor((i - 1) / 8), q = std::floor((j - 1) / 8);
           const real s = i - 8 * p, t = j - 8 * q;
           return i == j ? 4 : std::fabs(p - q) + std::fabs(s - t) == 1 ? -1 : 0;
         });
       }},
      // ρ^|i-j|, ρ = 0.9; [T] kms, Kac, Murdock and Szegö 1953.
      {"Kac Murdock Szego",
       [] {
         return fill(70, 70, [](real i, real j) { return std::pow(0.9L, std::fabs(i - j)); });
       }},
      // 1 / (i - j + 1/2): most σ within rounding of π; [T] parter, Parter 1986.
      {"Parter", [] { return fill(70, 80, [](real i, real j) { return 1 / (i - j + 0.5L); }); }},
      // 1 / (2 (n - i - j + 3/2)): eigenvalues cluster at ±π/2; [T] ris, Ris.
      {"Ris",
       [] { return fill(70, 70, [](real i, real j) { return 1 / (2 * (70 - i - j + 1.5L)); }); }},
      // Differentiation at n + 1 Chebyshev points, first row and column dropped, so that it is
      // invertible; [T] chebspec.
      {"Chebyshev spectral",
       [] {
         const position n = 40;
         const auto x = [&](position i) {
           return std::cos(static_cast<real>(i) * pi / static_cast<real>(n));
         };
         const auto end = [&](position i) { return i == 0 || i == n ? real(2) : real(1); };
         return fill(n, n, [&](real row, real col) {
           const auto i = static_cast<position>(row), j = static_cast<position>(col);
           if (i != j) return ((i + j) % 2 == 0 ? 1 : -1) * end(i) / end(j) / (x(i) - x(j));
           if (i == n) return -(2 * real(n) * real(n) + 1) / 6;
           return -x(i) / (2 * (1 - x(i) * x(i)));
         });
       }},
      // 1 / (x_i + y_j), x_i = i, y_j = j - 1/2; [H] 28.1.
      {"Cauchy", [] { return fill(66, 80, [](real i, real j) { return 1 / (i + j - 0.5L); }); }},
      // x_i^(j-1), equispaced in [-1, 1]; [H] 22.
      {"Vandermonde",
       [] {
         return fill(80, 66, [](real i, real j) { return std::pow(between(-1, 1, i, 80), j - 1); });
       }},
      // Binomials (i + j - 2 over j - 1), over the largest; [H] 28.4.
      {"Pascal",
       [] {
         table x = fill(40, 40, [](real, real) { return 1; });
         for (position j = 1; j < 40; ++j)
           for (position i = 1; i < 40; ++i) x(i, j) = x(i - 1, j) + x(i, j - 1);
         return table(x / x(39, 39));
       }},
      // n + 1 - max(i, j) on and above the subdiagonal; [T] frank, Frank 1958.
      {"Frank",
       [] {
         return fill(70, 70, [](real i, real j) { return j < i - 1 ? 0 : 71 - std::max(i, j); });
       }},
      // |36 - i| between ones: pairs of eigenvalues that agree to 1e-15 and beyond; [T] wilk W21+.
      {"Wilkinson",
       [] {
         return fill(71, 71, [](real i, real j) {
           return i == j ? std::fabs(36 - i) : std::fabs(i - j) == 1 ? 1 : 0;
         });
       }},
      {"arrowhead",
       [] {
         return fill(70, 70, [](real i, real j) {
           return i == 1 || j == 1 ? 1 : i == j ? i / 70 : real(0);
         });
       }},
      // sqrt(i (n - i)) beside a zero diagonal: ±(n - 1), ±(n - 3), …; [T] clement, Clement 1959.
      {"Clement",
       [] {
         return fill(70, 70, [](real i, real j) {
           const real k = std::min(i, j);
           return std::fabs(i - j) == 1 ? std::sqrt(k * (70 - k)) : real(0);
         });
       },
       [](position k) { return static_cast<real>(69 - 2 * ((k - 1) / 2)); }},
      // min(i, j) / max(i, j); [T] lehmer.
      {"Lehmer",
       [] { return fill(66, 66, [](real i, real j) { return std::min(i, j) / std::max(i, j); }); }},
      // min(i, j): 1 / (4 sin²((2k - 1) π / (4n + 2))); [T] minij.
      {"minij", [] { return fill(66, 66, [](real i, real j) { return std::min(i, j); }); },
       [](position k) {
         const real s = std::sin(static_cast<real>(2 * k - 1) * pi / 266);
         return 1 / (4 * s * s);
       }},
      // Siamese square of 67: every row and column adds up to n (n² + 1) / 2, which is σ₁.
      {"magic square",
       [] {
         return fill(67, 67, [](real i, real j) {
           return 67 * std::fmod(i + j - 1 + 33, real(67)) + std::fmod(i + 2 * j - 2, real(67)) + 1;
         });
       },
       [](position k) { return k == 1 ? real(67 * (67 * 67 + 1)) / 2 : real(-1); }},
      // Rows that rotate 1 … n.
      {"circulant",
       [] {
         return fill(70, 70, [](real i, real j) { return 1 + std::fmod(j - i + 70, real(70)); });
       }},
      // MᵀM of a unit triangle with -1 above: one eigenvalue near 4^-n, the others near n;
      // [T] moler.
      {"Moler",
       [] { return fill(66, 66, [](real i, real j) { return i == j ? i : std::min(i, j) - 2; }); }},
      // 1 on the diagonal and -1 above: the last σ is near 2^(1-n), no pivot shows it; [H] 8.3.
      {"unit triangle",
       [] { return fill(70, 70, [](real i, real j) { return j < i    ? 0
                                                            : j == i ? 1
                                                                     : -1; }); }},
  };
}

[[nodiscard]] inline std::vector<specimen> all() {
  std::vector<specimen> every = flat();
  for (const auto& more : {graded(), classic()})
    every.insert(every.end(), more.begin(), more.end());
  return every;
}

/// Rounded to the scalar under test.
template <class T>
[[nodiscard]] Eigen::Matrix<T, -1, -1> rounded(const table& x) {
  Eigen::Matrix<T, -1, -1> m(x.rows(), x.cols());
  for (position j = 0; j < x.cols(); ++j)
    for (position i = 0; i < x.rows(); ++i) m(i, j) = static_cast<T>(x(i, j));
  return m;
}

/// x times scale / max |x_ij|, in long double; zero stays.
[[nodiscard]] inline table scaled(table x, real scale) {
  real most = 0;
  for (position j = 0; j < x.cols(); ++j)
    for (position i = 0; i < x.rows(); ++i) most = std::max(most, std::fabs(x(i, j)));
  if (most > 0) x *= scale / most;
  return x;
}

}  // namespace zoo
