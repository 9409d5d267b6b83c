/// @file  The polar factor from the eigenvectors of the Gram matrix, in double whatever M's scalar.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/spectral/methods.hpp>
#include <fanion/spectral/polar_certificate.hpp>
#include <fanion/spectral/qdwh.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <optional>
#include <span>
#include <vector>

namespace fanion {

/// X = V diag((w + δ)^(-1/2)) VᵀA for AAᵀ = V diag(w) Vᵀ, where δ bounds the rounding of w,
/// relative to the largest. So σ far below sqrt(δ), 1e-7 of the largest, fade out; no other choice
/// was made, and none is needed: Weyl's inequality proves Σσ <= Σ sqrt(w + δ) and ‖X‖₂ <= 1. About
/// 3 r²L + 10 r³ flops, 9 r³ of them slow. Memory: 2 r L + O(r²) scalars.
template <Real T, class B>
class gram_eigen_solver {
 public:
  using space = typename B::space;
  using experience = typename qdwh_solver<T, B>::experience;

  /// Scalars that a solver of this shape and its second resort work in, beside r x r doubles.
  [[nodiscard]] static index_t memory_size(const B& b, index_t m, index_t n) {
    return std::max(2 * m * n, qdwh_solver<T, B>::memory_size(b, m, n));
  }

  /// In memory of its own, unless some is lent.
  gram_eigen_solver(B& b, index_t m, index_t n, const gram_eigen& method, std::span<T> lent = {})
      : r_(std::min(m, n)),
        l_(std::max(m, n)),
        width_(std::same_as<T, double> ? 0 : std::min<index_t>(l_, 512)),
        buffer_(b.template make_workspace<T>(!lent.empty() ? 0
                                             : method.gap  ? memory_size(b, m, n)
                                                           : 2 * r_ * l_)),
        memory_(lent.empty() ? buffer_.span() : lent),
        wide_(b.template make_workspace<double>(
            2 * r_ * r_ + 2 * r_ * width_ +
            std::max({b.template syrk_size<double>(r_, std::max(l_, r_)),
                      b.template small_eigh_size<double>(r_),
                      b.template multiply_size<double>(r_, r_, l_)}))),
        values_(static_cast<std::size_t>(r_)) {
    if (!method.gap) return;
    gap_ = expects_positive(*method.gap, "gram_eigen: gap");
    again_.emplace(b, m, n, qdwh{.gap = gap_}, memory_);
  }

  [[nodiscard]] polar_factor<T, space> solve(B& b, const operand<T, space>& a) {
    work_ = work_of(r_, l_, threads_of(b));
    const matrix_view<T, space> one(memory_.data(), r_, l_), two(one.data() + r_ * l_, r_, l_);
    const short_side<T, space> x = lay_on_short_side(b, a, one);
    const double scale = static_cast<double>(x.scale);
    const matrix_view<double, space> G(wide_.data(), r_, r_), V(G.data() + r_ * r_, r_, r_);
    const auto parts = wide_.span().subspan(static_cast<std::size_t>(2 * r_ * r_));
    const auto scratch = parts.subspan(static_cast<std::size_t>(2 * r_ * width_));
    const std::span<double> w(values_);
    for_each_part(b, x.x, [&](index_t j, matrix_view<const double, space> part) {
      b.syrk(scale * scale, part, j == 0 ? 0.0 : 1.0, G, scratch);
    });
    b.small_eigh(G.as_const(), w, V, scratch);
    const double doubt = rounding<double>(r_, l_) * w[0];
    double nuclear = 0;
    for (index_t i = 0; i < r_; ++i) {
      const double sigma = std::sqrt(std::max(0.0, w[static_cast<std::size_t>(i)]) + doubt);
      nuclear += sigma;
      const auto v = V.columns(i, 1);
      b.map_entries(v.as_const(), v, entry::divided_by<double>{std::sqrt(sigma)});
    }
    const double condition =
        std::sqrt(w[0] / (std::max(0.0, w[static_cast<std::size_t>(r_ - 1)]) + doubt));
    b.syrk(1.0, V.as_const(), 0.0, G, scratch);
    const matrix_view<double, space> out(parts.data() + r_ * width_, r_, width_);
    for_each_part(b, x.x, [&](index_t j, matrix_view<const double, space> part) {
      if constexpr (std::same_as<T, double>) {
        b.multiply(scale, G.as_const(), part, 0.0, two, scratch);
      } else {
        const auto product = out.columns(0, part.cols());
        b.multiply(scale, G.as_const(), part, 0.0, product, scratch);
        b.convert(1.0, product.as_const(), two.columns(j, part.cols()));
      }
    });
    const polar_measure seen = measure_polar(b, a, two.as_const(), x.turned);
    polar_factor<T, space> answer;
    answer.x = {two.as_const(), x.turned};
    answer.product = seen.product;
    answer.nuclear_bound = nuclear * (1 + rounding<T>(r_, l_));
    // The last product rounds relative to the largest entries of V diag(…) Vᵀ.
    answer.spectral_bound = 1 + rounding<T>(r_, l_) + rounding<double>(r_, l_) * condition;
    const double size = static_cast<double>(r_);
    answer.effort = {.residual = std::abs(size - seen.energy) / size, .passes = 3, .iterations = 1};
    if (!again_ || missed_share(answer) <= std::max(gap_, 4 * rounding<T>(r_, l_))) return answer;
    const index_t passes = answer.effort.passes;
    answer = again_->solve(b, a);
    answer.effort.passes += passes;
    work_ += again_->work();
    return answer;
  }

  /// Flops of the last call at the speed of products, in units of r³. The eigenvectors cost about
  /// 30 on one thread, and have no more of them.
  [[nodiscard]] double work() const { return work_; }
  [[nodiscard]] static constexpr double work_of(index_t r, index_t l, index_t threads) {
    return 3 * static_cast<double>(l) / static_cast<double>(r) + 1 +
           30 * static_cast<double>(threads);
  }

  void reset() {
    if (again_) again_->reset();
  }
  void save(archive_writer& out) const {
    if (again_) again_->save(out);
  }
  [[nodiscard]] experience recall(archive_reader& in) const {
    return again_ ? again_->recall(in) : experience();
  }
  void adopt(const experience& e) {
    if (again_) again_->adopt(e);
  }
  void load(archive_reader& in) { adopt(recall(in)); }

 private:
  /// use(j, columns j .. of x in double), part by part.
  template <class Use>
  void for_each_part(B& b, matrix_view<const T, space> x, Use use) {
    if constexpr (std::same_as<T, double>) {
      use(0, x);
    } else {
      for (index_t j = 0; j < l_; j += width_) {
        const index_t count = std::min(width_, l_ - j);
        const matrix_view<double, space> part(wide_.data() + 2 * r_ * r_, r_, count);
        b.convert(1.0, x.columns(j, count), part);
        use(j, part.as_const());
      }
    }
  }

  index_t r_, l_, width_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) buffer_;
  std::span<T> memory_;
  decltype(std::declval<B&>().template make_workspace<double>(0)) wide_;
  std::vector<double> values_;
  double gap_ = 0, work_ = 0;
  std::optional<qdwh_solver<T, B>> again_;
};

}  // namespace fanion
