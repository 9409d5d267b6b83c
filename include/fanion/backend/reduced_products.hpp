/// @file  Products of matrices that are stored in fewer bits than they are summed in. A backend
/// that multiplies such matrices has the verb `multiply_each_in`; for others the factors are
/// widened, which costs time and gives the same numbers but for the order of sums.
#pragma once

#include <fanion/backend/batch_products.hpp>
#include <fanion/core/compute.hpp>

#include <algorithm>
#include <span>
#include <type_traits>

namespace fanion {

namespace entry {

/// low <- x, rounded.
template <compute C, Real T>
struct store {
  FANION_HD constexpr void operator()(stored_in<C>& low, const T& x) const noexcept {
    if constexpr (C == compute::tf32)
      low = static_cast<float>(x);
    else
      low = rounded<stored_in<C>>(static_cast<float>(x));
  }
};

/// x <- low, exactly.
template <compute C, Real T>
struct recall {
  FANION_HD constexpr void operator()(T& x, const stored_in<C>& low) const noexcept {
    if constexpr (C == compute::tf32)
      x = static_cast<T>(low);
    else
      x = static_cast<T>(widened(low));
  }
};

/// x <- low as a factor of a product is read.
template <compute C>
struct read_factor {
  FANION_HD constexpr void operator()(float& x, const stored_in<C>& low) const noexcept {
    if constexpr (C == compute::tf32)
      x = rounded_to_tf32(low);
    else
      x = widened(low);
  }
};

/// y <- x.
struct assign {
  template <class T>
  FANION_HD constexpr void operator()(T& y, const T& x) const noexcept {
    y = x;
  }
};

}  // namespace entry

/// Floats that multiply_each_in is lent, for factors whose sides are at most these.
template <class B>
[[nodiscard]] index_t multiply_each_in_size(const B& b, index_t longest, index_t shortest) {
  using some = batch_view<const float, typename B::space>;
  if constexpr (requires(batch_view<float, typename B::space> out) {
                  b.template multiply_each_in<compute::tf32>(0.f, some(), false, some(), false, 0.f,
                                                             out);
                })
    return 0;
  else
    return 3 * longest * shortest + multiply_each_size<float>(b, longest, shortest);
}

/// C[i] = a op(A[i]) op(X[i]) + b C[i], rounded once; not both factors are turned.
template <compute How, class B, class E = stored_in<How>>
void multiply_each_in(B& backend, float a,
                      const std::type_identity_t<batch_view<const E, typename B::space>>& A,
                      bool a_turned,
                      const std::type_identity_t<batch_view<const E, typename B::space>>& X,
                      bool x_turned, float b,
                      const std::type_identity_t<batch_view<E, typename B::space>>& C,
                      std::span<float> scratch) {
  using space = typename B::space;
  if constexpr (requires {
                  backend.template multiply_each_in<How>(a, A, a_turned, X, x_turned, b, C);
                }) {
    backend.template multiply_each_in<How>(a, A, a_turned, X, x_turned, b, C);
  } else {
    view_cutter<float, space> take(scratch.data());
    const auto left = take(A.rows, A.cols), right = take(X.rows, X.cols),
               sum = take(C.rows, C.cols);
    const auto rest =
        scratch.subspan(static_cast<std::size_t>(left.size() + right.size() + sum.size()));
    const auto one = [](const matrix_view<float, space>& m) {
      return batch_view<float, space>{m.data(), m.rows(), m.cols(), m.ld(), m.size(), 1};
    };
    for (index_t i = 0; i < C.count; ++i) {
      backend.for_each_entry(entry::read_factor<How>(), left, A[i]);
      backend.for_each_entry(entry::read_factor<How>(), right, X[i]);
      if (b != 0) backend.for_each_entry(entry::recall<How, float>(), sum, C[i].as_const());
      multiply_each<float>(backend, a, one(left).as_const(), a_turned, one(right).as_const(),
                           x_turned, b, one(sum), rest);
      backend.for_each_entry(entry::store<How, float>(), C[i], sum.as_const());
    }
  }
}

}  // namespace fanion
