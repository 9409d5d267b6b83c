// ρ = max n*(X)/‖X‖_F: attained where the library says it is, and never exceeded.
#include <doctest/doctest.h>

#include "support/matrices.hpp"

#include <fanion/eigen.hpp>

#include <string>

using namespace fanion;

namespace {

using matrix = Eigen::MatrixXd;

template <class N>
double ratio_at(const N& n, const matrix& x) {
  return value(dual(n), x) / x.norm();
}

/// `extremal` attains ρ.
template <class N>
void check(const char* name, const N& n, const matrix& extremal) {
  INFO(std::string(name));
  const norm_ratio rho = dual_ratio(n, extremal.rows(), extremal.cols());
  CHECK(rho.tight);
  CHECK(ratio_at(n, extremal) == doctest::Approx(rho.value).epsilon(1e-12));
}

/// No matrix exceeds it.
template <class N>
void bounds(const char* name, const N& n, index_t rows, index_t cols) {
  INFO(std::string(name));
  const norm_ratio rho = dual_ratio(n, rows, cols);
  for (const auto& kind : matrices::kinds()) {
    const matrix x = kind.make(rows, cols);
    if (x.norm() > 0) CHECK(ratio_at(n, x) <= rho.value * (1 + 1e-12));
  }
}

}  // namespace

TEST_CASE("the constants at their extremal matrices") {
  for (const auto& s : std::vector<matrices::shape>{{1, 1}, {4, 9}, {9, 4}, {6, 6}}) {
    const index_t r = s.shorter();
    const matrix flat = matrices::orthogonal(s.rows, s.cols),
                 thin = matrices::rank_one(s.rows, s.cols), ones = matrix::Ones(s.rows, s.cols);
    matrix corner = matrix::Zero(s.rows, s.cols), first = corner;
    corner(0, 0) = 2;
    for (index_t j = 0; j < std::min<index_t>(2, r); ++j) first(j, j) = 1;
    check("frobenius", frobenius(), ones);
    check("max_abs", max_abs(), ones);
    check("sum_abs", sum_abs(), corner);
    check("max_row", max_row(), ones);
    check("max_col", max_col(), ones);
    check("sum_row", sum_row(), corner);
    check("sum_col", sum_col(), corner);
    check("spectral", spectral(), flat);
    check("nuclear", nuclear(), thin);
    check("rms_to_rms", rms_to_rms(s.rows, s.cols), flat);
    check("dual ky_fan", dual(ky_fan(2)), first);
    check("ky_fan 9", ky_fan(9), thin);
    check("ky_fan 1", ky_fan(1), flat);
    check("schatten 3", schatten(3), flat);
    check("schatten 1.5", schatten(1.5), thin);
    check("F-Muon", dual(0.25 * nuclear() + 0.75 * frobenius()), flat);
    check("F-Neon", dual(0.25 * spectral() + 0.75 * frobenius()), thin);
    check("F-Fanion-2", dual(0.25 * ky_fan(2) + 0.75 * frobenius()), first);
    check("nuclear + frobenius", nuclear() + frobenius(), thin);
    check("spectral + frobenius", spectral() + frobenius(), flat);
    check("3 spectral", 3 * spectral(), flat);
  }
  CHECK(dual_ratio(spectral(), 16, 9).value == doctest::Approx(3));
  CHECK_THROWS_AS((void)dual_ratio(spectral(), 0, 3), std::invalid_argument);
}

TEST_CASE("bounds are bounds") {
  for (const auto& s : matrices::small_shapes()) {
    bounds("S-Fanion", dual(0.5 * ky_fan(2) + 0.125 * sum_abs()), s.rows, s.cols);
    bounds("owl", owl({2, 1, 0.5}), s.rows, s.cols);
    bounds("max_of", max_of(2 * spectral(), 0.7 * frobenius()), s.rows, s.cols);
    bounds("dual max_of", dual(max_of(2 * spectral(), 0.7 * nuclear())), s.rows, s.cols);
    bounds("quadrature", quadrature(nuclear(), 2 * frobenius()), s.rows, s.cols);
    bounds("dual quadrature", dual(quadrature(nuclear(), 2 * spectral())), s.rows, s.cols);
    bounds("ky_fan 3", ky_fan(3), s.rows, s.cols);
  }
  CHECK(!dual_ratio(dual(ky_fan(2) + sum_abs()), 3, 4).tight);
}
