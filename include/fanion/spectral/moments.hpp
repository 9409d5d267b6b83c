/// @file  What a Gram matrix and its square say about the spectrum before any step is taken.
#pragma once

#include <fanion/backend/measure.hpp>
#include <fanion/spectral/concepts.hpp>

#include <algorithm>
#include <cmath>

namespace fanion {

/// Sums of powers of the eigenvalues of a positive semidefinite R of order `count`: m[k] = tr Rᵏ.
struct gram_moments {
  double count = 0;
  double first = 0, second = 0, third = 0, fourth = 0;
  double slack = 0;  ///< relative error of each sum

  /// At least the largest eigenvalue. For any β and γ, no |λ² - βλ - γ| exceeds
  /// ρ = ‖R² - βR - γI‖_F; the β and γ of least ρ are used, near enough, and the sum for ρ² is
  /// widened by what rounding may have taken from it.
  [[nodiscard]] double top() const {
    const double a = first / count, b = second / count, c = third / count, d = fourth / count;
    const double spread = b - a * a;
    const double beta = spread > 1e-6 * b ? (c - a * b) / spread : 0.0;
    const double gamma = b - beta * a;
    const double square =
        d - 2 * beta * c - 2 * gamma * b + beta * beta * b + 2 * beta * gamma * a + gamma * gamma;
    const double size = d + 2 * std::abs(beta) * c + 2 * std::abs(gamma) * b + beta * beta * b +
                        2 * std::abs(beta * gamma) * a + gamma * gamma;
    const double rho = std::sqrt(count * (std::max(0.0, square) + slack * size));
    const double root = std::sqrt(std::max(0.0, beta * beta + 4 * (gamma + rho)));
    return std::min((beta + root) / 2, std::sqrt(std::sqrt(fourth * (1 + slack))));
  }

  /// At most the mean of the eigenvalues' roots: Hölder, Σσ >= (Σσ²)^(3/2) / (Σσ⁴)^(1/2).
  [[nodiscard]] double mean_root() const { return first * std::sqrt(first / second) / count; }
};

/// From R and S = R².
template <class B, class T, class Space>
[[nodiscard]] gram_moments moments_of(B& b, matrix_view<const T, Space> R,
                                      matrix_view<const T, Space> S) {
  const auto square = [](double x) { return x * x; };
  gram_moments m;
  m.count = static_cast<double>(R.rows());
  m.slack = rounding<T>(R.rows(), R.rows());
  const matrix_view<const T, Space> diagonal(R.data(), 1, R.rows(), R.ld() + 1);
  const auto seen = measure(b, measured::entries<T, Space>{diagonal, reduction::sum_abs},
                            measured::norm<T, Space>{R}, measured::dot<T, Space>{R, S},
                            measured::norm<T, Space>{S});
  m.first = static_cast<double>(seen[0]);
  m.second = square(static_cast<double>(seen[1]));
  m.third = static_cast<double>(seen[2]);
  m.fourth = square(static_cast<double>(seen[3]));
  return m;
}

}  // namespace fanion
