/// @file  Eigen's matrices, maps, blocks and refs as views.
#pragma once

#include <fanion/core/view.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <concepts>

namespace fanion {

/// An Eigen expression with memory of its own or of someone's: no product, no `A + B`.
template <class M>
concept EigenMatrix = std::derived_from<M, Eigen::DenseBase<M>> && Real<typename M::Scalar> &&
    static_cast<bool>(Eigen::internal::traits<M>::Flags& Eigen::DirectAccessBit);

/// Row-major expressions become the view of their transpose; expressions whose inner stride is not
/// known to be 1 are copied to and from staging.
template <EigenMatrix M>
struct matrix_adapter<M> {
  using scalar = typename M::Scalar;
  using space = host_space;
  static constexpr bool viewable = M::InnerStrideAtCompileTime == 1;
  static constexpr bool resizable = std::derived_from<M, Eigen::PlainObjectBase<M>>;

  static index_t rows(const M& m) { return m.rows(); }
  static index_t cols(const M& m) { return m.cols(); }

  template <class X>
  static auto view(X& m) {
    using element = std::remove_pointer_t<decltype(m.data())>;
    constexpr bool transposed = static_cast<bool>(M::IsRowMajor);
    const index_t inner = m.innerSize(), outer = m.outerSize();
    return oriented_view<element>{
        matrix_view<element>(m.data(), inner, outer, std::max<index_t>(m.outerStride(), inner)),
        transposed};
  }

  static element_lattice<scalar> lattice(const M& m) {
    return {m.data(), m.innerSize(), m.innerStride(), m.outerSize(), m.outerStride()};
  }

  static bool can_hold(index_t rows, index_t cols) requires resizable {
    constexpr auto fits = [](index_t size, int exact, int most) {
      return (exact == Eigen::Dynamic || size == exact) && (most == Eigen::Dynamic || size <= most);
    };
    return fits(rows, M::RowsAtCompileTime, M::MaxRowsAtCompileTime) &&
           fits(cols, M::ColsAtCompileTime, M::MaxColsAtCompileTime);
  }
  static void resize(M& m, index_t rows, index_t cols) requires resizable { m.resize(rows, cols); }

  static void gather(const M& m, matrix_view<scalar> to) {
    for (index_t j = 0; j < to.cols(); ++j)
      for (index_t i = 0; i < to.rows(); ++i) to(i, j) = m.coeff(i, j);
  }
  template <class X>
  static void scatter(matrix_view<const scalar> from, X& m) {
    for (index_t j = 0; j < from.cols(); ++j)
      for (index_t i = 0; i < from.rows(); ++i) m.coeffRef(i, j) = from(i, j);
  }
};

}  // namespace fanion
