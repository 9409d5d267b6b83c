/// @file  Random numbers that depend on (seed, row, column) and on nothing else.
///
/// A counter-based generator has no state, so a matrix filled by two threads, or by two machines
/// that hold half of it each, is the same matrix.
#pragma once

#include <fanion/core/types.hpp>

#include <cmath>
#include <cstdint>

namespace fanion {

/// A bijection of 64 bits with full avalanche: the finaliser of SplitMix64 (Steele, Lea and
/// Flood 2014).
[[nodiscard]] FANION_HD constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// 64 random bits for one element of one seed.
[[nodiscard]] FANION_HD constexpr std::uint64_t random_bits(std::uint64_t seed, index_t row,
                                                  index_t col) noexcept {
  return mix_bits(mix_bits(mix_bits(seed) ^ static_cast<std::uint64_t>(row)) ^
                  static_cast<std::uint64_t>(col));
}

/// Uniform in (0, 1): never exactly 0 or 1.
[[nodiscard]] FANION_HD constexpr double random_uniform(std::uint64_t seed, index_t row,
                                              index_t col) noexcept {
  return (static_cast<double>(random_bits(seed, row, col) >> 12) + 0.5) * 0x1p-52;
}

/// Standard normal by Box and Muller's transform.
[[nodiscard]] FANION_HD inline double random_normal(std::uint64_t seed, index_t row, index_t col) noexcept {
  const std::uint64_t bits = random_bits(seed, row, col);
  const double radius = (static_cast<double>(bits >> 32) + 0.5) * 0x1p-32;
  const double angle = static_cast<double>(bits & 0xffffffffULL) * 0x1p-32;
  constexpr double two_pi = 6.283185307179586476925286766559;
  return std::sqrt(-2.0 * std::log(radius)) * std::cos(two_pi * angle);
}

}  // namespace fanion
