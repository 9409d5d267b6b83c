/// @file  Numbers of 16 bits that are stored and not computed with: bfloat16 and half.
///
/// | type | sign, exponent, fraction | largest | smallest above 0 |
/// |---|---|---|---|
/// | bfloat16 | 1, 8, 7 | 3.39e38 | 2^-133 |
/// | float16 | 1, 5, 10 (IEEE 754 binary16) | 65504 | 2^-24 |
///
/// Both are parts of float, so widening is exact. All of it is integer arithmetic: no rounding mode
/// and no flushing of subnormals changes a result.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace fanion {

/// The upper half of a float. Equality is that of the bits: a NaN equals itself, -0 is not 0.
struct bfloat16 {
  std::uint16_t bits = 0;
  friend constexpr bool operator==(bfloat16, bfloat16) = default;
};

/// IEEE half precision. Equality is that of the bits, as of bfloat16.
struct float16 {
  std::uint16_t bits = 0;
  friend constexpr bool operator==(float16, float16) = default;
};

/// The scalars that a matrix may be stored in and that are widened for every computation.
template <class T>
concept Reduced = std::same_as<T, bfloat16> || std::same_as<T, float16>;

static_assert(sizeof(bfloat16) == 2 && sizeof(float16) == 2 &&
              std::is_trivially_copyable_v<bfloat16> && std::is_trivially_copyable_v<float16>);

/// The same number. A NaN keeps its sign and payload.
[[nodiscard]] constexpr float widened(bfloat16 x) noexcept {
  return std::bit_cast<float>(std::uint32_t(x.bits) << 16);
}
[[nodiscard]] constexpr float widened(float16 x) noexcept {
  const std::uint32_t sign = (std::uint32_t(x.bits) & 0x8000u) << 16;
  const std::uint32_t magnitude = x.bits & 0x7fffu;
  std::uint32_t wide = (magnitude << 13) + (112u << 23);  // the biases differ by 127 - 15
  if (magnitude >= 0x7c00u) wide += 112u << 23;           // infinity and NaN: from 31 to 255
  if (magnitude < 0x0400u)                                // subnormal: a whole number of 2^-24
    wide = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f);
  return std::bit_cast<float>(sign | wide);
}

namespace detail {

/// x / 2^shift to the nearest whole number, ties to the even one.
[[nodiscard]] constexpr std::uint32_t shifted_to_even(std::uint32_t x, std::uint32_t shift) {
  return (x + (1u << (shift - 1)) - 1 + ((x >> shift) & 1u)) >> shift;
}

/// Of the magnitude of a float that is no NaN.
[[nodiscard]] constexpr std::uint32_t rounded_to_half(std::uint32_t magnitude) {
  constexpr std::uint32_t infinity = 0x7c00u, smallest_normal = 113u << 23;
  if (magnitude >= smallest_normal)  // a carry into the exponent is right, and past it infinity
    return std::min(shifted_to_even(magnitude - (112u << 23), 13), infinity);
  // In units of 2^-24. Past a shift of 25 all is below half a unit, subnormal floats included.
  const std::uint32_t significand = (magnitude & 0x007fffffu) | 0x00800000u;
  return shifted_to_even(significand, std::min(126u - (magnitude >> 23), 25u));
}

}  // namespace detail

/// The nearest number of the smaller type, of two equally near ones that with an even last bit;
/// infinity from half a unit past the largest one on. A NaN stays one and keeps what it can of its
/// payload, so that rounded(widened(x)) == x for every x.
template <Reduced Low>
[[nodiscard]] constexpr Low rounded(float x) noexcept {
  constexpr bool brain = std::same_as<Low, bfloat16>;
  constexpr std::uint32_t lost = brain ? 16 : 13;  // bits of the fraction
  constexpr std::uint32_t infinity = brain ? 0x7f80u : 0x7c00u, quiet = brain ? 0x0040u : 0x0200u;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    const std::uint32_t payload = (magnitude & 0x007fffffu) >> lost;
    return Low{static_cast<std::uint16_t>(sign | infinity | (payload == 0 ? quiet : payload))};
  }
  if constexpr (brain)  // a carry out of the fraction is right, and past the largest one infinity
    return Low{static_cast<std::uint16_t>(sign | detail::shifted_to_even(magnitude, lost))};
  else
    return Low{static_cast<std::uint16_t>(sign | detail::rounded_to_half(magnitude))};
}

static_assert(widened(float16{0x3c00}) == 1 && rounded<float16>(65520.0f) == float16{0x7c00} &&
              rounded<bfloat16>(1.00390625f) == bfloat16{0x3f80});

}  // namespace fanion
