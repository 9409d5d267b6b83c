/// @file  The engine of a norm with row and column factors: that of the norm inside, between
/// copies.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/norms/rescaled.hpp>
#include <fanion/oracles/engine.hpp>

#include <utility>

namespace fanion {

/// ∂[f(L · R)](M) = L ∂f(L M R) R. Keeps L M R and the subgradient inside, 2mn scalars, and costs a
/// read and a write of each beside what f costs. What M will be next is no help: it is scaled
/// first.
template <class F, Real T, class B>
class subgradient_engine<rescaled<F>, T, B> {
 public:
  using space = typename B::space;

  template <SpectralMethod Method>
  subgradient_engine(B& b, const rescaled<F>& f, index_t m, index_t n, const Method& method)
      : m_(m),
        n_(n),
        inside_(b, f.inner(), m, n, method),
        memory_(b.template make_workspace<T>(2 * m * n + m + n)) {
    for (index_t i = 0; i < m; ++i) b.fill(row_factors_of(i, 1), static_cast<T>(f.row_factor(i)));
    for (index_t j = 0; j < n; ++j) b.fill(col_factors_of(j, 1), static_cast<T>(f.col_factor(j)));
  }

  [[nodiscard]] T value(B& b, const oriented_view<const T, space>& m) {
    return inside_.value(b, scaled(b, m));
  }
  [[nodiscard]] T approach(B& b, const oriented_view<const T, space>& g, bool, T, T) {
    return b.norm(g.storage);
  }
  lmo_report subgradient(B& b, const oriented_view<const T, space>& m,
                         const oriented_view<T, space>& d, T keep, step_length step) {
    lmo_report report = inside_.subgradient(b, scaled(b, m), {answer(), false}, T(0), step);
    ++report.passes;
    // Y(i, j) = keep Y(i, j) + lᵢ X(i, j) rⱼ: the columns where X stands, the rows on the way out.
    const oriented_view<const T, space> from{answer().as_const(), false};
    b.template map_lines<T>(from, lines::columns, col_factors_of(0, n_).as_const(), answer(),
                            entry::times_line<T>());
    b.template map_lines<T>(
        {from.storage, d.transposed}, d.transposed ? lines::columns : lines::rows,
        row_factors_of(0, m_).as_const(), d.storage, entry::plus_times_line<T>{keep});
    return report;
  }
  template <class Arrival>
  lmo_report subgradient_on_arrival(B& b, const oriented_view<const T, space>& m, Arrival& arrival,
                                    const oriented_view<T, space>& d, T keep, step_length step) {
    (void)arrival(0, m.storage.cols());
    return subgradient(b, m, d, keep, step);
  }

  void reset() { inside_.reset(); }
  [[nodiscard]] bool keeps_subspace() const { return inside_.keeps_subspace(); }
  /// Of L M R.
  void seed(B& b, matrix_view<const T, space> v) { inside_.seed(b, v); }
  void save(const B& b, archive_writer& out) const { inside_.save(b, out); }
  void load(const B& b, archive_reader& in) { inside_.load(b, in); }

 private:
  [[nodiscard]] matrix_view<T, space> copy() const { return {memory_.data(), m_, n_}; }
  [[nodiscard]] matrix_view<T, space> answer() const { return {memory_.data() + m_ * n_, m_, n_}; }
  [[nodiscard]] matrix_view<T, space> row_factors_of(index_t i, index_t count) const {
    return {memory_.data() + 2 * m_ * n_ + i, count, 1};
  }
  [[nodiscard]] matrix_view<T, space> col_factors_of(index_t j, index_t count) const {
    return {memory_.data() + 2 * m_ * n_ + m_ + j, count, 1};
  }

  /// L M R, in the copy.
  [[nodiscard]] oriented_view<const T, space> scaled(B& b, const oriented_view<const T, space>& m) {
    b.template map_lines<T>(m, lines::rows, row_factors_of(0, m_).as_const(), copy(),
                            entry::times_line<T>());
    const oriented_view<const T, space> half{copy().as_const(), false};
    b.template map_lines<T>(half, lines::columns, col_factors_of(0, n_).as_const(), copy(),
                            entry::times_line<T>());
    return half;
  }

  index_t m_, n_;
  subgradient_engine<F, T, B> inside_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) memory_;
};

}  // namespace fanion
