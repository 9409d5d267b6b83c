// Plans allocate when they are made and never again: every malloc of the process is counted.
#include <doctest/doctest.h>

#include "support/matrices.hpp"

#include <fanion/eigen.hpp>

#include <cstddef>
#include <cstdlib>
#include <string>

// The sanitizers bring a malloc of their own, and other C libraries have no __libc_malloc.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_MALLOC 0
#endif
#endif
#if !defined(COUNTS_MALLOC)
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_MALLOC 0
#else
#define COUNTS_MALLOC 1
#endif
#endif

namespace {
volatile long allocations = 0;
}

#if COUNTS_MALLOC
// operator new of the standard library calls malloc, so these see it too.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
  allocations = allocations + 1;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocations = allocations + 1;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  allocations = allocations + 1;
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  allocations = allocations + 1;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? 12 : 0;  // ENOMEM
}
}
#endif

namespace {

using namespace fanion;

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr auto f_fanion = dual(0.5 * ky_fan(5) + 0.5 * frobenius());
constexpr auto s_fanion = dual(0.5 * ky_fan(5) + 0.5 * sum_abs());

template <class T>
struct inputs {
  matrix_of<T> cold, warm, zero, nan;
  row_major<T> row;

  inputs(Eigen::Index m, Eigen::Index n)
      : cold(matrices::gaussian(m, n).cast<T>()),
        warm(cold + T(0.01) * matrices::gaussian(m, n, 2).cast<T>()),
        zero(matrix_of<T>::Zero(m, n)),
        nan(matrix_of<T>::Constant(m, n, std::numeric_limits<T>::quiet_NaN())),
        row(cold) {}
};

template <class T, class N, class Method>
void check(const inputs<T>& in, const char* name, const N& n, const Method& method) {
  CAPTURE(name);
  CAPTURE(in.cold.rows());
  auto plan = plan_lmo(n, in.cold, method);
  matrix_of<T> d(in.cold.rows(), in.cold.cols()), x = in.cold;
  row_major<T> row(d);
  const long before = allocations;
  (void)plan.execute(in.cold, d);
  const long cold = allocations;
  (void)plan.execute(in.warm, d);
  (void)plan.execute(in.row, d);
  (void)plan.execute(in.warm, row);
  (void)plan.execute(in.zero, d);
  (void)plan.execute(in.nan, d);
  (void)plan.update(in.warm, x, 0.9, -0.1);
  plan.reset();
  (void)plan.execute(in.cold, d);
  const long after = allocations;
  CHECK(cold == before);
  CHECK(after == cold);
}

template <class T>
void check_all(Eigen::Index m, Eigen::Index n, bool decompose) {
  const inputs<T> in(m, n);
  check(in, "frobenius", frobenius(), automatic{});
  check(in, "max_abs", max_abs(), automatic{});
  check(in, "sum_abs", sum_abs(), automatic{});
  check(in, "max_row", max_row(), automatic{});
  check(in, "sum_row", sum_row(), automatic{});
  check(in, "max_col", max_col(), automatic{});
  check(in, "automatic 1e-2", s_fanion, automatic{.gap = 1e-2});
  // Work is capped: what is counted does not depend on how it ends.
  check(in, "subspace", f_fanion, subspace{.passes = 4});
  check(in, "power", f_fanion, power{.passes = 4});
  check(in, "randomized", f_fanion, randomized{});
  check(in, "lanczos", f_fanion, lanczos{.passes = 60});
  check(in, "block_krylov", f_fanion, block_krylov{.gap = 1e-2});
  check(in, "block_krylov, in float", f_fanion, block_krylov{.gap = 1e-2, .in_float = true});
  check(in, "block_krylov, restarted", f_fanion, block_krylov{.tol = 1e-3, .basis = 60});
  check(in, "newton_schulz", spectral(), newton_schulz{.steps = 2});
  check(in, "newton_schulz, bfloat16", spectral(),
        newton_schulz{.steps = 2, .compute = compute::bfloat16});
  check(in, "polar_express", dual(nuclear() + frobenius()), polar_express{.steps = 2});
  if (!decompose) return;
  check(in, "qdwh", spectral(), qdwh{});
  check(in, "qdwh, ill-conditioned start", spectral(), qdwh{.gap = 1e-15});
  check(in, "gram_eigen", spectral(), gram_eigen{});
  check(in, "exact", ky_fan(5), exact{});
  check(in, "automatic", f_fanion, automatic{});
  check(in, "automatic polar", spectral(), automatic{});
  check(in, "ball of a sum", nuclear() + 0.5 * frobenius(), automatic{});
  check(in, "owl", owl({2, 1, 0.5}), automatic{});
}

}  // namespace

TEST_CASE("the counter counts") {
  if (!COUNTS_MALLOC) return;
  const long before = allocations;
  const matrix_of<float> m(64, 64);
  CHECK(allocations > before);
  const long between = allocations;
  const auto plan = plan_lmo(f_fanion, m);
  CHECK(allocations > between);
  const long last = allocations;
  ::operator delete(::operator new(10));
  CHECK(allocations == last + 1);
}

TEST_CASE_TEMPLATE("no allocation in execute and update", T, float, double) {
  check_all<T>(64, 64, true);
  check_all<T>(70, 66, true);
  check_all<T>(128, 200, true);
}

TEST_CASE("no allocation in execute and update at 768 x 3072") {
  check_all<float>(768, 3072, false);
}
