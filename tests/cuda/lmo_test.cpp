/// @file  Oracles over device memory, by every method: the host's answers, certified there.
#include <cuda/device_matrix.hpp>
#include <cuda/support.hpp>

#include <fanion/eigen.hpp>

#include <array>

using namespace fanion;
using fanion_test::backend_on_double;
using fanion_test::device_matrix;
using fanion_test::gradient;
using fanion_test::strict_session;

namespace {

/// The laws of an oracle: the answer for M is D, with the report `known`, by a plan of its own.
template <class T, class N, class Method>
void check_laws(backend_on_double& backend, const N& n, const Method& method,
                const Eigen::MatrixX<T>& M, const lmo_report& known, const Eigen::MatrixX<T>& D,
                double gap) {
  const index_t rows = M.rows(), cols = M.cols();
  const T near = T(2e4) * std::numeric_limits<T>::epsilon();
  const auto answer = [&](const Eigen::MatrixX<T>& of, Eigen::MatrixX<T>& found) {
    const device_matrix<T> m(backend, of), d(backend, rows, cols);
    const lmo_report r = plan_lmo(n, m.view(), method, backend).execute(m.view(), d.view());
    found = d.get();
    return r;
  };
  Eigen::MatrixX<T> found;
  // lmo(n, c M) = lmo(n, M) for c > 0, the objective grows with c, and lmo(n, -M) = -lmo(n, M).
  for (const double c : {32.0, 1 / 1024.0, -1.0}) {
    CAPTURE(c);
    const lmo_report r = answer(T(c) * M, found);
    CHECK((found - T(c > 0 ? 1 : -1) * D).norm() <= near * D.norm());
    CHECK(r.objective == doctest::Approx(std::abs(c) * known.objective).epsilon(double(near)));
    CHECK(r.bound == doctest::Approx(std::abs(c) * known.bound).epsilon(1e-3));
    CHECK(r.gap() == doctest::Approx(known.gap()).epsilon(1e-2).scale(1));
  }
  // Stored by rows: another way to the same value. One plan takes both.
  const device_matrix<T> m(backend, M), turned(backend, M.transpose()), d(backend, cols, rows);
  lmo_plan<N, T, backend_on_double&> plan(n, rows, cols, false, method, backend);
  const lmo_report r =
      plan.update_views({turned.view().as_const(), true}, {d.view(), true}, 0.0, step_length(1.0));
  const Eigen::MatrixX<T> by_rows = d.get().transpose();
  const double attained =
      -M.template cast<double>().cwiseProduct(by_rows.template cast<double>()).sum();
  CHECK(-r.objective == doctest::Approx(attained).epsilon(double(near)));
  CHECK(attained >= -known.objective * (1 - gap) - double(near) * attained);
  CHECK(attained <= -known.objective / (1 - gap) + double(near) * attained);
  // X <- keep X + rate D.
  device_matrix<T> x(backend, M);
  (void)plan.update_views({turned.view().as_const(), true}, {x.view(), false}, 0.5,
                          step_length(0.25));
  const Eigen::MatrixX<T> expected = T(0.5) * M + T(0.25) * by_rows;
  CHECK((x.get() - expected).norm() <= T(gap + double(near)) * expected.norm());
  // No point of the ball is better: D of any other matrix is one.
  std::srand(17);
  const Eigen::MatrixX<T> other = Eigen::MatrixX<T>::Random(rows, cols);
  const lmo_report some = answer(other, found);
  const double value = -M.template cast<double>().cwiseProduct(found.template cast<double>()).sum();
  CHECK(value / some.feasibility <= known.bound * (1 + double(near)));
}

/// The oracle on the device attains what the host's exact one does, up to `gap`, and says so.
template <class T, class N, class Method>
void check_lmo(const N& n, const Method& method, double gap) {
  backend_on_double backend;
  for (const auto& shape : {std::pair<index_t, index_t>{40, 24}, {24, 56}}) {
    const index_t rows = shape.first, cols = shape.second;
    CAPTURE(rows);
    const Eigen::MatrixX<T> M = gradient<T>(rows, cols);
    const device_matrix<T> m(backend, M), d(backend, rows, cols);
    auto plan = plan_lmo(n, m.view(), method, backend);
    const lmo_report report = plan.execute(m.view(), d.view());
    const Eigen::MatrixX<T> D = d.get();
    CHECK(m.get() == M);
    const double attained =
        -M.template cast<double>().cwiseProduct(D.template cast<double>()).sum();
    const double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
    CHECK(-report.objective == doctest::Approx(attained).epsilon(1e3 * eps));

    Eigen::MatrixX<T> best;
    const lmo_report host = lmo(n, M, best, exact{});
    CHECK(attained <= -host.objective * report.feasibility * (1 + 1e3 * eps));
    CHECK(attained >= -host.objective * (1 - gap) - 1e3 * eps * -host.objective);
    CHECK(report.gap() <= gap + 1e4 * eps);
    // Again, from what the first call remembers.
    const lmo_report again = plan.execute(m.view(), d.view());
    CHECK(again.gap() <= gap + 1e4 * eps);
    check_laws<T>(backend, n, method, M, report, D, std::min(gap, 0.3));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("leading parts", T, float, double) {
  const strict_session session;
  const auto ball = dual(ky_fan(3));
  SUBCASE("exact") { check_lmo<T>(ball, exact{}, 0); }
  SUBCASE("subspace") { check_lmo<T>(ball, subspace{.gap = 1e-2}, 1e-2); }
  SUBCASE("block_krylov") { check_lmo<T>(ball, block_krylov{.gap = 1e-3}, 1e-3); }
  SUBCASE("lanczos") { check_lmo<T>(nuclear(), lanczos{.gap = 1e-3}, 1); }
  SUBCASE("power") { check_lmo<T>(ball, power{}, 1); }
  SUBCASE("randomized") { check_lmo<T>(ball, randomized{}, 1); }
  SUBCASE("automatic") { check_lmo<T>(ball, automatic{.gap = 1e-2}, 1e-2); }
}

TEST_CASE_TEMPLATE("polar factors", T, float, double) {
  const strict_session session;
  SUBCASE("exact") { check_lmo<T>(spectral(), exact{}, 0); }
  SUBCASE("newton_schulz") { check_lmo<T>(spectral(), newton_schulz{}, 1); }
  SUBCASE("polar_express") { check_lmo<T>(spectral(), polar_express{.gap = 1e-3}, 1e-3); }
  SUBCASE("qdwh") { check_lmo<T>(spectral(), qdwh{.gap = 1e-4}, 1e-4); }
  SUBCASE("gram_eigen") { check_lmo<T>(spectral(), gram_eigen{}, 1e-3); }
  SUBCASE("automatic") { check_lmo<T>(spectral(), automatic{}, 1e-3); }
}

TEST_CASE_TEMPLATE("polar factors in fewer bits, as on the host", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  for (const compute how : {compute::tf32, compute::float16, compute::bfloat16})
    for (const auto& shape : {std::pair<index_t, index_t>{30, 50}, {50, 30}, {1, 6}}) {
      const index_t rows = shape.first, cols = shape.second;
      CAPTURE(std::string(name_of(how)));
      CAPTURE(rows);
      const Eigen::MatrixX<T> M = gradient<T>(rows, cols);
      const device_matrix<T> m(backend, M), d(backend, rows, cols);
      const auto both = [&](const auto& method, int products) {
        const long before = cuda_double::count("cublasGemmStridedBatchedEx");
        const lmo_report there =
            plan_lmo(spectral(), m.view(), method, backend).execute(m.view(), d.view());
        CHECK(cuda_double::count("cublasGemmStridedBatchedEx") == before + products);
        Eigen::MatrixX<T> D;
        const lmo_report here = lmo(spectral(), M, D, method);
        // Another order of sums tips some roundings over.
        const double u = unit_roundoff(how);
        CHECK((d.get() - D).norm() <= T(8 * u) * D.norm());
        CHECK(there.objective == doctest::Approx(here.objective).epsilon(2 * u));
        CHECK(there.bound == doctest::Approx(here.bound).epsilon(8 * u));
        CHECK(there.feasibility == here.feasibility);
        CHECK(there.iterations == here.iterations);
      };
      both(newton_schulz{.steps = 4, .compute = how}, 12);
      both(newton_schulz{.steps = 9, .coefficients = schulz::classic, .compute = how}, 18);
      both(polar_express{.lower = 0.02, .steps = 5, .compute = how, .feasible = true}, 15);
    }
}

TEST_CASE_TEMPLATE("combinations and entries", T, float, double) {
  const strict_session session;
  SUBCASE("frobenius") { check_lmo<T>(frobenius(), exact{}, 0); }
  SUBCASE("F-Fanion") {
    check_lmo<T>(dual(0.5 * ky_fan(4) + 0.5 * frobenius()), automatic{.gap = 1e-2}, 1e-2);
  }
  SUBCASE("F-Muon") { check_lmo<T>(dual(0.5 * nuclear() + 0.5 * frobenius()), exact{}, 0); }
  SUBCASE("max_abs") { check_lmo<T>(max_abs(), exact{}, 0); }
  SUBCASE("sum_abs") { check_lmo<T>(sum_abs(), exact{}, 0); }
  SUBCASE("max_row") { check_lmo<T>(max_row(), exact{}, 0); }
  SUBCASE("S-Muon") { check_lmo<T>(dual(0.5 * nuclear() + 0.01 * sum_abs()), exact{}, 1); }
  SUBCASE("schatten") { check_lmo<T>(schatten(3), exact{}, 0); }
}

TEST_CASE("edges: what the host answers, the device answers") {
  const strict_session session;
  backend_on_double backend;
  const auto check = [&](const Eigen::MatrixXf& M) {
    const index_t rows = M.rows(), cols = M.cols();
    CAPTURE(rows);
    CAPTURE(cols);
    const auto both = [&](const auto& n, const auto& method) {
      // With gaps between the columns, and stored by rows.
      const index_t ld = cols + 3;
      const auto memory = backend.make_workspace<float>(ld * rows + rows * cols);
      const matrix_view<float, device_space> m(memory.data(), cols, rows, ld),
          d(memory.data() + ld * rows, rows, cols);
      const Eigen::MatrixXf turned = M.transpose();
      backend.upload<float>(matrix_view<const float>(turned.data(), cols, rows), m);
      using norm = std::remove_cvref_t<decltype(n)>;
      lmo_plan<norm, float, backend_on_double&> plan(n, rows, cols, false, method, backend);
      backend.fill(d, 1.0f);
      const lmo_report there =
          plan.update_views({m.as_const(), true}, {d, false}, 0.0, step_length(1.0));
      Eigen::MatrixXf D, seen(rows, cols);
      backend.download<float>(d.as_const(), matrix_view<float>(seen.data(), rows, cols));
      const lmo_report here = lmo(n, M, D, method);
      CHECK(there.outcome == here.outcome);
      if (here.outcome == outcome::non_finite || M.size() == 0) {
        CHECK(seen == Eigen::MatrixXf::Zero(rows, cols));
        return;
      }
      CHECK(seen.allFinite());
      CHECK(there.objective == doctest::Approx(here.objective).epsilon(1e-4));
    };
    both(spectral(), exact{});
    both(spectral(), polar_express{.gap = 1e-3});
    both(dual(ky_fan(1)), block_krylov{.gap = 1e-3});
    both(max_abs(), exact{});
    both(spectral(), newton_schulz{.compute = compute::tf32});
  };
  for (const auto& [rows, cols] : std::initializer_list<std::pair<index_t, index_t>>{
           {0, 4}, {4, 0}, {1, 1}, {1, 7}, {7, 1}, {6, 5}}) {
    std::srand(3);
    const Eigen::MatrixXf M = Eigen::MatrixXf::Random(rows, cols);
    check(M);
    check(Eigen::MatrixXf::Zero(rows, cols));
    check(1e30f * M);
    check(1e-30f * M);
    if (M.size() == 0) continue;
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      Eigen::MatrixXf broken = M;
      broken(rows - 1, cols - 1) = bad;
      check(broken);
    }
  }
  check(Eigen::MatrixXf::Ones(6, 5));          // rank 1
  check(Eigen::MatrixXf::Identity(6, 5) * 3);  // every σ the same
}

TEST_CASE("without a device: a clear error, and nothing is left") {
  cuda_double::reset();
  cuda_double::set_device_error(cudaErrorInsufficientDriver);
  CHECK_FALSE(cuda_available());
  CHECK(cuda_available().why.find("cudaErrorInsufficientDriver") != std::string::npos);
  try {
    const backend_on_double backend;
    FAIL("made a backend without a device");
  } catch (const backend_error& error) {
    CHECK(std::string(error.what()).find("driver version is insufficient") != std::string::npos);
  }
  CHECK(cuda_double::live_objects() == 0);
  cuda_double::reset();
  CHECK_THROWS_AS(backend_on_double({.device = 3}), std::invalid_argument);
}

TEST_CASE("every call that fails surfaces by its name, and leaves nothing") {
  // What one oracle of each kind calls, from an undisturbed run.
  const auto work = [] {
    backend_on_double backend;
    const Eigen::MatrixXd M = gradient<double>(40, 24);
    const device_matrix<double> m(backend, M), d(backend, 40, 24);
    (void)plan_lmo(spectral(), m.view(), qdwh{.gap = 1e-6}, backend).execute(m.view(), d.view());
    (void)plan_lmo(nuclear(), m.view(), exact{}, backend).execute(m.view(), d.view());
    (void)plan_lmo(dual(ky_fan(2)), m.view(), block_krylov{.gap = 1e-2}, backend)
        .execute(m.view(), d.view());
    (void)plan_lmo(spectral(), m.view(), newton_schulz{.compute = compute::float16}, backend)
        .execute(m.view(), d.view());
    // Columns of which all but one depend on it: reflectors instead of Cholesky.
    const device_matrix<double> x(backend, Eigen::MatrixXd::Ones(24, 3));
    const auto scratch = backend.make_workspace<double>(backend.orthonormalize_size<double>(24, 3));
    const index_t rank = backend.orthonormalize<double>(x.view(), scratch.span());
    return m.get() == M && rank == 1;
  };
  cuda_double::reset();
  REQUIRE(work());
  const std::map<std::string, long> calls = cuda_double::calls();
  CHECK(calls.size() > 25);
  for (const auto& seen : calls) {
    const std::string& call = seen.first;
    const long count = seen.second;
    if (call.find("Destroy") != std::string::npos || call.starts_with("cudaFree")) continue;
    for (const long nth : {1L, (count + 1) / 2, count}) {
      cuda_double::reset();
      cuda_double::fail(call, static_cast<int>(nth), 7);
      std::string said;
      try {
        (void)work();
      } catch (const backend_error& error) {
        said = error.what();
      }
      CAPTURE(call);
      CAPTURE(nth);
      CAPTURE(said);
      // cuSOLVER and cuBLAS carry their names; the size queries of both scalars are one.
      CHECK(said.find(call == "cudaGetDeviceCount" ? "no device" : call) != std::string::npos);
      CHECK(cuda_double::live_objects() == 0);
    }
  }
  cuda_double::reset();
  cuda_double::limit_memory(1 << 20);
  CHECK_THROWS_AS((void)work(), backend_error);
  CHECK(cuda_double::live_objects() == 0);
  cuda_double::reset();
}
