/// @file  What the products of an iteration are computed in, where a plan may choose.
#pragma once

#include <fanion/core/reduced.hpp>
#include <fanion/core/types.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace fanion {

/// Sums are of floats at least, whatever the factors are.
///
/// | value | iterates stored in | factors of a product | relative error of a factor |
/// |---|---|---|---|
/// | full | the matrix's scalar | the same | 2^-24 or 2^-53 |
/// | tf32 | float | 10 bits of fraction, rounded here; a device may cut | 2^-10 |
/// | float16 | float16 | float16 | 2^-11, more below 2^-14 |
/// | bfloat16 | bfloat16 | bfloat16 | 2^-8 |
enum class compute { full, tf32, float16, bfloat16 };

/// The scalar that iterates are stored in.
template <compute C>
requires(C != compute::full) using stored_in = std::conditional_t<
    C == compute::bfloat16, bfloat16, std::conditional_t<C == compute::float16, float16, float>>;

/// The last column, for numbers that are not subnormal; 0 for full, which has its own.
[[nodiscard]] constexpr double unit_roundoff(compute c) noexcept {
  switch (c) {
    case compute::tf32:
      return 0x1p-10;
    case compute::float16:
      return 0x1p-11;
    case compute::bfloat16:
      return 0x1p-8;
    default:
      return 0;
  }
}

[[nodiscard]] constexpr const char* name_of(compute c) noexcept {
  switch (c) {
    case compute::tf32:
      return "tf32";
    case compute::float16:
      return "float16";
    case compute::bfloat16:
      return "bfloat16";
    default:
      return "full";
  }
}

/// f.operator()<C>() for a C that is known when the program runs, and is not `full`.
template <class F>
decltype(auto) with_compute(compute c, F&& f) {
  switch (c) {
    case compute::tf32:
      return f.template operator()<compute::tf32>();
    case compute::float16:
      return f.template operator()<compute::float16>();
    default:
      return f.template operator()<compute::bfloat16>();
  }
}

/// The nearest number with 10 bits of fraction; NaN and infinity stay.
[[nodiscard]] constexpr float rounded_to_tf32(float x) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) return x;
  return std::bit_cast<float>(detail::shifted_to_even(bits & 0x7fffffffu, 13) << 13 |
                              (bits & 0x80000000u));
}
static_assert(rounded_to_tf32(1 + 0x1p-11f) == 1 &&
              rounded_to_tf32(-1 - 0x1.8p-11f) == -1 - 0x1p-10f);

}  // namespace fanion
