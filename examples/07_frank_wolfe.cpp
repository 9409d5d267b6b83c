// A smooth function over the ball of a norm: Frank and Wolfe's method, and its certificate.
#include <fanion/eigen.hpp>

#include <cmath>
#include <cstdio>

using namespace fanion;
using Eigen::MatrixXd;

/// f(X) = ‖X - T‖²/2. Any type with these members will do; `curvature` only where the step asks.
struct distance_to {
  MatrixXd T;
  double value(const MatrixXd& X) const { return 0.5 * (X - T).squaredNorm(); }
  void gradient(const MatrixXd& X, MatrixXd& G) const { G = X - T; }
  double curvature(const MatrixXd&, const MatrixXd& D) const { return D.squaredNorm(); }
};

int main() {
  // T with singular values 4, 2 and 1, between two reflections.
  MatrixXd sigma = MatrixXd::Zero(6, 4);
  sigma.diagonal() << 4, 2, 1, 0;
  const MatrixXd left = MatrixXd::Identity(6, 6) - MatrixXd::Constant(6, 6, 1.0 / 3);
  const MatrixXd right = MatrixXd::Identity(4, 4) - MatrixXd::Constant(4, 4, 0.5);
  const distance_to f{left * sigma * right};

  int wrong = 0;
  std::printf("%-10s %-18s %5s %10s %10s %10s\n", "ball", "step", "steps", "f(X)", "f(X)-min f",
              "certified");
  const auto show = [&](const char* name, const auto& ball, const char* step, const auto& rule,
                        double least) {
    MatrixXd X = MatrixXd::Zero(6, 4);
    const frank_wolfe_report r =
        frank_wolfe(ball, f, X, {.radius = 3, .tolerance = 1e-2, .iterations = 5000}, rule);
    const double above = r.value - least;
    std::printf("%-10s %-18s %5td %10.6f %10.2e %10.2e\n", name, step, r.iterations, r.value, above,
                r.certified_gap);
    wrong += r.outcome != descent_outcome::converged || above < -1e-9 || above > r.certified_gap;
  };
  const auto every_step = [&](const char* name, const auto& ball, double least) {
    show(name, ball, "adaptive", adaptive_step{}, least);
    show(name, ball, "exact line search", exact_line_search{}, least);
    show(name, ball, "short, L = 1", short_step{.lipschitz = 1}, least);
    show(name, ball, "open loop", open_loop{}, least);
  };
  // The nearest points of the two balls are known: the nuclear norm takes 1.5 from each singular
  // value down to 0, which leaves 2.5 and 0.5; the spectral norm cuts them off at 3.
  every_step("nuclear", nuclear(), 0.5 * (1.5 * 1.5 + 1.5 * 1.5 + 1 * 1));
  every_step("spectral", spectral(), 0.5 * 1 * 1);
  return wrong == 0 ? 0 : 1;
}
