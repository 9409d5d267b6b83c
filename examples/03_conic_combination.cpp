// Composing norms: the oracle of dual(a f + b g) is the sum of the oracles, from one factorisation.
#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace fanion;

int main() {
  std::srand(2);
  const Eigen::MatrixXd M = Eigen::MatrixXd::Random(60, 40);
  Eigen::MatrixXd D, leading, direction, signs;

  // F-Fanion-5's ball. Its dual norm is what is written inside, so the best <M, X> over it is
  // known.
  const double alpha = 0.3;
  const auto ball = dual(alpha * ky_fan(5) + (1 - alpha) * frobenius());
  const lmo_report report = lmo(ball, M, D);
  const double best = alpha * value(ky_fan(5), M) + (1 - alpha) * value(frobenius(), M);
  std::printf("%s\n  <M, D> = %.12f\n  -dual  = %.12f\n", describe(ball).c_str(), report.objective,
              -best);

  // The same from its parts, each asked alone.
  lmo(dual(ky_fan(5)), M, leading);
  lmo(frobenius(), M, direction);
  const double apart = (D - alpha * leading - (1 - alpha) * direction).norm() / D.norm();
  std::printf("  distance from the sum of the parts' oracles: %.1e\n\n", apart);

  // α goes from normalised gradient descent to the spectral method.
  std::printf("%6s %14s %16s %12s\n", "alpha", "<M, D>", "largest entry", "gap");
  bool monotone = true;
  double before = 0;
  for (const double a : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const lmo_report r = lmo(dual(a * ky_fan(5) + (1 - a) * frobenius()), M, D);
    std::printf("%6.2f %14.4f %16.4f %12.1e\n", a, r.objective, D.cwiseAbs().maxCoeff(), r.gap());
    monotone = monotone && r.objective <= before && r.gap() <= 1e-6;
    before = r.objective;
  }

  // Three terms work as two do; so do coefficients outside and duals of single norms.
  const auto three = dual(0.5 * nuclear() + 0.3 * frobenius() + 0.01 * sum_abs());
  const lmo_report r = lmo(2 * three, M, D);
  const double expected =
      (0.5 * value(nuclear(), M) + 0.3 * value(frobenius(), M) + 0.01 * value(sum_abs(), M)) / 2;
  std::printf("\n%s\n  <M, D> = %.12f, expected %.12f\n", describe(2 * three).c_str(), r.objective,
              -expected);
  const auto close = [](double x, double y) { return std::abs(x - y) <= 1e-6 * std::abs(y); };
  return close(report.objective, -best) && apart < 1e-9 && monotone && close(r.objective, -expected)
             ? 0
             : 1;
}
