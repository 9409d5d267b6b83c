/// @file  Optimizers whose state lives on the device: the host's steps, checkpoints, streams.
#include <cuda/device_matrix.hpp>
#include <cuda/device_model.hpp>
#include <cuda/device_program.hpp>
#include <cuda/support.hpp>

#include <fanion/adapters/thrust.cuh>
#include <fanion/eigen.hpp>

#include <Eigen/SVD>

#include <sstream>

using namespace fanion;
using fanion_test::backend_on_double;
using fanion_test::device_matrix;
using fanion_test::gradient;
using fanion_test::model;
using fanion_test::on_device;
using fanion_test::restore;
using fanion_test::saved;
using fanion_test::strict_session;

namespace {

/// `there`, a step on the device, does what `here` does on the host, before and after a reset; and
/// NaN changes nothing. @returns the weights of the last steps.
template <class T, class There, class Here>
void check_step_by_step(backend_on_double& backend, There& there, Here& here, T tolerance) {
  const index_t rows = 40, cols = 24;
  Eigen::MatrixX<T> X = gradient<T>(rows, cols, 3);
  const device_matrix<T> x(backend, X);
  device_matrix<T> g(backend, rows, cols);
  for (int round = 0; round < 2; ++round) {
    for (unsigned t = 0; t < 3; ++t) {
      const Eigen::MatrixX<T> G = gradient<T>(rows, cols) + T(0.1) * gradient<T>(rows, cols, t);
      g.set(G);
      const step_report r = there.step({x.view(), false}, {g.view().as_const(), false}, 0.1);
      (void)here.step({matrix_view<T>(X.data(), rows, cols), false},
                      {matrix_view<const T>(G.data(), rows, cols), false}, 0.1);
      CHECK_FALSE(r.skipped);
      CHECK((x.get() - X).norm() <= tolerance * X.norm());
    }
    there.reset();
    here.reset();
  }
  Eigen::MatrixX<T> bad = gradient<T>(rows, cols);
  const Eigen::MatrixX<T> before = x.get();
  bad(3, 4) = std::numeric_limits<T>::quiet_NaN();
  g.set(bad);
  CHECK(there.step({x.view(), false}, {g.view().as_const(), false}, 0.1).skipped);
  CHECK(x.get() == before);
}

}  // namespace

TEST_CASE_TEMPLATE("steps of oracles, gradient by gradient", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  eigen_backend host;
  const auto check = [&](const auto& rule) {
    using norm = std::remove_cvref_t<decltype(rule.norm)>;
    lmo_step<norm, T, backend_on_double> there(rule, 40, 24, backend);
    lmo_step<norm, T, eigen_backend> here(rule, 40, 24, host);
    check_step_by_step<T>(backend, there, here, T(1e-2));
  };
  SUBCASE("Muon") { check(muon({.decay = 0.1})); }
  SUBCASE("Fanion-4") { check(fanion_k(4)); }
  SUBCASE("F-Fanion") { check(f_fanion_k(4, 0.5)); }
  SUBCASE("NSGD") { check(nsgd()); }
  SUBCASE("SignSGD") { check(sign_sgd()); }
}

TEST_CASE_TEMPLATE("steps of single entries", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  eigen_backend host;
  const auto check = [&]<class Rule>(const Rule& rule) {
    elementwise_step<Rule, T, backend_on_double> there(rule, 40, 24, backend);
    elementwise_step<Rule, T, eigen_backend> here(rule, 40, 24, host);
    check_step_by_step<T>(backend, there, here, 64 * std::numeric_limits<T>::epsilon());
  };
  SUBCASE("AdamW") { check(adamw{.decay = 0.1}); }
  SUBCASE("SGD") { check(sgd{.decay = 0.1}); }
  SUBCASE("SGD with averages") { check(sgd{.momentum = {.lookahead = lookahead::none}}); }
  SUBCASE("Lion") { check(lion{.decay = 0.1}); }
}

TEST_CASE("rules that bring their own steps") {
  const strict_session session;
  backend_on_double backend;
  eigen_backend host;
  const auto check = [&]<class Rule>(const Rule& rule) {
    typename Rule::template step<float, backend_on_double> there(rule, 40, 24, backend);
    typename Rule::template step<float, eigen_backend> here(rule, 40, 24, host);
    check_step_by_step<float>(backend, there, here, 1e-2f);
  };
  SUBCASE("Dion") { check(dion{.rank = 4}); }
  SUBCASE("Orth-Dion") { check(dion{.rank = 4, .columns = dion_columns::orthonormal}); }
  SUBCASE("NorMuon") { check(normuon()); }
  SUBCASE("error feedback") { check(error_feedback(dual(ky_fan(2)))); }
  SUBCASE("multiples") { check(error_feedback(max_abs(), {.sent = transmission::multiple})); }
  SUBCASE("NuMuon") { check(numuon{{.shape = rank_shape::cosine, .last = 0.25, .steps = 3}}); }
}

TEST_CASE("copies of weights on the device") {
  const strict_session session;
  backend_on_double backend;
  const Eigen::MatrixXf A = gradient<float>(7, 5), B = gradient<float>(7, 5, 2);
  const device_matrix<float> a(backend, A), b(backend, B);
  weight_copy<float, backend_on_double> held(7, 5, backend);
  held.hold({a.view(), false});
  held.swap({b.view(), false});
  CHECK(b.get() == A);
  held.restore({a.view(), false});
  CHECK(a.get() == B);

  // X + c (X - X of one step back).
  extrapolated_step<frobenius, float, backend_on_double> step({nsgd(), 0.5}, 7, 5, backend);
  step.look_ahead({a.view(), false});
  CHECK(a.get() == B);
  (void)step.step({a.view(), false}, {b.view().as_const(), false}, 1);
  const Eigen::MatrixXf moved = a.get();
  step.look_ahead({a.view(), false});
  CHECK(a.get().isApprox(moved + 0.5f * (moved - B), 1e-6f));
}

TEST_CASE("a whole optimizer: resumed bit for bit, and its checkpoint goes on on the host") {
  const strict_session session;
  backend_on_double backend;
  using device_optimizer = optimizer<float, backend_on_double>;
  index_t rows = 24, cols = 40;
  SUBCASE("solved exactly") {}
  SUBCASE("by iterations, which remember") { rows = 70, cols = 80; }
  model straight(backend, rows, cols), stopped(backend, rows, cols);
  device_optimizer one(muon(), adamw{}, backend), first(muon(), adamw{}, backend),
      second(muon(), adamw{}, backend);
  straight.enter(one);
  stopped.enter(first);
  stopped.enter(second);

  std::array<Eigen::MatrixXf, 3> host = straight.get(), slopes = host;
  optimizer<float> here(muon(), adamw{});
  const auto enter = [&](const char* name, std::size_t i, auto&&... how) {
    here.add(make_parameter(name, host[i], slopes[i],
                            i == 2 ? parameter_kind::bias : parameter_kind::hidden),
             how...);
  };
  enter("W", 0);
  enter("V", 1, any_rule<float, eigen_backend>(fanion_k(3)));
  enter("c", 2);

  for (unsigned t = 0; t < 6; ++t) {
    straight.set(t);
    stopped.set(t);
    if (t == 3) {
      const std::string state = saved(first);
      restore(second, state);
      restore(here, state);
      const auto now = stopped.get();
      host = now;  // copied, not moved: the optimizer keeps the addresses
      for (const std::size_t length : {state.size() / 3, state.size() - 1}) {
        CHECK_THROWS_AS(restore(second, state.substr(0, length)), std::invalid_argument);
        CHECK(saved(second) == state);
      }
    }
    (void)one.step(0.1);
    const optimizer_report& r = (t < 3 ? first : second).step(0.1);
    CHECK(r.skipped.empty());
    CHECK(r.parameters[0].gap <= 1.1e-3);
    if (rows < 64) CHECK(r.parameters[1].gap <= 1.1e-2);
    if (t < 3) continue;
    for (unsigned i = 0; i < 3; ++i) {
      const Eigen::MatrixXf now = stopped.slope(i, t);
      slopes[i] = now.leftCols(slopes[i].cols());
    }
    CHECK(here.step(0.1).parameters[1].gap == doctest::Approx(r.parameters[1].gap).epsilon(0.05));
    const auto there = stopped.get();
    for (std::size_t i = 0; i < 3; ++i)
      CHECK((there[i] - host[i]).norm() <= 1e-3f * host[i].norm());
  }
  CHECK(straight.get() == stopped.get());
  // And back.
  const std::string from_host = saved(here);
  restore(first, from_host);
  CHECK(saved(first) == from_host);

  // Another rule goes on from the momentum, on the device.
  second.set_rule("W", nsgd());
  here.set_rule("W", nsgd());
  CHECK(second.step(0.1).skipped.empty());
  (void)here.step(0.1);
  CHECK((stopped.get()[0] - host[0]).norm() <= 1e-3f * host[0].norm());
}

TEST_CASE("plans carry what they remember through a checkpoint") {
  const strict_session session;
  backend_on_double backend;
  const Eigen::MatrixXf M = gradient<float>(40, 24), next = M + 0.1f * gradient<float>(40, 24, 2);
  const auto check = [&](const auto& method) {
    device_matrix<float> m(backend, M);
    const device_matrix<float> d(backend, 40, 24), e(backend, 40, 24);
    auto one = plan_lmo(dual(ky_fan(3)), m.view(), method, backend);
    auto two = plan_lmo(dual(ky_fan(3)), m.view(), method, backend);
    (void)one.execute(m.view(), d.view());
    std::stringstream file;
    one.save(file);
    two.load(file);
    m.set(next);
    const lmo_report a = one.execute(m.view(), d.view());
    const lmo_report b = two.execute(m.view(), e.view());
    CHECK(a.passes == b.passes);
    CHECK(a.objective == b.objective);
    CHECK(d.get() == e.get());
  };
  check(subspace{.gap = 1e-2});
  check(block_krylov{.gap = 1e-2});
  check(lanczos{.gap = 1e-2});
}

TEST_CASE("what a warm step costs") {
  const strict_session session;
  backend_on_double backend;
  const index_t m = 200, n = 160;
  device_matrix<float> x(backend, m, n), g(backend, m, n);
  const auto last_of = [&](auto& step) {
    cuda_double::tally before;
    for (unsigned t = 0; t < 5; ++t) {
      g.set(gradient<float>(m, n) + 0.1f * gradient<float>(m, n, t));
      cuda_double::watch(step.oracle_input().data(),
                         static_cast<std::size_t>(m * n) * sizeof(float));
      before = cuda_double::counted();
      (void)step.step({x.view(), false}, {g.view().as_const(), false}, 0.02);
    }
    const cuda_double::tally now = cuda_double::counted();
    return std::pair((now.watched - before.watched) / (4.0 * m * n), now.waits - before.waits);
  };
  // The gradient's norm, those of the momentum, moments of the Gram matrix, the certificate.
  lmo_step<spectral, float, backend_on_double> muon_step(muon(), m, n, backend);
  CHECK(last_of(muon_step).second == 4);
  // The norm, and a product from either side.
  lmo_step<decltype(dual(ky_fan(32))), float, backend_on_double> fanion_step(fanion_k(32), m, n,
                                                                             backend);
  CHECK(last_of(fanion_step).first == doctest::Approx(3));
}

TEST_CASE("work follows what is in the stream that it was given") {
  const strict_session session;
  cudaStream_t raw = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&raw, cudaStreamNonBlocking) == cudaSuccess);
  {
    backend_on_double user({.stream = raw});
    CHECK(user.stream() == raw);
    const device_matrix<float> x(user, 8, 8), y(user, 8, 8);
    user.fill(x.view(), 3.0f);
    backend_on_double optimizer({.stream = raw});
    optimizer.copy(x.view().as_const(), y.view());
    CHECK(y.get() == Eigen::MatrixXf::Constant(8, 8, 3));
  }
  CHECK(cudaStreamSynchronize(raw) == cudaSuccess);  // it is still there
  CHECK(cudaStreamDestroy(raw) == cudaSuccess);
}

TEST_CASE("the program for machines with a device, over the double") {
  const strict_session session;
  backend_on_double backend;
  CHECK(device_program::oracles<float>(backend));
  const auto memory = backend.make_workspace<float>(2 * 96 * 161);
  view_cutter<float, device_space> take(memory.data());
  const auto W = take(96, 160), dW = take(96, 160), b = take(96, 1), db = take(96, 1);
  CHECK(device_program::training<float>(backend, {W, false}, {dW, false}, {b, false}, {db, false}));
}

TEST_CASE("device vectors of Thrust as matrices") {
  thrust::device_vector<float> v(6);
  const auto columns = column_major(v, 2, 3);
  CHECK(columns.rows() == 2);
  CHECK(columns.storage.col(1) == thrust::raw_pointer_cast(v.data()) + 2);
  const auto rows = row_major(std::as_const(v), 2, 3);
  static_assert(std::same_as<decltype(rows), const oriented_view<const float, device_space>>);
  CHECK(rows.rows() == 2);
  CHECK(rows.cols() == 3);
  CHECK(rows.storage.col(1) == thrust::raw_pointer_cast(v.data()) + 3);
  CHECK_THROWS_WITH_AS((void)row_major(v, 2, 2), "device_vector: entries must be 4, got 6",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)column_major(v, -2, -3), std::invalid_argument);
}
