// The calculus of norms as values: equality, involution, coefficients, reductions.
#include <doctest/doctest.h>

#include "support/matrices.hpp"

#include <fanion/eigen.hpp>

#include <type_traits>

using namespace fanion;

namespace {

template <class N>
constexpr bool involutes(const N& n) {
  return dual(dual(n)) == n && std::same_as<decltype(dual(dual(n))), N>;
}

/// Involution through every way to write a coefficient.
constexpr bool involutes_at(double c) {
  return involutes(c * spectral()) && involutes(c * ky_fan(3)) && involutes(c * dual(ky_fan(3))) &&
         involutes(c * (ky_fan(2) + frobenius())) && involutes(c * frobenius() + c * max_abs()) &&
         involutes(dual(c * ky_fan(2) + (1 / c) * frobenius())) &&
         involutes(c * dual(c * ky_fan(2) + frobenius())) && involutes(c * (c * spectral())) &&
         involutes(c * rms_to_rms(3, 5)) && involutes(c * sum_abs());
}

static_assert(involutes(frobenius()) && involutes(spectral()) && involutes(nuclear()) &&
              involutes(ky_fan(4)) && involutes(dual(ky_fan(4))) && involutes(max_abs()) &&
              involutes(sum_abs()) && involutes(rms_to_rms(3, 5)) &&
              involutes(dual(rms_to_rms(3, 5))));
// 1 / (1 / c) is not c for the first two of these.
static_assert(1 / (1 / 49.0) != 49.0);
static_assert(involutes_at(0.11) && involutes_at(49) && involutes_at(1 / 3.) && involutes_at(0.5) &&
              involutes_at(1e-150) && involutes_at(7));

static_assert(dual(spectral()) == nuclear() && dual(nuclear()) == spectral());
static_assert(dual(max_abs()) == sum_abs() && dual(frobenius()) == frobenius());
static_assert(dual(2 * spectral()) == 0.5 * dual(spectral()) &&
              dual(2 * ky_fan(3)) == 0.5 * dual(ky_fan(3)));
static_assert(2 * (3 * spectral()) == 6 * spectral());
static_assert(2 * spectral() != 3 * spectral() && ky_fan(2) != ky_fan(3));
static_assert(rms_to_rms(3, 5) != rms_to_rms(5, 3));
// X -> n(Xᵀ): σ₁ keeps its factor sqrt(n/m), which rms_to_rms of the turned shape has upside down.
static_assert(rms_to_rms(3, 5).transposed() == 5 / 3. * rms_to_rms(5, 3));
static_assert(dual(rms_to_rms(3, 5)).transposed() == dual(rms_to_rms(3, 5).transposed()));
static_assert((rms_to_rms(3, 5) + spectral()).transposed() ==
              5 / 3. * rms_to_rms(5, 3) + spectral());
static_assert(dual(rms_to_rms(3, 5) + spectral()).transposed() ==
              dual((rms_to_rms(3, 5) + spectral()).transposed()));
// c (a + b) stays as it was written.
static_assert(
    std::same_as<decltype(2 * (spectral() + frobenius())), scaled<sum<spectral, frobenius>>>);
static_assert(dual(spectral() + frobenius()) == dual(spectral() + frobenius()));
static_assert(dual(spectral() + 2 * frobenius()) != dual(spectral() + 3 * frobenius()));
// Coefficients are doubles, whatever they were.
static_assert(2 * spectral() == 2.0 * spectral() && 2.0f * spectral() == 2 * spectral());

// What can be done with what.
using sum_of_two = decltype(spectral() + max_abs());
using its_dual = decltype(dual(spectral() + max_abs()));
static_assert(Evaluable<sum_of_two> && Subdifferentiable<sum_of_two>);
static_assert(!LmoTractable<sum_of_two> && LmoTractable<its_dual>);
static_assert(!Evaluable<its_dual>);
static_assert(!LmoTractable<decltype(dual(dual(spectral() + max_abs()) + nuclear()))>);
// Ordered and Frobenius terms have their duals in closed form.
using ordered_sum = decltype(spectral() + frobenius());
using dual_of_ordered = decltype(dual(spectral() + frobenius()));
static_assert(LmoTractable<ordered_sum> && LmoTractable<dual_of_ordered>);
static_assert(Evaluable<dual_of_ordered> && SpectralNorm<dual_of_ordered>);
static_assert(LmoTractable<decltype(dual(dual(spectral() + frobenius()) + nuclear()))>);
static_assert(LmoTractable<ky_fan> && LmoTractable<ky_fan_dual> && LmoTractable<scaled<spectral>>);
static_assert(!Norm<int> && !Norm<double>);

// Values: copyable, comparable, tiny, nothing to construct by default where there is a parameter.
static_assert(std::is_empty_v<frobenius> && sizeof(ky_fan) == sizeof(index_t));
static_assert(std::copyable<decltype(dual(0.5 * ky_fan(5) + 0.5 * frobenius()))>);
static_assert(!std::default_initializable<ky_fan> && !std::is_polymorphic_v<ky_fan>);

}  // namespace

TEST_CASE("involution at run time, over coefficients that do not invert") {
  int not_exact = 0;
  for (int i = 1; i < 1000; ++i) {
    const double c = i / 1000.0;
    not_exact += 1 / (1 / c) != c;
    CHECK(involutes_at(c));
  }
  CHECK(not_exact > 50);  // or the test shows nothing
}

TEST_CASE("reductions: different words for one oracle") {
  const Eigen::MatrixXd m = matrices::gaussian(7, 5);
  const auto same = [&](const auto& a, const auto& b) {
    Eigen::MatrixXd da, db;
    (void)lmo(a, m, da, exact{});
    (void)lmo(b, m, db, exact{});
    CHECK((da - db).norm() <= 1e-13 * da.norm());
  };
  same(dual(ky_fan(1)), nuclear());
  same(ky_fan(1), spectral());
  same(dual(ky_fan(5)), spectral());
  same(dual(ky_fan(50)), spectral());
  same(ky_fan(5), nuclear());
  same(dual(1.0 * ky_fan(2) + 0.0 * frobenius()), dual(ky_fan(2)));
  same(dual(0.0 * ky_fan(2) + 1.0 * frobenius()), frobenius());
  same(dual(0.5 * ky_fan(2) + 0.5 * ky_fan(2)), dual(ky_fan(2)));
  same(dual(1 * frobenius()), frobenius());
  same(rms_to_rms(7, 5), dual(std::sqrt(7.0 / 5) * nuclear()));
  same(dual(spectral() + frobenius()), dual(frobenius() + spectral()));
  same(dual(3 * (spectral() + frobenius())), dual(3 * spectral() + 3 * frobenius()));
}

TEST_CASE("c n has a ball c times smaller") {
  const Eigen::MatrixXd m = matrices::gaussian(7, 5);
  Eigen::MatrixXd one, third;
  (void)lmo(spectral(), m, one, exact{});
  (void)lmo(3 * spectral(), m, third, exact{});
  CHECK((one - 3 * third).norm() <= 1e-14 * one.norm());
}
