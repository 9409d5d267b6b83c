/// @file  Polar factors of batches, on the device and on the host, against Eigen's decompositions.
#include <cuda/device_matrix.hpp>
#include <cuda/support.hpp>

#include <fanion/eigen.hpp>

#include <Eigen/SVD>

#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

using namespace fanion;
using fanion_test::backend_on_double;
using fanion_test::gradient;
using fanion_test::strict_session;

namespace {

/// `count` matrices in one stretch of memory on the host, each with `gap` rows and `between`
/// scalars that belong to no one.
template <class T>
struct stack {
  stack(index_t m, index_t n, index_t count, index_t gap = 0, index_t between = 0)
      : view{nullptr, m, n, m + gap, (m + gap) * n + between, count},
        memory(static_cast<std::size_t>(view.stride * count), T(9)) {
    view.pointer = memory.data();
  }
  [[nodiscard]] Eigen::Map<Eigen::MatrixX<T>, 0, Eigen::OuterStride<>> operator[](index_t i) {
    return {view[i].data(), view.rows, view.cols, Eigen::OuterStride<>(view.ld)};
  }
  batch_view<T> view;
  std::vector<T> memory;
};

/// The same memory on the backend's side.
struct on_host {
  eigen_backend backend;
  template <class T>
  struct place {
    place(eigen_backend&, stack<T>& s) : batch(s.view) {}
    void get(stack<T>&) const {}
    batch_view<T> batch;
  };
  [[nodiscard]] long waits() const { return 0; }

  template <compute How, class E>
  void multiply(float alpha, const std::vector<E>& a, const batch_view<float>& A, bool a_turned,
                const std::vector<E>& b, const batch_view<float>& B, bool b_turned, float beta,
                std::vector<E>& c, const batch_view<float>& C) {
    const auto scratch = backend.make_workspace<float>(multiply_each_in_size(backend, 8, 8));
    multiply_each_in<How>(backend, alpha, like(a.data(), A), a_turned, like(b.data(), B), b_turned,
                          beta, like(c.data(), C), scratch.span());
  }
  template <class E>
  [[nodiscard]] static batch_view<E> like(E* memory, const batch_view<float>& v) {
    return {memory, v.rows, v.cols, v.ld, v.stride, v.count};
  }
};
struct on_device {
  backend_on_double backend;
  template <class T>
  struct place {
    using column = matrix_view<T, device_space>;
    place(backend_on_double& b, stack<T>& s)
        : backend(b),
          memory(b.make_workspace<T>(std::ssize(s.memory))),
          batch{memory.data(), s.view.rows, s.view.cols, s.view.ld, s.view.stride, s.view.count} {
      b.upload<T>(matrix_view<const T>(s.memory.data(), std::ssize(s.memory), 1),
                  column(memory.data(), memory.size(), 1));
    }
    void get(stack<T>& s) const {
      backend.download<T>(column(memory.data(), memory.size(), 1).as_const(),
                          matrix_view<T>(s.memory.data(), std::ssize(s.memory), 1));
    }
    backend_on_double& backend;
    device::device_memory<T> memory;
    batch_view<T, device_space> batch;
  };
  [[nodiscard]] long waits() const { return cuda_double::counted().waits; }

  template <compute How, class E>
  void multiply(float alpha, const std::vector<E>& a, const batch_view<float>& A, bool a_turned,
                const std::vector<E>& b, const batch_view<float>& B, bool b_turned, float beta,
                std::vector<E>& c, const batch_view<float>& C) {
    // Whole words are copied.
    const auto words = [](const std::vector<E>& v) {
      return static_cast<index_t>((v.size() * sizeof(E) + 3) / 4);
    };
    const auto there = [&](const std::vector<E>& v) {
      std::vector<float> padded(static_cast<std::size_t>(words(v)));
      std::memcpy(padded.data(), v.data(), v.size() * sizeof(E));
      auto memory = backend.make_workspace<float>(words(v));
      backend.upload<float>(matrix_view<const float>(padded.data(), words(v), 1),
                            matrix_view<float, device_space>(memory.data(), words(v), 1));
      return memory;
    };
    const auto like = [](const device::device_memory<float>& memory, const batch_view<float>& v) {
      return batch_view<E, device_space>{static_cast<E*>(static_cast<void*>(memory.data())),
                                         v.rows,
                                         v.cols,
                                         v.ld,
                                         v.stride,
                                         v.count};
    };
    const auto ma = there(a), mb = there(b), mc = there(c);
    multiply_each_in<How>(backend, alpha, like(ma, A).as_const(), a_turned, like(mb, B).as_const(),
                          b_turned, beta, like(mc, C), {});
    std::vector<float> padded(static_cast<std::size_t>(words(c)));
    backend.download<float>(matrix_view<const float, device_space>(mc.data(), words(c), 1),
                            matrix_view<float>(padded.data(), words(c), 1));
    std::memcpy(static_cast<void*>(c.data()), padded.data(), c.size() * sizeof(E));
  }
};

template <class T>
Eigen::MatrixX<T> polar_factor_of(const Eigen::MatrixX<T>& m) {
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(m.template cast<double>(),
                                              Eigen::ComputeThinU | Eigen::ComputeThinV);
  return (svd.matrixU() * svd.matrixV().transpose()).template cast<T>();
}
template <class T>
double nuclear_norm_of(const Eigen::MatrixX<T>& m) {
  return Eigen::JacobiSVD<Eigen::MatrixXd>(m.template cast<double>()).singularValues().sum();
}

const polar_express deep{.lower = 1e-4, .steps = 12};

template <class Where, class T>
void check_shape(index_t m, index_t n, index_t count, index_t gap, index_t between) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(count);
  CAPTURE(gap);
  Where where;
  stack<T> inputs(m, n, count, gap, between), outputs(m, n, count, gap, between);
  for (index_t i = 0; i < count; ++i)
    inputs[i] = T(1 + 3 * i) * gradient<T>(m, n, static_cast<unsigned>(i));
  const typename Where::template place<T> M(where.backend, inputs), D(where.backend, outputs);
  auto plan = plan_lmo_batch(spectral(), M.batch, deep, where.backend);
  std::vector<lmo_report> reports(static_cast<std::size_t>(count));
  const long waits = where.waits();
  plan.execute(M.batch.as_const(), D.batch, reports);
  CHECK(where.waits() <= waits + 1);
  D.get(outputs);
  for (index_t i = 0; i < count; ++i) {
    const Eigen::MatrixX<T> input = inputs[i], D_i = outputs[i];
    const lmo_report& r = reports[static_cast<std::size_t>(i)];
    CHECK((D_i + polar_factor_of<T>(input)).norm() <= 2e-3 * std::sqrt(double(std::min(m, n))));
    CHECK(r.outcome == outcome::converged);
    CHECK(r.iterations == 12);
    CHECK(r.gap() <= 2e-3);
    // What the report says, against the definition.
    const double best = nuclear_norm_of<T>(input);
    CHECK(r.bound >= best * (1 - 1e-12));
    CHECK(r.bound <= best * 1.01);
    CHECK(r.objective ==
          doctest::Approx(
              D_i.template cast<double>().cwiseProduct(input.template cast<double>()).sum())
              .epsilon(1e-5));
    CHECK(r.feasibility >=
          Eigen::JacobiSVD<Eigen::MatrixXd>(D_i.template cast<double>()).singularValues()(0) *
              (1 - 1e-12));
    CHECK(r.feasibility <= 1.01);
  }
  // What lies between them is nobody's.
  for (index_t i = 0; i < count; ++i) outputs[i].setConstant(T(9));
  for (const T x : outputs.memory) CHECK(x == T(9));
}

}  // namespace

TEST_CASE_TEMPLATE("polar factors of a batch", T, float, double) {
  const strict_session session;
  const auto check = [](auto where) {
    using place = typename decltype(where)::type;
    check_shape<place, T>(12, 20, 5, 0, 0);
    check_shape<place, T>(20, 12, 5, 0, 0);
    check_shape<place, T>(12, 12, 1, 3, 0);
    check_shape<place, T>(20, 12, 4, 2, 7);
    check_shape<place, T>(6, 9, 3, 1, 5);
    check_shape<place, T>(1, 7, 3, 0, 0);
    check_shape<place, T>(7, 1, 3, 0, 0);
    check_shape<place, T>(1, 1, 3, 0, 0);
  };
  check(std::type_identity<on_device>());
  check(std::type_identity<on_host>());
}

TEST_CASE_TEMPLATE("batches in fewer bits: reports are true, and measured", T, float, double) {
  const strict_session session;
  const auto check = [](auto type, compute how, index_t m, index_t n, index_t count, index_t gap) {
    CAPTURE(std::string(name_of(how)));
    CAPTURE(m);
    typename decltype(type)::type where;
    stack<T> inputs(m, n, count, gap, 2 * gap), outputs(m, n, count, gap, 2 * gap);
    for (index_t i = 0; i < count; ++i)
      inputs[i] = T(1 + 3 * i) * gradient<T>(m, n, static_cast<unsigned>(i));
    using place = typename decltype(type)::type::template place<T>;
    const place M(where.backend, inputs), D(where.backend, outputs);
    const auto run = [&](const auto& method, double gap_at_most) {
      auto plan = plan_lmo_batch(spectral(), M.batch, method, where.backend);
      std::vector<lmo_report> reports(static_cast<std::size_t>(count));
      plan.enqueue(M.batch.as_const(), D.batch, 0, 1);
      plan.read_reports(reports);
      plan.read_reports(reports);  // asked twice, answered twice
      D.get(outputs);
      for (index_t i = 0; i < count; ++i) {
        const lmo_report& r = reports[static_cast<std::size_t>(i)];
        const Eigen::MatrixXd d = outputs[i].template cast<double>(),
                              x = inputs[i].template cast<double>();
        const double best = nuclear_norm_of<double>(x);
        CHECK(r.bound >= best * (1 - 1e-12));
        CHECK(r.gap() <= gap_at_most);
        CHECK(r.objective == doctest::Approx(d.cwiseProduct(x).sum()).epsilon(1e-4));
        CHECK(r.feasibility >= Eigen::JacobiSVD<Eigen::MatrixXd>(d).singularValues()(0));
        Eigen::MatrixX<T> alone;
        (void)lmo(spectral(), Eigen::MatrixX<T>(inputs[i]), alone, method);
        CHECK((alone.template cast<double>() - d).norm() <= 8 * unit_roundoff(how) * d.norm());
      }
    };
    run(newton_schulz{.compute = how}, 0.6);
    run(polar_express{.lower = 0.02, .steps = 5, .compute = how}, 30 * unit_roundoff(how));
    run(polar_express{.lower = 0.02, .steps = 5, .compute = how, .feasible = true},
        30 * unit_roundoff(how));
  };
  for (const compute how : {compute::tf32, compute::float16, compute::bfloat16})
    for (const auto& [m, n, count, gap] :
         {std::array<index_t, 4>{12, 20, 3, 0}, {20, 12, 3, 2}, {9, 9, 1, 0}, {1, 7, 2, 0}}) {
      check(std::type_identity<on_device>(), how, m, n, count, gap);
      check(std::type_identity<on_host>(), how, m, n, count, gap);
    }
}

TEST_CASE("of a batch each is alone: zero, NaN, huge and tiny members") {
  newton_schulz method;
  SUBCASE("in full") {}
  SUBCASE("in bfloat16") { method.compute = compute::bfloat16; }
  const float near = method.compute == compute::full ? 1e-5f : 0.03f;
  const strict_session session;
  on_device where;
  stack<float> inputs(10, 14, 7), outputs(10, 14, 7);
  for (index_t i = 0; i < 7; ++i) inputs[i] = gradient<float>(10, 14);
  inputs[1].setZero();
  inputs[2](3, 4) = std::numeric_limits<float>::quiet_NaN();
  inputs[3](5, 6) = std::numeric_limits<float>::infinity();
  inputs[4] *= 1e30f;
  inputs[5] *= 1e-30f;
  inputs[6].setConstant(1e-45f);
  const on_device::place<float> M(where.backend, inputs), D(where.backend, outputs);
  auto plan = plan_lmo_batch(spectral(), M.batch, method, where.backend);
  std::vector<lmo_report> reports(7);
  plan.execute(M.batch.as_const(), D.batch, reports);
  D.get(outputs);
  for (const index_t i : {1, 2, 3, 6}) CHECK(outputs[i].isZero(0));
  CHECK(reports[1].outcome == outcome::zero_input);
  CHECK(reports[1].gap() == 0);
  CHECK(reports[6].outcome == outcome::zero_input);
  for (const std::size_t i : {2u, 3u}) {
    CHECK(reports[i].outcome == outcome::non_finite);
    CHECK(std::isnan(reports[i].gap()));
  }
  for (const index_t i : {4, 5}) {
    CHECK(outputs[i].isApprox(outputs[0], near));
    CHECK(reports[static_cast<std::size_t>(i)].gap() ==
          doctest::Approx(reports[0].gap()).epsilon(100 * near));
  }
  CHECK(reports[5].objective / reports[0].objective == doctest::Approx(1e-30).epsilon(near));
  // Weights without a step only shrink, from 9.
  stack<float> weights(10, 14, 7);
  const on_device::place<float> W(where.backend, weights);
  plan.update(M.batch.as_const(), W.batch, 0.5, 1, reports);
  W.get(weights);
  for (const index_t i : {1, 2, 3, 6}) CHECK((weights[i].array() == 4.5f).all());
  CHECK((weights[0].array() - 4.5f).matrix().isApprox(outputs[0], 1e-5f));
}

TEST_CASE("updates, feasible answers, and what a batch costs") {
  const strict_session session;
  on_device where;
  const index_t m = 9, n = 16, count = 7;
  stack<float> inputs(m, n, count), weights(m, n, count);
  for (index_t i = 0; i < count; ++i) {
    inputs[i] = gradient<float>(m, n, static_cast<unsigned>(i));
    weights[i].setConstant(2);
  }
  const on_device::place<float> M(where.backend, inputs), W(where.backend, weights);
  const newton_schulz classic{.steps = 24, .coefficients = schulz::classic, .feasible = true};
  auto plan = plan_lmo_batch(spectral(), M.batch, classic, where.backend);
  std::vector<lmo_report> reports(count);
  const long products = cuda_double::count("cublasSgemmStridedBatched"),
             allocated = cuda_double::count("cudaMalloc");
  const long launches = cuda_double::counted().launches, waits = cuda_double::counted().waits;
  plan.update(M.batch.as_const(), W.batch, 0.5, 0.25, reports);
  CHECK(cuda_double::count("cublasSgemmStridedBatched") == products + 2 * 24);
  CHECK(cuda_double::count("cublasSgemm") == 0);
  CHECK(cuda_double::count("cudaMalloc") == allocated);
  CHECK(cuda_double::counted().waits == waits + 1);
  CHECK(cuda_double::counted().launches - launches < 90);
  const double first = reports[count - 1].objective;
  W.get(weights);
  for (index_t i = 0; i < count; ++i) {
    const Eigen::MatrixXf d = (weights[i].array() - 1).matrix() / 0.25f;
    CHECK((d + polar_factor_of<float>(inputs[i])).norm() <= 0.01);
    CHECK(Eigen::JacobiSVD<Eigen::MatrixXf>(d).singularValues()(0) <= 1 + 1e-6f);
    CHECK(reports[static_cast<std::size_t>(i)].feasibility == 1);
    CHECK(reports[static_cast<std::size_t>(i)].gap() <= 1e-2);
  }
  // D is divided by what the polynomials may make of a singular value, and so is <M, D>.
  auto inside = plan_lmo_batch(spectral(), M.batch, newton_schulz{.feasible = true}, where.backend);
  auto free = plan_lmo_batch(spectral(), M.batch, newton_schulz{}, where.backend);
  std::vector<lmo_report> loose(count);
  stack<float> held(m, n, count);
  const on_device::place<float> H(where.backend, held);
  inside.execute(M.batch.as_const(), H.batch, reports);
  free.execute(M.batch.as_const(), W.batch, loose);
  H.get(held);
  W.get(weights);
  for (index_t i = 0; i < count; ++i) {
    const lmo_report &r = reports[static_cast<std::size_t>(i)],
                     &l = loose[static_cast<std::size_t>(i)];
    const Eigen::MatrixXf d = held[i];
    CHECK(Eigen::JacobiSVD<Eigen::MatrixXf>(d).singularValues()(0) <= 1);
    CHECK(d.isApprox(weights[i] / static_cast<float>(l.feasibility), 1e-5f));
    CHECK(r.objective == doctest::Approx(d.cwiseProduct(inputs[i]).sum()).epsilon(1e-4));
    CHECK(r.feasibility == 1);
    CHECK(l.feasibility > 1.1);
    CHECK(r.gap() == doctest::Approx(l.gap()).epsilon(1e-6));
  }

  // In a graph: no wait, and the reports are those of its last launch.
  const on_device::place<float> D(where.backend, weights);
  const auto graph =
      where.backend.capture([&] { plan.enqueue(M.batch.as_const(), D.batch, 0, 1); });
  stack<float> other(m, n, count);
  for (index_t i = 0; i < count; ++i) other[i] = 2 * inputs[count - 1 - i];
  const on_device::place<float> O(where.backend, other);
  where.backend.copy<float>(
      matrix_view<const float, device_space>(O.memory.data(), O.memory.size(), 1),
      matrix_view<float, device_space>(M.memory.data(), M.memory.size(), 1));
  const long before = cuda_double::counted().waits;
  where.backend.launch(graph);
  CHECK(cuda_double::counted().waits == before);
  plan.read_reports(reports);
  CHECK(reports[0].objective == doctest::Approx(2 * first).epsilon(1e-5));
  D.get(weights);
  CHECK((weights[0] + polar_factor_of<float>(other[0])).norm() <= 0.01);
}

TEST_CASE("batches that cannot be say so, and write nothing") {
  const strict_session session;
  on_device where;
  stack<float> inputs(4, 5, 3), outputs(4, 5, 3);
  for (index_t i = 0; i < 3; ++i) inputs[i] = gradient<float>(4, 5);
  const on_device::place<float> M(where.backend, inputs), D(where.backend, outputs);
  CHECK_THROWS_WITH_AS((void)plan_lmo_batch(spectral(), M.batch, polar_express{}, where.backend),
                       "polar_batch: method must be newton_schulz, or polar_express with steps and "
                       "lower, got one that decides by numbers",
                       std::invalid_argument);
  for (const index_t steps : {0, 61})
    CHECK_THROWS_AS(
        (void)plan_lmo_batch(spectral(), M.batch, newton_schulz{.steps = steps}, where.backend),
        std::invalid_argument);
  auto plan = plan_lmo_batch(spectral(), M.batch, newton_schulz{}, where.backend);
  std::vector<lmo_report> reports(3), two(2);
  CHECK_THROWS_WITH_AS(plan.execute(M.batch.as_const(), D.batch, two),
                       "batch: reports must be one a matrix, got 2", std::invalid_argument);
  auto fewer = D.batch;
  fewer.count = 2;
  CHECK_THROWS_WITH_AS(plan.execute(M.batch.as_const(), fewer, reports),
                       "batch: D must be 3 of 4 x 5, got 2 of 4 x 5", std::invalid_argument);
  CHECK_THROWS_AS(plan.execute(M.batch.as_const(), M.batch, reports), std::invalid_argument);
  auto folded = D.batch;
  folded.stride = 5;
  CHECK_THROWS_AS(plan.execute(M.batch.as_const(), folded, reports), std::invalid_argument);
  D.get(outputs);
  for (const float x : outputs.memory) CHECK(x == 9);
  cuda_double::fail("cublasSgemmStridedBatched", 1, CUBLAS_STATUS_EXECUTION_FAILED);
  CHECK_THROWS_WITH_AS(plan.execute(M.batch.as_const(), D.batch, reports),
                       doctest::Contains("cublasSgemmStridedBatched"), backend_error);
  plan.execute(M.batch.as_const(), D.batch, reports);
  CHECK(reports[0].gap() < 0.5);
  // Nothing to do.
  for (const auto& [m, n, count] : {std::array<index_t, 3>{4, 5, 0}, {0, 5, 3}, {4, 0, 3}}) {
    stack<float> none(m, n, count), nowhere(m, n, count);
    const on_device::place<float> N(where.backend, none), E(where.backend, nowhere);
    std::vector<lmo_report> empty(static_cast<std::size_t>(count));
    auto idle = plan_lmo_batch(spectral(), N.batch, newton_schulz{}, where.backend);
    CHECK_NOTHROW(idle.execute(N.batch.as_const(), E.batch, empty));
    for (const lmo_report& r : empty) CHECK(r.outcome == outcome::zero_input);
  }
}

TEST_CASE_TEMPLATE("products of batches with gaps, turned and added", T, float, double) {
  const strict_session session;
  const auto check = [](auto type, bool a_turned, bool b_turned) {
    typename decltype(type)::type where;
    const index_t m = 3, n = 4, k = 5, count = 3;
    stack<T> A(a_turned ? k : m, a_turned ? m : k, count, 2, 1),
        B(b_turned ? n : k, b_turned ? k : n, count, 1, 3), C(m, n, count, 3, 2);
    for (index_t i = 0; i < count; ++i) {
      A[i] = gradient<T>(A.view.rows, A.view.cols, static_cast<unsigned>(i));
      B[i] = gradient<T>(B.view.rows, B.view.cols, static_cast<unsigned>(10 + i));
      C[i] = gradient<T>(m, n, static_cast<unsigned>(20 + i));
    }
    using place = typename decltype(type)::type::template place<T>;
    const place a(where.backend, A), b(where.backend, B);
    const stack<T> before = C;
    for (const T beta : {T(0), T(0.5)}) {
      C.memory = before.memory;
      if (beta == T(0)) C[1].setConstant(std::numeric_limits<T>::quiet_NaN());
      const place c(where.backend, C);
      auto scratch =
          where.backend.template make_workspace<T>(multiply_each_size<T>(where.backend, k, m));
      multiply_each<T>(where.backend, T(2), a.batch.as_const(), a_turned, b.batch.as_const(),
                       b_turned, beta, c.batch, scratch.span());
      c.get(C);
      for (index_t i = 0; i < count; ++i) {
        const Eigen::MatrixX<T> x = A[i], y = B[i];
        const Eigen::MatrixX<T> left = a_turned ? Eigen::MatrixX<T>(x.transpose()) : x,
                                right = b_turned ? Eigen::MatrixX<T>(y.transpose()) : y;
        Eigen::MatrixX<T> wanted = T(2) * left * right;
        if (beta != T(0)) wanted += beta * gradient<T>(m, n, static_cast<unsigned>(20 + i));
        CHECK(C[i].isApprox(wanted, 32 * std::numeric_limits<T>::epsilon()));
        C[i].setConstant(T(9));
      }
      for (const T x : C.memory) CHECK(x == T(9));
    }
  };
  for (const auto& [a_turned, b_turned] :
       {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
    check(std::type_identity<on_device>(), a_turned, b_turned);
    check(std::type_identity<on_host>(), a_turned, b_turned);
  }
}

TEST_CASE("products in fewer bits, turned and added, with gaps") {
  const strict_session session;
  const auto check = []<compute How>(auto type, bool a_turned, bool b_turned) {
    using E = stored_in<How>;
    typename decltype(type)::type where;
    const index_t m = 3, n = 4, k = 5, count = 3;
    // What is stored is exact here, and what is read of it in TF32 is not.
    const auto number = [](double x) {
      if constexpr (How == compute::tf32)
        return static_cast<float>(x);
      else
        return rounded<E>(static_cast<float>(x));
    };
    const auto value = [](E x) {
      if constexpr (How == compute::tf32)
        return static_cast<double>(x);
      else
        return static_cast<double>(widened(x));
    };
    const auto read = [](double x) {
      return How == compute::tf32 ? static_cast<double>(rounded_to_tf32(static_cast<float>(x))) : x;
    };
    const auto filled = [&](stack<float> of, unsigned seed) {
      for (index_t i = 0; i < of.view.count; ++i)
        of[i] = gradient<float>(of.view.rows, of.view.cols, seed + static_cast<unsigned>(i));
      return of;
    };
    stack<float> A = filled({a_turned ? k : m, a_turned ? m : k, count, 2, 1}, 0),
                 B = filled({b_turned ? n : k, b_turned ? k : n, count, 1, 3}, 10),
                 C = filled({m, n, count, 3, 2}, 20);
    // The same in memory of the backend, in fewer bits.
    const auto place = [&](const stack<float>& s) {
      std::vector<E> low;
      for (const float x : s.memory) low.push_back(number(static_cast<double>(x)));
      return low;
    };
    const auto a = place(A), b = place(B);
    for (const float beta : {0.f, 0.5f}) {
      auto c = place(C);
      if (beta == 0)
        for (E& x : c) x = number(std::numeric_limits<double>::quiet_NaN());
      const auto before = c;
      where.template multiply<How>(2, a, A.view, a_turned, b, B.view, b_turned, beta, c, C.view);
      for (index_t l = 0; l < count; ++l)
        for (index_t i = 0; i < m; ++i)
          for (index_t j = 0; j < n; ++j) {
            const auto at = [&](const std::vector<E>& from, const batch_view<float>& v, index_t r,
                                index_t s) {
              return value(from[static_cast<std::size_t>(l * v.stride + r + s * v.ld)]);
            };
            double sum = 0;
            for (index_t p = 0; p < k; ++p)
              sum += read(a_turned ? at(a, A.view, p, i) : at(a, A.view, i, p)) *
                     read(b_turned ? at(b, B.view, j, p) : at(b, B.view, p, j));
            sum *= 2;
            if (beta != 0) sum += static_cast<double>(beta) * at(before, C.view, i, j);
            const double found = at(c, C.view, i, j);
            CHECK(std::abs(found - sum) <=
                  (How == compute::tf32 ? 1e-6 : 1.1 * unit_roundoff(How)) *
                      std::max(std::abs(sum), 1e-2));
          }
      // What lies between the members is as it was.
      std::vector<bool> ours(c.size(), false);
      for (index_t l = 0; l < count; ++l)
        for (index_t i = 0; i < m; ++i)
          for (index_t j = 0; j < n; ++j)
            ours[static_cast<std::size_t>(l * C.view.stride + i + j * C.view.ld)] = true;
      for (std::size_t i = 0; i < c.size(); ++i)
        if (!ours[i]) CHECK(std::memcmp(&c[i], &before[i], sizeof(E)) == 0);
    }
  };
  for (const auto& turned :
       {std::pair(false, false), std::pair(true, false), std::pair(false, true)})
    for (const compute how : {compute::tf32, compute::float16, compute::bfloat16})
      with_compute(how, [&]<compute How>() {
        check.operator()<How>(std::type_identity<on_device>(), turned.first, turned.second);
        check.operator()<How>(std::type_identity<on_host>(), turned.first, turned.second);
      });
}

TEST_CASE_TEMPLATE("dots of columns, of any scale and side by side", T, float, double) {
  const strict_session session;
  backend_on_double backend;
  for (const index_t rows : {1, 40, 3000})
    for (const index_t cols : {1, 5, 70}) {
      Eigen::MatrixX<T> X = gradient<T>(rows, cols), Y = gradient<T>(rows, cols, 3);
      X.col(0) *= T(1e30);
      Y.col(0) *= T(1e-30);
      const fanion_test::device_matrix<T> x(backend, X), y(backend, Y), out(backend, cols, 1);
      column_dots<T>(backend, x.view().as_const(), y.view().as_const(), out.view());
      const Eigen::MatrixX<T> found = out.get();
      for (index_t j = 0; j < cols; ++j) {
        const Eigen::VectorX<long double> a = X.col(j).template cast<long double>(),
                                          b = Y.col(j).template cast<long double>();
        CHECK(std::abs(static_cast<double>(found(j, 0) - static_cast<T>(a.dot(b)))) <=
              4 * std::numeric_limits<T>::epsilon() * static_cast<double>(a.norm() * b.norm()));
      }
    }
}
