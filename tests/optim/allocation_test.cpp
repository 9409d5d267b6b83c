/// @file  step() allocates nothing after the first, whatever the rate. Every allocation of the
/// program goes through the counters below.
#include <support/matrices.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/norms/pairs.hpp>
#include <fanion/optim/dion.hpp>
#include <fanion/optim/error_feedback.hpp>
#include <fanion/optim/extrapolation.hpp>
#include <fanion/optim/frank_wolfe.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/normuon.hpp>
#include <fanion/optim/numuon.hpp>
#include <fanion/optim/optimizer.hpp>
#include <fanion/optim/sharpness.hpp>
#include <fanion/optim/variance_reduction.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

namespace {
long allocations = 0;
}

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  ++allocations;
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  ++allocations;
  *p = __libc_memalign(alignment, size);
  return *p == nullptr ? ENOMEM : 0;
}
}

using namespace fanion;
using matrix = Eigen::MatrixXf;

namespace {

/// Allocations in ten steps after the first, with a rate that changes.
long allocations_of(const optimizer<float>::rule_type& rule, Eigen::Index m, Eigen::Index n) {
  matrix w = matrices::gaussian(m, n, 1).cast<float>(),
         g = matrices::gaussian(m, n, 2).cast<float>();
  const matrix drift = 0.1f * matrices::gaussian(m, n, 3).cast<float>();
  optimizer<float> opt(rule, adamw{});
  opt.add(make_parameter("w", w, g));
  opt.step(0.1);
  const long before = allocations;
  for (int t = 0; t < 10; ++t) {
    for (Eigen::Index i = 0; i < g.size(); ++i) g.data()[i] += drift.data()[i];
    opt.step(0.1 / (t + 1));
  }
  return allocations - before;
}

/// Allocations between the first look at the gradient and the end.
template <class N, class Rule>
long allocations_of(const N& n, const Rule& rule, Eigen::Index rows, Eigen::Index cols) {
  struct distance {
    matrix t;
    double value(const matrix& x) const { return 0.5 * double((x - t).squaredNorm()); }
    void gradient(const matrix& x, matrix& g) const { g = x - t; }
    double curvature(const matrix&, const matrix& d) const { return double(d.squaredNorm()); }
  } f{matrices::gaussian(rows, cols, 1).cast<float>()};
  matrix x = matrix::Zero(rows, cols);
  long before = -1;
  const auto r = frank_wolfe(n, f, x, {.radius = 8, .relative = 0, .iterations = 10}, rule,
                             automatic{}, [&](const frank_wolfe_report&) {
                               if (before < 0) before = allocations;
                             });
  const long after = allocations;
  CHECK(r.iterations >= 2);
  return after - before;
}

}  // namespace

TEST_CASE("the counter counts") {
  const long before = allocations;
  // Through volatile pointers: a compiler may leave out an allocation that nobody looks at.
  int* volatile one = new int(7);
  delete one;
  void* volatile two = std::malloc(8);
  std::free(two);
  void* volatile three = operator new(64, std::align_val_t(64));
  operator delete(three, std::align_val_t(64));
  CHECK(allocations - before == 3);
}

TEST_CASE("no allocation in a step") {
  for (const auto& [m, n] : {std::pair(20, 12), std::pair(100, 90), std::pair(90, 300)}) {
    CHECK(allocations_of(muon(), m, n) == 0);
    CHECK(allocations_of(fanion_k(2), m, n) == 0);
    CHECK(allocations_of(f_muon(0.5, {.momentum = {.lookahead = lookahead::none}}), m, n) == 0);
    CHECK(allocations_of(s_fanion_k(2, 0.5, 0.1), m, n) == 0);
    CHECK(allocations_of(dion{.rank = 4}, m, n) == 0);
    CHECK(allocations_of(dion{.rank = 4, .columns = dion_columns::orthonormal}, m, n) == 0);
    CHECK(allocations_of(error_feedback(dual(ky_fan(2))), m, n) == 0);
    CHECK(allocations_of(error_feedback(max_abs(), {.sent = transmission::multiple}), m, n) == 0);
    CHECK(allocations_of(normuon(), m, n) == 0);
    CHECK(allocations_of(numuon{{.first = 0.1}}, m, n) == 0);
    CHECK(allocations_of(gluon(spectral(), 1, 1), m, n) == 0);
    CHECK(allocations_of(adamw{}, m, n) == 0);
    CHECK(allocations_of(sgd{}, m, n) == 0);
    CHECK(allocations_of(lion{}, m, n) == 0);
  }
}

TEST_CASE("no allocation in the steps of Frank and Wolfe's method") {
  const auto every_rule = [](const auto& n, Eigen::Index rows, Eigen::Index cols) {
    CHECK(allocations_of(n, adaptive_step{}, rows, cols) == 0);
    CHECK(allocations_of(n, exact_line_search{}, rows, cols) == 0);
    CHECK(allocations_of(n, short_step{.lipschitz = 1}, rows, cols) == 0);
    CHECK(allocations_of(n, open_loop{}, rows, cols) == 0);
  };
  for (const auto& [m, n] : {std::pair(20, 12), std::pair(100, 90)}) {
    every_rule(nuclear(), m, n);
    every_rule(spectral(), m, n);
    every_rule(dual(0.5 * ky_fan(2) + 0.5 * sum_abs()), m, n);
    every_rule(max_of(spectral(), 0.5 * nuclear()), m, n);
  }
}

TEST_CASE("no allocation where gradients are taken elsewhere") {
  using norm = decltype(dual(ky_fan(2)));
  eigen_backend backend;
  matrix w = matrices::gaussian(90, 100, 1).cast<float>();
  const matrix g = matrices::gaussian(90, 100, 2).cast<float>();
  const auto x = matrix_adapter<matrix>::view(w);
  const auto slope = matrix_adapter<matrix>::view(g);
  variance_reduced_step<norm, float, eigen_backend> reduced({fanion_k(2)}, 90, 100, backend);
  extrapolated_step<norm, float, eigen_backend> ahead({fanion_k(2)}, 90, 100, backend);
  sharpness_probe<nuclear, float, eigen_backend> probe(nuclear(), {}, 90, 100, backend);
  long before = 0;
  for (int t = 0; t < 5; ++t) {
    if (t == 1) before = allocations;
    reduced.go_back(x);
    reduced.come_back(x);
    reduced.step(x, slope, slope, 0.1);
    ahead.look_ahead(x);
    ahead.step(x, slope, 0.1);
    probe.perturb(x, slope);
    probe.restore(x);
  }
  CHECK(allocations == before);
}

#else
TEST_CASE("no allocation in a step") { MESSAGE("allocations can be counted under glibc only"); }
#endif
