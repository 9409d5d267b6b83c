/// @file  The polar factor UVᵀ by odd polynomials of the matrix: Newton-Schulz and Polar Express.
///
/// X starts as A/‖A‖_F, whose singular values lie in [0, 1]; each step X <- aX + b(XXᵀ)X + c(XXᵀ)²X
/// applies a quintic to every one of them and leaves the vectors alone. Since the polynomials are
/// known, so is what they do to any σ, and that yields the certificate.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/spectral/concepts.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/polynomials.hpp>

#include <algorithm>
#include <limits>

namespace fanion {

/// Memory: 2 r L + 2 r² scalars, r = min(m, n), L = max(m, n). A step costs r²L + r³ + 2 r²L flops
/// (halves for the two symmetric products, one full product), a cubic step no r³.
template <Real T, class B>
class polar_solver {
 public:
  using space = typename B::space;

  polar_solver(B& b, index_t m, index_t n, const newton_schulz& method) : polar_solver(b, m, n) {
    steps_ = expects_at_least(method.steps, 1, "newton_schulz: steps");
    fixed_ = method.coefficients == schulz::classic ? classic_step : keller_jordan_step;
    gap_ = std::numeric_limits<double>::infinity();
  }

  polar_solver(B& b, index_t m, index_t n, const polar_express& method) : polar_solver(b, m, n) {
    steps_ = expects_at_least(method.steps, 0, "polar_express: steps");
    gap_ = expects_positive(method.gap.value_or(default_gap<T>), "polar_express: gap");
    lower_ = expects_fraction(expects_positive(method.lower, "polar_express: lower"),
                              "polar_express: lower");
    lower_ = std::max(lower_, least_target);
    safety_ = expects_positive(method.safety, "polar_express: safety");
    target_ = lower_;
  }

  /// `frobenius` is positive and finite. Allocates nothing.
  [[nodiscard]] polar_factor<T, space> solve(B& b, const operand<T, space>& a) {
    const bool turned = a.rows() > a.cols();  // X has the short side as rows
    matrix_view<T, space> x(buffer_.data(), r_, l_), y(x.data() + r_ * l_, r_, l_);
    const matrix_view<T, space> gram(y.data() + r_ * l_, r_, r_),
        half(gram.data() + r_ * r_, r_, r_);
    const auto scratch = buffer_.span().subspan(static_cast<std::size_t>(2 * r_ * (l_ + r_)));

    // A little above ‖A‖_F, so that rounding cannot put ‖X‖₂ above 1.
    const double unit = a.frobenius * (1 + rounding<T>(m_, n_));
    const T start = static_cast<T>(static_cast<double>(a.scale) / unit);
    if (turned == a.matrix.transposed)
      b.axpby(start, a.matrix.storage, T(0), x);
    else
      b.axpby_adjoint(start, a.matrix.storage, T(0), x);

    polynomial_record record;
    double lo = target_, hi = 1;
    polar_factor<T, space> answer;
    answer.effort.passes = 1;
    for (;;) {
      const double error = steps_ > 0 ? 0 : gap_ / 4;
      const bool last =
          steps_ > 0 ? answer.effort.iterations + 1 == steps_ : predicted_error(lo, hi) <= error;
      const quintic p = next_step(lo, hi, last);
      step(b, p, x, y, gram, half, scratch);
      std::swap(x, y);
      record.apply(p);
      std::tie(lo, hi) = p.image(lo, hi);
      ++answer.effort.iterations;
      if (!last && answer.effort.iterations < budget) continue;

      certify(b, a, x, turned, unit, record, answer);
      const double missed =
          1 - answer.product / (std::max(1.0, answer.spectral_bound) * answer.nuclear_bound);
      // What rounding alone puts into the certificate, no further step can take out.
      if (missed <= std::max(gap_, 4 * rounding<T>(m_, n_))) break;
      if (steps_ > 0 || answer.effort.iterations >= budget || target_ <= least_target) {
        answer.effort.outcome = outcome::budget_spent;
        break;
      }
      // Singular values below the target hold too much of the value: aim lower, now and later.
      target_ *= 0.1;
      std::tie(lo, hi) = image_of(record, target_);
    }
    answer.x = {x.as_const(), turned};
    return answer;
  }

  void reset() { target_ = lower_; }
  void save(archive_writer& out) const { out.write(target_); }
  void load(archive_reader& in) {
    const auto target = in.read<double>();
    if (lower_ == 0 ? target != 0 : !(target > 0 && target <= lower_))
      refuse("checkpoint: the lower end", "above 0 and at most the plan's", target);
    target_ = target;
  }

 private:
  static constexpr index_t budget = 60;
  /// Below this share of ‖A‖_F a singular value is rounding.
  static constexpr double least_target = static_cast<double>(std::numeric_limits<T>::epsilon());

  polar_solver(B& b, index_t m, index_t n)
      : m_(m),
        n_(n),
        r_(std::min(m, n)),
        l_(std::max(m, n)),
        buffer_(b.template make_workspace<T>(
            2 * r_ * (l_ + r_) +
            std::max({b.template syrk_size<T>(r_, l_), b.template symmetric_product_size<T>(r_),
                      b.template multiply_size<T>(r_, r_, l_)}))) {}

  [[nodiscard]] quintic next_step(double lo, double hi, bool last) const {
    if (lower_ == 0) return fixed_;
    const quintic p = optimal_quintic(lo, hi);
    return last ? p : p.stretched(safety_);
  }

  [[nodiscard]] double predicted_error(double lo, double hi) const {
    const auto [least, most] = optimal_quintic(lo, hi).image(lo, hi);
    return std::max(1 - least, most - 1);
  }

  /// Where the polynomials so far send [l, 1].
  [[nodiscard]] static std::pair<double, double> image_of(const polynomial_record& record,
                                                          double l) {
    std::size_t j = 0;
    while (j + 1 < polynomial_record::thresholds && polynomial_record::threshold(j) > l) ++j;
    return {record.low(j), record.high(j)};
  }

  /// Y = p(X), with the symmetric products computed by halves.
  void step(B& b, const quintic& p, matrix_view<T, space> x, matrix_view<T, space> y,
            matrix_view<T, space> gram, matrix_view<T, space> half, std::span<T> scratch) {
    b.syrk(T(1), x.as_const(), T(0), gram, scratch);
    if (p.c == 0) {
      b.axpby(static_cast<T>(p.b), gram.as_const(), T(0), half);
    } else {
      b.copy(gram.as_const(), half);
      b.symmetric_product(static_cast<T>(p.c), gram.as_const(), gram.as_const(),
                          static_cast<T>(p.b), half, scratch);
    }
    const matrix_view<T, space> diagonal(half.data(), 1, r_, r_ + 1);
    const T a = static_cast<T>(p.a);
    b.map_entries(diagonal.as_const(), diagonal, [a](T, T d) { return d + a; });
    b.multiply(T(1), half.as_const(), x.as_const(), T(0), y, scratch);
  }

  void certify(B& b, const operand<T, space>& a, matrix_view<T, space> x, bool turned, double unit,
               const polynomial_record& record, polar_factor<T, space>& answer) const {
    const T product = turned == a.matrix.transposed ? b.dot(a.matrix.storage, x.as_const())
                                                    : b.dot_adjoint(a.matrix.storage, x.as_const());
    answer.product = static_cast<double>(product) * static_cast<double>(a.scale);
    const double length = static_cast<double>(b.norm(x.as_const()));
    const double energy = length * length, slack = rounding<T>(m_, n_);
    const double size = static_cast<double>(r_);
    answer.nuclear_bound =
        (1 + slack) *
        std::min(std::sqrt(size) * a.frobenius,
                 record.nuclear_bound(answer.product, energy * (1 - slack), unit, r_));
    answer.spectral_bound = std::max(record.ceiling(), -record.floor()) + slack;
    answer.effort.residual = std::abs(size - energy) / size;
    ++answer.effort.passes;
  }

  index_t m_, n_, r_, l_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  index_t steps_ = 0;
  quintic fixed_;
  double gap_ = 0;
  double lower_ = 0;
  double safety_ = 1;
  double target_ = 0;
};

}  // namespace fanion
