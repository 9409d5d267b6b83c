/// @file  Portable SIMD: the compiler's vector extension, as wide as the target allows.
#pragma once

#include <fanion/core/types.hpp>

#include <cstring>
#include <type_traits>
#include <utility>

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

/// Writes the first `count` lanes.
template <Real T>
inline void store_part(T* p, const vec<T>& v, index_t count) noexcept {
  std::memcpy(p, &v, static_cast<std::size_t>(count) * sizeof(T));
}

template <Real T>
[[nodiscard]] inline vec<T> broadcast(T x) noexcept {
  return x - vec<T>{};
}

/// Keeps v in a register from here on, where there are 32 of them: g++ takes a vector that was
/// loaded for a name of the memory and loads it again for every use.
template <class V>
[[gnu::always_inline]] inline void hold([[maybe_unused]] V& v) noexcept {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
}

/// A vector of Count scalars, which need not be a register.
template <Real T, index_t Count>
struct short_vector {
  typedef T type __attribute__((vector_size(static_cast<std::size_t>(Count) * sizeof(T))));
};

/// The lanes First, First + 1, … of v, as many as the sequence is long. By value and without
/// memory, so that arrays of accumulators stay in registers.
template <index_t First, class V, std::size_t... I>
[[nodiscard]] inline auto lanes_from(V v, std::index_sequence<I...>) noexcept {
#if defined(__CUDACC__)  // whose front end loses the pack
  typename short_vector<std::remove_cvref_t<decltype(v[0])>, sizeof...(I)>::type some;
  ((some[I] = v[static_cast<std::size_t>(First) + I]), ...);
  return some;
#else
  return __builtin_shufflevector(v, v, (static_cast<std::size_t>(First) + I)...);
#endif
}

/// Folds a vector of Count lanes by halves until Left are left, which have the same sum.
template <Real T, index_t Left, index_t Count = lanes<T>>
[[nodiscard]] inline typename short_vector<T, Left>::type folded(
    typename short_vector<T, Count>::type v) noexcept {
  if constexpr (Count == Left) {
    return v;
  } else {
    using half = std::make_index_sequence<static_cast<std::size_t>(Count / 2)>;
    return folded<T, Left, Count / 2>(lanes_from<0>(v, half()) + lanes_from<Count / 2>(v, half()));
  }
}

/// Sum of the lanes, by halves.
template <Real T>
[[nodiscard]] inline T lane_sum(vec<T> v) noexcept {
  const auto two = folded<T, 2>(v);
  return two[0] + two[1];
}

/// out[p] = sum of the lanes of v[p]. Four at a time where that is what there is: a transposition
/// on the way costs a third of four separate sums.
template <Real T, index_t P>
inline void lane_sums(const vec<T> (&v)[static_cast<std::size_t>(P)],
                      T (&out)[static_cast<std::size_t>(P)]) noexcept {
  if constexpr (P == 4 && lanes<T> >= 4) {
    const auto a = folded<T, 4>(v[0]), b = folded<T, 4>(v[1]);
    const auto c = folded<T, 4>(v[2]), d = folded<T, 4>(v[3]);
    const auto ab =
        __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const auto cd =
        __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const auto sums =
        __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    std::memcpy(out, &sums, sizeof sums);
  } else {
#pragma GCC unroll 16
    for (index_t p = 0; p < P; ++p) out[p] = lane_sum<T>(v[p]);
  }
}

}  // namespace fanion::dense
