/// @file  What an approximate polar factor proves about the matrix it came from.
#pragma once

#include <fanion/spectral/polynomial_record.hpp>
#include <fanion/spectral/short_side.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

/// For X = p(A/unit), where the record knows p, and ‖A‖₂ <= unit. `slack`: what rounding may have
/// done to a singular value of X, relative to 1. <A, X> and ‖X‖_F are measured: one pass.
template <class B, class T, class Space>
void certify_polar(B& b, const operand<T, Space>& a, const short_side<T, Space>& x, double unit,
                   double slack, polynomial_record& record, polar_factor<T, Space>& answer) {
  const polar_measure seen = measure_polar(b, a, x.x, x.turned);
  const index_t r = x.x.rows();
  const double size = static_cast<double>(r);
  answer.x = {x.x, x.turned};
  answer.product = seen.product;
  answer.nuclear_bound =
      (1 + slack) *
      std::min(std::sqrt(size) * a.frobenius,
               record.nuclear_bound(seen.product, seen.energy * (1 - slack), unit, r));
  answer.spectral_bound = std::max(record.ceiling(), -record.floor()) + slack;
  answer.effort.residual = std::abs(size - seen.energy) / size;
  ++answer.effort.passes;
}

/// The share of the dual norm that the answer may miss, by its own bounds.
template <class T, class Space>
[[nodiscard]] double missed_share(const polar_factor<T, Space>& answer) {
  return 1 - answer.product / (std::max(1.0, answer.spectral_bound) * answer.nuclear_bound);
}

}  // namespace fanion
