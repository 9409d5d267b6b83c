/// @file  The words every other header uses: sizes, scalars, spans of singular values.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

/// Before a function that a GPU may call too.
#if defined(__CUDACC__)
#define FANION_HD __host__ __device__
#else
#define FANION_HD
#endif

namespace fanion {

/// Sizes and positions. Signed, so that differences are safe.
using index_t = std::ptrdiff_t;

/// The scalars a matrix may hold.
template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

/// Singular values, largest first.
template <class T>
using spectrum_view = std::span<const T>;

/// One weight per singular value.
template <class T>
using weight_view = std::span<T>;

/// s₁ + … + sₖ, added from the smallest so that small terms are not lost.
template <Real T>
[[nodiscard]] constexpr T total(spectrum_view<T> s) noexcept {
  T sum = T(0);
  for (std::size_t i = s.size(); i-- > 0;) sum += s[i];
  return sum;
}

}  // namespace fanion
