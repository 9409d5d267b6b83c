// A norm of your own, in a namespace of your own: three members, and it composes like any other.
#include <fanion/eigen.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace mine {

/// w₁σ₁ + w₂σ₂ + w₃σ₃ with w₁ >= w₂ >= w₃ >= 0: spectral at (1, 0, 0), Ky Fan 3 at (1, 1, 1).
class ordered : public fanion::norm_base {  // the base lets * and + find it
 public:
  using category = fanion::spectral_tag;
  explicit constexpr ordered(std::array<double, 3> w) : w_(w) {}

  /// How many leading singular values it reads when the shorter side is r.
  constexpr fanion::index_t depth(fanion::index_t r) const {
    return std::min<fanion::index_t>(3, r);
  }
  /// Its value, from exactly that many, largest first.
  template <fanion::Real T>
  constexpr T gauge(fanion::spectrum_view<T> s) const {
    T sum = 0;
    for (std::size_t i = 0; i < s.size(); ++i) sum += T(w_[i]) * s[i];
    return sum;
  }
  /// A weight for each singular value: <weights, s> = gauge(s), zero where s is zero.
  template <fanion::Real T>
  constexpr void subgradient(fanion::spectrum_view<T> s, fanion::weight_view<T> weights) const {
    for (std::size_t i = 0; i < s.size(); ++i) weights[i] = s[i] > 0 ? T(w_[i]) : T(0);
  }
  constexpr ordered transposed() const { return *this; }
  static const char* name() { return "mine::ordered"; }  // optional: for messages and checkpoints
  friend constexpr bool operator==(const ordered&, const ordered&) = default;

 private:
  std::array<double, 3> w_;
};

}  // namespace mine

int main() {
  constexpr mine::ordered own({1, 0.5, 0.25});
  constexpr auto ball = dual(0.8 * own + 0.2 * fanion::frobenius());
  static_assert(dual(ball) == 0.8 * own + 0.2 * fanion::frobenius());

  // Large enough for an iterative solver, with known singular values 8, 4, 2, 1 on a diagonal.
  Eigen::MatrixXd M = Eigen::MatrixXd::Zero(200, 120), D;
  for (int i = 0; i < 4; ++i) M(10 * i, 7 * i) = 8 >> i;
  const double expected = 0.8 * (8 + 0.5 * 4 + 0.25 * 2) + 0.2 * std::sqrt(64 + 16 + 4 + 1);

  const fanion::lmo_report r = lmo(ball, M, D, fanion::automatic{.gap = 1e-8});
  std::printf("%s\n", describe(ball).c_str());
  std::printf("<M, D>      %.10f, by hand %.10f\n", r.objective, -expected);
  std::printf("certificate dual(M) <= %.10f, n(D) <= %.10f, gap %.1e\n", r.bound, r.feasibility,
              r.gap());
  return std::abs(r.objective + expected) <= 1e-8 * expected && r.gap() <= 1e-7 ? 0 : 1;
}
