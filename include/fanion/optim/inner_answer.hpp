/// @file  An oracle's step that lands in a buffer: what decorators of oracles start from.
#pragma once

#include <fanion/optim/lmo_step.hpp>

#include <utility>
#include <vector>

namespace fanion {

/// s D of an lmo_step, momentum and blocks included, in memory of its own: what the step of length
/// 1 would add to a weight of zeros. Allocates in the constructor only.
template <LmoTractable N, Real T, class B>
class inner_answer {
 public:
  using space = typename B::space;

  inner_answer(const lmo_rule<N>& rule, index_t rows, index_t cols, B& backend,
               std::vector<matrix_block> blocks)
      : step_(rule, rows, cols, backend, std::move(blocks)),
        rows_(rows),
        cols_(cols),
        values_(backend.template make_workspace<T>(rows * cols)) {}

  /// Writes s D, stored transposed or not. A non-finite gradient writes zeros.
  step_report compute(const oriented_view<const T, space>& gradient, bool transposed) {
    transposed_ = transposed;
    step_.backend().fill(values().storage, T(0));
    return step_.step(values(), gradient, 1);
  }
  [[nodiscard]] oriented_view<T, space> values() const {
    return {{values_.data(), transposed_ ? cols_ : rows_, transposed_ ? rows_ : cols_},
            transposed_};
  }
  [[nodiscard]] lmo_step<N, T, B>& step() noexcept { return step_; }
  [[nodiscard]] const lmo_step<N, T, B>& step() const noexcept { return step_; }

 private:
  lmo_step<N, T, B> step_;
  index_t rows_, cols_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) values_;
  bool transposed_ = false;
};

/// X <- keep X + rate D, each stored in its own order.
template <Real T, class Space, class B>
void add_answer(B& b, double rate, const oriented_view<T, Space>& d, double keep,
                const oriented_view<T, Space>& x) {
  if (x.transposed == d.transposed)
    b.axpby(static_cast<T>(rate), d.storage.as_const(), static_cast<T>(keep), x.storage);
  else
    b.axpby_adjoint(static_cast<T>(rate), d.storage.as_const(), static_cast<T>(keep), x.storage);
}

}  // namespace fanion
