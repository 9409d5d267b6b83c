/// @file  N(L X R) for diagonal L and R: a norm whose rows and columns count differently.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/calculus.hpp>

#include <string>
#include <utility>
#include <vector>

namespace fanion {

/// X -> N(diag(l) X diag(r)), l and r positive. Its dual is N*(L⁻¹ Y R⁻¹), so its ball's oracle is
/// L⁻¹ lmo(N, L⁻¹ M R⁻¹) R⁻¹. It is an expression's outermost layer: sums of it do not compile,
/// since their terms would need a decomposition each. `c * rescaled(l, n, r)` is rescaled(l, c n,
/// r).
template <Norm N>
class rescaled : public norm_base {
 public:
  using category = composite_tag;

  /// @throws std::invalid_argument unless every factor is finite and above 0, and so is 1/factor.
  rescaled(std::vector<double> rows, N inner, std::vector<double> cols)
      : rescaled(std::move(rows), std::move(inner), std::move(cols), false) {
    for (const auto* side : {&rows_, &cols_})
      for (const double x : *side)
        if (!(x > 0) || !is_finite(x) || !is_finite(1 / x))
          refuse("rescaled: factors", "finite, above 0, with finite inverses", x);
  }

  [[nodiscard]] const N& inner() const noexcept { return inner_; }
  [[nodiscard]] index_t rows() const noexcept { return static_cast<index_t>(rows_.size()); }
  [[nodiscard]] index_t cols() const noexcept { return static_cast<index_t>(cols_.size()); }
  /// What row i, or column j, of X is multiplied by.
  [[nodiscard]] double row_factor(index_t i) const { return factor(rows_, i); }
  [[nodiscard]] double col_factor(index_t j) const { return factor(cols_, j); }

  /// The numbers are kept, and divided by where they were multiplied with: dual(dual(n)) == n.
  [[nodiscard]] auto dual() const {
    return rescaled<decltype(fanion::dual(inner_))>(rows_, fanion::dual(inner_), cols_, !inverse_);
  }
  [[nodiscard]] auto transposed() const {
    return rescaled<decltype(inner_.transposed())>(cols_, inner_.transposed(), rows_, inverse_);
  }
  /// c times this.
  [[nodiscard]] auto times(double c) const {
    return rescaled<decltype(c * inner_)>(rows_, c * inner_, cols_, inverse_);
  }
  [[nodiscard]] bool is_positive() const { return fanion::is_positive(inner_); }
  void check_shape(index_t m, index_t n) const {
    if (m != rows() || n != cols())
      refuse("rescaled: the shape of the matrix", shape_text(rows(), cols()).c_str(),
             shape_text(m, n));
  }

  friend bool operator==(const rescaled&, const rescaled&) = default;

 private:
  template <Norm>
  friend class rescaled;
  rescaled(std::vector<double> rows, N inner, std::vector<double> cols, bool inverse)
      : rows_(std::move(rows)),
        cols_(std::move(cols)),
        inner_(std::move(inner)),
        inverse_(inverse) {}

  [[nodiscard]] double factor(const std::vector<double>& side, index_t i) const {
    const double x = side[static_cast<std::size_t>(i)];
    return inverse_ ? 1 / x : x;
  }

  std::vector<double> rows_, cols_;
  N inner_;
  bool inverse_ = false;
};

template <class N>
inline constexpr bool is_rescaled = false;
template <class N>
inline constexpr bool is_rescaled<rescaled<N>> = true;

/// c * rescaled(l, n, r) = rescaled(l, c * n, r).
template <Norm N>
[[nodiscard]] auto operator*(double c, const rescaled<N>& n) {
  return n.times(c);
}

}  // namespace fanion
