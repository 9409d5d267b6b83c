/// @file  An operand seen with its shorter side as rows, which is how polar methods want it.
#pragma once

#include <fanion/backend/measure.hpp>
#include <fanion/spectral/concepts.hpp>

#include <cmath>

namespace fanion {

/// scale·x is the operand or its transpose, r x L with r <= L.
template <class T, class Space>
struct short_side {
  matrix_view<const T, Space> x;
  T scale = 1;
  bool turned = false;  ///< x is the transpose
};

/// Without a copy where M is stored that way round and its squares are far from the ends of the
/// exponent's range; the factor is a power of two, so that the bits of an answer are the same with
/// a copy, which goes to `buffer`.
template <class B, class T, class Space>
[[nodiscard]] short_side<T, Space> lay_on_short_side(B& b, const operand<T, Space>& a,
                                                     matrix_view<T, Space> buffer) {
  const bool turned = a.rows() > a.cols();
  if (turned == a.matrix.transposed) {
    if (std::abs(std::ilogb(a.scale)) <= 16) return {a.matrix.storage, a.scale, turned};
    b.axpby(a.scale, a.matrix.storage, T(0), buffer);
  } else {
    b.axpby_adjoint(a.scale, a.matrix.storage, T(0), buffer);
  }
  return {buffer.as_const(), T(1), turned};
}

/// What is measured of an approximate polar factor X of A, stored like short_side: no rounding of
/// the way that led to it enters.
struct polar_measure {
  double product = 0;  ///< <A, X>
  double energy = 0;   ///< ‖X‖_F²
};

/// One pass over A.
template <class B, class T, class Space>
[[nodiscard]] polar_measure measure_polar(B& b, const operand<T, Space>& a,
                                          matrix_view<const T, Space> x, bool turned) {
  const measured::dot<T, Space> product{a.matrix.storage, x, turned != a.matrix.transposed};
  const auto seen = measure(b, product, measured::norm<T, Space>{x});
  const double length = static_cast<double>(seen[1]);
  return {static_cast<double>(seen[0]) * static_cast<double>(a.scale), length * length};
}

}  // namespace fanion
