/// @file  What an approximate polar factor proves about the matrix it came from.
#pragma once

#include <fanion/spectral/polynomial_record.hpp>
#include <fanion/spectral/short_side.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

/// For X = p(A/unit) of rank up to r, where the record knows p, and ‖A‖₂ <= unit, from what was
/// measured of X and ‖A‖_F. `slack`: what rounding may have done to a singular value of X, relative
/// to 1.
template <class T, class Space>
void certify_polar(const polar_measure& seen, double frobenius, index_t r, double unit,
                   double slack, polynomial_record& record, polar_factor<T, Space>& answer) {
  const double size = static_cast<double>(r);
  answer.product = seen.product;
  answer.nuclear_bound =
      (1 + slack) *
      std::min(std::sqrt(size) * frobenius,
               record.nuclear_bound(seen.product, seen.energy * (1 - slack), unit, r));
  answer.spectral_bound = std::max(record.ceiling(), -record.floor()) + slack;
  answer.effort.residual = std::abs(size - seen.energy) / size;
  ++answer.effort.passes;
}
/// The same, with the one pass over A that measures.
template <class B, class T, class Space>
void certify_polar(B& b, const operand<T, Space>& a, const short_side<T, Space>& x, double unit,
                   double slack, polynomial_record& record, polar_factor<T, Space>& answer) {
  answer.x = {x.x, x.turned};
  certify_polar(measure_polar(b, a, x.x, x.turned), a.frobenius, x.x.rows(), unit, slack, record,
                answer);
}

/// The share of the dual norm that the answer may miss, by its own bounds.
template <class T, class Space>
[[nodiscard]] double missed_share(const polar_factor<T, Space>& answer) {
  return 1 - answer.product / (std::max(1.0, answer.spectral_bound) * answer.nuclear_bound);
}

}  // namespace fanion
