// What CUDA's libraries answer to calls that are wrong, a line each. Linked with the libraries it
// says what a machine with a device answers, linked with the double what the tests believe;
// tests/gpu.sh compares the two.
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <cstdio>
#include <vector>

namespace {

template <class Status>
void say(const char* call, const char* wrong, Status status) {
  std::printf("%-28s %-42s %d\n", call, wrong, static_cast<int>(status));
}

}  // namespace

int main() {
  int devices = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&devices); status != cudaSuccess) {
    std::printf("Skipped: cudaGetDeviceCount: %s.\n", cudaGetErrorString(status));
    return 77;
  }
  cudaStream_t stream = nullptr;
  cublasHandle_t blas = nullptr;
  cusolverDnHandle_t lapack = nullptr;
  void* memory = nullptr;
  if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
      cudaMalloc(&memory, 1 << 16) != cudaSuccess ||
      cudaMemsetAsync(memory, 0, 1 << 16, stream) != cudaSuccess ||
      cublasCreate(&blas) != CUBLAS_STATUS_SUCCESS ||
      cublasSetStream(blas, stream) != CUBLAS_STATUS_SUCCESS ||
      cusolverDnCreate(&lapack) != CUSOLVER_STATUS_SUCCESS ||
      cusolverDnSetStream(lapack, stream) != CUSOLVER_STATUS_SUCCESS) {
    std::printf("no handles\n");
    return 1;
  }
  float* const A = static_cast<float*>(memory);
  float *const B = A + 1024, *const C = A + 2048;
  const float one = 1, zero = 0;
  std::vector<float> host(1024);

  void* none = nullptr;
  say("cudaMalloc", "a million gigabytes", cudaMalloc(&none, std::size_t(1) << 60));
  say("cudaFree", "memory of the host", cudaFree(host.data()));
  say("cudaSetDevice", "the 1000th", cudaSetDevice(1000));
  say("cudaMemcpy2DAsync", "a pitch below the width",
      cudaMemcpy2DAsync(A, 8, B, 8, 16, 2, cudaMemcpyDeviceToDevice, stream));

  constexpr auto N = CUBLAS_OP_N, T = CUBLAS_OP_T;
  constexpr auto lower = CUBLAS_FILL_MODE_LOWER;
  say("cublasSgemm", "lda below m",
      cublasSgemm(blas, N, N, 4, 4, 4, &one, A, 3, B, 4, &zero, C, 4));
  say("cublasSgemm", "ldb below n, turned",
      cublasSgemm(blas, N, T, 4, 5, 4, &one, A, 4, B, 4, &zero, C, 4));
  say("cublasSgemm", "ldc below m",
      cublasSgemm(blas, N, N, 4, 4, 4, &one, A, 4, B, 4, &zero, C, 3));
  say("cublasSgemm", "m below 0", cublasSgemm(blas, N, N, -1, 4, 4, &one, A, 4, B, 4, &zero, C, 4));
  say("cublasSgemmStridedBatched", "a count below 0",
      cublasSgemmStridedBatched(blas, N, N, 4, 4, 4, &one, A, 4, 16, B, 4, 16, &zero, C, 4, 16,
                                -1));
  say("cublasGemmStridedBatchedEx", "lda below m",
      cublasGemmStridedBatchedEx(blas, N, N, 4, 4, 4, &one, A, CUDA_R_16BF, 3, 16, B, CUDA_R_16BF,
                                 4, 16, &zero, C, CUDA_R_16BF, 4, 16, 1, CUBLAS_COMPUTE_32F,
                                 CUBLAS_GEMM_DEFAULT));
  say("cublasGemmStridedBatchedEx", "factors of two kinds",
      cublasGemmStridedBatchedEx(blas, N, N, 4, 4, 4, &one, A, CUDA_R_16BF, 4, 16, B, CUDA_R_16F, 4,
                                 16, &zero, C, CUDA_R_16BF, 4, 16, 1, CUBLAS_COMPUTE_32F,
                                 CUBLAS_GEMM_DEFAULT));
  say("cublasSsyrk", "lda below n", cublasSsyrk(blas, lower, N, 4, 4, &one, A, 3, &zero, C, 4));
  say("cublasSsyrkx", "ldc below n",
      cublasSsyrkx(blas, lower, N, 4, 4, &one, A, 4, B, 4, &zero, C, 3));
  say("cublasSgeam", "lda below m", cublasSgeam(blas, N, N, 4, 4, &one, A, 3, &zero, B, 4, C, 4));
  say("cublasSgeam", "in place and turned",
      cublasSgeam(blas, T, N, 4, 4, &one, C, 4, &zero, B, 4, C, 4));
  say("cublasStrsm", "lda below n",
      cublasStrsm(blas, CUBLAS_SIDE_RIGHT, CUBLAS_FILL_MODE_UPPER, N, CUBLAS_DIAG_NON_UNIT, 4, 4,
                  &one, A, 3, B, 4));

  int size = 0;
  say("cusolverDnSpotrf_bufferSize", "lda below n",
      cusolverDnSpotrf_bufferSize(lapack, lower, 4, A, 3, &size));
  say("cusolverDnSgesvd_bufferSize", "m below 0",
      cusolverDnSgesvd_bufferSize(lapack, -1, 4, &size));
  say("cusolverDnSgeqrf_bufferSize", "lda below m",
      cusolverDnSgeqrf_bufferSize(lapack, 4, 4, A, 3, &size));
  say("cusolverDnSsyevd_bufferSize", "lda below n",
      cusolverDnSsyevd_bufferSize(lapack, CUSOLVER_EIG_MODE_VECTOR, lower, 4, A, 3, B, &size));

  cudaGraph_t graph = nullptr;
  say("cudaStreamEndCapture", "of a stream that is not captured",
      cudaStreamEndCapture(stream, &graph));
  (void)cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  say("cudaStreamBeginCapture", "of a stream that is captured",
      cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  say("cudaStreamSynchronize", "of a stream that is captured", cudaStreamSynchronize(stream));
  (void)cudaStreamEndCapture(stream, &graph);
  (void)cudaGetLastError();

  (void)cusolverDnDestroy(lapack);
  (void)cublasDestroy(blas);
  (void)cudaFree(memory);
  (void)cudaStreamDestroy(stream);
  return 0;
}
