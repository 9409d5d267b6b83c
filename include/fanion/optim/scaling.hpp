/// @file  How the length of a step follows the shape of a matrix of m outputs and n inputs.
#pragma once

#include <fanion/core/types.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

enum class shape_scaling {
  none,      ///< 1
  widening,  ///< sqrt(max(1, m/n)): Keller Jordan's Muon
  rms,       ///< sqrt(m/n): the RMS to RMS ball; learning rates transfer over width
  adamw      ///< 0.2 sqrt(max(m, n)): entries as large as AdamW's; its rates carry over (Moonlight)
};

[[nodiscard]] inline double shape_factor(shape_scaling scaling, index_t m, index_t n) {
  const double rows = static_cast<double>(m), cols = static_cast<double>(std::max<index_t>(1, n));
  switch (scaling) {
    case shape_scaling::none:
      return 1;
    case shape_scaling::widening:
      return std::sqrt(std::max(1.0, rows / cols));
    case shape_scaling::rms:
      return std::sqrt(rows / cols);
    case shape_scaling::adamw:
      return 0.2 * std::sqrt(std::max(rows, cols));
  }
  return 1;
}

}  // namespace fanion
