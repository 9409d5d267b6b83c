/// @file  Slow, obvious references in long double: definitions by loops, nothing shared with the
/// library. Long double has the exponent range for 1e±300, so nothing here is scaled.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace reference {

using real = long double;
using table = Eigen::Matrix<real, Eigen::Dynamic, Eigen::Dynamic>;
using position = Eigen::Index;

template <class M>
[[nodiscard]] table widen(const M& m) {
  table t(m.rows(), m.cols());
  for (position j = 0; j < m.cols(); ++j)
    for (position i = 0; i < m.rows(); ++i) t(i, j) = static_cast<real>(m.coeff(i, j));
  return t;
}

/// Σ x(i, j) y(i, j).
[[nodiscard]] inline real dot(const table& x, const table& y) {
  real sum = 0;
  for (position j = 0; j < x.cols(); ++j)
    for (position i = 0; i < x.rows(); ++i) sum += x(i, j) * y(i, j);
  return sum;
}

[[nodiscard]] inline table product(const table& a, const table& b) {
  table c = table::Zero(a.rows(), b.cols());
  for (position j = 0; j < b.cols(); ++j)
    for (position k = 0; k < a.cols(); ++k)
      for (position i = 0; i < a.rows(); ++i) c(i, j) += a(i, k) * b(k, j);
  return c;
}

template <class S>
[[nodiscard]] Eigen::Matrix<S, -1, -1> transposed(const Eigen::Matrix<S, -1, -1>& a) {
  Eigen::Matrix<S, -1, -1> t(a.cols(), a.rows());
  for (position j = 0; j < a.cols(); ++j)
    for (position i = 0; i < a.rows(); ++i) t(j, i) = a(i, j);
  return t;
}

/// A = U diag(sigma) Vᵀ, U m x r, V n x r, r = min(m, n), largest first. Where sigma is 0 the
/// column of U is 0 too.
template <class S>
struct decomposition {
  Eigen::Matrix<S, -1, -1> u, v;
  std::vector<S> sigma;
};

/// One-sided Jacobi: rotate pairs of columns until all are orthogonal. In double it is four times
/// quicker and good to 1e-15: for answers, whose entries are near 1.
template <class S>
[[nodiscard]] decomposition<S> svd(const Eigen::Matrix<S, -1, -1>& a) {
  using square = Eigen::Matrix<S, -1, -1>;
  if (a.rows() < a.cols()) {
    decomposition<S> d = svd(transposed(a));
    std::swap(d.u, d.v);
    return d;
  }
  const position n = a.cols();
  square w = a, v = square::Identity(n, n);
  const S eps = std::numeric_limits<S>::epsilon();
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (position p = 0; p < n; ++p)
      for (position q = p + 1; q < n; ++q) {
        S alpha = 0, beta = 0, gamma = 0;
        for (position i = 0; i < w.rows(); ++i) {
          alpha += w(i, p) * w(i, p);
          beta += w(i, q) * w(i, q);
          gamma += w(i, p) * w(i, q);
        }
        if (std::fabs(gamma) <= eps * std::sqrt(alpha) * std::sqrt(beta)) continue;
        rotated = true;
        const S zeta = (beta - alpha) / (2 * gamma);
        const S t = (zeta >= 0 ? 1 : -1) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
        const S c = 1 / std::sqrt(1 + t * t), s = c * t;
        for (position i = 0; i < w.rows(); ++i) {
          const S x = w(i, p), y = w(i, q);
          w(i, p) = c * x - s * y;
          w(i, q) = s * x + c * y;
        }
        for (position i = 0; i < n; ++i) {
          const S x = v(i, p), y = v(i, q);
          v(i, p) = c * x - s * y;
          v(i, q) = s * x + c * y;
        }
      }
    if (!rotated) break;
  }
  std::vector<S> length(static_cast<std::size_t>(n));
  for (position j = 0; j < n; ++j) {
    S sum = 0;
    for (position i = 0; i < w.rows(); ++i) sum += w(i, j) * w(i, j);
    length[static_cast<std::size_t>(j)] = std::sqrt(sum);
  }
  std::vector<std::size_t> order(length.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return length[x] > length[y]; });
  decomposition<S> d{square::Zero(a.rows(), n), square::Zero(n, n), {}};
  for (position j = 0; j < n; ++j) {
    const std::size_t from = order[static_cast<std::size_t>(j)];
    const S s = length[from];
    d.sigma.push_back(s);
    for (position i = 0; i < n; ++i) d.v(i, j) = v(i, static_cast<position>(from));
    for (position i = 0; i < a.rows(); ++i)
      d.u(i, j) = s > 0 ? w(i, static_cast<position>(from)) / s : S(0);
  }
  return d;
}

/// U diag(w) Vᵀ.
[[nodiscard]] inline table compose(const decomposition<real>& d, const std::vector<real>& w) {
  table x = table::Zero(d.u.rows(), d.v.rows());
  for (std::size_t k = 0; k < w.size(); ++k)
    for (position j = 0; j < x.cols(); ++j)
      for (position i = 0; i < x.rows(); ++i)
        x(i, j) += d.u(i, static_cast<position>(k)) * w[k] * d.v(j, static_cast<position>(k));
  return x;
}

/// UVᵀ over the singular values above `tolerance` times the largest.
[[nodiscard]] inline table polar_factor(const decomposition<real>& d, real tolerance) {
  std::vector<real> w;
  for (const real s : d.sigma) w.push_back(s > tolerance * d.sigma.front() ? real(1) : real(0));
  return compose(d, w);
}

/// A matrix and its singular values: what the definitions below read.
struct facts {
  table x;
  std::vector<real> sigma;
};

template <class M>
[[nodiscard]] facts facts_of(const M& m) {
  facts f;
  f.x = widen(m);
  f.sigma = svd(f.x).sigma;
  return f;
}

/// The same with the decomposition in double.
template <class M>
[[nodiscard]] facts quick_facts_of(const M& m) {
  facts f;
  f.x = widen(m);
  for (const double s : svd<double>(m.template cast<double>()).sigma) f.sigma.push_back(s);
  return f;
}

// --- The norms, from their definitions
// ------------------------------------------------------------

[[nodiscard]] inline real leading_sum(const facts& f, position k) {
  real sum = 0;
  for (position i = 0; i < std::min<position>(k, static_cast<position>(f.sigma.size())); ++i)
    sum += f.sigma[static_cast<std::size_t>(i)];
  return sum;
}
[[nodiscard]] inline real spectral(const facts& f) { return leading_sum(f, 1); }
[[nodiscard]] inline real nuclear(const facts& f) {
  return leading_sum(f, static_cast<position>(f.sigma.size()));
}
[[nodiscard]] inline real ky_fan_dual(const facts& f, position k) {
  return std::max(spectral(f), nuclear(f) / static_cast<real>(k));
}
[[nodiscard]] inline real frobenius(const facts& f) { return std::sqrt(dot(f.x, f.x)); }
[[nodiscard]] inline real sum_abs(const facts& f) {
  real sum = 0;
  for (position j = 0; j < f.x.cols(); ++j)
    for (position i = 0; i < f.x.rows(); ++i) sum += std::fabs(f.x(i, j));
  return sum;
}
[[nodiscard]] inline real max_abs(const facts& f) {
  real most = 0;
  for (position j = 0; j < f.x.cols(); ++j)
    for (position i = 0; i < f.x.rows(); ++i) most = std::max(most, std::fabs(f.x(i, j)));
  return most;
}
/// The lengths of the columns of X, or of its rows.
[[nodiscard]] inline std::vector<real> lengths(const facts& f, bool columns) {
  std::vector<real> squares(static_cast<std::size_t>(columns ? f.x.cols() : f.x.rows()), 0);
  for (position j = 0; j < f.x.cols(); ++j)
    for (position i = 0; i < f.x.rows(); ++i)
      squares[static_cast<std::size_t>(columns ? j : i)] += f.x(i, j) * f.x(i, j);
  for (real& s : squares) s = std::sqrt(s);
  return squares;
}
[[nodiscard]] inline real longest(const facts& f, bool columns) {
  real most = 0;
  for (const real l : lengths(f, columns)) most = std::max(most, l);
  return most;
}
[[nodiscard]] inline real all_lengths(const facts& f, bool columns) {
  real sum = 0;
  for (const real l : lengths(f, columns)) sum += l;
  return sum;
}
/// max ‖Xv‖_rms / ‖v‖_rms over v of n entries: sqrt(n/m) σ₁.
[[nodiscard]] inline real rms_to_rms(const facts& f) {
  return std::sqrt(static_cast<real>(f.x.cols()) / static_cast<real>(f.x.rows())) * spectral(f);
}
[[nodiscard]] inline real schatten(const facts& f, real p) {
  real sum = 0;
  for (const real s : f.sigma) sum += std::pow(s, p);
  return std::pow(sum, 1 / p);
}
/// Σ wᵢσᵢ, with zero for the weights that are not given.
[[nodiscard]] inline real ordered(const facts& f, const std::vector<real>& w) {
  real sum = 0;
  for (std::size_t i = 0; i < std::min(w.size(), f.sigma.size()); ++i) sum += w[i] * f.sigma[i];
  return sum;
}
/// The dual of ordered(·, w) + b ‖·‖_F: the λ at which the non-increasing, non-negative vector next
/// to σ/λ - w has length b, by bisection. That vector has the slopes of the least concave function
/// above the partial sums of σ/λ - w, where they rise.
[[nodiscard]] inline real ordered_dual(const facts& f, const std::vector<real>& w, real b) {
  const std::size_t r = f.sigma.size();
  const auto length = [&](real lambda) {
    std::vector<real> height(1, 0);
    for (std::size_t i = 0; i < r; ++i)
      height.push_back(height.back() + f.sigma[i] / lambda - (i < w.size() ? w[i] : 0));
    std::vector<std::size_t> hull;
    const auto slope = [&](std::size_t i, std::size_t j) {
      return (height[j] - height[i]) / static_cast<real>(j - i);
    };
    for (std::size_t i = 0; i <= r; ++i) {
      while (hull.size() > 1 &&
             slope(hull[hull.size() - 2], hull.back()) <= slope(hull[hull.size() - 2], i))
        hull.pop_back();
      hull.push_back(i);
    }
    real sum = 0;
    for (std::size_t i = 1; i < hull.size(); ++i) {
      const real s = std::max(real(0), slope(hull[i - 1], hull[i]));
      sum += s * s * static_cast<real>(hull[i] - hull[i - 1]);
    }
    return std::sqrt(sum);
  };
  real low = 0, high = 0, squares = 0, sum = 0, weight = 0;
  for (std::size_t i = 0; i < r; ++i) {
    squares += f.sigma[i] * f.sigma[i];
    sum += f.sigma[i];
    weight += i < w.size() ? w[i] : 0;
    if (weight > 0) high = std::max(high, sum / weight);
  }
  if (r == 0 || f.sigma[0] == 0) return 0;
  if (b == 0) return high;
  if (weight == 0) high = std::sqrt(squares) / b;
  for (int i = 0; i < 200; ++i) {
    const real middle = (low + high) / 2;
    (length(middle) > b ? low : high) = middle;
  }
  return high;
}
/// The dual of sqrt(a²‖·‖_F² + b²‖·‖_*²): sqrt(τ²/b² + Σ (σ - τ)₊²/a²) at τ = S/(j + a²/b²) for the
/// sum S of the j values above τ.
[[nodiscard]] inline real soft_dual(const facts& f, real a, real b) {
  real sum = 0, threshold = 0, count = a * a / (b * b), squares = 0;
  for (const real s : f.sigma) {
    if (s <= threshold) break;
    sum += s;
    count += 1;
    threshold = sum / count;
  }
  for (const real s : f.sigma) squares += std::pow(std::max(real(0), s - threshold), 2);
  return std::sqrt(threshold * threshold / (b * b) + squares / (a * a));
}
[[nodiscard]] inline real rms_to_rms_dual(const facts& f) {
  return std::sqrt(static_cast<real>(f.x.rows()) / static_cast<real>(f.x.cols())) * nuclear(f);
}

}  // namespace reference
