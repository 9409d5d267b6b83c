/// @file  An expression as text: for messages, reports and checkpoints.
#pragma once

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/owl.hpp>
#include <fanion/norms/rescaled.hpp>
#include <fanion/norms/rms.hpp>
#include <fanion/norms/rowwise.hpp>
#include <fanion/norms/schatten.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <string>

namespace fanion {

/// The shortest digits that read back as the same double, so different numbers differ as text.
[[nodiscard]] inline std::string describe(double x) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x).ptr;
  return std::string(digits.data(), end);
}

/// `n` as it could be written in code: "dual(0.5 * ky_fan(5) + 0.5 * frobenius())". A norm of the
/// user's own is what its member `name()` says, and "norm" without one.
template <Norm N>
[[nodiscard]] std::string describe(const N& n) {
  if constexpr (requires {
                  { n.name() } -> std::convertible_to<std::string>;
                })
    return n.name();
  else if constexpr (is_scaled<N>)
    return describe(n.coefficient()) + " * " +
           (is_sum<std::remove_cvref_t<decltype(n.inner())>> ? "(" + describe(n.inner()) + ")"
                                                             : describe(n.inner()));
  else if constexpr (is_sum<N>)
    return describe(n.first()) + " + " + describe(n.second());
  else if constexpr (is_rescaled<N>) {
    std::string text = "rescaled({";
    for (index_t i = 0; i < n.rows(); ++i) text += (i == 0 ? "" : ", ") + describe(n.row_factor(i));
    text += "}, " + describe(n.inner()) + ", {";
    for (index_t j = 0; j < n.cols(); ++j) text += (j == 0 ? "" : ", ") + describe(n.col_factor(j));
    return text + "})";
  } else if constexpr (is_pair<N>)
    return (N::kind() == pairing::largest ? "max_of(" : "quadrature(") + describe(n.first()) +
           ", " + describe(n.second()) + ")";
  else if constexpr (is_dual_of<N> || std::same_as<N, ky_fan_dual> ||
                     std::same_as<N, rms_to_rms_dual>)
    return "dual(" + describe(n.dual()) + ")";
  else if constexpr (std::same_as<N, ky_fan>)
    return "ky_fan(" + std::to_string(n.k()) + ")";
  else if constexpr (is_owl<N>) {
    std::string text = "owl({";
    for (std::size_t j = 0; j < n.weights().size(); ++j)
      text += (j == 0 ? "" : ", ") + describe(n.weights()[j]);
    return text + "})";
  } else if constexpr (std::same_as<N, schatten>)
    return n.conjugate() ? "dual(schatten(" + describe(n.number()) + "))"
                         : "schatten(" + describe(n.number()) + ")";
  else if constexpr (std::same_as<N, rms_to_rms>)
    return "rms_to_rms(" + std::to_string(n.m()) + ", " + std::to_string(n.n()) + ")";
  else if constexpr (std::same_as<N, frobenius>)
    return "frobenius()";
  else if constexpr (std::same_as<N, spectral>)
    return "spectral()";
  else if constexpr (std::same_as<N, nuclear>)
    return "nuclear()";
  else if constexpr (std::same_as<N, max_abs>)
    return "max_abs()";
  else if constexpr (std::same_as<N, sum_abs>)
    return "sum_abs()";
  else if constexpr (std::same_as<N, max_row>)
    return "max_row()";
  else if constexpr (std::same_as<N, sum_row>)
    return "sum_row()";
  else if constexpr (std::same_as<N, max_col>)
    return "max_col()";
  else if constexpr (std::same_as<N, sum_col>)
    return "sum_col()";
  else
    return "norm";
}

}  // namespace fanion
