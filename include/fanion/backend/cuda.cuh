/// @file  The backend of CUDA devices: cuBLAS and cuSOLVER for products and factorisations, Thrust
/// for the rest.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/cublas.hpp>
#include <fanion/backend/cusolver.hpp>
#include <fanion/backend/device/cholesky_upper.hpp>
#include <fanion/backend/device/entries.cuh>
#include <fanion/backend/device/reducer.cuh>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace fanion {

struct cuda_options {
  int device = 0;
  /// Where all work goes, so that it follows what is there already; it outlives the backend. Unset:
  /// a stream of the backend's own, which waits for nobody.
  std::optional<cudaStream_t> stream = {};
  /// Float products round their factors to 10 bits: faster, error near 1e-3. Those of certificates
  /// too, which do not know: prefer a method's own `compute`.
  bool tf32 = false;
};

/// Meets Backend, over memory of one device. All its work goes into one stream; it owns one handle
/// of each library. Verbs that return a number wait for the device, and so do those that
/// decide by one: orthonormalize, small_svd, small_eigh, invert_definite. No other waits. Singular
/// values and eigenvalues are written to the host, where solvers read them.
///
/// Used by one thread at a time, whose current device is this one's. Not copyable.
template <class Launch>
class basic_cuda_backend {
  template <class T>
  using scalar = std::type_identity_t<T>;
  template <class T>
  using span = std::type_identity_t<std::span<T>>;
  template <class T>
  using view = matrix_view<T, device_space>;
  template <class T>
  using in = input<T, device_space>;

 public:
  using space = device_space;
  template <Real T>
  using workspace = device::device_memory<T>;

  /// Allocates 1.6 MB on the device, which becomes that of the calling thread. @throws
  /// backend_error, where there is no device with the runtime's reason.
  explicit basic_cuda_backend(const cuda_options& o = {})
      : stream_(stream_of(o)), blas_(stream_, o.tf32), lapack_(stream_), reducer_(stream_) {}

  [[nodiscard]] cudaStream_t stream() const noexcept { return stream_.get(); }
  /// Waits for everything so far.
  void wait() const { stream_.wait(); }

  /// Records what `work` puts into the stream, for `launch`: see device::graph.
  template <class Work>
  [[nodiscard]] device::graph capture(Work&& work) const {
    return device::graph(stream_, work);
  }
  void launch(const device::graph& recorded) const { recorded.launch(stream_); }

  /// Allocates `count` zeros, which waits for the device.
  template <Real T>
  [[nodiscard]] workspace<T> make_workspace(index_t count) const {
    return workspace<T>(stream_, count);
  }

  /// Host to device. Waits.
  template <Real T>
  void upload(std::type_identity_t<matrix_view<const T>> from, view<T> to) const {
    copy_2d(from.data(), from.ld(), to.data(), to.ld(), to, cudaMemcpyHostToDevice);
    wait();
  }
  /// Device to host. Waits.
  template <Real T>
  void download(in<T> from, matrix_view<T> to) const {
    copy_2d(from.data(), from.ld(), to.data(), to.ld(), to, cudaMemcpyDeviceToHost);
    wait();
  }

  /// Y = X.
  template <Real T>
  void copy(in<T> X, view<T> Y) const {
    copy_2d(X.data(), X.ld(), Y.data(), Y.ld(), Y, cudaMemcpyDeviceToDevice);
  }
  /// Y = Xᵀ.
  template <Real T>
  void copy_adjoint(in<T> X, view<T> Y) const {
    blas_.template geam<T>(T(1), X, device::turn::adjoint, T(0), Y);
  }
  /// Y = a X in another precision.
  template <class S, Real T>
  void convert(double a, view<S> X, view<T> Y) const {
    launch(Y.size(), device::convert_entry<std::remove_const_t<S>, T>{a, X.as_const(), Y});
  }
  template <Real T>
  void fill(view<T> X, scalar<T> value) const {
    launch(X.size(), device::fill_entry<T>{X, value});
  }
  /// X(i, j) = random_normal(seed, row0 + i, col0 + j), up to the device's log and cos.
  template <Real T>
  void random(view<T> X, std::uint64_t seed, index_t row0 = 0, index_t col0 = 0) const {
    launch(X.size(), device::random_entry<T>{X, seed, row0, col0});
  }
  /// Y = a X + b Y.
  template <Real T>
  void axpby(scalar<T> a, in<T> X, scalar<T> b, view<T> Y) const {
    blas_.template geam<T>(a, X, device::turn::none, b, Y);
  }
  /// Y = a Xᵀ + b Y.
  template <Real T>
  void axpby_adjoint(scalar<T> a, in<T> X, scalar<T> b, view<T> Y) const {
    blas_.template geam<T>(a, X, device::turn::adjoint, b, Y);
  }
  /// Y(i, j) = f(X(i, j), Y(i, j)). f is called on the device.
  template <Real T, class F>
  void map_entries(in<T> X, view<T> Y, F f) const {
    launch(Y.size(), device::map_entry<T, F>{X, false, Y, f});
  }
  /// Y(i, j) = f(X(j, i), Y(i, j)).
  template <Real T, class F>
  void map_entries_adjoint(in<T> X, view<T> Y, F f) const {
    launch(Y.size(), device::map_entry<T, F>{X, true, Y, f});
  }
  /// The lengths of X's columns or rows, in a column.
  template <Real T>
  void line_norms(in<T> X, lines along, view<T> out) const {
    reducer_.template line_dots<T>(stream_, X, X, along == lines::columns, true, out.data());
  }
  /// Σᵢ X(i, j) Y(i, j) of each column, in a column.
  template <Real T>
  void column_dots(in<T> X, in<T> Y, view<T> out) const {
    reducer_.template line_dots<T>(stream_, X, Y, true, false, out.data());
  }
  /// Y(i, j) = f(X(i, j), s(line), Y(i, j)). f is called on the device.
  template <Real T, class F>
  void map_lines(const oriented_view<const T, device_space>& X, lines along, in<T> s, view<T> Y,
                 F f) const {
    launch(Y.size(), device::map_line_entry<T, F>{X.storage, X.transposed, along == lines::columns,
                                                  s.data(), Y, f});
  }

  /// f(x, y, …) for the entries of views of one shape, which it may change. f is called on the
  /// device.
  template <class F, class T, class... S>
  void for_each_entry(F f, view<T> X, view<S>... rest) const {
    launch(X.size(), device::call_entry<F, T, S...>{f, X, {rest...}});
  }

  /// Y(i, j) = keep Y(i, j) + w[j] X(i, j), with w on the host. No wait, and no copy.
  template <Real T>
  void scale_columns(span<const T> w, in<T> X, scalar<T> keep, view<T> Y) const {
    using part = device::scale_columns_entry<T>;
    for (index_t j = 0; j < X.cols(); j += part::most) {
      const index_t count = std::min(part::most, X.cols() - j);
      part scale{X.columns(j, count), keep, Y.columns(j, count), {}};
      std::copy_n(w.begin() + j, count, scale.w);
      launch(scale.Y.size(), scale);
    }
  }

  /// Σ X(i, j) Y(i, j). Waits.
  template <class T, class S>
  [[nodiscard]] std::remove_const_t<T> dot(view<T> X, view<S> Y) const {
    using V = std::remove_const_t<T>;
    return number<V>([&](view<V> to) { dot_to<V>(X.as_const(), Y.as_const(), to); });
  }
  /// Σ X(j, i) Y(i, j). Waits.
  template <class T, class S>
  [[nodiscard]] std::remove_const_t<T> dot_adjoint(view<T> X, view<S> Y) const {
    using V = std::remove_const_t<T>;
    return number<V>([&](view<V> to) { dot_adjoint_to<V>(X.as_const(), Y.as_const(), to); });
  }
  /// sqrt(Σ X(i, j)²). Waits.
  template <class T>
  [[nodiscard]] std::remove_const_t<T> norm(view<T> X) const {
    using V = std::remove_const_t<T>;
    return number<V>([&](view<V> to) { norm_to<V>(X.as_const(), to); });
  }
  /// Σ |X(i, j)| or max |X(i, j)|. Waits.
  template <class T>
  [[nodiscard]] std::remove_const_t<T> reduce_entries(view<T> X, reduction op) const {
    using V = std::remove_const_t<T>;
    return number<V>([&](view<V> to) { reduce_entries_to<V>(X.as_const(), op, to); });
  }
  /// Where |X(i, j)| is largest; the first in column-major order on ties. Waits.
  template <class T>
  [[nodiscard]] entry_position locate_max_abs(view<T> X) const {
    using largest = device::max_abs_reduction<std::remove_const_t<T>>;
    if (X.empty()) return {};
    const auto found =
        reducer_.read(stream_, reducer_.part_of(stream_, largest{device::walk(X)}, X.size()));
    return {found.at % X.rows(), found.at / X.rows()};
  }

  /// Y(m x k) = a A(m x n) X(n x k) + b Y.
  template <Real T>
  void multiply(scalar<T> a, in<T> A, in<T> X, scalar<T> b, view<T> Y, span<T>) const {
    blas_.template gemm<T>(a, A, device::turn::none, X, device::turn::none, b, Y);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_size(index_t, index_t, index_t) const {
    return 0;
  }
  /// Y(n x k) = a A(m x n)ᵀ X(m x k) + b Y.
  template <Real T>
  void multiply_adjoint(scalar<T> a, in<T> A, in<T> X, scalar<T> b, view<T> Y, span<T>) const {
    blas_.template gemm<T>(a, A, device::turn::adjoint, X, device::turn::none, b, Y);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_adjoint_size(index_t, index_t, index_t) const {
    return 0;
  }
  /// Y(m x n) = a X(m x k) W(n x k)ᵀ + b Y.
  template <Real T>
  void multiply_outer(scalar<T> a, in<T> X, in<T> W, scalar<T> b, view<T> Y, span<T>) const {
    blas_.template gemm<T>(a, X, device::turn::none, W, device::turn::adjoint, b, Y);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_outer_size(index_t, index_t, index_t) const {
    return 0;
  }
  /// C[i] = a op(A[i]) op(B[i]) + b C[i], in one call.
  template <Real T>
  void multiply_each(scalar<T> a, const batch_view<const T, space>& A, bool a_turned,
                     const batch_view<const T, space>& B, bool b_turned, scalar<T> b,
                     const batch_view<T, space>& C) const {
    using device::turn;
    blas_.template gemm_each<T>(a, A, a_turned ? turn::adjoint : turn::none, B,
                                b_turned ? turn::adjoint : turn::none, b, C);
  }
  /// The same for matrices in fewer bits, summed in float.
  template <compute How, class E = stored_in<How>>
  void multiply_each_in(float a, const batch_view<const E, space>& A, bool a_turned,
                        const batch_view<const E, space>& B, bool b_turned, float b,
                        const batch_view<E, space>& C) const {
    using device::turn;
    blas_.template gemm_each_in<How>(a, A, a_turned ? turn::adjoint : turn::none, B,
                                     b_turned ? turn::adjoint : turn::none, b, C);
  }
  /// Y(m x k) = a A X; returns ‖A‖_F. Waits.
  template <Real T>
  [[nodiscard]] T multiply_norm(scalar<T> a, in<T> A, in<T> X, view<T> Y, span<T> scratch) const {
    return defaults::multiply_norm<T>(*this, a, A, X, Y, scratch);
  }
  /// Z(n x k) = a AᵀX and Y(m x k) = a A Z; two reads of A.
  template <Real T, class Prepare>
  index_t multiply_pair(scalar<T> a, in<T> A, in<T> X, view<T> Z, view<T> Y, span<T> scratch,
                        Prepare&& prepare) const {
    return defaults::multiply_pair<T>(*this, a, A, X, Z, Y, scratch, prepare);
  }
  template <Real T>
  [[nodiscard]] index_t multiply_pair_size(index_t, index_t, index_t) const {
    return 0;
  }
  /// Z(n x k) = Aᵀ(A X).
  template <Real T>
  void gram_product(in<T> A, in<T> X, view<T> Z, span<T> scratch) const {
    defaults::gram_product<T>(*this, A, X, Z, scratch);
  }
  template <Real T>
  [[nodiscard]] index_t gram_product_size(index_t m, index_t n, index_t k) const {
    return defaults::gram_product_size<T>(*this, m, n, k);
  }
  /// C(r x r) = a A(r x l) Aᵀ + b C, for a symmetric C. r²l flops.
  template <Real T>
  void syrk(scalar<T> a, in<T> A, scalar<T> b, view<T> C, span<T>) const {
    blas_.template syrk<T>(a, A, device::turn::none, b, C);
    launch(C.size(), device::mirror_entry<T>{C});
  }
  template <Real T>
  [[nodiscard]] index_t syrk_size(index_t, index_t) const {
    return 0;
  }
  /// C = a A B + b C for symmetric A, B, C whose product is symmetric too. r³ flops.
  template <Real T>
  void symmetric_product(scalar<T> a, in<T> A, in<T> B, scalar<T> b, view<T> C, span<T>) const {
    blas_.template syrkx<T>(a, A, B, b, C);
    launch(C.size(), device::mirror_entry<T>{C});
  }
  template <Real T>
  [[nodiscard]] index_t symmetric_product_size(index_t) const {
    return 0;
  }

  /// Turns the columns of X(n x k), n >= k, into an orthonormal basis of their span and zeros;
  /// returns the rank. Two rounds of Cholesky's QR (4nk² flops, two waits) where the columns are
  /// far from dependent, reflectors and the singular values of R otherwise.
  template <Real T>
  index_t orthonormalize(view<T> X, span<T> scratch) const {
    const index_t k = X.cols();
    if (k == 0) return 0;
    const view<T> G(scratch.data(), k, k);
    const matrix_view<T> gram(small<T>().data(), k, k);
    const auto send_gram = [&] {
      blas_.template syrk<T>(T(1), X.as_const(), device::turn::adjoint, T(0), G);
      copy_2d(G.data(), k, gram.data(), k, G, cudaMemcpyDeviceToHost);
    };
    T* const largest = reducer_.template numbers<T>();
    reduce_entries_to<T>(X.as_const(), reduction::max_abs, view<T>(largest, 1, 1));
    send_gram();
    const T top = reducer_.read(stream_, largest);
    if (!(top > T(0)) || !is_finite(top)) {
      fill(X, T(0));
      return 0;
    }
    const int exponent = std::ilogb(top);
    if (std::abs(exponent) > 20) {                              // squares might have left the range
      for (int half : {exponent / 2, exponent - exponent / 2})  // 2^-exponent alone may overflow
        axpby(T(0), X.as_const(), std::ldexp(T(1), -half), X);
      send_gram();
      wait();
    }
    for (int round = 0;; ++round) {
      if (!device::cholesky_upper(gram)) return by_reflectors(X, scratch);
      // No wait: what is written into this memory next comes after it in the stream.
      copy_2d(gram.data(), k, G.data(), k, G, cudaMemcpyHostToDevice);
      blas_.template divide_by_upper<T>(G.as_const(), X);
      if (round == 1) return k;
      send_gram();
      wait();
    }
  }
  /// Reserves host memory for k x k, so that the verb allocates none.
  template <Real T>
  [[nodiscard]] index_t orthonormalize_size(index_t n, index_t k) const {
    if (k == 0) return 0;
    auto& memory = small<T>();
    if (memory.size() < static_cast<std::size_t>(k * k)) {
      wait();  // for copies from it
      memory.resize(static_cast<std::size_t>(k * k));
    }
    // R and its U and V, tau, Q, the verdict, and what the routines work in.
    return 3 * k * k + k + n * k + 1 +
           std::max(lapack_.template qr_work<T>(n, k), small_svd_size<T>(k, k));
  }
  /// A(m x n) = U diag(s) Vᵀ; s on the host. Waits. NaN where the library did not converge.
  template <Real T>
  void small_svd(in<T> A, view<T> U, span<T> s, view<T> V, span<T> scratch) const {
    const bool wide = A.rows() < A.cols();
    const index_t r = std::min(A.rows(), A.cols()), l = std::max(A.rows(), A.cols());
    if (r == 0) return;
    view_cutter<T, space> take(scratch.data());
    const view<T> a = take(l, r), vt = take(r, r), values = take(r, 1), rest = take(r, 1);
    int* info = reinterpret_cast<int*>(take(1, 1).data());
    const index_t used = take(0, 0).data() - scratch.data();
    blas_.template geam<T>(T(1), A, wide ? device::turn::adjoint : device::turn::none, T(0), a);
    lapack_.template gesvd<T>(a, values.data(), wide ? V : U, vt,
                              scratch.subspan(static_cast<std::size_t>(used)), rest.data(), info);
    copy_adjoint(vt.as_const(), wide ? U : V);
    values_to_host(values, info, s);
  }
  template <Real T>
  [[nodiscard]] index_t small_svd_size(index_t m, index_t n) const {
    const index_t r = std::min(m, n), l = std::max(m, n);
    return r == 0 ? 0 : l * r + r * r + 2 * r + 1 + lapack_.template gesvd_work<T>(l, r);
  }
  /// A(n x n) = V diag(w) Vᵀ for a symmetric A; w on the host. Waits. NaN where the library did not
  /// converge.
  template <Real T>
  void small_eigh(in<T> A, span<T> w, view<T> V, span<T> scratch) const {
    const index_t n = A.cols();
    if (n == 0) return;
    view_cutter<T, space> take(scratch.data());
    const view<T> values = take(n, 1);
    int* info = reinterpret_cast<int*>(take(1, 1).data());
    const index_t used = take(0, 0).data() - scratch.data();
    copy(A, V);
    lapack_.template syevd<T>(V, values.data(), scratch.subspan(static_cast<std::size_t>(used)),
                              info);
    launch(n * (n / 2), device::reverse_entry<T>{V});
    values_to_host(values, info, w);
    std::reverse(w.begin(), w.end());
  }
  template <Real T>
  [[nodiscard]] index_t small_eigh_size(index_t n) const {
    return n == 0 ? 0 : n + 1 + lapack_.template syevd_work<T>(n);
  }
  /// A(n x n) = A⁻¹ for a symmetric positive definite A; false where it is not. n³ flops. Waits.
  template <Real T>
  [[nodiscard]] bool invert_definite(view<T> A, span<T> scratch) const {
    const index_t n = A.cols();
    if (n == 0) return true;
    int* info = reinterpret_cast<int*>(scratch.data());
    const auto work = scratch.subspan(1);
    lapack_.template potrf<T>(A, work, info);
    const view<T> diagonal(A.data(), 1, n, A.ld() + 1);
    const T top = reduce_entries(diagonal, reduction::max_abs);
    if (reducer_.read(stream_, info) != 0 || !is_finite(top)) return false;
    lapack_.template potri<T>(A, work, info);
    launch(A.size(), device::mirror_entry<T>{A});
    return reducer_.read(stream_, info) == 0;
  }
  template <Real T>
  [[nodiscard]] index_t invert_definite_size(index_t n) const {
    return n == 0 ? 0 : 1 + lapack_.template potri_work<T>(n);
  }

  // The same numbers, written into a 1 x 1 view on the device, without a wait.
  template <Real T>
  void dot_to(in<T> X, in<T> Y, view<T> to) const {
    reducer_.reduce_to(stream_, device::dot_reduction<T>{device::walk(X), device::walk(Y)},
                       X.size(), to.data());
  }
  template <Real T>
  void norm_to(in<T> X, view<T> to) const {
    reducer_.reduce_to(stream_, device::norm_reduction<T>{device::walk(X)}, X.size(), to.data());
  }
  template <Real T>
  void reduce_entries_to(in<T> X, reduction op, view<T> to) const {
    const auto x = device::walk(X);
    if (op == reduction::sum_abs)
      reducer_.reduce_to(stream_, device::sum_abs_reduction<T>{x}, X.size(), to.data());
    else
      reducer_.reduce_to(stream_, device::max_abs_reduction<T>{x}, X.size(), to.data());
  }
  template <Real T>
  void dot_adjoint_to(in<T> X, in<T> Y, view<T> to) const {
    using turned = device::turned_elements<T>;
    reducer_.reduce_to(
        stream_,
        device::dot_reduction<T, turned>{turned{X.data(), X.ld(), Y.rows()}, device::walk(Y)},
        Y.size(), to.data());
  }
  /// Up to 8 numbers (backend/measure.hpp) in one wait.
  template <Real T, class... Question>
  [[nodiscard]] std::array<T, sizeof...(Question)> measure(const Question&... questions) const {
    constexpr std::size_t count = sizeof...(Question);
    static_assert(count <= device::reducer<Launch>::most_numbers);
    T* next = reducer_.template numbers<T>();
    (questions.into(*this, view<T>(next++, 1, 1)), ...);
    return reducer_.template read_numbers<T, count>(stream_);
  }
  /// Waits all the same.
  template <Real T>
  void orthonormalize_to(view<T> X, view<T> rank, span<T> scratch) const {
    fill(rank, static_cast<T>(orthonormalize<T>(X, scratch)));
  }

 private:
  [[nodiscard]] static device::stream stream_of(const cuda_options& o) {
    const cuda_availability found = cuda_available();
    if (!found) throw backend_error("cuda_backend: no device: " + found.why);
    if (o.device < 0 || o.device >= found.devices)
      refuse("cuda_backend: device", ("below " + std::to_string(found.devices)).c_str(), o.device);
    device::check(cudaSetDevice(o.device), "cudaSetDevice");
    return o.stream ? device::stream(*o.stream) : device::stream();
  }

  /// What `ask(to)` writes into the 1 x 1 view `to`. Waits.
  template <Real T, class Ask>
  [[nodiscard]] T number(Ask ask) const {
    T* const there = reducer_.template numbers<T>();
    ask(view<T>(there, 1, 1));
    return reducer_.read(stream_, there);
  }

  template <class F>
  void launch(index_t count, F f) const {
    Launch::run(stream_, count, f);
  }

  template <class M>
  void copy_2d(const void* from, index_t from_ld, void* to, index_t to_ld, const M& shape,
               cudaMemcpyKind kind) const {
    using T = typename M::scalar;
    if (shape.empty()) return;
    // The pitch of a 2D copy has a limit, which a long column would be above.
    if (shape.cols() == 1 || (from_ld == shape.rows() && to_ld == shape.rows())) {
      device::check(cudaMemcpyAsync(to, from, device::bytes<T>(shape.size()), kind, stream_.get()),
                    "cudaMemcpyAsync");
      return;
    }
    device::check(cudaMemcpy2DAsync(to, device::bytes<T>(to_ld), from, device::bytes<T>(from_ld),
                                    device::bytes<T>(shape.rows()),
                                    static_cast<std::size_t>(shape.cols()), kind, stream_.get()),
                  "cudaMemcpy2DAsync");
  }

  template <Real T>
  void values_to_host(view<T> values, const int* info, span<T> to) const {
    copy_2d(values.data(), values.ld(), to.data(), values.rows(), values, cudaMemcpyDeviceToHost);
    if (reducer_.read(stream_, info) != 0)
      std::fill(to.begin(), to.end(), std::numeric_limits<T>::quiet_NaN());
  }

  /// X = Q R = (Q U) diag(s) Vᵀ, of which Q U is kept, where s counts.
  template <Real T>
  index_t by_reflectors(view<T> X, span<T> scratch) const {
    const index_t n = X.rows(), k = X.cols();
    view_cutter<T, space> take(scratch.data());
    const view<T> R = take(k, k), U = take(k, k), V = take(k, k), tau = take(k, 1), Q = take(n, k);
    int* info = reinterpret_cast<int*>(take(1, 1).data());
    const auto work = scratch.subspan(static_cast<std::size_t>(take(0, 0).data() - scratch.data()));
    const std::span<T> s = std::span(small<T>()).first(static_cast<std::size_t>(k));
    lapack_.template geqrf<T>(X, tau.data(), work, info);
    launch(R.size(), device::upper_entry<T>{X.as_const(), R});
    small_svd<T>(R.as_const(), U, s, V, work);
    lapack_.template orgqr<T>(X, tau.data(), work, info);
    const T least =
        T(8) * std::sqrt(static_cast<T>(k + 1)) * std::numeric_limits<T>::epsilon() * s[0];
    const index_t rank =
        std::count_if(s.begin(), s.end(), [least](T value) { return value > least; });
    copy(X.as_const(), Q);
    multiply(T(1), Q.as_const(), U.columns(0, rank).as_const(), T(0), X.columns(0, rank), work);
    fill(X.columns(rank, k - rank), T(0));
    return rank;
  }

  /// Host memory for small matrices, which grows in size queries only.
  template <Real T>
  [[nodiscard]] std::vector<T>& small() const {
    if constexpr (std::is_same_v<T, float>)
      return small_floats_;
    else
      return small_doubles_;
  }

  // First, since copies from here may be on their way until the stream ends.
  mutable std::vector<float> small_floats_;
  mutable std::vector<double> small_doubles_;
  device::stream stream_;
  device::blas blas_;
  device::lapack lapack_;
  device::reducer<Launch> reducer_;
};

using cuda_backend = basic_cuda_backend<device::thrust_launch>;

static_assert(Backend<cuda_backend>);

template <>
struct default_backend<device_space> {
  using type = cuda_backend;
};

}  // namespace fanion
