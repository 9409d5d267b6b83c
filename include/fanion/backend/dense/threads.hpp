/// @file  Work in slices, each on a thread of its own where the program is compiled with OpenMP.
///
/// The slices follow from the sizes and the number asked for, never from what runs them: without
/// OpenMP they run in turn and give the same bits. Every file of a program has to be compiled with
/// OpenMP or none, as with any inline function that looks at it.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>

namespace fanion::dense {

/// The most slices that a backend may be asked for.
inline constexpr index_t most_threads = 64;

/// Slices worth making of a pass over `entries` numbers: below some ten microseconds of work a
/// thread costs more than it saves.
[[nodiscard]] constexpr index_t slices_for(index_t threads, index_t entries) noexcept {
  constexpr index_t least = index_t(1) << 16;
  return std::clamp<index_t>(entries / least, 1, threads);
}

/// Where slice s of `slices` begins when n is cut at multiples of `unit`.
[[nodiscard]] constexpr index_t slice_begin(index_t n, index_t unit, index_t slices,
                                            index_t s) noexcept {
  return std::min(n, (n + unit - 1) / unit * s / slices * unit);
}

/// f(s) for s = 0 … slices - 1, at once or in turn. f throws nothing.
template <class F>
void for_each_slice(index_t slices, const F& f) {
#ifdef _OPENMP
  if (slices > 1) {
#pragma omp parallel for schedule(static, 1) num_threads(int(slices))
    for (index_t s = 0; s < slices; ++s) f(s);
    return;
  }
#endif
  for (index_t s = 0; s < slices; ++s) f(s);
}

}  // namespace fanion::dense
