// A backend of your own: here the host's, with its products replaced by ones that count.
#include <fanion/eigen.hpp>

#include <cstdio>

using namespace fanion;

/// Counts the flops of products. What is not redefined is eigen_backend's.
class counting_backend : public eigen_backend {
 public:
  template <class T>
  using scalar = std::type_identity_t<T>;
  template <Real T>
  void multiply(scalar<T> a, input<T> A, input<T> X, scalar<T> b, matrix_view<T> Y,
                scalar<std::span<T>> scratch) {
    flops += 2 * A.size() * X.cols();
    eigen_backend::multiply(a, A, X, b, Y, scratch);
  }
  template <Real T>
  void multiply_adjoint(scalar<T> a, input<T> A, input<T> X, scalar<T> b, matrix_view<T> Y,
                        scalar<std::span<T>> scratch) {
    flops += 2 * A.size() * X.cols();
    eigen_backend::multiply_adjoint(a, A, X, b, Y, scratch);
  }
  template <Real T>  // AAᵀ: half of it, the other half is its mirror image
  void syrk(scalar<T> a, input<T> A, scalar<T> b, matrix_view<T> C, scalar<std::span<T>> scratch) {
    flops += A.rows() * A.size();
    eigen_backend::syrk(a, A, b, C, scratch);
  }
  template <Real T>
  void symmetric_product(scalar<T> a, input<T> A, input<T> B, scalar<T> b, matrix_view<T> C,
                         scalar<std::span<T>> scratch) {
    flops += A.rows() * A.size();
    eigen_backend::symmetric_product(a, A, B, b, C, scratch);
  }
  index_t flops = 0;
};
static_assert(Backend<counting_backend>);  // every verb is there, in both scalars
int main() {
  const index_t m = 120, n = 400;
  const Eigen::MatrixXf M = Eigen::MatrixXf::Random(m, n);
  Eigen::MatrixXf D, plain;
  counting_backend backend;
  const auto flops = [&](const char* name, const auto& norm, const auto& method) {
    auto plan = plan_lmo(norm, M, method, backend);
    backend.flops = 0;
    const lmo_report r = plan.execute(M, D);
    lmo(norm, M, plain, method);  // the same bits, whoever counts
    std::printf("%-36s %9.1f Mflop %5td passes  gap %.1e\n", name,
                static_cast<double>(backend.flops) * 1e-6, r.passes, r.gap());
    return D == plain ? backend.flops : -1;
  };
  const index_t five = flops("spectral(), newton_schulz 5 steps", spectral(), newton_schulz{});
  const index_t polar = flops("spectral(), polar_express", spectral(), polar_express{});
  const index_t rank = flops("dual(ky_fan(4)), subspace", dual(ky_fan(4)), subspace{});
  const index_t by_hand =
      5 * (m * m * n + m * m * m + 2 * m * m * n);  // XXᵀ, its square, back to X
  return five == by_hand && polar > 0 && rank > 0 ? 0 : 1;
}
