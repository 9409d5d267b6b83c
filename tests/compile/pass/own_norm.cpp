// A norm in a namespace of its own: the operators and dual() are found, and it has an oracle.
#include <fanion/eigen.hpp>

#include <algorithm>

namespace mine {

class twice_nuclear;

/// σ₁ / 2.
class half_spectral : public fanion::norm_base {
 public:
  using category = fanion::spectral_tag;
  [[nodiscard]] constexpr twice_nuclear dual() const;
  [[nodiscard]] constexpr half_spectral transposed() const { return *this; }
  [[nodiscard]] static constexpr fanion::index_t depth(fanion::index_t r) {
    return std::min<fanion::index_t>(1, r);
  }
  template <fanion::Real T>
  [[nodiscard]] static constexpr T gauge(fanion::spectrum_view<T> s) {
    return s.empty() ? T(0) : s.front() / 2;
  }
  template <fanion::Real T>
  static constexpr void subgradient(fanion::spectrum_view<T> s, fanion::weight_view<T> w) {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = s[i] > T(0) ? T(0.5) : T(0);
  }
  friend constexpr bool operator==(const half_spectral&, const half_spectral&) = default;
};

/// 2 (σ₁ + … + σᵣ).
class twice_nuclear : public fanion::norm_base {
 public:
  using category = fanion::spectral_tag;
  [[nodiscard]] constexpr half_spectral dual() const { return {}; }
  [[nodiscard]] constexpr twice_nuclear transposed() const { return *this; }
  [[nodiscard]] static constexpr fanion::index_t depth(fanion::index_t r) { return r; }
  template <fanion::Real T>
  [[nodiscard]] static constexpr T gauge(fanion::spectrum_view<T> s) {
    return 2 * fanion::total(s);
  }
  template <fanion::Real T>
  static constexpr void subgradient(fanion::spectrum_view<T> s, fanion::weight_view<T> w) {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = s[i] > T(0) ? T(2) : T(0);
  }
  friend constexpr bool operator==(const twice_nuclear&, const twice_nuclear&) = default;
};

constexpr twice_nuclear half_spectral::dual() const { return {}; }

static_assert(fanion::SpectralNorm<half_spectral> && fanion::LmoTractable<half_spectral>);

constexpr auto composed = 0.5 * half_spectral() + 3 * twice_nuclear();
static_assert(dual(dual(composed)) == composed);

void run(const Eigen::MatrixXd& m, Eigen::MatrixXd& d) {
  (void)lmo(half_spectral(), m, d);
  (void)lmo(dual(composed), m, d);
  (void)value(composed, m);
  (void)lmo(dual(composed + fanion::frobenius()), m, d);
}

}  // namespace mine
