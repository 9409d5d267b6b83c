// Norms are values: written like formulas, compared, dualised, and evaluated at a matrix.
#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>

using namespace fanion;

// An expression is a constant; nothing is computed here and no matrix is needed.
constexpr auto mixed = 0.5 * ky_fan(2) + 0.5 * frobenius();
static_assert(dual(dual(mixed)) == mixed);
static_assert(dual(spectral()) == nuclear());
static_assert(dual(2 * frobenius()) == 0.5 * frobenius());

int main() {
  // Rank 3, with singular values 6, 3 and 2: a diagonal hidden behind a rotation from the left.
  Eigen::MatrixXd X = Eigen::MatrixXd::Zero(4, 3);
  X(0, 0) = 6;
  X(1, 1) = 3;
  X(2, 2) = 2;
  const double c = std::cos(1.0), s = std::sin(1.0);
  Eigen::MatrixXd Q = Eigen::MatrixXd::Identity(4, 4);
  Q.topLeftCorner<2, 2>() << c, -s, s, c;
  X = Q * X;

  int wrong = 0;
  const auto show = [&](const auto& n, double expected) {
    const double v = value(n, X);
    const bool good = std::abs(v - expected) <= 1e-12 * expected;
    std::printf("  %-42s %9.5f %s\n", describe(n).c_str(), v, good ? "" : "  <- wrong");
    wrong += !good;
  };
  std::printf("sigma = 6, 3, 2\n\n  %-42s %9s\n", "norm", "value");
  show(spectral(), 6);                          // the largest
  show(ky_fan(2), 9);                           // the two largest
  show(nuclear(), 11);                          // all of them
  show(frobenius(), 7);                         // sqrt(36 + 9 + 4)
  show(dual(ky_fan(2)), 6);                     // max(6, 11/2)
  show(rms_to_rms(4, 3), std::sqrt(0.75) * 6);  // 4 outputs, 3 inputs
  show(mixed, 8);                               // (9 + 7) / 2
  show(3 * max_abs(), 3 * 6 * s);               // the largest entry is 6 sin 1

  // Hoelder's inequality, <X, Y> <= n(X) n*(Y), for one Y and every norm that has both values.
  const Eigen::MatrixXd Y = Eigen::MatrixXd::Ones(4, 3);
  const auto holds = [&](const auto& n) {
    return X.cwiseProduct(Y).sum() <= value(n, X) * value(dual(n), Y) * (1 + 1e-12);
  };
  const bool inequality = holds(spectral()) && holds(nuclear()) && holds(ky_fan(2)) &&
                          holds(frobenius()) && holds(max_abs()) && holds(rms_to_rms(4, 3));
  std::printf("\n<X, Y> <= n(X) dual(n)(Y): %s\n", inequality ? "holds" : "violated");
  return wrong == 0 && inequality ? 0 : 1;
}
