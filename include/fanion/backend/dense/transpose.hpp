/// @file  Transposing copies, in register blocks of four by four.
#pragma once

#include <fanion/backend/dense/vector.hpp>

#include <algorithm>

namespace fanion::dense {

/// out(j, i) = a(i, j) for four rows and four columns.
template <Real T>
inline void transpose_block(const T* a, index_t lda, T* out, index_t ldo) noexcept {
  using four = typename short_vector<T, 4>::type;
  four v[4], w[4];
#pragma GCC unroll 4
  for (index_t j = 0; j < 4; ++j) std::memcpy(&v[j], a + j * lda, sizeof v[j]);
  const four ab = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
  const four AB = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
  const four cd = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
  const four CD = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
  w[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  w[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  w[2] = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
  w[3] = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
#pragma GCC unroll 4
  for (index_t i = 0; i < 4; ++i) std::memcpy(out + i * ldo, &w[i], sizeof w[i]);
}

/// out(j, i) = a(i, j) for `rows` x `cols` entries of a. Goes down a cache line of rows at a time
/// and then along the columns, so that each line of a is read once even where columns lie a power
/// of two apart and evict each other.
template <Real T>
void transpose(index_t rows, index_t cols, const T* a, index_t lda, T* out, index_t ldo) {
  constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
  const index_t whole = cols / 4 * 4;
  for (index_t i0 = 0; i0 < rows; i0 += line) {
    const index_t i1 = std::min(i0 + line, rows), quads = i0 + (i1 - i0) / 4 * 4;
    for (index_t j = 0; j < whole; j += 4) {
      for (index_t i = i0; i < quads; i += 4)
        transpose_block<T>(a + i + j * lda, lda, out + j + i * ldo, ldo);
      for (index_t i = quads; i < i1; ++i)
        for (index_t l = j; l < j + 4; ++l) out[l + i * ldo] = a[i + l * lda];
    }
    for (index_t j = whole; j < cols; ++j)
      for (index_t i = i0; i < i1; ++i) out[j + i * ldo] = a[i + j * lda];
  }
}

}  // namespace fanion::dense
