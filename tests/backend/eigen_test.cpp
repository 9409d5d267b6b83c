/// @file  The host's backend passes the conformance suite.
#include <backend/conformance.hpp>

#include <fanion/backend/eigen.hpp>

using fanion::eigen_backend;
using namespace fanion_test;

TEST_CASE_TEMPLATE("verbs on entries", T, float, double) {
  eigen_backend backend;
  conform_all_entries<eigen_backend, T>(backend);
}

TEST_CASE_TEMPLATE("reductions", T, float, double) {
  eigen_backend backend;
  conform_all_reductions<eigen_backend, T>(backend);
}

TEST_CASE_TEMPLATE("products", T, float, double) {
  eigen_backend backend;
  conform_all_products<eigen_backend, T>(backend);
}

TEST_CASE_TEMPLATE("factorisations", T, float, double) {
  eigen_backend backend;
  conform_all_factorisations<eigen_backend, T>(backend);
}
