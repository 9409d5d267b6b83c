/// @file  Verbs never allocate, at sizes small and large.
#include <backend/support.hpp>

#include <fanion/backend/eigen.hpp>

#include <array>
#include <cstdlib>
#include <new>

using fanion::index_t;
using fanion::matrix_view;

namespace {
index_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(unit, (size / unit + 1) * unit)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

TEST_CASE_TEMPLATE("verbs do not allocate", T, float, double) {
  for (const index_t threads : {1, 3})
    for (const auto& [m, n, k] :
         {std::array<index_t, 3>{64, 64, 16}, {768, 1024, 16}, {200, 300, 96}}) {
      const fanion::eigen_backend backend(threads);
      const auto matrix = [&](index_t rows, index_t cols) {
        auto memory = backend.make_workspace<T>(rows * cols);
        const matrix_view<T> view(memory.data(), rows, cols);
        backend.random(view, 1);
        return memory;
      };
      const index_t r = std::min(m, n);
      auto a = matrix(m, n), x = matrix(n, k), z = matrix(n, k), y = matrix(m, k), c = matrix(m, m),
           u = matrix(m, r), v = matrix(n, r), e = matrix(m, m), s = matrix(m, 1);
      const matrix_view<T> A(a.data(), m, n), X(x.data(), n, k), Z(z.data(), n, k),
          Y(y.data(), m, k), C(c.data(), m, m), E(e.data(), m, m), U(u.data(), m, r),
          V(v.data(), n, r);
      auto memory = backend.make_workspace<T>(
          std::max({backend.multiply_size<T>(m, n, k), backend.multiply_adjoint_size<T>(m, n, k),
                    backend.multiply_outer_size<T>(m, n, k), backend.gram_product_size<T>(m, n, k),
                    backend.syrk_size<T>(m, n), backend.symmetric_product_size<T>(m),
                    backend.orthonormalize_size<T>(n, k), backend.small_svd_size<T>(m, n),
                    backend.small_eigh_size<T>(m)}));
      const std::span<T> scratch = memory.span();
      const index_t before = allocations;
      REQUIRE(before > 0);  // the counter counts
      backend.axpby_adjoint(1, E.as_const(), 0, C);
      const T length = backend.norm(A) + backend.dot(A, A) +
                       backend.reduce_entries(A, fanion::reduction::sum_abs);
      backend.multiply(1, A.as_const(), X.as_const(), 0, Y, scratch);
      backend.multiply_adjoint(1, A.as_const(), Y.as_const(), 0, X, scratch);
      backend.multiply_outer(1, Y.as_const(), X.as_const(), 0, A, scratch);
      backend.gram_product(A.as_const(), X.as_const(), Z, scratch);
      backend.random(A, 2);
      backend.syrk(1, A.as_const(), 0, C, scratch);
      backend.symmetric_product(1, C.as_const(), C.as_const(), 0, E, scratch);
      backend.random(X, 3);
      const index_t rank = backend.orthonormalize(X, scratch);
      if (r < 300) {  // the cubic ones, at a size past every block
        backend.small_svd(A.as_const(), U, s.span(), V, scratch);
        backend.small_eigh(C.as_const(), s.span(), E, scratch);
      }
      const index_t after = allocations;
      CHECK(after == before);
      CHECK(length > T(0));
      CHECK(rank == k);
    }
}
