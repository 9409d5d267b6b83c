/// @file  One step of an odd polynomial for many matrices at once, in whatever they are stored in.
#pragma once

#include <fanion/backend/reduced_products.hpp>
#include <fanion/spectral/polynomials.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace fanion {

/// Y[i] = p(X[i]) = aX + HX on the shorter side, H = bR + cR², R = XXᵀ. `multiply` is multiply_each
/// without backend and scratch; r and h are batches of square matrices. (4 r²L + 2 r³) flops a
/// matrix. No batch has gaps between its members.
template <class B, class E, class Multiply>
void plain_step(B& b, const quintic& p, const batch_view<E, typename B::space>& x,
                const batch_view<E, typename B::space>& y,
                const batch_view<E, typename B::space>& r,
                const batch_view<E, typename B::space>& h, const Multiply& multiply) {
  const bool tall = x.rows > x.cols;
  const auto copy = [&](const batch_view<E, typename B::space>& from,
                        const batch_view<E, typename B::space>& to) {
    const auto all = [](const batch_view<E, typename B::space>& v) {
      return matrix_view<E, typename B::space>(v.pointer, v.stride * v.count, 1);
    };
    if constexpr (Real<E>)
      b.template copy<E>(all(from).as_const(), all(to));
    else
      b.for_each_entry(entry::assign(), all(to), all(from).as_const());
  };
  multiply(1, x.as_const(), tall, x.as_const(), !tall, 0, r);
  copy(x, y);
  // H = R where there is no fifth power.
  const bool cubic = p.c == 0;
  if (!cubic) {
    copy(r, h);
    multiply(p.c, r.as_const(), false, r.as_const(), false, p.b, h);
  }
  const batch_view<const E, typename B::space> factor = (cubic ? r : h).as_const();
  const double first = cubic ? p.b : 1;
  if (tall)
    multiply(first, x.as_const(), false, factor, false, p.a, y);
  else
    multiply(first, factor, false, x.as_const(), false, p.a, y);
}

/// Steps in fewer bits, in memory that is lent, over B.
template <Real T, class B>
class reduced_steps {
 public:
  using space = typename B::space;
  template <class E>
  using batch = batch_view<E, space>;

  /// Scalars of T beside the matrices themselves.
  [[nodiscard]] static index_t scratch_size(const B& b, index_t rows, index_t cols) {
    return multiply_each_in_size(b, std::max(rows, cols), std::min(rows, cols));
  }

  /// p(… p(X) …) for the batch X, which stands in `first` or, at the end, in the one that is
  /// returned; the other is free again. `r` and `h` have room for a square matrix of T each a
  /// member. No batch has gaps.
  [[nodiscard]] static batch<T> run(B& b, compute how, std::span<const quintic> steps,
                                    const batch<T>& first, const batch<T>& second, T* r, T* h,
                                    std::span<T> scratch) {
    return with_compute(
        how, [&]<compute C>() { return run_in<C>(b, steps, first, second, r, h, scratch); });
  }

 private:
  template <class E>
  [[nodiscard]] static batch<E> packed(void* memory, index_t rows, index_t cols, index_t count) {
    return {static_cast<E*>(memory), rows, cols, rows, rows * cols, count};
  }

  template <compute C>
  [[nodiscard]] static batch<T> run_in(B& b, std::span<const quintic> steps, const batch<T>& first,
                                       const batch<T>& second, T* r, T* h, std::span<T> scratch) {
    using E = stored_in<C>;
    // Iterates of half a T stand side by side in `second`, others change places with `first`.
    constexpr bool in_place = std::is_same_v<E, T>;
    const index_t m = first.rows, n = first.cols, count = first.count, side = std::min(m, n);
    const auto lines = [](const auto& v) {
      return matrix_view<std::remove_pointer_t<decltype(v.pointer)>, space>(v.pointer,
                                                                            v.stride * v.count, 1);
    };
    batch<E> now, next;
    if constexpr (in_place) {
      now = first;
      next = second;
    } else {
      static_assert(2 * sizeof(E) <= sizeof(T));
      now = packed<E>(second.pointer, m, n, count);
      next = packed<E>(now.pointer + m * n * count, m, n, count);
      b.for_each_entry(entry::store<C, T>(), lines(now), lines(first).as_const());
    }
    const batch<E> squares[] = {packed<E>(r, side, side, count), packed<E>(h, side, side, count)};
    const std::span<float> floats(static_cast<float*>(static_cast<void*>(scratch.data())),
                                  scratch.size());
    const auto multiply = [&](double a, const batch<const E>& A, bool a_turned,
                              const batch<const E>& X, bool x_turned, double c,
                              const batch<E>& out) {
      multiply_each_in<C>(b, static_cast<float>(a), A, a_turned, X, x_turned, static_cast<float>(c),
                          out, floats);
    };
    for (const quintic& p : steps) {
      plain_step(b, p, now, next, squares[0], squares[1], multiply);
      std::swap(now, next);
    }
    if constexpr (in_place) {
      return now;
    } else {
      b.for_each_entry(entry::recall<C, T>(), lines(first), lines(now).as_const());
      return first;
    }
  }
};

}  // namespace fanion
