/// @file  cuSOLVER: dense factorisations with a name for both scalars.
///
/// A host compiler is enough; link CUDA::cusolver. Every routine writes its verdict, an int, to
/// `info` on the device: 0 for success. Sizes of work are in scalars.
#pragma once

#include <fanion/backend/cublas.hpp>

#include <cusolverDn.h>

#include <memory>
#include <span>
#include <string>
#include <type_traits>

namespace fanion::device {

/// @throws backend_error naming the call and the code.
inline void check(cusolverStatus_t status, const char* call) {
  if (status == CUSOLVER_STATUS_SUCCESS) return;
  throw backend_error(std::string(call) + ": status " + std::to_string(static_cast<int>(status)));
}

class lapack {
  template <class T>
  using out = matrix_view<T, device_space>;
  template <Real T, class F, class D>
  static auto pick(F of_float, D of_double) {
    if constexpr (std::is_same_v<T, float>)
      return of_float;
    else
      return of_double;
  }

 public:
  /// @throws backend_error.
  explicit lapack(const stream& s) {
    cusolverDnHandle_t raw = nullptr;
    check(cusolverDnCreate(&raw), "cusolverDnCreate");
    handle_.reset(raw);
    check(cusolverDnSetStream(raw, s.get()), "cusolverDnSetStream");
  }

  /// A(m x n) = U diag(s) VT, m >= n, U m x n and VT n x n; A is lost. `rest` holds n - 1 scalars.
  template <Real T>
  void gesvd(out<T> A, T* s, out<T> U, out<T> VT, std::span<T> work, T* rest, int* info) const {
    check(pick<T>(cusolverDnSgesvd, cusolverDnDgesvd)(
              handle_.get(), 'S', 'S', narrow(A.rows()), narrow(A.cols()), A.data(), pitch(A), s,
              U.data(), pitch(U), VT.data(), pitch(VT), work.data(),
              narrow(static_cast<index_t>(work.size())), rest, info),
          pick<T>("cusolverDnSgesvd", "cusolverDnDgesvd"));
  }
  template <Real T>
  [[nodiscard]] index_t gesvd_work(index_t m, index_t n) const {
    int size = 0;
    check(pick<T>(cusolverDnSgesvd_bufferSize, cusolverDnDgesvd_bufferSize)(
              handle_.get(), narrow(m), narrow(n), &size),
          pick<T>("cusolverDnSgesvd_bufferSize", "cusolverDnDgesvd_bufferSize"));
    return size;
  }

  /// A = V diag(w) Vᵀ from the lower half of A, w rising; V takes A's place.
  template <Real T>
  void syevd(out<T> A, T* w, std::span<T> work, int* info) const {
    check(pick<T>(cusolverDnSsyevd, cusolverDnDsyevd)(
              handle_.get(), CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, narrow(A.cols()),
              A.data(), pitch(A), w, work.data(), narrow(static_cast<index_t>(work.size())), info),
          pick<T>("cusolverDnSsyevd", "cusolverDnDsyevd"));
  }
  template <Real T>
  [[nodiscard]] index_t syevd_work(index_t n) const {
    int size = 0;
    check(pick<T>(cusolverDnSsyevd_bufferSize, cusolverDnDsyevd_bufferSize)(
              handle_.get(), CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, narrow(n), nullptr,
              narrow(n), nullptr, &size),
          pick<T>("cusolverDnSsyevd_bufferSize", "cusolverDnDsyevd_bufferSize"));
    return size;
  }

  /// The lower half of A = L Lᵀ; L takes its place. info > 0 where A is not definite.
  template <Real T>
  void potrf(out<T> A, std::span<T> work, int* info) const {
    check(pick<T>(cusolverDnSpotrf, cusolverDnDpotrf)(
              handle_.get(), CUBLAS_FILL_MODE_LOWER, narrow(A.cols()), A.data(), pitch(A),
              work.data(), narrow(static_cast<index_t>(work.size())), info),
          pick<T>("cusolverDnSpotrf", "cusolverDnDpotrf"));
  }
  /// The lower half of (L Lᵀ)⁻¹ from L.
  template <Real T>
  void potri(out<T> L, std::span<T> work, int* info) const {
    check(pick<T>(cusolverDnSpotri, cusolverDnDpotri)(
              handle_.get(), CUBLAS_FILL_MODE_LOWER, narrow(L.cols()), L.data(), pitch(L),
              work.data(), narrow(static_cast<index_t>(work.size())), info),
          pick<T>("cusolverDnSpotri", "cusolverDnDpotri"));
  }
  /// Enough for both.
  template <Real T>
  [[nodiscard]] index_t potri_work(index_t n) const {
    int factor = 0, invert = 0;
    check(pick<T>(cusolverDnSpotrf_bufferSize, cusolverDnDpotrf_bufferSize)(
              handle_.get(), CUBLAS_FILL_MODE_LOWER, narrow(n), nullptr, narrow(n), &factor),
          pick<T>("cusolverDnSpotrf_bufferSize", "cusolverDnDpotrf_bufferSize"));
    check(pick<T>(cusolverDnSpotri_bufferSize, cusolverDnDpotri_bufferSize)(
              handle_.get(), CUBLAS_FILL_MODE_LOWER, narrow(n), nullptr, narrow(n), &invert),
          pick<T>("cusolverDnSpotri_bufferSize", "cusolverDnDpotri_bufferSize"));
    return std::max(factor, invert);
  }

  /// A(m x n) = Q R, m >= n: R above the diagonal, Q in reflectors below it and in tau.
  template <Real T>
  void geqrf(out<T> A, T* tau, std::span<T> work, int* info) const {
    check(pick<T>(cusolverDnSgeqrf, cusolverDnDgeqrf)(
              handle_.get(), narrow(A.rows()), narrow(A.cols()), A.data(), pitch(A), tau,
              work.data(), narrow(static_cast<index_t>(work.size())), info),
          pick<T>("cusolverDnSgeqrf", "cusolverDnDgeqrf"));
  }
  /// The first n columns of Q from what geqrf left.
  template <Real T>
  void orgqr(out<T> A, const T* tau, std::span<T> work, int* info) const {
    check(pick<T>(cusolverDnSorgqr, cusolverDnDorgqr)(
              handle_.get(), narrow(A.rows()), narrow(A.cols()), narrow(A.cols()), A.data(),
              pitch(A), tau, work.data(), narrow(static_cast<index_t>(work.size())), info),
          pick<T>("cusolverDnSorgqr", "cusolverDnDorgqr"));
  }
  /// Enough for both.
  template <Real T>
  [[nodiscard]] index_t qr_work(index_t m, index_t n) const {
    int factor = 0, form = 0;
    check(
        pick<T>(cusolverDnSgeqrf_bufferSize, cusolverDnDgeqrf_bufferSize)(
            handle_.get(), narrow(m), narrow(n), nullptr, narrow(std::max<index_t>(m, 1)), &factor),
        pick<T>("cusolverDnSgeqrf_bufferSize", "cusolverDnDgeqrf_bufferSize"));
    check(pick<T>(cusolverDnSorgqr_bufferSize, cusolverDnDorgqr_bufferSize)(
              handle_.get(), narrow(m), narrow(n), narrow(n), nullptr,
              narrow(std::max<index_t>(m, 1)), nullptr, &form),
          pick<T>("cusolverDnSorgqr_bufferSize", "cusolverDnDorgqr_bufferSize"));
    return std::max(factor, form);
  }

 private:
  struct release {
    void operator()(cusolverDnHandle_t raw) const noexcept { (void)cusolverDnDestroy(raw); }
  };
  std::unique_ptr<std::remove_pointer_t<cusolverDnHandle_t>, release> handle_;
};

}  // namespace fanion::device
