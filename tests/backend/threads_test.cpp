/// @file  Slices: they share out all of the work, whoever runs them, and a backend of several
/// threads conforms. Built twice, without OpenMP and, where the compiler has it, with.
#include <backend/conformance_products.hpp>

#include <fanion/backend/eigen.hpp>
#include <fanion/eigen.hpp>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <vector>

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
  SUBCASE("large") { conform_large_products<eigen_backend, T>(backend); }
  SUBCASE("syrk") { conform_syrk<eigen_backend, T>(backend); }
  SUBCASE("symmetric_product") { conform_symmetric_product<eigen_backend, T>(backend); }
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

TEST_CASE("the rows of a triangle are cut into slices of one area") {
  for (const index_t n : {0, 1, 17, 300, 1001})
    for (const index_t slices : {1, 2, 3, 64}) {
      CHECK(dense::triangle_begin<float>(n, slices, 0) == 0);
      CHECK(dense::triangle_begin<float>(n, slices, slices) == n);
      for (index_t s = 0; s < slices; ++s) {
        const index_t from = dense::triangle_begin<float>(n, slices, s);
        const index_t to = dense::triangle_begin<float>(n, slices, s + 1);
        CHECK(from <= to);
        // Off by less than a vector of rows at either end.
        CHECK(std::fabs(static_cast<double>(to * to - from * from) -
                        static_cast<double>(n * n) / static_cast<double>(slices)) <=
              static_cast<double>(2 * n * (dense::lanes<float> + 1)));
      }
    }
}

// Odd sizes, so that slices end inside tiles and the last vectors are not full.
TEST_CASE_TEMPLATE("slices change no bit of a packed product", T, float, double) {
  using matrix = Eigen::Matrix<T, -1, -1>;
  const index_t m = 307, n = 211, k = 131;
  const auto view = [](matrix& e) { return matrix_view<T>(e.data(), e.rows(), e.cols()); };
  const auto in = [&](matrix& e) { return view(e).as_const(); };
  matrix a(m, n), x(n, k), y(m, k), wide(k, m), square(m, m);
  eigen_backend one;
  for (auto* e : {&a, &x, &y, &wide, &square}) one.random(view(*e), 1);
  const matrix symmetric = square + square.transpose();
  square = symmetric;
  const auto results = [&](const eigen_backend& b) {
    std::vector<matrix> c{matrix::Ones(m, k), matrix::Ones(n, k), matrix::Ones(m, n),
                          matrix::Ones(m, m), matrix::Ones(m, m), matrix::Ones(k, m)};
    auto memory = b.make_workspace<T>(
        std::max({b.multiply_size<T>(m, n, k), b.multiply_adjoint_size<T>(m, n, k),
                  b.multiply_outer_size<T>(m, n, k), b.syrk_size<T>(m, n),
                  b.symmetric_product_size<T>(m), b.multiply_size<T>(k, m, m)}));
    const auto scratch = memory.span();
    b.multiply(T(3), in(a), in(x), T(0.3), view(c[0]), scratch);
    b.multiply_adjoint(T(3), in(a), in(y), T(0.3), view(c[1]), scratch);
    b.multiply_outer(T(3), in(y), in(x), T(0.3), view(c[2]), scratch);
    b.syrk(T(3), in(a), T(0.3), view(c[3]), scratch);
    b.symmetric_product(T(3), in(square), in(square), T(0.3), view(c[4]), scratch);
    b.multiply(T(3), in(wide), in(square), T(0.3), view(c[5]), scratch);
    return c;
  };
  const auto alone = results(one);
  for (const index_t threads : {2, 3, 7}) {
    CAPTURE(threads);
    CHECK(dense::product_slices(threads, n, m, k) == std::min<index_t>(threads, 4));
    CHECK(results(eigen_backend(threads)) == alone);
  }
}

TEST_CASE("sliced products refuse scratch that is too short") {
  eigen_backend three(3);
  Eigen::MatrixXf a = Eigen::MatrixXf::Ones(200, 200), c(200, 200);
  const index_t size = three.syrk_size<float>(200, 200);
  CHECK(size == 3 * dense::slice_size<float>(200, 200, 200));
  auto memory = three.make_workspace<float>(size);
  const matrix_view<float> A(a.data(), 200, 200), C(c.data(), 200, 200);
  CHECK_THROWS_AS(three.syrk(1, A.as_const(), 0, C, memory.span().first(memory.span().size() - 1)),
                  std::invalid_argument);
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
