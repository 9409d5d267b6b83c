/// @file  Square roots of vectors, for compilers that have no generic vector square root.
///
/// Compilers vectorise std::sqrt only under options that a header cannot ask of its users, and one
/// scalar root an entry would make AdamW several times slower than its memory traffic.
#pragma once

#include <fanion/backend/dense/vector.hpp>

#include <cstdint>
#include <limits>

namespace fanion::dense {

/// sqrt of each lane, for lanes that are at least 0; infinity gives the root of the largest number.
/// The inverse root from the exponent's halves (relative error 1.8e-3), then Newton's
/// y <- y (3 - x y²)/2, which squares the error, and sqrt(x) = x y. Within 2 ulp of the root;
/// subnormal x keeps fewer digits.
template <Real T>
[[nodiscard]] inline vec<T> square_root(vec<T> x) noexcept {
  constexpr bool single = sizeof(T) == 4;
  using bits = std::conditional_t<single, std::int32_t, std::int64_t>;
  typedef bits bits_vector __attribute__((vector_size(vector_bytes)));
  const vec<T> most = broadcast<T>(std::numeric_limits<T>::max());
  x = x < most ? x : most;
  const bits magic = single ? static_cast<bits>(0x5f3759df) : static_cast<bits>(0x5fe6eb50c7b537a9);
  bits_vector i;
  std::memcpy(&i, &x, sizeof i);
  i = magic - (i >> 1);
  vec<T> y;
  std::memcpy(&y, &i, sizeof y);
  const vec<T> half = T(0.5) * x;
  for (int round = 0; round < (single ? 3 : 4); ++round) y = y * (T(1.5) - half * y * y);
  return x * y;
}

}  // namespace fanion::dense
