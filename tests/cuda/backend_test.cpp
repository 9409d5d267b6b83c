/// @file  The device's backend passes the conformance suite, over the double.
#include <backend/conformance.hpp>
#include <cuda/support.hpp>

using namespace fanion_test;

TEST_CASE_TEMPLATE("verbs on entries", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  conform_all_entries<backend_on_double, T>(backend);
}

TEST_CASE_TEMPLATE("reductions", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  conform_all_reductions<backend_on_double, T>(backend);
}

TEST_CASE_TEMPLATE("products", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  conform_all_products<backend_on_double, T>(backend);
}

TEST_CASE_TEMPLATE("factorisations", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  conform_all_factorisations<backend_on_double, T>(backend);
}

TEST_CASE_TEMPLATE("a workspace is zeros, whatever the memory held", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  const auto memory = backend.make_workspace<T>(77);
  std::vector<T> seen(77, T(1));
  transfer<backend_on_double>::download(backend, memory.data(), seen);
  CHECK(seen == std::vector<T>(77, T(0)));
}

TEST_CASE("matrices go to the device and back, gaps between columns on either side or both") {
  const strict_session session;
  backend_on_double backend;
  for (const index_t here : {0, 2})
    for (const index_t there : {0, 3}) {
      std::vector<float> from(static_cast<std::size_t>((3 + here) * 4)), to(from.size(), -1);
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i);
      const auto memory = backend.make_workspace<float>((3 + there) * 4);
      const fanion::matrix_view<float, fanion::device_space> x(memory.data(), 3, 4, 3 + there);
      const matrix_view<float> back(to.data(), 3, 4, 3 + here);
      backend.upload<float>(matrix_view<const float>(from.data(), 3, 4, 3 + here), x);
      backend.download<float>(x.as_const(), back);
      for (std::size_t i = 0; i < from.size(); ++i) {
        const bool entry = static_cast<index_t>(i) % (3 + here) < 3;
        CHECK(to[i] == (entry ? from[i] : -1.0f));
      }
    }
}

TEST_CASE("factors are rounded in products only where that is asked for") {
  const strict_session session;
  const backend_on_double exactly;
  const int sums = CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
  CHECK(cuda_double::math_mode() == (CUBLAS_DEFAULT_MATH | sums));
  const backend_on_double rounded({.tf32 = true});
  CHECK(cuda_double::math_mode() == (CUBLAS_TF32_TENSOR_OP_MATH | sums));
}

TEST_CASE("only what decides by a number waits for it") {
  const strict_session session;
  backend_on_double backend;
  const auto memory = backend.make_workspace<float>(64);
  const fanion::matrix_view<float, fanion::device_space> x(memory.data(), 7, 9),
      to(memory.data() + 63, 1, 1);
  const long before = cuda_double::count("cudaStreamSynchronize");
  backend.fill(x, 2.0f);
  backend.dot_to<float>(x.as_const(), x.as_const(), to);
  backend.reduce_entries_to<float>(x.as_const(), fanion::reduction::max_abs, to);
  backend.norm_to<float>(x.as_const(), to);
  backend.syrk<float>(1.0f, x.as_const().block(0, 0, 3, 9), 0.0f, x.block(3, 0, 3, 3), {});
  CHECK(cuda_double::count("cudaStreamSynchronize") == before);
  float seen = 0;
  backend.download<float>(to.as_const(), matrix_view<float>(&seen, 1, 1));
  CHECK(cuda_double::count("cudaStreamSynchronize") == before + 1);
  CHECK(seen == doctest::Approx(2 * std::sqrt(63.0)));
}
