/// Steps whose momentum comes into being while the oracle reads it, on matrices too large for an
/// exact decomposition: the momentum is that of the definition, and the oracle saw that momentum.
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/eigen.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace {

using namespace fanion;
using columns = Eigen::MatrixXd;
using rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr index_t k = 3;
using step_type = lmo_step<decltype(fanion_k(k).norm), double, eigen_backend>;

/// A gradient of rank 8 and noise, of which the left side stays.
columns gradient(index_t m, index_t n, std::uint64_t t) {
  return matrices::gaussian(m, 8, 1) * matrices::gaussian(8, n, 100 + t) +
         0.1 * matrices::gaussian(m, n, 200 + t);
}

template <class X>
step_report take(step_type& step, X& x, const X& g, double rate) {
  return step.step(matrix_adapter<X>::view(x), matrix_adapter<X>::view(g), rate);
}

template <class W, class G>
void follow(const momentum& rule, index_t m, index_t n) {
  eigen_backend backend;
  step_type step(fanion_k(k, {.momentum = rule, .gap = 1e-2}), m, n, backend);
  columns buffer = columns::Zero(m, n);
  const bool ema = rule.accumulation == accumulation::ema;
  const double share = ema ? 1 - rule.beta : 1;
  for (std::uint64_t t = 0; t < 12; ++t) {
    const columns exact = gradient(m, n, t);
    const G g = exact;
    W x = W::Zero(m, n);
    const step_report report = step.step(matrix_adapter<W>::view(x), matrix_adapter<G>::view(g), 1);
    CAPTURE(t);
    CHECK(report.outcome == outcome::converged);

    buffer = rule.beta * buffer + share * exact;
    const auto held = step.momentum_buffer();
    const bool turned = W::IsRowMajor;
    double worst = 0;
    for (index_t j = 0; j < n; ++j)
      for (index_t i = 0; i < m; ++i)
        worst = std::max(worst, std::abs((turned ? held(j, i) : held(i, j)) - buffer(i, j)));
    CHECK(worst <= 1e-14 * buffer.cwiseAbs().maxCoeff());

    const columns seen =
        rule.lookahead == lookahead::none ? buffer : columns(rule.beta * buffer + share * exact);
    const auto f = reference::facts_of(seen);
    const auto attained = -reference::dot(f.x, reference::widen(columns(x)));
    CHECK(static_cast<double>(1 - attained / reference::leading_sum(f, k)) <= 2e-2);
    CHECK(reference::ky_fan_dual(reference::facts_of(columns(x)), k) <= 1 + 1e-12L);
  }
}

}  // namespace

TEST_CASE("every momentum and storage order, tall and wide") {
  for (const auto form : {accumulation::ema, accumulation::heavy_ball})
    for (const auto ahead : {lookahead::none, lookahead::nesterov}) {
      const momentum rule{0.8, form, ahead};
      follow<columns, columns>(rule, 70, 101);
      follow<rows, rows>(rule, 101, 70);
    }
  follow<columns, rows>({0.8, accumulation::ema, lookahead::nesterov}, 70, 90);
  follow<rows, columns>({0.8, accumulation::ema, lookahead::none}, 70, 90);
}

TEST_CASE("a gradient that is not finite leaves no trace, even in what the next step starts from") {
  eigen_backend backend;
  const index_t m = 70, n = 90;
  const auto rule = fanion_k(k, {.gap = 1e-2});
  step_type disturbed(rule, m, n, backend), calm(rule, m, n, backend);
  columns x = columns::Zero(m, n), y = x;
  const auto bits = [](const step_type& step) {
    std::ostringstream out;
    archive_writer archive(out);
    step.save(archive);
    return out.str();
  };
  for (std::uint64_t t = 0; t < 4; ++t) {
    const std::string before = bits(disturbed);
    columns broken = gradient(m, n, 50 + t);
    broken(static_cast<index_t>(7 * t), 5) = t % 2 == 0 ? NAN : INFINITY;
    CHECK(take(disturbed, x, broken, 0.1).skipped);
    CHECK(bits(disturbed) == before);
    take(disturbed, x, gradient(m, n, t), 0.1);
    take(calm, y, gradient(m, n, t), 0.1);
    CHECK(x == y);
  }
  CHECK(bits(disturbed) == bits(calm));
}

TEST_CASE("a momentum that cancels is zero, and one that overflows is not finite") {
  eigen_backend backend;
  const index_t m = 70, n = 90;
  const columns g = gradient(m, n, 0);
  step_type step(fanion_k(k, {.momentum = {0.5, accumulation::heavy_ball, lookahead::none}}), m, n,
                 backend);
  columns x = columns::Zero(m, n);
  take(step, x, g, 0.1);
  const columns before = x;
  CHECK(take(step, x, columns(-0.5 * g), 0.1).outcome == outcome::zero_input);
  CHECK(x == before);
  CHECK(take(step, x, g, 0.1).outcome == outcome::converged);  // and on it goes

  columns huge = columns::Zero(m, n);
  huge(3, 4) = std::numeric_limits<double>::max();
  step_type full(fanion_k(k, {.momentum = {0.9, accumulation::heavy_ball, lookahead::none}}), m, n,
                 backend);
  x.setZero();
  take(full, x, huge, 0.1);
  const columns after = x;
  CHECK(take(full, x, huge, 0.1).outcome == outcome::non_finite);
  CHECK(x == after);
}
