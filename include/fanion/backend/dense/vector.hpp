/// @file  Portable SIMD: the compiler's vector extension, as wide as the target allows.
#pragma once

#include <fanion/core/types.hpp>

#include <cstring>

namespace fanion::dense {

#if defined(__AVX512F__)
inline constexpr index_t vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr index_t vector_bytes = 32;
#else
inline constexpr index_t vector_bytes = 16;
#endif

template <Real T>
struct vector_of {
  typedef T type __attribute__((vector_size(vector_bytes)));
};

template <Real T>
using vec = typename vector_of<T>::type;

/// Scalars in a vector.
template <Real T>
inline constexpr index_t lanes = vector_bytes / static_cast<index_t>(sizeof(T));

/// Any alignment. memcpy is the load that breaks no aliasing rule; it compiles to one instruction.
template <Real T>
[[nodiscard]] inline vec<T> load(const T* p) noexcept {
  vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <Real T>
inline void store(T* p, const vec<T>& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}

/// The first `count` lanes from memory, zero in the others.
template <Real T>
[[nodiscard]] inline vec<T> load_part(const T* p, index_t count) noexcept {
  vec<T> v = {};
  std::memcpy(&v, p, static_cast<std::size_t>(count) * sizeof(T));
  return v;
}

template <Real T>
[[nodiscard]] inline vec<T> broadcast(T x) noexcept {
  return x - vec<T>{};
}

/// Sum of `Count` numbers that stand in a vector's memory, by halves.
template <Real T, index_t Count = lanes<T>>
[[nodiscard]] inline T lane_sum(const void* v) noexcept {
  if constexpr (Count == 1) {
    T x;
    std::memcpy(&x, v, sizeof x);
    return x;
  } else {
    constexpr auto bytes = static_cast<std::size_t>(Count / 2) * sizeof(T);
    typedef T half __attribute__((vector_size(bytes)));
    half low, high;
    std::memcpy(&low, v, bytes);
    std::memcpy(&high, static_cast<const char*>(v) + bytes, bytes);
    low += high;
    return lane_sum<T, Count / 2>(&low);
  }
}

/// Sum of the lanes.
template <Real T>
[[nodiscard]] inline T lane_sum(const vec<T>& v) noexcept {
  return lane_sum<T, lanes<T>>(static_cast<const void*>(&v));
}

}  // namespace fanion::dense
