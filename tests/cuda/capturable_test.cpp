/// @file  Steps whose decisions are made on the device: in a graph, in an optimizer, on the host.
#include <cuda/device_matrix.hpp>
#include <cuda/device_model.hpp>
#include <cuda/device_program.hpp>
#include <cuda/support.hpp>

#include <fanion/eigen.hpp>

#include <Eigen/SVD>

#include <limits>
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

/// lmo_step's formulas with Newton and Schulz's five steps, by hand.
template <class T>
struct muon_by_hand {
  lmo_options o;
  Eigen::MatrixX<T> m, W;

  void step(const Eigen::MatrixX<T>& g, double rate) {
    if (!g.allFinite()) return;
    const T beta = static_cast<T>(o.momentum.beta);
    m = beta * m + (1 - beta) * g;
    const Eigen::MatrixX<T> seen = beta * m + (1 - beta) * g;
    Eigen::MatrixX<T> x = Eigen::MatrixX<T>::Zero(m.rows(), m.cols());
    if (seen.norm() > 0) x = seen / seen.norm();
    for (int i = 0; i < 5; ++i) {
      const Eigen::MatrixX<T> r = x * x.transpose();
      x = (T(3.4445) * x - T(4.7750) * r * x + T(2.0315) * r * r * x).eval();
    }
    W = static_cast<T>(1 - rate * o.decay) * W -
        static_cast<T>(rate * shape_factor(o.scaling, W.rows(), W.cols())) * x;
  }
};

Eigen::MatrixXf polar_factor_of(const Eigen::MatrixXf& m) {
  const Eigen::JacobiSVD<Eigen::MatrixXf> svd(m, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return svd.matrixU() * svd.matrixV().transpose();
}

}  // namespace

TEST_CASE_TEMPLATE("Muon in a graph: recorded once, launched with other gradients and rates", T,
                   float, double) {
  const strict_session session;
  backend_on_double backend;
  const auto check = [&](index_t rows, index_t cols, bool transposed) {
    CAPTURE(rows);
    CAPTURE(transposed);
    const lmo_options o{.decay = 0.1, .scaling = shape_scaling::widening};
    muon_by_hand<T> hand{o, Eigen::MatrixX<T>::Zero(rows, cols), gradient<T>(rows, cols, 5)};
    const auto laid = [&](const Eigen::MatrixX<T>& m) {
      return transposed ? Eigen::MatrixX<T>(m.transpose()) : m;
    };
    const device_matrix<T> w(backend, laid(hand.W));
    device_matrix<T> g(backend, laid(hand.W)), rate(backend, 1, 1);
    auto step = make_step<T>(capturable{muon(o), newton_schulz{}}, rows, cols, backend);
    const long allocated = cuda_double::count("cudaMalloc");
    const auto graph = backend.capture([&] {
      step.enqueue({w.view(), transposed}, {g.view().as_const(), transposed},
                   rate.view().as_const());
    });
    CHECK(w.get() == laid(hand.W));  // nothing has been done yet
    for (unsigned t = 0; t < 6; ++t) {
      Eigen::MatrixX<T> G = gradient<T>(rows, cols) + T(0.1) * gradient<T>(rows, cols, t);
      if (t == 2) G(1, 1) = std::numeric_limits<T>::infinity();
      if (t == 4) G.setZero();
      const double eta = 0.1 / (1 + t);
      g.set(laid(G));
      rate.set(Eigen::MatrixX<T>::Constant(1, 1, static_cast<T>(eta)));
      const long waits = cuda_double::count("cudaStreamSynchronize");
      backend.launch(graph);
      CHECK(cuda_double::count("cudaStreamSynchronize") == waits);
      hand.step(G, eta);
      CHECK((w.get() - laid(hand.W)).norm() <=
            200 * std::numeric_limits<T>::epsilon() * hand.W.norm());
      const step_report r = step.report();
      CHECK(r.skipped == (t == 2));
      if (t == 2) continue;
      CHECK(r.iterations == 5);
      CHECK(r.gap > 0);
      CHECK(r.gap < 0.6);
      CHECK(r.dual_norm > 0);
    }
    CHECK(cuda_double::count("cudaMalloc") == allocated);
    step.reset();
    g.set(Eigen::MatrixX<T>::Zero(g.view().rows(), g.view().cols()));
    const Eigen::MatrixX<T> before = w.get();
    rate.set(Eigen::MatrixX<T>::Constant(1, 1, T(0.5)));
    backend.launch(graph);  // zero momentum: only decay
    CHECK(w.get().isApprox(T(0.95) * before, 8 * std::numeric_limits<T>::epsilon()));
    CHECK(step.report().outcome == outcome::zero_input);
  };
  check(24, 40, false);
  check(24, 40, true);
  check(40, 24, false);
  check(40, 24, true);
  check(16, 16, false);
}

TEST_CASE("the same step on the host, where nothing is recorded") {
  eigen_backend host;
  const lmo_options o{.decay = 0.1};
  muon_by_hand<double> hand{o, Eigen::MatrixXd::Zero(20, 30), gradient<double>(20, 30, 5)};
  Eigen::MatrixXd W = hand.W;
  const double rate = 0.1;
  auto step = make_step<double>(capturable{muon(o)}, 20, 30, host);
  for (unsigned t = 0; t < 3; ++t) {
    const Eigen::MatrixXd G = gradient<double>(20, 30, t);
    step.enqueue({matrix_view<double>(W.data(), 20, 30), false},
                 {matrix_view<const double>(G.data(), 20, 30), false},
                 matrix_view<const double>(&rate, 1, 1));
    hand.step(G, rate);
    CHECK(W.isApprox(hand.W, 1e-12));
    // <M, X>/σ_max(X) misses the nuclear norm by what the report says, at most.
    const Eigen::MatrixXd seen =
        0.95 * Eigen::Map<const Eigen::MatrixXd>(step.momentum_buffer().data(), 20, 30) + 0.05 * G;
    const double best = Eigen::JacobiSVD<Eigen::MatrixXd>(seen).singularValues().sum();
    CHECK(step.report().dual_norm <= best * (1 + 1e-12));
    CHECK(step.report().dual_norm >= (1 - step.report().gap) * best);
  }
}

TEST_CASE("edges of the step for graphs") {
  const strict_session session;
  backend_on_double backend;
  const auto after = [&](const Eigen::MatrixXf& G, float eta) {
    const index_t rows = G.rows(), cols = G.cols();
    const Eigen::MatrixXf W = Eigen::MatrixXf::Constant(rows, cols, 2);
    const device_matrix<float> w(backend, W), g(backend, G);
    device_matrix<float> rate(backend, 1, 1);
    rate.set(Eigen::MatrixXf::Constant(1, 1, eta));
    auto step = make_step<float>(capturable{muon()}, rows, cols, backend);
    step.enqueue({w.view(), false}, {g.view().as_const(), false}, rate.view().as_const());
    CHECK(w.get().allFinite());
    const step_report r = step.report();
    CHECK(r.outcome == (G.isZero(0) ? outcome::zero_input : outcome::converged));
    return std::pair((W - w.get()).eval(), r);
  };
  for (const auto& shape :
       std::initializer_list<std::pair<index_t, index_t>>{{0, 3}, {3, 0}, {1, 1}, {1, 7}, {7, 1}}) {
    const index_t rows = shape.first, cols = shape.second;
    CAPTURE(rows);
    CAPTURE(cols);
    const Eigen::MatrixXf G = gradient<float>(rows, cols);
    const auto [moved, report] = after(G, 0.5f);
    if (G.size() == 0) continue;
    // One singular value, which the polynomials bring between 0.68 and 1.13.
    CHECK(moved.norm() >= 0.34f);
    CHECK(moved.norm() <= 0.57f);
    CHECK(moved.cwiseProduct(G).sum() >= 0.999f * moved.norm() * G.norm());
    for (const float scale : {1e30f, 1e-30f}) {
      const auto [far, said] = after(scale * G, 0.5f);
      CHECK(far.isApprox(moved, 1e-4f));
      CHECK(said.gap == doctest::Approx(report.gap).epsilon(1e-3));
    }
  }
  const Eigen::MatrixXf ones = Eigen::MatrixXf::Ones(6, 5);  // rank 1
  CHECK(after(ones, 0.5f).first.norm() <= 0.57f);
  CHECK(after(Eigen::MatrixXf::Zero(6, 5), 0.5f).first.norm() == 0);
  for (const float none :
       {-0.5f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    CHECK(after(ones, none).first.norm() == 0);
}

TEST_CASE("a step for graphs at the ends of float, and inside the ball") {
  eigen_backend host;
  const lmo_options at_once{.momentum = {.beta = 0, .lookahead = lookahead::none}};
  const auto after = [&](const auto& rule, const Eigen::MatrixXf& G) {
    Eigen::MatrixXf W = Eigen::MatrixXf::Zero(G.rows(), G.cols());
    auto step = make_step<float>(rule, G.rows(), G.cols(), host);
    const step_report r =
        step.step({matrix_view<float>(W.data(), G.rows(), G.cols()), false},
                  {matrix_view<const float>(G.data(), G.rows(), G.cols()), false}, 1);
    return std::pair(Eigen::MatrixXf(-W), r);
  };
  // The norm of a few numbers without digits has none either.
  const Eigen::MatrixXf tiny = Eigen::MatrixXf::Constant(2, 3, 1e-45f);
  const auto check_ends = [&](const auto& rule) {
    const auto [none, said] = after(rule, tiny);
    CHECK(none.isZero(0));
    CHECK(said.outcome == outcome::zero_input);
  };
  check_ends(capturable{muon(at_once)});
  check_ends(capturable{f_muon(0.5, at_once)});
  check_ends(capturable{sign_sgd(at_once)});
  // <M, X> is above the largest float: nothing is proven.
  const auto [far, blind] =
      after(capturable{muon(at_once)}, 1e38f * Eigen::MatrixXf::Identity(9, 9));
  CHECK(far.allFinite());
  CHECK(blind.gap == 1);
  CHECK(std::isnan(blind.dual_norm));

  const Eigen::MatrixXf G = gradient<float>(12, 9);
  const auto longest = [](const Eigen::MatrixXf& d) {
    return Eigen::JacobiSVD<Eigen::MatrixXf>(d).singularValues()(0);
  };
  const newton_schulz inside{.feasible = true};
  const auto [free, loose] = after(capturable{muon(at_once)}, G);
  const auto [held, tight] = after(capturable{muon(at_once), inside}, G);
  CHECK(longest(free) > 1.01f);
  CHECK(longest(held) <= 1);
  CHECK(held.isApprox(free * (held.norm() / free.norm()), 1e-5f));
  CHECK(tight.gap == loose.gap);
  CHECK(tight.dual_norm == loose.dual_norm);
  CHECK(describe(capturable{muon(), inside}) != describe(capturable{muon()}));
  // The rest of a mixture shrinks with it.
  const auto [sum, ignored] = after(capturable{f_muon(0.5, at_once), inside}, G);
  CHECK(sum.isApprox(0.5f * held + 0.5f * (held.norm() / free.norm()) * G / G.norm(), 1e-5f));
}

TEST_CASE("Polar Express of fixed work, other momenta, and a checkpoint, against lmo_step") {
  const strict_session session;
  backend_on_double backend;
  const polar_express method{.lower = 1e-3, .steps = 8};
  for (const momentum how : {momentum{}, momentum{.lookahead = lookahead::none},
                             momentum{.accumulation = accumulation::heavy_ball}}) {
    const lmo_options o{.momentum = how, .gap = 1e-6};
    const Eigen::MatrixXd W = gradient<double>(20, 30, 5);
    const device_matrix<double> w(backend, W), v(backend, W);
    device_matrix<double> u(backend, W), g(backend, 20, 30), rate(backend, 1, 1);
    rate.set(Eigen::MatrixXd::Constant(1, 1, 0.1));
    const capturable rule{muon(o), method};
    auto step = make_step<double>(rule, 20, 30, backend),
         resumed = make_step<double>(rule, 20, 30, backend);
    lmo_step<spectral, double, backend_on_double> exactly(muon(o), 20, 30, backend);
    const auto put = [&](auto& which, const device_matrix<double>& x) {
      which.enqueue({x.view(), false}, {g.view().as_const(), false}, rate.view().as_const());
    };
    for (unsigned t = 0; t < 4; ++t) {
      g.set(gradient<double>(20, 30) + 0.1 * gradient<double>(20, 30, t));
      if (t == 2) {
        std::stringstream file;
        archive_writer out(file);
        step.save(out);
        const std::string state = file.str();
        std::istringstream cut(state.substr(0, state.size() - 1)), whole(state);
        archive_reader short_of(cut), in(whole);
        CHECK_THROWS_AS(resumed.load(short_of), std::invalid_argument);
        resumed.load(in);
        u.set(w.get());
      }
      put(step, w);
      if (t >= 2) put(resumed, u);
      const step_report exact_report =
          exactly.step({v.view(), false}, {g.view().as_const(), false}, 0.1);
      CHECK((w.get() - v.get()).norm() <= 1e-3 * v.get().norm());
      CHECK(step.report().gap <= 1e-3);
      // The oracle does not see the scale of the momentum, but the dual norm is that of it.
      CHECK(step.report().dual_norm == doctest::Approx(exact_report.dual_norm).epsilon(1e-3));
    }
    CHECK(u.get() == w.get());
  }
}

TEST_CASE_TEMPLATE("steps in fewer bits: in a graph, with a report that is measured", T, float,
                   double) {
  const strict_session session;
  backend_on_double backend;
  for (const compute how : {compute::tf32, compute::float16, compute::bfloat16})
    for (const bool transposed : {false, true})
      for (const lookahead ahead : {lookahead::nesterov, lookahead::none}) {
        CAPTURE(std::string(name_of(how)));
        CAPTURE(transposed);
        const lmo_options o{.momentum = {.lookahead = ahead}};
        const index_t rows = 24, cols = 16;
        const Eigen::MatrixX<T> W = gradient<T>(rows, cols, 5);
        const device_matrix<T> w(backend, W);
        device_matrix<T> g(backend, W), rate(backend, 1, 1);
        rate.set(Eigen::MatrixX<T>::Constant(1, 1, T(0.5)));
        const index_t m = transposed ? cols : rows, n = transposed ? rows : cols;
        auto step = make_step<T>(capturable{muon(o), newton_schulz{.compute = how}}, m, n, backend);
        const auto graph = backend.capture([&] {
          step.enqueue({w.view(), transposed}, {g.view().as_const(), transposed},
                       rate.view().as_const());
        });
        polynomial_record five;
        for (int i = 0; i < 5; ++i) five.apply(keller_jordan_step);
        const double top = five.ceiling();
        Eigen::MatrixXd momentum = Eigen::MatrixXd::Zero(rows, cols);
        for (unsigned t = 0; t < 3; ++t) {
          const Eigen::MatrixX<T> G = T(1e12) * gradient<T>(rows, cols, t), before = w.get();
          g.set(G);
          backend.launch(graph);
          const auto share = [&] { return 0.05 * G.template cast<double>(); };
          momentum = 0.95 * momentum + share();
          const Eigen::MatrixXd seen =
              ahead == lookahead::none ? momentum : Eigen::MatrixXd(0.95 * momentum + share());
          Eigen::MatrixXd X;
          (void)lmo(spectral(), seen, X, newton_schulz{.compute = how});
          const Eigen::MatrixXd moved = 2 * (w.get() - before).template cast<double>();
          CHECK((moved - X).norm() <= (8 * unit_roundoff(how) + 1e-4) * X.norm());
          const double best = Eigen::JacobiSVD<Eigen::MatrixXd>(seen).singularValues().sum();
          for (const step_report r : {step.report(), step.report()}) {
            // <M, X> over what ‖X‖ is bounded by: of what the oracle saw, and not of the momentum.
            CHECK(r.dual_norm == doctest::Approx(-moved.cwiseProduct(seen).sum() /
                                                 (top * (1 + 4 * unit_roundoff(how))))
                                     .epsilon(2e-3));
            CHECK(r.gap > 0.05);
            CHECK(r.gap < 0.7);
            CHECK(r.dual_norm <= best * (1 + 1e-6));
            CHECK(r.dual_norm >= (1 - r.gap) * best);
          }
        }
      }
  CHECK(describe(capturable{muon(), newton_schulz{.compute = compute::tf32}})
            .starts_with("capturable, keller_jordan newton_schulz, steps 5, in tf32, lmo"));
}

TEST_CASE("the momentum of a graph is handed on in its order of storage") {
  const strict_session session;
  backend_on_double backend;
  const device_matrix<float> w(backend, gradient<float>(5, 4)),
      g(backend, gradient<float>(5, 4, 2)), rate(backend, Eigen::MatrixXf::Constant(1, 1, 0.1f));
  const capturable rule{muon()};
  auto recorded = make_step<float>(rule, 4, 5, backend),
       other = make_step<float>(rule, 4, 5, backend);
  backend.launch(backend.capture([&] {
    recorded.enqueue({w.view(), true}, {g.view().as_const(), true}, rate.view().as_const());
  }));
  other.adopt(recorded.state());
  const device_matrix<float> by_columns(backend, 4, 5), slopes(backend, 4, 5);
  CHECK_THROWS_WITH_AS(other.enqueue({by_columns.view(), false}, {slopes.view().as_const(), false},
                                     rate.view().as_const()),
                       "step: the weight must be stored as it was before", std::invalid_argument);
  lmo_step<spectral, float, backend_on_double> exactly(muon(), 4, 5, backend);
  exactly.adopt(recorded.state());
  const Eigen::MatrixXf G = g.get(), before = w.get();
  backend.fill(g.view(), 0.0f);
  (void)exactly.step({w.view(), true}, {g.view().as_const(), true}, 1);
  CHECK((w.get() - before + polar_factor_of(G)).norm() < 1e-2f);
}

TEST_CASE("the certificate of a step for graphs is that of the last one, and of its polynomials") {
  eigen_backend host;
  const lmo_options at_once{.momentum = {.beta = 0, .lookahead = lookahead::none}};
  const Eigen::MatrixXd G = 3 * gradient<double>(12, 9), Q = Eigen::MatrixXd::Identity(9, 9);
  const double rate = 0.1;
  const auto gap_after = [&](const Eigen::MatrixXd& g, const auto& method, int times) {
    Eigen::MatrixXd W = Eigen::MatrixXd::Zero(g.rows(), g.cols());
    const index_t rows = g.rows(), cols = g.cols();
    auto step = make_step<double>(capturable{muon(at_once), method}, rows, cols, host);
    for (int t = 0; t < times; ++t)
      step.enqueue({matrix_view<double>(W.data(), rows, cols), false},
                   {matrix_view<const double>(g.data(), rows, cols), false},
                   matrix_view<const double>(&rate, 1, 1));
    const double best = Eigen::JacobiSVD<Eigen::MatrixXd>(g).singularValues().sum();
    CHECK(step.report().dual_norm <= best * (1 + 1e-12));
    CHECK(step.report().dual_norm >= (1 - step.report().gap) * best);
    return step.report().gap;
  };
  CHECK(gap_after(G, newton_schulz{}, 3) == gap_after(G, newton_schulz{}, 1));
  const polar_express right{.lower = 0.3, .steps = 2}, wrong{.lower = 0.9, .steps = 2};
  CHECK(gap_after(G, right, 2) == gap_after(G, right, 1));
  // Of norm sqrt(9), so every singular value is a third of it.
  CHECK(gap_after(Q, right, 1) < gap_after(Q, wrong, 1) / 2);
}

TEST_CASE("what cannot be captured says so") {
  const strict_session session;
  backend_on_double backend;
  const auto made = [&](const auto& rule) { return make_step<float>(rule, 8, 8, backend); };
  CHECK_THROWS_WITH_AS(
      made(capturable{muon(), polar_express{.gap = 1e-3}}),
      "capturable: method must be newton_schulz, or polar_express with steps and lower, got one "
      "that decides by numbers",
      std::invalid_argument);
  CHECK_NOTHROW(made(capturable{muon(), polar_express{.lower = 1e-3, .steps = 6}}));
  CHECK_THROWS_AS(made(capturable{muon({.form = step_form::sharp})}), std::invalid_argument);
  CHECK_THROWS_WITH_AS(made(capturable{fanion_k(3)}),
                       "capturable: singular values that a term reads must be 8, got 3",
                       std::invalid_argument);
  CHECK_NOTHROW(made(capturable{fanion_k(8)}));
  CHECK_THROWS_AS(made(capturable{lmo_rule{rms_to_rms(512, 2048)}}), std::invalid_argument);
  using step_of_muon = capturable<spectral>::step<float, backend_on_double>;
  CHECK_NOTHROW(step_of_muon(capturable{muon()}, 8, 8, backend, {{0, 0, 8, 8}}));
  CHECK_THROWS_WITH_AS(step_of_muon(capturable{muon()}, 8, 8, backend, {{0, 0, 4, 8}}),
                       "capturable: blocks must be none, or the whole matrix, got parts of 8 x 8",
                       std::invalid_argument);
  const device_matrix<float> w(backend, gradient<float>(8, 8)),
      g(backend, gradient<float>(8, 8, 2)), rate(backend, 1, 1), rates(backend, 1, 2);
  auto muon_step = made(capturable{muon()});
  const auto put = [&](const auto& W, bool turned, const auto& eta) {
    muon_step.enqueue({W.view(), false}, {g.view().as_const(), turned}, eta.view().as_const());
  };
  CHECK_THROWS_AS(put(w, true, rate), std::invalid_argument);
  CHECK_THROWS_AS(put(w, false, rates), std::invalid_argument);
  CHECK_THROWS_AS(put(rates, false, rate), std::invalid_argument);
  // An error while recording leaves the stream as it was.
  CHECK_THROWS_AS((void)backend.capture([&] { put(w, true, rate); }), std::invalid_argument);
  backend.fill(rate.view(), 2.0f);
  CHECK(rate.get()(0, 0) == 2.0f);

  const long objects = cuda_double::live_objects();
  for (const char* call : {"cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate",
                           "cudaGraphLaunch", "cublasSgemm"}) {
    CAPTURE(call);
    cuda_double::fail(call, 1, 7);
    try {
      backend.launch(backend.capture([&] { put(w, false, rate); }));
      FAIL_CHECK("no error");
    } catch (const backend_error& error) {
      CHECK(std::string(error.what()).find(call) != std::string::npos);
    }
    CHECK(cuda_double::live_objects() == objects);
  }
  // Nor is a stream that was being recorded left so.
  backend.launch(backend.capture([&] { put(w, false, rate); }));
  CHECK(w.get().allFinite());
  // A state is of the order in which the weight is stored.
  std::stringstream file;
  archive_writer out(file);
  auto turned_step = made(capturable{muon()});
  turned_step.enqueue({w.view(), true}, {g.view().as_const(), true}, rate.view().as_const());
  turned_step.save(out);
  archive_reader in(file);
  CHECK_THROWS_WITH_AS(muon_step.load(in), "checkpoint: the weight was stored in another order",
                       std::invalid_argument);
  // The momentum lies as the weight did.
  CHECK_THROWS_WITH_AS(
      muon_step.enqueue({w.view(), true}, {g.view().as_const(), true}, rate.view().as_const()),
      "step: the weight must be stored as it was before", std::invalid_argument);
  muon_step.reset();
  CHECK_NOTHROW(
      muon_step.enqueue({w.view(), true}, {g.view().as_const(), true}, rate.view().as_const()));
}

TEST_CASE("the family without a number for the host, against lmo_step") {
  using T = float;
  const strict_session session;
  backend_on_double backend;
  const lmo_options o{.decay = 0.1, .scaling = shape_scaling::widening, .gap = 1e-4};
  const polar_express method{.lower = 1e-3, .steps = 8};
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto check = [&](const auto& rule) {
    using norm = std::remove_cvref_t<decltype(rule.norm)>;
    for (const bool turned : {false, true}) {
      CAPTURE(turned);
      const index_t rows = 40, cols = 24;
      const Eigen::MatrixX<T> W = gradient<T>(rows, cols, 3);
      const device_matrix<T> w(backend, W), v(backend, W);
      device_matrix<T> g(backend, rows, cols);
      const index_t m = turned ? cols : rows, n = turned ? rows : cols;
      auto step = make_step<T>(capturable{rule, method}, m, n, backend);
      lmo_step<norm, T, backend_on_double> exactly(rule, m, n, backend);
      for (unsigned t = 0; t < 4; ++t) {
        Eigen::MatrixX<T> G = gradient<T>(rows, cols) + T(0.1) * gradient<T>(rows, cols, t);
        if (t == 2) G(3, 5) = std::numeric_limits<T>::quiet_NaN();
        g.set(G);
        const Eigen::MatrixX<T> before = w.get();
        const long waits = cuda_double::counted().waits;
        const step_report r = step.step({w.view(), turned}, {g.view().as_const(), turned}, 0.1);
        CHECK(cuda_double::counted().waits == waits + 1);
        const step_report s = exactly.step({v.view(), turned}, {g.view().as_const(), turned}, 0.1);
        CHECK(r.skipped == s.skipped);
        CHECK(r.outcome == s.outcome);
        CHECK(step.steps() == exactly.steps());
        CHECK(r.dual_norm == doctest::Approx(s.dual_norm).epsilon(2e-3));
        if (t == 2) {
          CHECK(r.skipped);
          CHECK(w.get() == before);
          continue;
        }
        CHECK((w.get() - v.get()).norm() <= T(5e-3) * (v.get() - before).norm());
        CHECK(r.gap <= 1e-3);
        CHECK(r.dual_norm >= (1 - r.gap) * s.dual_norm * (1 - 8 * epsilon));
      }
      g.set(gradient<T>(rows, cols));
      step.reset();
      CHECK(step.steps() == 0);
      CHECK_THROWS_AS(step.step({w.view(), turned}, {g.view().as_const(), turned}, -1.0),
                      std::invalid_argument);
      CHECK_THROWS_AS(step.step({w.view(), turned}, {g.view().as_const(), turned}, 1e300 * 1e300),
                      std::invalid_argument);
    }
  };
  SUBCASE("Muon") { check(muon(o)); }
  SUBCASE("F-Muon") { check(f_muon(0.4, o)); }
  SUBCASE("S-Muon") { check(s_muon(0.3, 0.05, o)); }
  SUBCASE("NSGD") { check(nsgd(o)); }
  SUBCASE("SignSGD") { check(sign_sgd(o)); }
  SUBCASE("all of one norm") { check(f_muon(0, o)); }
  SUBCASE("of the other") { check(f_muon(1, o)); }
}

TEST_CASE("an optimizer whose matrices wait once, resumed and changed") {
  const strict_session session;
  backend_on_double backend;
  using device_optimizer = optimizer<float, backend_on_double>;
  model straight(backend, 24, 40), stopped(backend, 24, 40);
  const capturable rule{muon({.decay = 0.1}), polar_express{.lower = 1e-3, .steps = 7}};
  device_optimizer one(rule, adamw{}, backend), first(rule, adamw{}, backend),
      second(rule, adamw{}, backend), other(capturable{muon({.decay = 0.1})}, adamw{}, backend);
  straight.enter(one);
  for (device_optimizer* o : {&first, &second, &other}) stopped.enter(*o);
  for (unsigned t = 0; t < 4; ++t) {
    straight.set(t);
    stopped.set(t);
    if (t == 2) {
      const std::string state = saved(first);
      restore(second, state);
      CHECK(saved(second) == state);
      CHECK_THROWS_WITH_AS(
          restore(other, state),
          "checkpoint: parameter W: expected rule capturable, keller_jordan newton_schulz, steps "
          "5, lmo(spectral()), momentum 0.95 ema nesterov, decay 0.1, scaling none, seed 0, found "
          "capturable, polar_express, lower 0.001, safety 1.0001, steps 7, block 0, "
          "lmo(spectral()), momentum 0.95 ema nesterov, decay 0.1, scaling none, seed 0",
          std::invalid_argument);
    }
    (void)one.step(0.1);
    CHECK((t < 2 ? first : second).step(0.1).parameters[0].gap <= 1e-2);
  }
  CHECK(straight.get() == stopped.get());
  // A rule that has not moved yet says nothing about how its weight is stored.
  const device_matrix<float> rows(backend, Eigen::MatrixXf::Ones(5, 4));
  const device_matrix<float> slopes(backend, gradient<float>(5, 4));
  device_optimizer fresh(muon(), adamw{}, backend);
  fresh.add(make_parameter<float>("W", on_device<float>{rows.view(), true},
                                  on_device<const float>{slopes.view().as_const(), true}));
  fresh.set_rule("W", capturable{muon()});
  CHECK_NOTHROW((void)fresh.step(0.1));
  // From and to lmo_step the momentum goes on, stored as it was.
  fresh.set_rule("W", muon());
  const Eigen::MatrixXf there = rows.get();
  backend.fill(slopes.view(), 0.0f);
  (void)fresh.step(0.1);
  CHECK((rows.get() - there).cwiseProduct(gradient<float>(5, 4)).sum() < -0.1f);
  fresh.set_rule("W", capturable{muon()});
  const Eigen::MatrixXf then = rows.get();
  (void)fresh.step(0.1);
  CHECK((rows.get() - then).cwiseProduct(gradient<float>(5, 4)).sum() < -0.1f);

  model asked(backend, 24, 40);
  device_optimizer third(muon({.decay = 0.1}), adamw{}, backend);
  asked.enter(third);
  asked.set(0);
  (void)third.step(0.1);
  third.set_rule("W", rule);
  const Eigen::MatrixXf before = asked.W.get();
  asked.dW.set(Eigen::MatrixXf::Zero(24, 40));
  (void)third.step(0.1);
  CHECK((asked.W.get() - 0.99f * before).norm() > 0.1f);  // momentum, and not decay alone
}
TEST_CASE("the program of recorded steps, over the double") {
  const strict_session session;
  backend_on_double backend;
  CHECK(device_program::recorded<float>(backend));
  CHECK(device_program::benches(backend, 24, 40, 1));
}
