/// @file  The Frobenius norm  sqrt(Σ xᵢⱼ²) = sqrt(Σ σᵢ²), its own dual.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/norms/concepts.hpp>

namespace fanion {

/// Needs no singular value: one read of the matrix. Its oracle is -X/‖X‖: normalised SGD.
class frobenius : public norm_base {
 public:
  using category = entrywise_tag;

  [[nodiscard]] constexpr frobenius dual() const noexcept { return {}; }
  [[nodiscard]] constexpr frobenius transposed() const noexcept { return *this; }

  template <class B, class T, class Space>
  [[nodiscard]] static T value(B& b, matrix_view<const T, Space> x) {
    return b.norm(x);
  }

  template <class B, class T, class Space>
  static void add_subgradient(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                              T scale) {
    add_direction(b, x, d, scale, b.norm(x.storage));
  }

  /// D += scale X/length, for a caller that has ‖X‖ = length already. Divided entry by entry, so
  /// that neither 1/length nor scale/length can leave the range of T.
  template <class B, class T, class Space>
  static void add_direction(B& b, const oriented_view<const T, Space>& x, matrix_view<T, Space> d,
                            T scale, T length) {
    if (!(length > T(0))) return;
    map_oriented(b, x, d, entry::plus_direction<T>{scale, length});
  }

  friend constexpr bool operator==(const frobenius&, const frobenius&) = default;
};

static_assert(EntrywiseNorm<frobenius> && frobenius().dual() == frobenius());

}  // namespace fanion
