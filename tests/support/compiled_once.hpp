/// @file  What nearly every test would compile for itself, compiled once: solvers and products of
/// the host's backend in both scalars. CMake includes this file first in each program; without it
/// they compile and run too, a third slower to build.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/oracles/engine.hpp>

// Empty in compiled_once.cpp.
#ifndef COMPILED_ELSEWHERE
#define COMPILED_ELSEWHERE extern
#endif

#define COMPILED_ONCE(T)                                                                          \
  COMPILED_ELSEWHERE template class exact_solver<T, eigen_backend>;                               \
  COMPILED_ELSEWHERE template class polar_solver<T, eigen_backend>;                               \
  COMPILED_ELSEWHERE template class block_solver<T, eigen_backend>;                               \
  COMPILED_ELSEWHERE template class lanczos_solver<T, eigen_backend>;                             \
  COMPILED_ELSEWHERE template class krylov_solver<T, eigen_backend>;                              \
  COMPILED_ELSEWHERE template class qdwh_solver<T, eigen_backend>;                                \
  COMPILED_ELSEWHERE template class gram_eigen_solver<T, eigen_backend>;                          \
  COMPILED_ELSEWHERE template class narrow_krylov_solver<T, eigen_backend>;                       \
  COMPILED_ELSEWHERE template class cheaper_polar_solver<T, eigen_backend,                        \
                                                         qdwh_solver<T, eigen_backend>>;          \
  COMPILED_ELSEWHERE template class cheaper_polar_solver<T, eigen_backend,                        \
                                                         gram_eigen_solver<T, eigen_backend>>;    \
  COMPILED_ELSEWHERE template triplets<T, host_space> lanczos_solver<T, eigen_backend>::solve(    \
      eigen_backend&, const operand<T, host_space>&);                                             \
  COMPILED_ELSEWHERE template triplets<T, host_space> krylov_solver<T, eigen_backend>::solve(     \
      eigen_backend&, const operand<T, host_space>&);                                             \
  COMPILED_ELSEWHERE template triplets<T, host_space> block_solver<T, eigen_backend>::solve(      \
      eigen_backend&, operand<T, host_space>, arrived<T, host_space>&);                           \
  COMPILED_ELSEWHERE template void dense::svd<T>(input<T>, matrix_view<T>, std::span<T>,          \
                                                 matrix_view<T>, std::span<T>);                   \
  COMPILED_ELSEWHERE template void dense::eigh<T>(input<T>, std::span<T>, matrix_view<T>,         \
                                                  std::span<T>);                                  \
  COMPILED_ELSEWHERE template index_t dense::orthonormalize<T>(matrix_view<T>, std::span<T>);     \
  COMPILED_ELSEWHERE template bool dense::invert_definite<T>(matrix_view<T>, std::span<T>,        \
                                                             index_t);                            \
  COMPILED_ELSEWHERE template void dense::gemm_slice<T>(T, dense::factor<T>, dense::factor<T>, T, \
                                                        matrix_view<T>, index_t, std::span<T>);   \
  COMPILED_ELSEWHERE template void dense::multiply<T>(T, input<T>, input<T>, T, matrix_view<T>,   \
                                                      std::span<T>, index_t);                     \
  COMPILED_ELSEWHERE template void dense::multiply_adjoint<T>(                                    \
      T, input<T>, input<T>, T, matrix_view<T>, std::span<T>, index_t);                           \
  COMPILED_ELSEWHERE template void dense::multiply_outer<T>(T, input<T>, input<T>, T,             \
                                                            matrix_view<T>, std::span<T>, index_t)

namespace fanion {
COMPILED_ONCE(float);
COMPILED_ONCE(double);
}  // namespace fanion
