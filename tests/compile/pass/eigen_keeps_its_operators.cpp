// With `using namespace fanion`, arithmetic on Eigen's matrices and on numbers is what it was.
#include <fanion/eigen.hpp>

#include <type_traits>

using namespace fanion;

void run(Eigen::MatrixXf& X, const Eigen::MatrixXf& D, float rate, const Eigen::MatrixXd& E) {
  X += rate * D;
  X += 2 * D;
  X = X + D;
  const Eigen::MatrixXd twice = 2.0 * E + E * 2.0;
  const Eigen::MatrixXd product = E * E;
  static_assert(std::is_same_v<decltype(2.0 * 3), double>);
  (void)twice;
  (void)product;
}

template <class A, class B>
concept Multiplies = requires(A a, B b) {
  a* b;
};
static_assert(Multiplies<double, spectral> && Multiplies<int, spectral> &&
              Multiplies<float, spectral>);
static_assert(!Multiplies<spectral, double> && !Multiplies<spectral, spectral>);
