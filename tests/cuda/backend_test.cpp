/// @file  The device's backend passes the conformance suite, over the double.
#include <backend/conformance_entries.hpp>
#include <backend/conformance_factorizations.hpp>
#include <backend/conformance_products.hpp>
#include <cuda/support.hpp>

using namespace fanion_test;

TEST_CASE_TEMPLATE("verbs on entries", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  SUBCASE("copies") { conform_copies<backend_on_double, T>(backend); }
  SUBCASE("random") { conform_random<backend_on_double, T>(backend); }
  SUBCASE("axpby") { conform_axpby<backend_on_double, T>(backend); }
  SUBCASE("map_entries") { conform_map_entries<backend_on_double, T>(backend); }
  SUBCASE("line_norms") { conform_line_norms<backend_on_double, T>(backend); }
  SUBCASE("map_lines") { conform_map_lines<backend_on_double, T>(backend); }
}

TEST_CASE_TEMPLATE("reductions", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  SUBCASE("every shape and scale") { conform_reductions<backend_on_double, T>(backend); }
  SUBCASE("dot far out") { conform_scaled_dot<backend_on_double, T>(backend); }
  SUBCASE("4096 x 4096") { conform_large_norm<backend_on_double, T>(backend); }
  SUBCASE("NaN, infinity and ties") { conform_non_finite<backend_on_double, T>(backend); }
  SUBCASE("twins") { conform_twins<backend_on_double, T>(backend); }
}

TEST_CASE_TEMPLATE("products", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  SUBCASE("every shape") { conform_products<backend_on_double, T>(backend); }
  SUBCASE("tall") { conform_tall_products<backend_on_double, T>(backend); }
  SUBCASE("multiply_norm") { conform_multiply_norm<backend_on_double, T>(backend); }
  SUBCASE("multiply_pair") { conform_multiply_pair<backend_on_double, T>(backend); }
  SUBCASE("gram_product") { conform_gram_product<backend_on_double, T>(backend); }
  SUBCASE("syrk") { conform_syrk<backend_on_double, T>(backend); }
  SUBCASE("symmetric_product") { conform_symmetric_product<backend_on_double, T>(backend); }
}

TEST_CASE_TEMPLATE("factorisations", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  SUBCASE("orthonormalize") { conform_orthonormalize<backend_on_double, T>(backend); }
  SUBCASE("small_svd") { conform_svd<backend_on_double, T>(backend); }
  SUBCASE("small_eigh") { conform_eigh<backend_on_double, T>(backend); }
  SUBCASE("invert_definite") { conform_invert_definite<backend_on_double, T>(backend); }
}
