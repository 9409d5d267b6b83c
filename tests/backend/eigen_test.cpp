/// @file  The host's backend passes the conformance suite.
#include <backend/conformance_entries.hpp>
#include <backend/conformance_factorizations.hpp>
#include <backend/conformance_products.hpp>

#include <fanion/backend/eigen.hpp>

using fanion::eigen_backend;
using namespace fanion_test;

TEST_CASE_TEMPLATE("verbs on entries", T, float, double) {
  eigen_backend backend;
  SUBCASE("copies") { conform_copies<eigen_backend, T>(backend); }
  SUBCASE("random") { conform_random<eigen_backend, T>(backend); }
  SUBCASE("axpby") { conform_axpby<eigen_backend, T>(backend); }
  SUBCASE("map_entries") { conform_map_entries<eigen_backend, T>(backend); }
  SUBCASE("line_norms") { conform_line_norms<eigen_backend, T>(backend); }
  SUBCASE("map_lines") { conform_map_lines<eigen_backend, T>(backend); }
}

TEST_CASE_TEMPLATE("reductions", T, float, double) {
  eigen_backend backend;
  SUBCASE("every shape and scale") { conform_reductions<eigen_backend, T>(backend); }
  SUBCASE("dot far out") { conform_scaled_dot<eigen_backend, T>(backend); }
  SUBCASE("4096 x 4096") { conform_large_norm<eigen_backend, T>(backend); }
  SUBCASE("NaN, infinity and ties") { conform_non_finite<eigen_backend, T>(backend); }
  SUBCASE("twins") { conform_twins<eigen_backend, T>(backend); }
}

TEST_CASE_TEMPLATE("products", T, float, double) {
  eigen_backend backend;
  SUBCASE("every shape") { conform_products<eigen_backend, T>(backend); }
  SUBCASE("past the blocks") { conform_large_products<eigen_backend, T>(backend); }
  SUBCASE("tall") { conform_tall_products<eigen_backend, T>(backend); }
  SUBCASE("multiply_norm") { conform_multiply_norm<eigen_backend, T>(backend); }
  SUBCASE("multiply_pair") { conform_multiply_pair<eigen_backend, T>(backend); }
  SUBCASE("gram_product") { conform_gram_product<eigen_backend, T>(backend); }
  SUBCASE("syrk") { conform_syrk<eigen_backend, T>(backend); }
  SUBCASE("symmetric_product") { conform_symmetric_product<eigen_backend, T>(backend); }
}

TEST_CASE_TEMPLATE("factorisations", T, float, double) {
  eigen_backend backend;
  SUBCASE("orthonormalize") { conform_orthonormalize<eigen_backend, T>(backend); }
  SUBCASE("small_svd") { conform_svd<eigen_backend, T>(backend); }
  SUBCASE("small_eigh") { conform_eigh<eigen_backend, T>(backend); }
  SUBCASE("invert_definite") { conform_invert_definite<eigen_backend, T>(backend); }
}
