#include <cuda/double.hpp>

#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <Eigen/Dense>

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>

// The opaque types of the libraries.
struct CUstream_st {
  std::deque<std::function<void()>> work;
  bool captured = false;                      // then `work` is what is being recorded
  std::deque<std::function<void()>> waiting;  // what was there before
};
struct CUgraph_st {
  std::deque<std::function<void()>> work;
};
struct CUgraphExec_st {
  std::deque<std::function<void()>> work;
};
struct cublasContext {
  cudaStream_t stream = nullptr;
};
struct cusolverDnContext {
  cudaStream_t stream = nullptr;
};

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using panel = Eigen::Map<matrix<T>, 0, Eigen::OuterStride<>>;
template <class T>
constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();

/// Device memory: one reservation, handed out piece by piece with gaps between.
class device {
 public:
  static constexpr std::size_t capacity = std::size_t(1) << 32, gap = 4096;

  device()
      : base_(static_cast<std::byte*>(mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {}

  void* allocate(std::size_t bytes) {
    if (used_ + bytes > limit) return nullptr;
    const std::size_t rounded = (bytes + gap - 1) / gap * gap + gap;
    std::byte* at = base_;
    for (const auto& [start, size] : pieces_) {
      if (start - at >= static_cast<std::ptrdiff_t>(rounded)) break;
      at = start + (size + gap - 1) / gap * gap + gap;
    }
    if (at + rounded > base_ + capacity) return nullptr;
    pieces_[at] = bytes;
    used_ += bytes;
    return at;
  }
  bool release(void* p) {
    const auto found = pieces_.find(static_cast<std::byte*>(p));
    if (found == pieces_.end()) return false;
    used_ -= found->second;
    pieces_.erase(found);
    return true;
  }
  /// Whether the bytes lie in one allocation.
  bool holds(const void* p, std::size_t bytes) const {
    const auto* at = static_cast<const std::byte*>(p);
    auto after = pieces_.upper_bound(const_cast<std::byte*>(at));
    if (after == pieces_.begin()) return false;
    --after;
    return at + bytes <= after->first + after->second;
  }
  bool is_here(const void* p) const {
    const auto* at = static_cast<const std::byte*>(p);
    return at >= base_ && at < base_ + capacity;
  }
  void open(bool readable) {
    std::byte* end = base_;
    for (const auto& [start, size] : pieces_) end = std::max(end, start + size + gap);
    if (end > base_)
      mprotect(base_, static_cast<std::size_t>(end - base_),
               readable ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
  [[nodiscard]] long pieces() const { return static_cast<long>(pieces_.size()); }

  std::size_t limit = capacity;

 private:
  std::byte* base_;
  std::map<std::byte*, std::size_t> pieces_;
  std::size_t used_ = 0;
};

struct failure {
  int in = 0;
  int status = 0;
};

struct world {
  device memory;
  std::vector<CUstream_st*> streams;
  std::map<std::string, long> calls;
  std::map<std::string, failure> failures;
  std::vector<std::string> complaints;
  long pinned = 0, handles = 0;
  int devices = 1;
  cudaError_t device_error = cudaSuccess;
  bool guarded = false;
  int math_mode = -1;
  cuda_double::tally seen;
  const std::byte* watched = nullptr;
  std::size_t watched_bytes = 0;
};
world& the() {
  static world w;
  return w;
}

/// Counts the call; the status that a test wants of it, or 0.
int begin(const char* call) {
  ++the().calls[call];
  const auto wanted = the().failures.find(call);
  if (wanted == the().failures.end() || --wanted->second.in > 0) return 0;
  const int status = wanted->second.status;
  the().failures.erase(wanted);
  return status;
}
bool complain(const std::string& call, const std::string& what) {
  the().complaints.push_back(call + ": " + what);
  return false;
}

/// rows x cols entries that a call reads, or writes.
template <class T>
void reads(const T* p, int rows, int cols) {
  cuda_double::touch(p, double(rows) * cols * double(sizeof(T)), false);
}
template <class T>
void writes(const T* p, int rows, int cols) {
  cuda_double::touch(p, double(rows) * cols * double(sizeof(T)), true);
}
void works(double flops) {
  the().seen.flops += flops;
  ++the().seen.launches;
}

void moves(const void* to, const void* from, double bytes, cudaMemcpyKind kind) {
  if (kind != cudaMemcpyDeviceToDevice)
    for (const CUstream_st* s : the().streams)
      if (s->captured) complain("cudaMemcpy", "memory of the host while a stream is captured");
  ++the().seen.launches;
  if (kind != cudaMemcpyHostToDevice) cuda_double::touch(from, bytes, false);
  if (kind != cudaMemcpyDeviceToHost) cuda_double::touch(to, bytes, true);
  if (kind != cudaMemcpyDeviceToDevice) the().seen.transferred += bytes;
}

bool is_stream(cudaStream_t s) {
  return std::find(the().streams.begin(), the().streams.end(), s) != the().streams.end();
}
/// Whether no stream is being recorded, which a call that reaches past streams would spoil.
bool may_reach_the_device(const char* call) {
  for (const CUstream_st* s : the().streams)
    if (s->captured) return complain(call, "while a stream is captured");
  return true;
}
void drain(CUstream_st& s) {
  if (s.work.empty() || s.captured) return;
  if (the().guarded) the().memory.open(true);
  while (!s.work.empty()) {
    const auto next = std::move(s.work.front());
    s.work.pop_front();
    next();
  }
  if (the().guarded) the().memory.open(false);
}
void drain_all() {
  for (CUstream_st* s : the().streams) drain(*s);
}

/// rows x cols at p with leading dimension ld, on the device.
template <class T>
bool on_device(const char* call, const char* name, const T* p, int rows, int cols, int ld) {
  if (rows < 0 || cols < 0) return complain(call, std::string(name) + ": a negative size");
  if (ld < std::max(rows, 1)) return complain(call, std::string(name) + ": leading dimension");
  if (rows == 0 || cols == 0) return true;
  const auto count = static_cast<std::size_t>(cols - 1) * static_cast<std::size_t>(ld) +
                     static_cast<std::size_t>(rows);
  if (!the().memory.holds(p, count * sizeof(T)))
    return complain(
        call, std::string(name) + (the().memory.is_here(p) ? ": reaches outside its allocation"
                                                           : ": is no device memory"));
  return true;
}
/// Whether the ranges from the first to the last element meet.
template <class T>
bool apart(const char* call, const T* a, int a_rows, int a_cols, int a_ld, const T* b, int b_rows,
           int b_cols, int b_ld) {
  if (a_rows == 0 || a_cols == 0 || b_rows == 0 || b_cols == 0) return true;
  // Columns of one buffer may interleave: compare column by column.
  for (int i = 0; i < a_cols; ++i)
    for (int j = 0; j < b_cols; ++j) {
      const T *p = a + static_cast<std::ptrdiff_t>(i) * a_ld,
              *q = b + static_cast<std::ptrdiff_t>(j) * b_ld;
      if (p < q + b_rows && q < p + a_rows) return complain(call, "output overlaps an input");
    }
  return true;
}
template <class T>
panel<T> map(T* p, int rows, int cols, int ld) {
  return panel<T>(p, rows, cols, Eigen::OuterStride<>(ld));
}
template <class T>
Eigen::Map<const matrix<T>, 0, Eigen::OuterStride<>> map(const T* p, int rows, int cols, int ld) {
  return {p, rows, cols, Eigen::OuterStride<>(ld)};
}

/// What cudaDeviceProp::memPitch is on devices so far.
constexpr std::size_t most_pitch = 0x7fffffff;

template <class Handle>
bool usable(const char* call, Handle h) {
  if (h == nullptr) return complain(call, "no handle");
  if (h->stream == nullptr) return complain(call, "the default stream");
  if (!is_stream(h->stream)) return complain(call, "a stream that is gone");
  return true;
}

// --- cuBLAS
// ---------------------------------------------------------------------------------------

constexpr cublasStatus_t bad_value = CUBLAS_STATUS_INVALID_VALUE;

template <class T>
cublasStatus_t gemm_one(const char* call, cublasHandle_t h, cublasOperation_t ta,
                        cublasOperation_t tb, int m, int n, int k, const T* alpha, const T* A,
                        int lda, const T* B, int ldb, const T* beta, T* C, int ldc) {
  const bool na = ta == CUBLAS_OP_N, nb = tb == CUBLAS_OP_N;
  if (!usable(call, h) || !on_device(call, "A", A, na ? m : k, na ? k : m, lda) ||
      !on_device(call, "B", B, nb ? k : n, nb ? n : k, ldb) ||
      !on_device(call, "C", C, m, n, ldc) ||
      !apart(call, A, na ? m : k, na ? k : m, lda, C, m, n, ldc) ||
      !apart(call, B, nb ? k : n, nb ? n : k, ldb, C, m, n, ldc))
    return bad_value;
  works(2.0 * m * n * k);
  reads(A, m, k);
  reads(B, k, n);
  if (*beta != T(0)) reads(C, m, n);
  writes(C, m, n);
  h->stream->work.push_back([=, a = *alpha, b = *beta] {
    const matrix<T> left = na ? matrix<T>(map(A, m, k, lda)) : map(A, k, m, lda).transpose();
    const matrix<T> right = nb ? matrix<T>(map(B, k, n, ldb)) : map(B, n, k, ldb).transpose();
    const matrix<T> product = a * (left * right);
    auto c = map(C, m, n, ldc);
    if (b == T(0))
      c = product;
    else
      c = product + b * c;
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t gemm(const char* call, cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb,
                    int m, int n, int k, const T* alpha, const T* A, int lda, const T* B, int ldb,
                    const T* beta, T* C, int ldc) {
  if (const int status = begin(call)) return static_cast<cublasStatus_t>(status);
  return gemm_one(call, h, ta, tb, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
}

/// Members that lie apart, each as a gemm of its own but for the count of calls.
template <class T>
cublasStatus_t gemm_batch(const char* call, cublasHandle_t h, cublasOperation_t ta,
                          cublasOperation_t tb, int m, int n, int k, const T* alpha, const T* A,
                          int lda, long long stride_a, const T* B, int ldb, long long stride_b,
                          const T* beta, T* C, int ldc, long long stride_c, int count) {
  if (const int status = begin(call)) return static_cast<cublasStatus_t>(status);
  if (count < 0 || (count > 1 && std::abs(stride_c) < static_cast<long long>(ldc) * (n - 1) + m)) {
    complain(call, "a negative count, or members of C that overlap");
    return bad_value;
  }
  const long before = the().seen.launches;
  for (int i = 0; i < count; ++i)
    if (const auto status = gemm_one(call, h, ta, tb, m, n, k, alpha, A + i * stride_a, lda,
                                     B + i * stride_b, ldb, beta, C + i * stride_c, ldc))
      return status;
  the().seen.launches = before + 1;
  return CUBLAS_STATUS_SUCCESS;
}

float widen(float x) { return x; }
float widen(__half x) { return __half2float(x); }
float widen(__nv_bfloat16 x) { return __bfloat162float(x); }
void narrow(float x, float& to) { to = x; }
void narrow(float x, __half& to) { to = __float2half(x); }
void narrow(float x, __nv_bfloat16& to) { to = __float2bfloat16(x); }
/// To 11 significant bits, ties to even.
float as_tf32(float x) {
  int exponent = 0;
  const float fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
}

/// Members of fewer bits, summed in float; factors of TF32 are rounded as they are read.
template <class E>
cublasStatus_t gemm_in(const char* call, cublasHandle_t h, bool na, bool nb, int m, int n, int k,
                       float a, const E* A, int lda, const E* B, int ldb, float b, E* C, int ldc,
                       bool tf32) {
  if (!usable(call, h) || !on_device(call, "A", A, na ? m : k, na ? k : m, lda) ||
      !on_device(call, "B", B, nb ? k : n, nb ? n : k, ldb) ||
      !on_device(call, "C", C, m, n, ldc) ||
      !apart(call, A, na ? m : k, na ? k : m, lda, C, m, n, ldc) ||
      !apart(call, B, nb ? k : n, nb ? n : k, ldb, C, m, n, ldc))
    return bad_value;
  works(2.0 * m * n * k);
  reads(A, m, k);
  reads(B, k, n);
  if (b != 0) reads(C, m, n);
  writes(C, m, n);
  h->stream->work.push_back([=] {
    const auto factor = [&](const E* p, int rows, int cols, int ld, bool turned) {
      matrix<float> all(rows, cols);
      for (int j = 0; j < cols; ++j)
        for (int i = 0; i < rows; ++i) {
          const float x =
              widen(turned ? p[j + std::ptrdiff_t(i) * ld] : p[i + std::ptrdiff_t(j) * ld]);
          all(i, j) = tf32 ? as_tf32(x) : x;
        }
      return all;
    };
    const matrix<float> product = a * (factor(A, m, k, lda, !na) * factor(B, k, n, ldb, !nb));
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < m; ++i) {
        E& c = C[i + std::ptrdiff_t(j) * ldc];
        narrow(product(i, j) + (b == 0 ? 0.f : b * widen(c)), c);
      }
  });
  return CUBLAS_STATUS_SUCCESS;
}

/// The lower triangle of a op(A) op(B)ᵀ + b C.
template <class T>
cublasStatus_t rank_update(const char* call, cublasHandle_t h, cublasFillMode_t triangle,
                           cublasOperation_t t, int n, int k, const T* alpha, const T* A, int lda,
                           const T* B, int ldb, const T* beta, T* C, int ldc) {
  if (const int status = begin(call)) return static_cast<cublasStatus_t>(status);
  const bool plain = t == CUBLAS_OP_N;
  const int rows = plain ? n : k, cols = plain ? k : n;
  if (!usable(call, h) || !on_device(call, "A", A, rows, cols, lda) ||
      !on_device(call, "B", B, rows, cols, ldb) || !on_device(call, "C", C, n, n, ldc) ||
      !apart(call, A, rows, cols, lda, C, n, n, ldc) ||
      !apart(call, B, rows, cols, ldb, C, n, n, ldc))
    return bad_value;
  works(1.0 * n * n * k);
  reads(A, n, k);
  if (B != A) reads(B, n, k);
  if (*beta != T(0)) reads(C, n, n);
  writes(C, n, n);
  h->stream->work.push_back([=, a = *alpha, b = *beta] {
    const auto x = map(A, rows, cols, lda), y = map(B, rows, cols, ldb);
    const matrix<T> product =
        plain ? matrix<T>(a * (x * y.transpose())) : matrix<T>(a * (x.transpose() * y));
    auto c = map(C, n, n, ldc);
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i)
        if (triangle == CUBLAS_FILL_MODE_LOWER ? i >= j : i <= j)
          c(i, j) = product(i, j) + (b == T(0) ? T(0) : b * c(i, j));
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t geam(const char* call, cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb,
                    int m, int n, const T* alpha, const T* A, int lda, const T* beta, const T* B,
                    int ldb, T* C, int ldc) {
  if (const int status = begin(call)) return static_cast<cublasStatus_t>(status);
  const bool na = ta == CUBLAS_OP_N, nb = tb == CUBLAS_OP_N;
  const bool in_place_a = A == C && na && lda == ldc, in_place_b = B == C && nb && ldb == ldc;
  if (!usable(call, h) || !on_device(call, "A", A, na ? m : n, na ? n : m, lda) ||
      !on_device(call, "B", B, nb ? m : n, nb ? n : m, ldb) ||
      !on_device(call, "C", C, m, n, ldc) ||
      (!in_place_a && !apart(call, A, na ? m : n, na ? n : m, lda, C, m, n, ldc)) ||
      (!in_place_b && !apart(call, B, nb ? m : n, nb ? n : m, ldb, C, m, n, ldc)))
    return bad_value;
  works(0);
  if (*alpha != T(0)) reads(A, m, n);
  if (*beta != T(0)) reads(B, m, n);
  writes(C, m, n);
  h->stream->work.push_back([=, a = *alpha, b = *beta] {
    matrix<T> sum = matrix<T>::Zero(m, n);
    if (a != T(0)) sum = a * (na ? matrix<T>(map(A, m, n, lda)) : map(A, n, m, lda).transpose());
    if (b != T(0)) sum += b * (nb ? matrix<T>(map(B, m, n, ldb)) : map(B, n, m, ldb).transpose());
    map(C, m, n, ldc) = sum;
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t trsm(const char* call, cublasHandle_t h, cublasSideMode_t side,
                    cublasFillMode_t triangle, cublasOperation_t t, cublasDiagType_t diagonal,
                    int m, int n, const T* alpha, const T* A, int lda, T* B, int ldb) {
  if (const int status = begin(call)) return static_cast<cublasStatus_t>(status);
  if (side != CUBLAS_SIDE_RIGHT || triangle != CUBLAS_FILL_MODE_UPPER || t != CUBLAS_OP_N ||
      diagonal != CUBLAS_DIAG_NON_UNIT) {
    complain(call, "a form that the double does not know");
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (!usable(call, h) || !on_device(call, "A", A, n, n, lda) ||
      !on_device(call, "B", B, m, n, ldb) || !apart(call, A, n, n, lda, B, m, n, ldb))
    return bad_value;
  works(1.0 * m * n * n);
  reads(A, n, n);
  reads(B, m, n);
  writes(B, m, n);
  h->stream->work.push_back([=, a = *alpha] {
    auto x = map(B, m, n, ldb);
    x *= a;
    map(A, n, n, lda)
        .template triangularView<Eigen::Upper>()
        .template solveInPlace<Eigen::OnTheRight>(x);
  });
  return CUBLAS_STATUS_SUCCESS;
}

// --- cuSOLVER
// -------------------------------------------------------------------------------------

constexpr cusolverStatus_t bad_solver_value = CUSOLVER_STATUS_INVALID_VALUE;

/// Sizes that no formula of ours would guess.
int work_size(int m, int n) { return 3 * m + 5 * n + 11; }

cusolverStatus_t ask_size(const char* call, cusolverDnHandle_t h, int m, int n, int lda,
                          int* size) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (!usable(call, h) || m < 1 || n < 1 || lda < m) {
    complain(call, "sizes");
    return bad_solver_value;
  }
  *size = work_size(m, n);
  return CUSOLVER_STATUS_SUCCESS;
}

/// Work memory is long enough, and nothing stays in it.
template <class T>
bool work_fits(const char* call, const T* work, int lwork, int needed) {
  if (lwork < needed) return complain(call, "the work memory is short");
  return on_device(call, "work", work, lwork, 1, lwork);
}
template <class T>
void spoil(T* p, int count) {
  std::fill_n(p, count, nan_of<T>);
}
/// What every factorisation in A's place asks for.
template <class T>
bool in_place(const char* call, cusolverDnHandle_t h, T* A, int m, int n, int lda, T* work,
              int lwork, int* info) {
  return usable(call, h) && on_device(call, "A", A, m, n, lda) &&
         work_fits(call, work, lwork, work_size(m, n)) && on_device(call, "info", info, 1, 1, 1) &&
         apart(call, A, m, n, lda, work, lwork, 1, lwork);
}
/// Reads and writes the lower half: what the double knows of symmetric matrices.
bool is_lower(const char* call, cublasFillMode_t triangle) {
  return triangle == CUBLAS_FILL_MODE_LOWER ||
         complain(call, "a form that the double does not know");
}

template <class T>
cusolverStatus_t gesvd(const char* call, cusolverDnHandle_t h, signed char jobu, signed char jobvt,
                       int m, int n, T* A, int lda, T* S, T* U, int ldu, T* VT, int ldvt, T* work,
                       int lwork, T* rest, int* info) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (m < n || jobu != 'S' || jobvt != 'S') {
    complain(call, "needs m >= n, and 'S' is the form that the double knows");
    return bad_solver_value;
  }
  if (!usable(call, h) || !on_device(call, "A", A, m, n, lda) ||
      !on_device(call, "S", S, n, 1, n) || !on_device(call, "U", U, m, n, ldu) ||
      !on_device(call, "VT", VT, n, n, ldvt) || !work_fits(call, work, lwork, work_size(m, n)) ||
      !on_device(call, "rwork", rest, n, 1, n) || !on_device(call, "info", info, 1, 1, 1) ||
      !apart(call, A, m, n, lda, U, m, n, ldu) || !apart(call, A, m, n, lda, VT, n, n, ldvt) ||
      !apart(call, U, m, n, ldu, VT, n, n, ldvt) ||
      !apart(call, A, m, n, lda, work, lwork, 1, lwork))
    return bad_solver_value;
  works(4.0 * m * n * n + 8.0 * n * n * n);
  reads(A, m, n);
  writes(U, m, n);
  writes(VT, n, n);
  h->stream->work.push_back([=] {
    const matrix<T> a = map(A, m, n, lda);
    const T top = a.cwiseAbs().maxCoeff();
    const T scale = top > T(0) && std::isfinite(top) ? top : T(1);
    const Eigen::JacobiSVD<matrix<T>> svd(matrix<T>(a / scale),
                                          Eigen::ComputeThinU | Eigen::ComputeThinV);
    Eigen::Map<matrix<T>>(S, n, 1) = scale * svd.singularValues();
    map(U, m, n, ldu) = svd.matrixU();
    map(VT, n, n, ldvt) = svd.matrixV().transpose();
    map(A, m, n, lda).setConstant(nan_of<T>);
    spoil(work, lwork);
    spoil(rest, n);
    *info = 0;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
cusolverStatus_t syevd(const char* call, cusolverDnHandle_t h, cusolverEigMode_t mode,
                       cublasFillMode_t triangle, int n, T* A, int lda, T* W, T* work, int lwork,
                       int* info) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (mode != CUSOLVER_EIG_MODE_VECTOR || !is_lower(call, triangle) ||
      !in_place(call, h, A, n, n, lda, work, lwork, info) || !on_device(call, "W", W, n, 1, n))
    return bad_solver_value;
  works(9.0 * n * n * n);
  reads(A, n, n);
  writes(A, n, n);
  h->stream->work.push_back([=] {
    auto a = map(A, n, n, lda);
    const T top = matrix<T>(a).cwiseAbs().maxCoeff();
    const T scale = top > T(0) && std::isfinite(top) ? top : T(1);
    const Eigen::SelfAdjointEigenSolver<matrix<T>> found(matrix<T>(a / scale));
    Eigen::Map<matrix<T>>(W, n, 1) = scale * found.eigenvalues();
    a = found.eigenvectors();
    spoil(work, lwork);
    *info = 0;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
cusolverStatus_t potrf(const char* call, cusolverDnHandle_t h, cublasFillMode_t triangle, int n,
                       T* A, int lda, T* work, int lwork, int* info) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (!is_lower(call, triangle) || !in_place(call, h, A, n, n, lda, work, lwork, info))
    return bad_solver_value;
  works(1.0 * n * n * n / 3);
  reads(A, n, n);
  writes(A, n, n);
  h->stream->work.push_back([=] {
    auto a = map(A, n, n, lda);
    spoil(work, lwork);
    for (int j = 0; j < n; ++j) {
      const T pivot = a(j, j) - a.row(j).head(j).squaredNorm();
      if (pivot <= T(0)) {  // NaN goes through: nobody promises that the library notices
        *info = j + 1;
        return;
      }
      a(j, j) = std::sqrt(pivot);
      for (int i = j + 1; i < n; ++i)
        a(i, j) = (a(i, j) - a.row(i).head(j).dot(a.row(j).head(j))) / a(j, j);
    }
    *info = 0;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
cusolverStatus_t potri(const char* call, cusolverDnHandle_t h, cublasFillMode_t triangle, int n,
                       T* A, int lda, T* work, int lwork, int* info) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (!is_lower(call, triangle) || !in_place(call, h, A, n, n, lda, work, lwork, info))
    return bad_solver_value;
  works(2.0 * n * n * n / 3);
  reads(A, n, n);
  writes(A, n, n);
  h->stream->work.push_back([=] {
    auto a = map(A, n, n, lda);
    matrix<T> inverse = matrix<T>::Identity(n, n);
    const matrix<T> l = a.template triangularView<Eigen::Lower>();
    l.template triangularView<Eigen::Lower>().solveInPlace(inverse);
    const matrix<T> whole = inverse.transpose() * inverse;
    a.template triangularView<Eigen::Lower>() = whole;
    spoil(work, lwork);
    *info = 0;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
cusolverStatus_t geqrf(const char* call, cusolverDnHandle_t h, int m, int n, T* A, int lda, T* tau,
                       T* work, int lwork, int* info) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (!in_place(call, h, A, m, n, lda, work, lwork, info) || !on_device(call, "tau", tau, n, 1, n))
    return bad_solver_value;
  works(2.0 * m * n * n - 2.0 * n * n * n / 3);
  reads(A, m, n);
  writes(A, m, n);
  h->stream->work.push_back([=] {
    auto a = map(A, m, n, lda);
    const Eigen::HouseholderQR<matrix<T>> qr{matrix<T>(a)};
    a = qr.matrixQR();
    Eigen::Map<matrix<T>>(tau, n, 1) = qr.hCoeffs();
    spoil(work, lwork);
    *info = 0;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
cusolverStatus_t orgqr(const char* call, cusolverDnHandle_t h, int m, int n, int k, T* A, int lda,
                       const T* tau, T* work, int lwork, int* info) {
  if (const int status = begin(call)) return static_cast<cusolverStatus_t>(status);
  if (k != n || !in_place(call, h, A, m, n, lda, work, lwork, info) ||
      !on_device(call, "tau", tau, n, 1, n))
    return bad_solver_value;
  works(2.0 * m * n * n - 2.0 * n * n * n / 3);
  reads(A, m, n);
  writes(A, m, n);
  h->stream->work.push_back([=] {
    auto a = map(A, m, n, lda);
    const matrix<T> vectors = a;
    const Eigen::Matrix<T, Eigen::Dynamic, 1> coefficients = Eigen::Map<const matrix<T>>(tau, n, 1);
    matrix<T> q = matrix<T>::Identity(m, n);
    q.applyOnTheLeft(Eigen::householderSequence(vectors, coefficients));
    a = q;
    spoil(work, lwork);
    *info = 0;
  });
  return CUSOLVER_STATUS_SUCCESS;
}

}  // namespace

// --- Control
// --------------------------------------------------------------------------------------

namespace cuda_double {

void reset() {
  world& w = the();
  w.calls.clear();
  w.failures.clear();
  w.complaints.clear();
  w.devices = 1;
  w.device_error = cudaSuccess;
  w.seen = {};
  w.memory.limit = device::capacity;
}
void set_devices(int count) { the().devices = count; }
void set_device_error(cudaError_t status) { the().device_error = status; }
void fail(const std::string& call, int nth, int status) { the().failures[call] = {nth, status}; }
void limit_memory(std::size_t bytes) { the().memory.limit = bytes; }
void guard(bool on) {
  the().guarded = on;
  the().memory.open(!on);
}
const std::map<std::string, long>& calls() { return the().calls; }
long count(const std::string& call) {
  const auto found = the().calls.find(call);
  return found == the().calls.end() ? 0 : found->second;
}
int math_mode() { return the().math_mode; }
const std::vector<std::string>& complaints() { return the().complaints; }
long live_objects() {
  return static_cast<long>(the().streams.size()) + the().pinned + the().handles +
         the().memory.pieces();
}
tally counted() { return the().seen; }
void watch(const void* memory, std::size_t bytes) {
  the().watched = static_cast<const std::byte*>(memory);
  the().watched_bytes = bytes;
}
void touch(const void* memory, double bytes, bool writes) {
  world& w = the();
  (writes ? w.seen.written : w.seen.read) += bytes;
  const auto* at = static_cast<const std::byte*>(memory);
  if (!writes && at >= w.watched && at < w.watched + w.watched_bytes) w.seen.watched += bytes;
}
void enqueue(cudaStream_t stream, std::function<void()> work) {
  if (!is_stream(stream)) {
    complain("launch", "a stream that is gone, or the default one");
    return;
  }
  ++the().seen.launches;
  stream->work.push_back(std::move(work));
}

}  // namespace cuda_double

extern "C" {

// --- cudart
// ---------------------------------------------------------------------------------------

cudaError_t CUDARTAPI cudaGetDeviceCount(int* count) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (the().device_error != cudaSuccess) return the().device_error;  // count stays as it is
  *count = the().devices;
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaSetDevice(int device) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  return device >= 0 && device < the().devices ? cudaSuccess : cudaErrorInvalidDevice;
}
cudaError_t CUDARTAPI cudaGetLastError() { return static_cast<cudaError_t>(begin(__func__)); }
const char* CUDARTAPI cudaGetErrorName(cudaError_t status) {
  return status == cudaSuccess                   ? "cudaSuccess"
         : status == cudaErrorMemoryAllocation   ? "cudaErrorMemoryAllocation"
         : status == cudaErrorInsufficientDriver ? "cudaErrorInsufficientDriver"
         : status == cudaErrorNoDevice           ? "cudaErrorNoDevice"
                                                 : "cudaErrorUnknown";
}
const char* CUDARTAPI cudaGetErrorString(cudaError_t status) {
  return status == cudaErrorInsufficientDriver
             ? "CUDA driver version is insufficient for CUDA runtime version"
             : "as the double says";
}
cudaError_t CUDARTAPI cudaMalloc(void** p, size_t bytes) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (!may_reach_the_device(__func__)) return cudaErrorStreamCaptureUnsupported;
  *p = the().memory.allocate(bytes);
  if (*p == nullptr) return cudaErrorMemoryAllocation;
  // What is new holds anything.
  the().memory.open(true);
  std::memset(*p, 0xff, bytes);
  if (the().guarded) the().memory.open(false);
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaFree(void* p) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (p == nullptr) return cudaSuccess;
  may_reach_the_device(__func__);
  drain_all();
  if (the().memory.release(p)) return cudaSuccess;
  complain(__func__, "not allocated");
  return cudaErrorInvalidValue;
}
cudaError_t CUDARTAPI cudaMallocHost(void** p, size_t bytes) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  *p = std::malloc(bytes);
  ++the().pinned;
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaFreeHost(void* p) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  drain_all();
  std::free(p);
  --the().pinned;
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (!is_stream(stream) || !the().memory.holds(p, bytes)) {
    complain(__func__, "stream or memory");
    return cudaErrorInvalidValue;
  }
  ++the().seen.launches;
  cuda_double::touch(p, static_cast<double>(bytes), true);
  stream->work.push_back([=] { std::memset(p, value, bytes); });
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from,
                                        size_t from_pitch, size_t width, size_t height,
                                        cudaMemcpyKind kind, cudaStream_t stream) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (std::min(to_pitch, from_pitch) < width || std::max(to_pitch, from_pitch) > most_pitch) {
    complain(__func__, "pitch");
    return cudaErrorInvalidPitchValue;
  }
  const auto fits = [&](const void* p, size_t pitch, bool device) {
    const size_t bytes = height == 0 ? 0 : (height - 1) * pitch + width;
    if (device ? !the().memory.holds(p, bytes) : the().memory.is_here(p))
      return complain("cudaMemcpy2DAsync", "memory of the other side, or outside an allocation");
    return true;
  };
  if (!is_stream(stream)) complain(__func__, "stream");
  if (!is_stream(stream) ||
      !fits(to, to_pitch, kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice) ||
      !fits(from, from_pitch, kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice))
    return cudaErrorInvalidValue;
  moves(to, from, static_cast<double>(width * height), kind);
  stream->work.push_back([=] {
    for (size_t j = 0; j < height; ++j)
      std::memcpy(static_cast<std::byte*>(to) + j * to_pitch,
                  static_cast<const std::byte*>(from) + j * from_pitch, width);
  });
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                                      cudaStream_t stream) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice,
             to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const auto fits = [&](const void* p, bool device) {
    return device ? the().memory.holds(p, bytes) : !the().memory.is_here(p);
  };
  if (!is_stream(stream) || !fits(from, from_device) || !fits(to, to_device)) {
    complain(__func__, "stream, direction or memory");
    return cudaErrorInvalidValue;
  }
  moves(to, from, static_cast<double>(bytes), kind);
  stream->work.push_back([=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (flags != cudaStreamNonBlocking) complain(__func__, "a stream that waits for the default one");
  *stream = new CUstream_st;
  the().streams.push_back(*stream);
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaStreamDestroy(cudaStream_t stream) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (!is_stream(stream)) return cudaErrorInvalidResourceHandle;
  drain(*stream);
  std::erase(the().streams, stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaStreamSynchronize(cudaStream_t stream) {
  if (const int status = begin(__func__)) {  // a device that is lost takes its work along
    if (is_stream(stream)) stream->work.clear();
    return static_cast<cudaError_t>(status);
  }
  if (!is_stream(stream)) {
    complain(__func__, "a stream that is gone, or the default one");
    return cudaErrorInvalidResourceHandle;
  }
  if (stream->captured) {
    complain(__func__, "while the stream is captured");
    return cudaErrorStreamCaptureUnsupported;
  }
  ++the().seen.waits;
  drain(*stream);
  return cudaSuccess;
}

cudaError_t CUDARTAPI cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (!is_stream(stream) || stream->captured) {
    complain(__func__, "a stream that is gone, or captured already");
    return is_stream(stream) ? cudaErrorIllegalState : cudaErrorInvalidResourceHandle;
  }
  stream->captured = true;
  stream->waiting.swap(stream->work);
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  const int status = begin(__func__);
  if (!is_stream(stream) || !stream->captured) {
    complain(__func__, "a stream that is not captured");
    return is_stream(stream) ? cudaErrorIllegalState : cudaErrorInvalidResourceHandle;
  }
  stream->captured = false;
  stream->waiting.swap(stream->work);
  if (status == 0) {
    *graph = new CUgraph_st{std::move(stream->waiting)};
    ++the().handles;
  }
  stream->waiting.clear();
  return static_cast<cudaError_t>(status);
}
// The third parameter has had two types.
cudaError_t CUDARTAPI cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph,
                                           unsigned long long) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  *made = new CUgraphExec_st{graph->work};
  ++the().handles;
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  if (!is_stream(stream)) {
    complain(__func__, "a stream that is gone, or the default one");
    return cudaErrorInvalidResourceHandle;
  }
  ++the().seen.launches;
  stream->work.insert(stream->work.end(), graph->work.begin(), graph->work.end());
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaGraphExecDestroy(cudaGraphExec_t graph) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  drain_all();
  delete graph;
  --the().handles;
  return cudaSuccess;
}
cudaError_t CUDARTAPI cudaGraphDestroy(cudaGraph_t graph) {
  if (const int status = begin(__func__)) return static_cast<cudaError_t>(status);
  delete graph;
  --the().handles;
  return cudaSuccess;
}

// --- cuBLAS
// ---------------------------------------------------------------------------------------

cublasStatus_t CUBLASWINAPI cublasCreate(cublasHandle_t* h) {
  if (const int status = begin("cublasCreate")) return static_cast<cublasStatus_t>(status);
  *h = new cublasContext;
  ++the().handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t CUBLASWINAPI cublasDestroy(cublasHandle_t h) {
  if (const int status = begin("cublasDestroy")) return static_cast<cublasStatus_t>(status);
  delete h;
  --the().handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t CUBLASWINAPI cublasSetStream(cublasHandle_t h, cudaStream_t stream) {
  if (const int status = begin("cublasSetStream")) return static_cast<cublasStatus_t>(status);
  h->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t CUBLASWINAPI cublasSetPointerMode(cublasHandle_t, cublasPointerMode_t mode) {
  if (const int status = begin("cublasSetPointerMode")) return static_cast<cublasStatus_t>(status);
  if (mode != CUBLAS_POINTER_MODE_HOST) complain("cublasSetPointerMode", "scalars on the device");
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t CUBLASWINAPI cublasSetMathMode(cublasHandle_t, cublasMath_t mode) {
  if (const int status = begin("cublasSetMathMode")) return static_cast<cublasStatus_t>(status);
  the().math_mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}
const char* CUBLASWINAPI cublasGetStatusName(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS            ? "CUBLAS_STATUS_SUCCESS"
         : status == CUBLAS_STATUS_INVALID_VALUE    ? "CUBLAS_STATUS_INVALID_VALUE"
         : status == CUBLAS_STATUS_EXECUTION_FAILED ? "CUBLAS_STATUS_EXECUTION_FAILED"
                                                    : "CUBLAS_STATUS_OTHER";
}

// Both scalars of a routine, by the libraries' own prototypes: what does not match them does not
// compile.
#define FANION_DOUBLE_BLAS(X, T)                                                                   \
  cublasStatus_t CUBLASWINAPI cublas##X##gemm(                                                     \
      cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,           \
      const T* a, const T* A, int lda, const T* B, int ldb, const T* b, T* C, int ldc) {           \
    return gemm<T>("cublas" #X "gemm", h, ta, tb, m, n, k, a, A, lda, B, ldb, b, C, ldc);          \
  }                                                                                                \
  cublasStatus_t CUBLASWINAPI cublas##X##gemmStridedBatched(                                       \
      cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,           \
      const T* a, const T* A, int lda, long long sa, const T* B, int ldb, long long sb,            \
      const T* b, T* C, int ldc, long long sc, int count) {                                        \
    return gemm_batch<T>("cublas" #X "gemmStridedBatched", h, ta, tb, m, n, k, a, A, lda, sa, B,   \
                         ldb, sb, b, C, ldc, sc, count);                                           \
  }                                                                                                \
  cublasStatus_t CUBLASWINAPI cublas##X##syrk(cublasHandle_t h, cublasFillMode_t triangle,         \
                                              cublasOperation_t t, int n, int k, const T* a,       \
                                              const T* A, int lda, const T* b, T* C, int ldc) {    \
    return rank_update<T>("cublas" #X "syrk", h, triangle, t, n, k, a, A, lda, A, lda, b, C, ldc); \
  }                                                                                                \
  cublasStatus_t CUBLASWINAPI cublas##X##syrkx(                                                    \
      cublasHandle_t h, cublasFillMode_t triangle, cublasOperation_t t, int n, int k, const T* a,  \
      const T* A, int lda, const T* B, int ldb, const T* b, T* C, int ldc) {                       \
    return rank_update<T>("cublas" #X "syrkx", h, triangle, t, n, k, a, A, lda, B, ldb, b, C,      \
                          ldc);                                                                    \
  }                                                                                                \
  cublasStatus_t CUBLASWINAPI cublas##X##geam(                                                     \
      cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, const T* a,      \
      const T* A, int lda, const T* b, const T* B, int ldb, T* C, int ldc) {                       \
    return geam<T>("cublas" #X "geam", h, ta, tb, m, n, a, A, lda, b, B, ldb, C, ldc);             \
  }                                                                                                \
  cublasStatus_t CUBLASWINAPI cublas##X##trsm(                                                     \
      cublasHandle_t h, cublasSideMode_t side, cublasFillMode_t triangle, cublasOperation_t t,     \
      cublasDiagType_t diagonal, int m, int n, const T* a, const T* A, int lda, T* B, int ldb) {   \
    return trsm<T>("cublas" #X "trsm", h, side, triangle, t, diagonal, m, n, a, A, lda, B, ldb);   \
  }
FANION_DOUBLE_BLAS(S, float)
FANION_DOUBLE_BLAS(D, double)

cublasStatus_t CUBLASWINAPI cublasGemmStridedBatchedEx(
    cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
    const void* a, const void* A, cudaDataType_t type_a, int lda, long long sa, const void* B,
    cudaDataType_t type_b, int ldb, long long sb, const void* b, void* C, cudaDataType_t type_c,
    int ldc, long long sc, int count, cublasComputeType_t how, cublasGemmAlgo_t) {
  if (const int status = begin(__func__)) return static_cast<cublasStatus_t>(status);
  const bool tf32 = how == CUBLAS_COMPUTE_32F_FAST_TF32;
  if (type_a != type_b || type_a != type_c || tf32 != (type_a == CUDA_R_32F) ||
      (!tf32 && how != CUBLAS_COMPUTE_32F)) {
    complain(__func__, "a combination of types that the double does not know");
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (count < 0 || (count > 1 && std::abs(sc) < static_cast<long long>(ldc) * (n - 1) + m)) {
    complain(__func__, "a negative count, or members of C that overlap");
    return bad_value;
  }
  const char* const call = __func__;
  const auto all = [&]<class E>(E) {
    const long before = the().seen.launches;
    for (int i = 0; i < count; ++i)
      if (const auto status = gemm_in(
              call, h, ta == CUBLAS_OP_N, tb == CUBLAS_OP_N, m, n, k, *static_cast<const float*>(a),
              static_cast<const E*>(A) + i * sa, lda, static_cast<const E*>(B) + i * sb, ldb,
              *static_cast<const float*>(b), static_cast<E*>(C) + i * sc, ldc, tf32))
        return status;
    the().seen.launches = before + 1;
    return CUBLAS_STATUS_SUCCESS;
  };
  return type_a == CUDA_R_16BF  ? all(__nv_bfloat16())
         : type_a == CUDA_R_16F ? all(__half())
                                : all(float());
}

// --- cuSOLVER
// -------------------------------------------------------------------------------------

cusolverStatus_t CUSOLVERAPI cusolverDnCreate(cusolverDnHandle_t* h) {
  if (const int status = begin(__func__)) return static_cast<cusolverStatus_t>(status);
  *h = new cusolverDnContext;
  ++the().handles;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t CUSOLVERAPI cusolverDnDestroy(cusolverDnHandle_t h) {
  if (const int status = begin(__func__)) return static_cast<cusolverStatus_t>(status);
  delete h;
  --the().handles;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t CUSOLVERAPI cusolverDnSetStream(cusolverDnHandle_t h, cudaStream_t stream) {
  if (const int status = begin(__func__)) return static_cast<cusolverStatus_t>(status);
  h->stream = stream;
  return CUSOLVER_STATUS_SUCCESS;
}

#define FANION_DOUBLE_SOLVER(X, T)                                                                 \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##gesvd_bufferSize(cusolverDnHandle_t h, int m, int n, \
                                                               int* size) {                        \
    return ask_size(__func__, h, m, n, m, size);                                                   \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##gesvd(                                               \
      cusolverDnHandle_t h, signed char jobu, signed char jobvt, int m, int n, T* A, int lda,      \
      T* S, T* U, int ldu, T* VT, int ldvt, T* work, int lwork, T* rest, int* info) {              \
    return gesvd<T>(__func__, h, jobu, jobvt, m, n, A, lda, S, U, ldu, VT, ldvt, work, lwork,      \
                    rest, info);                                                                   \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##syevd_bufferSize(                                    \
      cusolverDnHandle_t h, cusolverEigMode_t, cublasFillMode_t, int n, const T*, int lda,         \
      const T*, int* size) {                                                                       \
    return ask_size(__func__, h, n, n, lda, size);                                                 \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##syevd(                                               \
      cusolverDnHandle_t h, cusolverEigMode_t mode, cublasFillMode_t triangle, int n, T* A,        \
      int lda, T* W, T* work, int lwork, int* info) {                                              \
    return syevd<T>(__func__, h, mode, triangle, n, A, lda, W, work, lwork, info);                 \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##potrf_bufferSize(                                    \
      cusolverDnHandle_t h, cublasFillMode_t, int n, T*, int lda, int* size) {                     \
    return ask_size(__func__, h, n, n, lda, size);                                                 \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##potrf(cusolverDnHandle_t h,                          \
                                                    cublasFillMode_t triangle, int n, T* A,        \
                                                    int lda, T* work, int lwork, int* info) {      \
    return potrf<T>(__func__, h, triangle, n, A, lda, work, lwork, info);                          \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##potri_bufferSize(                                    \
      cusolverDnHandle_t h, cublasFillMode_t, int n, T*, int lda, int* size) {                     \
    return ask_size(__func__, h, n, n, lda, size);                                                 \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##potri(cusolverDnHandle_t h,                          \
                                                    cublasFillMode_t triangle, int n, T* A,        \
                                                    int lda, T* work, int lwork, int* info) {      \
    return potri<T>(__func__, h, triangle, n, A, lda, work, lwork, info);                          \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##geqrf_bufferSize(cusolverDnHandle_t h, int m, int n, \
                                                               T*, int lda, int* size) {           \
    return ask_size(__func__, h, m, n, lda, size);                                                 \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##geqrf(                                               \
      cusolverDnHandle_t h, int m, int n, T* A, int lda, T* tau, T* work, int lwork, int* info) {  \
    return geqrf<T>(__func__, h, m, n, A, lda, tau, work, lwork, info);                            \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##orgqr_bufferSize(                                    \
      cusolverDnHandle_t h, int m, int n, int, const T*, int lda, const T*, int* size) {           \
    return ask_size(__func__, h, m, n, lda, size);                                                 \
  }                                                                                                \
  cusolverStatus_t CUSOLVERAPI cusolverDn##X##orgqr(cusolverDnHandle_t h, int m, int n, int k,     \
                                                    T* A, int lda, const T* tau, T* work,          \
                                                    int lwork, int* info) {                        \
    return orgqr<T>(__func__, h, m, n, k, A, lda, tau, work, lwork, info);                         \
  }
FANION_DOUBLE_SOLVER(S, float)
FANION_DOUBLE_SOLVER(D, double)

}  // extern "C"
