/// What each method costs, as a markdown table:   fanion_costs [m n [k [float|double]]]
///
/// Nothing is timed. Passes come from the reports of real calls, flops and traffic from counting in
/// every verb of the backend, memory from counting in operator new while the plan is made.
///
/// The matrix is a momentum as training has it: the average, with weight 0.95 on the past, of a
/// fixed signal of rank 2k (σᵢ = 1/i) and of noise of spectral norm about 1.
#include <fanion/eigen.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

static std::size_t bytes_allocated = 0;

static void* allocate(std::size_t size, std::size_t alignment) {
  bytes_allocated += size;
  void* p = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
  return p != nullptr ? p : throw std::bad_alloc();
}
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t a) {
  return allocate(size, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

using namespace fanion;

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// eigen_backend that keeps books. A verb counts as reading each operand and writing each result
/// once, whatever the caches do, so the bytes are what must move when nothing stays in cache
/// between verbs.
class counting_backend : public eigen_backend {
  template <class T>
  using scalar = std::type_identity_t<T>;
  template <class T>
  using span = std::type_identity_t<std::span<T>>;
  using host = eigen_backend;

  template <Real T>
  void count(double work, index_t in, index_t out) {
    flops += work;
    read += static_cast<double>(in) * sizeof(T);
    written += static_cast<double>(out) * sizeof(T);
  }
  template <Real T>
  void count_product(double share, index_t inner, index_t in, T b, matrix_view<T> Y) {
    count<T>(share * 2 * static_cast<double>(inner) * static_cast<double>(Y.size()),
             in + (b == T(0) ? 0 : Y.size()), Y.size());
  }

 public:
  double flops = 0, read = 0, written = 0;

  template <Real T>
  void copy(input<T> X, matrix_view<T> Y) {
    count<T>(0, X.size(), Y.size());
    host::copy(X, Y);
  }
  template <Real T>
  void fill(matrix_view<T> X, scalar<T> value) {
    count<T>(0, 0, X.size());
    host::fill(X, value);
  }
  template <Real T>
  void random(matrix_view<T> X, std::uint64_t seed, index_t row0 = 0, index_t col0 = 0) {
    count<T>(0, 0, X.size());
    host::random(X, seed, row0, col0);
  }
  template <Real T>
  void axpby(scalar<T> a, input<T> X, scalar<T> b, matrix_view<T> Y) {
    count_axpby<T>(b, Y);
    host::axpby(a, X, b, Y);
  }
  template <Real T>
  void axpby_adjoint(scalar<T> a, input<T> X, scalar<T> b, matrix_view<T> Y) {
    count_axpby<T>(b, Y);
    host::axpby_adjoint(a, X, b, Y);
  }
  template <Real T, class F>
  void map_entries(input<T> X, matrix_view<T> Y, F f) {
    count<T>(static_cast<double>(X.size()), 2 * X.size(), Y.size());
    host::map_entries(X, Y, f);
  }
  template <class X, class Y>
  [[nodiscard]] auto dot(matrix_view<X> x, matrix_view<Y> y) {
    count<std::remove_const_t<X>>(2 * static_cast<double>(x.size()), x.size() + y.size(), 0);
    return host::dot(x, y);
  }
  template <class X, class Y>
  [[nodiscard]] auto dot_adjoint(matrix_view<X> x, matrix_view<Y> y) {
    count<std::remove_const_t<X>>(2 * static_cast<double>(x.size()), x.size() + y.size(), 0);
    return host::dot_adjoint(x, y);
  }
  template <class X>
  [[nodiscard]] auto norm(matrix_view<X> x) {
    count<std::remove_const_t<X>>(2 * static_cast<double>(x.size()), x.size(), 0);
    return host::norm(x);
  }
  template <Real T>
  void multiply(scalar<T> a, input<T> A, input<T> X, scalar<T> b, matrix_view<T> Y,
                span<T> scratch) {
    count_product<T>(1, A.cols(), A.size() + X.size(), b, Y);
    host::multiply(a, A, X, b, Y, scratch);
  }
  template <Real T>
  void multiply_adjoint(scalar<T> a, input<T> A, input<T> X, scalar<T> b, matrix_view<T> Y,
                        span<T> scratch) {
    count_product<T>(1, A.rows(), A.size() + X.size(), b, Y);
    host::multiply_adjoint(a, A, X, b, Y, scratch);
  }
  template <Real T>
  [[nodiscard]] T multiply_norm(scalar<T> a, input<T> A, input<T> X, matrix_view<T> Y,
                                span<T> scratch) {
    count_product<T>(1, A.cols(), A.size() + X.size(), T(0), Y);
    count<T>(2 * static_cast<double>(A.size()), 0, 0);
    return host::multiply_norm(a, A, X, Y, scratch);
  }
  template <Real T, class Prepare>
  index_t multiply_pair(scalar<T> a, input<T> A, input<T> X, matrix_view<T> Z, matrix_view<T> Y,
                        span<T> scratch, Prepare&& prepare) {
    const index_t reads = host::multiply_pair(a, A, X, Z, Y, scratch, prepare);
    count_product<T>(1, A.rows(), A.size() + X.size(), T(0), Z);
    count_product<T>(1, A.cols(), (reads - 1) * A.size() + Z.size(), T(0), Y);
    return reads;
  }
  template <Real T>
  void multiply_outer(scalar<T> a, input<T> X, input<T> W, scalar<T> b, matrix_view<T> Y,
                      span<T> scratch) {
    count_product<T>(1, X.cols(), X.size() + W.size(), b, Y);
    host::multiply_outer(a, X, W, b, Y, scratch);
  }
  /// Symmetric results: half of the work.
  template <Real T>
  void syrk(scalar<T> a, input<T> A, scalar<T> b, matrix_view<T> C, span<T> scratch) {
    count_product<T>(0.5, A.cols(), A.size(), b, C);
    host::syrk(a, A, b, C, scratch);
  }
  template <Real T>
  void symmetric_product(scalar<T> a, input<T> A, input<T> B, scalar<T> b, matrix_view<T> C,
                         span<T> scratch) {
    count_product<T>(0.5, A.cols(), A.size() + B.size(), b, C);
    host::symmetric_product(a, A, B, b, C, scratch);
  }
  template <Real T>
  index_t orthonormalize(matrix_view<T> X, span<T> scratch) {
    count<T>(4 * static_cast<double>(X.size()) * static_cast<double>(X.cols()), X.size(), X.size());
    return host::orthonormalize(X, scratch);
  }
  /// 6Lr² + 18r³: QR, the eigenvectors of R Rᵀ (9r³), two sweeps of Jacobi that find the columns
  /// orthogonal (ill-conditioned matrices need more), and the frames. See backend/dense/svd.hpp.
  template <Real T>
  void small_svd(input<T> A, matrix_view<T> U, span<T> s, matrix_view<T> V, span<T> scratch) {
    const double r = static_cast<double>(std::min(A.rows(), A.cols()));
    count<T>(6 * static_cast<double>(A.size()) * r + 18 * r * r * r, A.size(), U.size() + V.size());
    host::small_svd(A, U, s, V, scratch);
  }

 private:
  template <Real T>
  void count_axpby(T b, matrix_view<T> Y) {
    const index_t size = Y.size();
    count<T>(static_cast<double>(size) * (b == T(0) ? 1 : 3), b == T(0) ? size : 2 * size, size);
  }
};
static_assert(Backend<counting_backend>);

template <class T>
class costs {
 public:
  costs(index_t m, index_t n, index_t k) : k_(std::min({k, m, n})) {
    const auto gaussian = [](index_t rows, index_t cols, std::uint64_t seed) {
      matrix<T> x(rows, cols);
      matrix_view<T> view(x.data(), rows, cols);
      eigen_backend().random(view, seed);
      return x;
    };
    const index_t rank = std::min({2 * k_, m, n});
    matrix<T> u = gaussian(m, rank, 1), v = gaussian(n, rank, 2);
    eigen_backend b;
    for (matrix<T>* x : {&u, &v}) {
      auto scratch = b.make_workspace<T>(b.orthonormalize_size<T>(x->rows(), rank));
      b.orthonormalize(matrix_view<T>(x->data(), x->rows(), rank), scratch.span());
    }
    for (index_t i = 0; i < rank; ++i) u.col(i) /= static_cast<T>(i + 1);
    const matrix<T> signal = u * v.transpose();
    const double length = std::sqrt(static_cast<double>(m)) + std::sqrt(static_cast<double>(n));
    // An average that has run for long holds sqrt(0.05 / 1.95) of the noise of one gradient.
    momenta_.push_back(signal + static_cast<T>(0.16 / length) * gaussian(m, n, 3));
    for (std::uint64_t seed = 4; seed < 7; ++seed)
      momenta_.push_back(T(0.95) * momenta_.back() +
                         T(0.05) * (signal + static_cast<T>(1 / length) * gaussian(m, n, seed)));
  }

  void print() {
    std::printf(
        "| method | passes | steps | Mflop | MB read | MB written | plan MB | gap | certified | "
        "flops grow as |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---|\n");
    const auto leading = dual(ky_fan(k_));
    row("exact", leading, exact{}, true, "6 L r² + 18 r³ + 2 m n k");
    row("newton_schulz, 5 steps", spectral(), newton_schulz{}, true, "T (3 L r² + r³)");
    row("newton_schulz, 5 steps, bfloat16", spectral(), newton_schulz{.compute = compute::bfloat16},
        true, plain_);
    row("polar_express, 7 steps", spectral(), polar_express{.lower = 1e-3, .steps = 7, .block = 1},
        true, "T (3 L r² + r³)");
    for (const compute how : {compute::tf32, compute::float16, compute::bfloat16})
      row(("polar_express, 7 steps, " + std::string(name_of(how))).c_str(), spectral(),
          polar_express{.lower = 1e-3, .steps = 7, .compute = how}, true, plain_);
    row("polar_express, gap 1e-3", spectral(), polar_express{.gap = 1e-3}, true,
        "3 L r² + (4 k − 3) r³ a block of k steps");
    row("subspace, gap 1e-2, first call", leading, subspace{.gap = 1e-2}, true, block_);
    row("subspace, gap 1e-2, fourth call", leading, subspace{.gap = 1e-2}, false, block_);
    row("power, gap 1e-2", leading, power{.gap = 1e-2}, true, block_);
    row("randomized", leading, randomized{}, true, block_);
    row("lanczos, gap 1e-2, first call", leading, lanczos{.gap = 1e-2}, true, krylov_);
    row("lanczos, gap 1e-2, fourth call", leading, lanczos{.gap = 1e-2}, false, krylov_);
  }

 private:
  template <LmoTractable N, SpectralMethod Method>
  void row(const char* name, const N& norm, const Method& method, bool first, const char* growth) {
    counting_backend books;
    matrix<T> d(momenta_[0].rows(), momenta_[0].cols());
    const std::size_t before = bytes_allocated;
    auto plan = plan_lmo(norm, momenta_[0], method, books);
    const std::size_t memory = bytes_allocated - before;
    lmo_report r;
    for (const matrix<T>& m : momenta_) {
      books.flops = books.read = books.written = 0;
      r = plan.execute(m, d);
      if (first) break;
    }
    const double best =
        static_cast<double>(value(dual(norm), first ? momenta_.front() : momenta_.back()));
    const double gap = 1 + r.objective / (std::max(1.0, r.feasibility) * best);
    std::printf("| %s | %td | %td | %.1f | %.1f | %.1f | %.2f | %.1e | %.1e | %s |\n", name,
                r.passes, r.iterations, 1e-6 * books.flops, 1e-6 * books.read, 1e-6 * books.written,
                1e-6 * static_cast<double>(memory), std::max(0.0, gap), r.gap(), growth);
  }

  static constexpr const char* plain_ = "T (4 L r² + 2 r³), and the certificate's 5 L r² + 2 r³";
  static constexpr const char* block_ = "(2 h + 1) m n · 2 b + O(h (m + n) b²) + 2 m n k";
  static constexpr const char* krylov_ = "s (4 m n + O((m + n) s)) + 2 m n k";
  index_t k_;
  std::vector<matrix<T>> momenta_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, long otherwise) {
    return i < argc ? std::strtol(argv[i], nullptr, 10) : otherwise;
  };
  const index_t m = number(1, 768), n = number(2, 3072), k = number(3, 8);
  const std::string scalar = argc > 4 ? argv[4] : "float";
  if (argc > 5 || m < 1 || n < 1 || k < 1 || (scalar != "float" && scalar != "double")) {
    std::fprintf(stderr, "usage: fanion_costs [m n [k [float|double]]]\n");
    return 2;
  }
  std::printf("%td x %td, k = %td, %s\n\n", m, n, k, scalar.c_str());
  if (scalar == "float")
    costs<float>(m, n, k).print();
  else
    costs<double>(m, n, k).print();
}
