/// @file  cuBLAS: a handle on a stream, and the products with a name for both scalars.
///
/// A host compiler is enough; link CUDA::cublas. Scalars are passed by host pointers. Matrices are
/// column-major views; sizes may be 0.
#pragma once

#include <fanion/backend/cuda_runtime.hpp>
#include <fanion/core/compute.hpp>
#include <fanion/core/view.hpp>

#include <cublas_v2.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>

namespace fanion::device {

/// @throws backend_error naming the call and the code.
inline void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw backend_error(std::string(call) + ": " + cublasGetStatusName(status) + " (" +
                      std::to_string(static_cast<int>(status)) + ")");
}

/// The libraries count in int. @throws std::invalid_argument.
[[nodiscard]] inline int narrow(index_t size) {
  if (size > std::numeric_limits<int>::max()) refuse("cuda: size", "below 2^31", size);
  return static_cast<int>(size);
}
/// A leading dimension, which must not be 0.
template <class T>
[[nodiscard]] int pitch(matrix_view<T, device_space> m) {
  return narrow(std::max<index_t>(m.ld(), 1));
}

/// What the library calls the scalar that iterates are stored in.
template <compute C>
inline constexpr cudaDataType_t type_in = C == compute::bfloat16  ? CUDA_R_16BF
                                          : C == compute::float16 ? CUDA_R_16F
                                                                  : CUDA_R_32F;

/// Whether a factor stands as it is or transposed.
enum class turn { none, adjoint };
[[nodiscard]] constexpr cublasOperation_t operation(turn t) noexcept {
  return t == turn::none ? CUBLAS_OP_N : CUBLAS_OP_T;
}

class blas {
  template <class T>
  using in = matrix_view<const T, device_space>;
  template <class T>
  using out = matrix_view<T, device_space>;

 public:
  /// @throws backend_error. `tf32` lets float products round their factors to 10 bits.
  blas(const stream& s, bool tf32) {
    cublasHandle_t raw = nullptr;
    check(cublasCreate(&raw), "cublasCreate");
    handle_.reset(raw);
    check(cublasSetStream(raw, s.get()), "cublasSetStream");
    check(cublasSetPointerMode(raw, CUBLAS_POINTER_MODE_HOST), "cublasSetPointerMode");
    // Sums are of floats, whatever the factors are.
    const int mode = (tf32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH) |
                     CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    check(cublasSetMathMode(raw, static_cast<cublasMath_t>(mode)), "cublasSetMathMode");
  }

  /// C = a op(A) op(B) + b C.
  template <Real T>
  void gemm(T a, in<T> A, turn of_a, in<T> B, turn of_b, T b, out<T> C) const {
    if (C.empty()) return;
    const index_t inner = of_a == turn::none ? A.cols() : A.rows();
    const auto call = [&](auto routine, const char* name) {
      check(routine(handle_.get(), operation(of_a), operation(of_b), narrow(C.rows()),
                    narrow(C.cols()), narrow(inner), &a, A.data(), pitch(A), B.data(), pitch(B), &b,
                    C.data(), pitch(C)),
            name);
    };
    if constexpr (std::is_same_v<T, float>)
      call([](auto... x) { return cublasSgemm(x...); }, "cublasSgemm");
    else
      call([](auto... x) { return cublasDgemm(x...); }, "cublasDgemm");
  }

  /// C[i] = a op(A[i]) op(B[i]) + b C[i] for every member of the batches.
  template <Real T>
  void gemm_each(T a, const batch_view<const T, device_space>& A, turn of_a,
                 const batch_view<const T, device_space>& B, turn of_b, T b,
                 const batch_view<T, device_space>& C) const {
    if (C.count == 0 || C.rows == 0 || C.cols == 0) return;
    const index_t inner = of_a == turn::none ? A.cols : A.rows;
    const auto call = [&](auto routine, const char* name) {
      check(routine(handle_.get(), operation(of_a), operation(of_b), narrow(C.rows), narrow(C.cols),
                    narrow(inner), &a, A.pointer, pitch(A[0]), A.stride, B.pointer, pitch(B[0]),
                    B.stride, &b, C.pointer, pitch(C[0]), C.stride, narrow(C.count)),
            name);
    };
    if constexpr (std::is_same_v<T, float>)
      call([](auto... x) { return cublasSgemmStridedBatched(x...); }, "cublasSgemmStridedBatched");
    else
      call([](auto... x) { return cublasDgemmStridedBatched(x...); }, "cublasDgemmStridedBatched");
  }

  /// The same for matrices in fewer bits, summed in float and rounded once.
  template <compute How, class E = stored_in<How>>
  void gemm_each_in(float a, const batch_view<const E, device_space>& A, turn of_a,
                    const batch_view<const E, device_space>& B, turn of_b, float b,
                    const batch_view<E, device_space>& C) const {
    if (C.count == 0 || C.rows == 0 || C.cols == 0) return;
    constexpr cudaDataType_t type = type_in<How>;
    constexpr cublasComputeType_t how =
        How == compute::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    check(cublasGemmStridedBatchedEx(
              handle_.get(), operation(of_a), operation(of_b), narrow(C.rows), narrow(C.cols),
              narrow(of_a == turn::none ? A.cols : A.rows), &a, A.pointer, type, pitch(A[0]),
              A.stride, B.pointer, type, pitch(B[0]), B.stride, &b, C.pointer, type, pitch(C[0]),
              C.stride, narrow(C.count), how, CUBLAS_GEMM_DEFAULT),
          "cublasGemmStridedBatchedEx");
  }

  /// The lower half of C = a op(A) op(A)ᵀ + b C.
  template <Real T>
  void syrk(T a, in<T> A, turn of_a, T b, out<T> C) const {
    if (C.empty()) return;
    const index_t inner = of_a == turn::none ? A.cols() : A.rows();
    const auto call = [&](auto routine, const char* name) {
      check(routine(handle_.get(), CUBLAS_FILL_MODE_LOWER, operation(of_a), narrow(C.rows()),
                    narrow(inner), &a, A.data(), pitch(A), &b, C.data(), pitch(C)),
            name);
    };
    if constexpr (std::is_same_v<T, float>)
      call([](auto... x) { return cublasSsyrk(x...); }, "cublasSsyrk");
    else
      call([](auto... x) { return cublasDsyrk(x...); }, "cublasDsyrk");
  }

  /// The lower half of C = a A Bᵀ + b C, for a product that is symmetric.
  template <Real T>
  void syrkx(T a, in<T> A, in<T> B, T b, out<T> C) const {
    if (C.empty()) return;
    const auto call = [&](auto routine, const char* name) {
      check(routine(handle_.get(), CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, narrow(C.rows()),
                    narrow(A.cols()), &a, A.data(), pitch(A), B.data(), pitch(B), &b, C.data(),
                    pitch(C)),
            name);
    };
    if constexpr (std::is_same_v<T, float>)
      call([](auto... x) { return cublasSsyrkx(x...); }, "cublasSsyrkx");
    else
      call([](auto... x) { return cublasDsyrkx(x...); }, "cublasDsyrkx");
  }

  /// C = a op(A) + b C.
  template <Real T>
  void geam(T a, in<T> A, turn of_a, T b, out<T> C) const {
    if (C.empty()) return;
    const auto call = [&](auto routine, const char* name) {
      check(routine(handle_.get(), operation(of_a), CUBLAS_OP_N, narrow(C.rows()), narrow(C.cols()),
                    &a, A.data(), pitch(A), &b, C.data(), pitch(C), C.data(), pitch(C)),
            name);
    };
    if constexpr (std::is_same_v<T, float>)
      call([](auto... x) { return cublasSgeam(x...); }, "cublasSgeam");
    else
      call([](auto... x) { return cublasDgeam(x...); }, "cublasDgeam");
  }

  /// X = X R⁻¹ for an upper triangle R.
  template <Real T>
  void divide_by_upper(in<T> R, out<T> X) const {
    if (X.empty()) return;
    const T one = T(1);
    const auto call = [&](auto routine, const char* name) {
      check(routine(handle_.get(), CUBLAS_SIDE_RIGHT, CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_N,
                    CUBLAS_DIAG_NON_UNIT, narrow(X.rows()), narrow(X.cols()), &one, R.data(),
                    pitch(R), X.data(), pitch(X)),
            name);
    };
    if constexpr (std::is_same_v<T, float>)
      call([](auto... x) { return cublasStrsm(x...); }, "cublasStrsm");
    else
      call([](auto... x) { return cublasDtrsm(x...); }, "cublasDtrsm");
  }

 private:
  struct release {
    void operator()(cublasHandle_t raw) const noexcept { (void)cublasDestroy(raw); }
  };
  std::unique_ptr<std::remove_pointer_t<cublasHandle_t>, release> handle_;
};

}  // namespace fanion::device
