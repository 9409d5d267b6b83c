/// @file  Slices: they share out all of the work, whoever runs them, and a backend of several
/// threads conforms. Built twice, without OpenMP and, where the compiler has it, with.
#include <backend/conformance_products.hpp>

#include <fanion/backend/eigen.hpp>
#include <fanion/eigen.hpp>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <atomic>
#include <stdexcept>

using fanion::eigen_backend;
using namespace fanion_test;
namespace dense = fanion::dense;

TEST_CASE("slices partition what they share, in whole units") {
  for (const index_t n : {0, 1, 7, 8, 100, 1001})
    for (const index_t unit : {1, 8, 48})
      for (const index_t slices : {1, 2, 3, 64}) {
        CHECK(dense::slice_begin(n, unit, slices, 0) == 0);
        CHECK(dense::slice_begin(n, unit, slices, slices) == n);
        for (index_t s = 0; s < slices; ++s) {
          const index_t from = dense::slice_begin(n, unit, slices, s);
          const index_t to = dense::slice_begin(n, unit, slices, s + 1);
          CHECK(from <= to);
          CHECK((to == n || to % unit == 0));
        }
      }
  CHECK(dense::slices_for(4, 100) == 1);
  CHECK(dense::slices_for(4, 1 << 20) == 4);
}

TEST_CASE("every slice runs once, on threads of its own where there is OpenMP") {
  std::atomic<int> ran[3] = {};
  std::atomic<int> teams = 0;
  dense::for_each_slice(3, [&](index_t s) {
    ++ran[s];
#ifdef _OPENMP
    teams = omp_get_num_threads();
#else
    teams = 3;
#endif
  });
  for (const auto& times : ran) CHECK(times == 1);
  CHECK(teams == 3);
}

TEST_CASE("a backend refuses an impossible number of threads") {
  CHECK_THROWS_AS(eigen_backend(0), std::invalid_argument);
  CHECK_THROWS_AS(eigen_backend(65), std::invalid_argument);
  CHECK(eigen_backend().threads() == 1);
  CHECK(eigen_backend(3).threads() == 3);
}

TEST_CASE_TEMPLATE("three threads conform", T, float, double) {
  eigen_backend backend(3);
  SUBCASE("tall") { conform_tall_products<eigen_backend, T>(backend); }
  SUBCASE("multiply_norm") { conform_multiply_norm<eigen_backend, T>(backend); }
  SUBCASE("multiply_pair") { conform_multiply_pair<eigen_backend, T>(backend); }
}

TEST_CASE_TEMPLATE("slices give the bits of their parts", T, float, double) {
  const index_t m = 700, n = 301, k = 5;
  Eigen::Matrix<T, -1, -1> a(m, n), x(n, k), y(m, k), parts(m, k), whole(m, k);
  const eigen_backend one, three(3);
  const auto view = [](auto& e) { return matrix_view<T>(e.data(), e.rows(), e.cols()); };
  one.random(view(a), 1);
  one.random(view(x), 2);
  three.multiply(T(1), view(a).as_const(), view(x).as_const(), T(0), view(whole), {});
  const index_t slices = dense::slices_for(3, m * n);
  CHECK(slices == 3);
  for (index_t s = 0; s < slices; ++s) {
    const index_t i = dense::slice_begin(m, dense::tile_rows<T>, slices, s);
    const index_t rows = dense::slice_begin(m, dense::tile_rows<T>, slices, s + 1) - i;
    one.multiply(T(1), view(a).block(i, 0, rows, n).as_const(), view(x).as_const(), T(0),
                 view(parts).block(i, 0, rows, k), {});
  }
  CHECK(whole == parts);
}

TEST_CASE("a plan over three threads gives the same bits again, and the same value as over one") {
  Eigen::MatrixXd m(400, 500), d, again, alone;
  const eigen_backend fill;
  fill.random(matrix_view<double>(m.data(), 400, 500), 3);
  const auto norm = fanion::dual(fanion::ky_fan(3));
  const auto method = fanion::subspace{.gap = 1e-4};
  eigen_backend three(3), other(3);
  auto plan = fanion::plan_lmo(norm, m, method, three);
  auto twin = fanion::plan_lmo(norm, m, method, other);
  for (int call = 0; call < 2; ++call) {
    const auto report = plan.execute(m, d);
    (void)twin.execute(m, again);
    CHECK(d == again);
    const auto single = fanion::lmo(norm, m, alone, method);
    CHECK(report.objective == doctest::Approx(single.objective).epsilon(2e-4));
  }
}
