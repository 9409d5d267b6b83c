/// @file  The suite that every backend passes, as four groups of subcases.
#pragma once

#include <backend/conformance_entries.hpp>
#include <backend/conformance_factorizations.hpp>
#include <backend/conformance_products.hpp>

namespace fanion_test {

template <class Backend, class T>
void conform_all_entries(Backend& backend) {
  SUBCASE("copies") { conform_copies<Backend, T>(backend); }
  SUBCASE("random") { conform_random<Backend, T>(backend); }
  SUBCASE("axpby") { conform_axpby<Backend, T>(backend); }
  SUBCASE("map_entries") { conform_map_entries<Backend, T>(backend); }
  SUBCASE("scale_columns") { conform_scale_columns<Backend, T>(backend); }
  SUBCASE("measure") { conform_measure<Backend, T>(backend); }
  SUBCASE("for_each_entry") { conform_for_each_entry<Backend, T>(backend); }
  SUBCASE("line_norms") { conform_line_norms<Backend, T>(backend); }
  SUBCASE("map_lines") { conform_map_lines<Backend, T>(backend); }
}

template <class Backend, class T>
void conform_all_reductions(Backend& backend) {
  SUBCASE("every shape and scale") { conform_reductions<Backend, T>(backend); }
  SUBCASE("dot far out") { conform_scaled_dot<Backend, T>(backend); }
  SUBCASE("4096 x 4096") { conform_large_norm<Backend, T>(backend); }
  SUBCASE("NaN, infinity and ties") { conform_non_finite<Backend, T>(backend); }
  SUBCASE("twins") { conform_twins<Backend, T>(backend); }
}

template <class Backend, class T>
void conform_all_products(Backend& backend) {
  SUBCASE("every shape") { conform_products<Backend, T>(backend); }
  SUBCASE("past the blocks") { conform_large_products<Backend, T>(backend); }
  SUBCASE("tall") { conform_tall_products<Backend, T>(backend); }
  SUBCASE("multiply_norm") { conform_multiply_norm<Backend, T>(backend); }
  SUBCASE("multiply_pair") { conform_multiply_pair<Backend, T>(backend); }
  SUBCASE("gram_product") { conform_gram_product<Backend, T>(backend); }
  SUBCASE("syrk") { conform_syrk<Backend, T>(backend); }
  SUBCASE("symmetric_product") { conform_symmetric_product<Backend, T>(backend); }
}

template <class Backend, class T>
void conform_all_factorisations(Backend& backend) {
  SUBCASE("orthonormalize") { conform_orthonormalize<Backend, T>(backend); }
  SUBCASE("small_svd") { conform_svd<Backend, T>(backend); }
  SUBCASE("small_eigh") { conform_eigh<Backend, T>(backend); }
  SUBCASE("invert_definite") { conform_invert_definite<Backend, T>(backend); }
}

}  // namespace fanion_test
