/// @file  The symmetric eigenproblem: Householder tridiagonalisation, then implicit QL.
#pragma once

#include <fanion/backend/dense/householder.hpp>

namespace fanion::dense {

/// A = Q T Qᵀ: T's diagonal in d, its off-diagonal in e (n − 1 numbers), Q in Q. A is lost.
///
/// Within a block of columns the reflections are not applied to the rest of A: B, what A should be
/// there, is A − L Rᵀ with L = [v₀ z₀ v₁ z₁ …] and R = [z₀ v₀ z₁ v₁ …], applied once a block.
template <Real T>
void tridiagonalize(matrix_view<T> A, T* d, T* e, matrix_view<T> Q, scratch_stack<T> stack) {
  const index_t n = A.cols();
  fill<T>(Q, T(0));
  for (index_t j = 0; j < n; ++j) Q(j, j) = T(1);
  if (n == 0) return;
  const matrix_view<T> L = stack.take(n, 2 * reflector_block),
                       R = stack.take(n, 2 * reflector_block);
  const matrix_view<T> h = stack.take(2 * reflector_block, 1);
  reflectors<T> product(A.block(n > 1, 0, n - 1, n - 1), n - 1, stack.rest());
  const std::span<T> scratch = product.scratch();
  for (index_t j0 = 0; j0 < n; j0 += reflector_block) {
    const index_t done = std::min(j0 + reflector_block, n);
    for (index_t j = j0; j < done; ++j) {
      const index_t length = n - j - 1, waiting = 2 * (j - j0);
      const matrix_view<T> overlap = h.block(0, 0, waiting, 1);
      for (index_t l = 0; l < waiting; ++l) overlap(l, 0) = R(j, l);
      multiply<T>(T(-1), L.block(j, 0, n - j, waiting).as_const(), overlap.as_const(), T(1),
                  A.block(j, j, n - j, 1), scratch);
      d[j] = A(j, j);
      if (length == 0) break;
      T* v = &A(j + 1, j);
      const T tau = make_reflector<T>(v, length);
      product.factors()[j] = tau;
      e[j] = v[0];
      v[0] = T(1);
      // B − v zᵀ − z vᵀ with z = τ B v − (τ² vᵀBv / 2) v.
      const matrix_view<const T> reflector = column<T>(v, length);
      const matrix_view<T> z = L.block(j + 1, waiting + 1, length, 1);
      multiply_adjoint<T>(tau, A.block(j + 1, j + 1, length, length).as_const(), reflector, T(0), z,
                          scratch);
      multiply_adjoint<T>(T(1), R.block(j + 1, 0, length, waiting).as_const(), reflector, T(0),
                          overlap, scratch);
      multiply<T>(-tau, L.block(j + 1, 0, length, waiting).as_const(), overlap.as_const(), T(1), z,
                  scratch);
      const T half = tau / T(2) * blocked_dot<T>(z.as_const(), reflector);
      axpby<T>(-half, reflector, T(1), z);
      copy<T>(reflector, L.block(j + 1, waiting, length, 1));
      copy<T>(z.as_const(), R.block(j + 1, waiting, length, 1));
      copy<T>(reflector, R.block(j + 1, waiting + 1, length, 1));
    }
    const index_t rest = n - done;
    if (rest > 0)
      multiply_outer<T>(T(-1), L.block(done, 0, rest, 2 * reflector_block).as_const(),
                        R.block(done, 0, rest, 2 * reflector_block).as_const(), T(1),
                        A.block(done, done, rest, rest), scratch);
  }
  if (n > 1) product.apply(Q.block(1, 1, n - 1, n - 1));
}

/// QL steps whose rotations are still to be applied to V: the pairs (c, s) of rows first .. last−1.
/// Waiting lets a strip of V's rows take many steps while it is in cache.
template <Real T>
class rotation_queue {
 public:
  static constexpr index_t steps = 16;
  [[nodiscard]] static constexpr index_t scratch_size(index_t n) noexcept {
    return padded<T>(2 * steps * n);
  }

  rotation_queue(matrix_view<T> V, scratch_stack<T>& stack)
      : V_(V), cs_(stack.take(2 * steps * V.cols())), sn_(cs_ + steps * V.cols()) {}

  [[nodiscard]] T* cosines() const noexcept { return cs_ + count_ * V_.cols(); }
  [[nodiscard]] T* sines() const noexcept { return sn_ + count_ * V_.cols(); }

  /// The step written to cosines() and sines() is complete.
  void push(index_t first, index_t last) {
    first_[count_] = first;
    last_[count_] = last;
    if (++count_ == steps) flush();
  }

  void flush() {
    constexpr index_t group = 4;
    index_t row = 0;
    for (; row + group * lanes<T> <= V_.rows(); row += group * lanes<T>) turn<group>(row, lanes<T>);
    for (; row + lanes<T> <= V_.rows(); row += lanes<T>) turn<1>(row, lanes<T>);
    if (row < V_.rows()) turn<1>(row, V_.rows() - row);
    count_ = 0;
  }

 private:
  [[nodiscard]] static vec<T> get(const T* p, index_t live) {
    return live == lanes<T> ? load<T>(p) : load_part<T>(p, live);
  }
  static void put(T* p, const vec<T>& x, index_t live) {
    if (live == lanes<T>) return store<T>(p, x);
    std::memcpy(p, &x, static_cast<std::size_t>(live) * sizeof(T));
  }

  /// (x, y) <- (c x − s y, s x + c y) for columns i and i+1, i = last−1 down to first, in Count
  /// vectors of rows. The left column of a pair goes on in registers.
  template <index_t Count>
  void turn(index_t row, index_t live) {
    for (index_t step = 0; step < count_; ++step) {
      const T* cs = cs_ + step * V_.cols();
      const T* sn = sn_ + step * V_.cols();
      vec<T> carry[static_cast<std::size_t>(Count)];
#pragma GCC unroll 4
      for (index_t g = 0; g < Count; ++g)
        carry[g] = get(&V_(row + g * lanes<T>, last_[step]), live);
      for (index_t i = last_[step] - 1; i >= first_[step]; --i) {
        T* left = &V_(row, i);
        T* right = &V_(row, i + 1);
#pragma GCC unroll 4
        for (index_t g = 0; g < Count; ++g) {
          const vec<T> x = get(left + g * lanes<T>, live), y = carry[g];
          put(right + g * lanes<T>, sn[i] * x + cs[i] * y, live);
          carry[g] = cs[i] * x - sn[i] * y;
        }
      }
#pragma GCC unroll 4
      for (index_t g = 0; g < Count; ++g)
        put(&V_(row + g * lanes<T>, first_[step]), carry[g], live);
    }
  }

  matrix_view<T> V_;
  T* cs_;
  T* sn_;
  index_t first_[steps] = {}, last_[steps] = {};
  index_t count_ = 0;
};

/// sqrt(x² + y²), by the short way where squares are safe.
template <Real T>
[[nodiscard]] T hypotenuse(T x, T y) noexcept {
  const T square = x * x + y * y;
  using limits = std::numeric_limits<T>;
  return square > limits::min() / limits::epsilon() && is_finite(square) ? std::sqrt(square)
                                                                         : std::hypot(x, y);
}

/// One implicit QL step on rows first .. last of the tridiagonal, with Wilkinson's shift.
template <Real T>
void ql_step(T* d, T* e, index_t first, index_t last, rotation_queue<T>& queue) {
  T* cs = queue.cosines();
  T* sn = queue.sines();
  const T half = (d[first + 1] - d[first]) / (T(2) * e[first]);
  const T shift = d[first] - e[first] / (half + std::copysign(hypotenuse(half, T(1)), half));
  T g = d[last] - shift, s = T(1), c = T(1), p = T(0);
  for (index_t i = last - 1; i >= first; --i) {
    const T f = s * e[i], b = c * e[i];
    const T r = hypotenuse(f, g);
    if (i + 1 < last) e[i + 1] = r;
    if (r == T(0)) {  // the bulge vanished: the matrix splits here
      d[i + 1] -= p;
      return queue.push(i + 1, last);
    }
    s = sn[i] = f / r;
    c = cs[i] = g / r;
    const T h = d[i + 1] - p;
    const T q = (d[i] - h) * s + T(2) * c * b;
    p = s * q;
    d[i + 1] = h + p;
    g = c * q - b;
  }
  d[first] -= p;
  e[first] = g;
  queue.push(first, last);
}

template <Real T>
[[nodiscard]] constexpr index_t eigh_size(index_t n) noexcept {
  constexpr index_t waiting = 2 * reflector_block;
  const index_t reduction_scratch =
      2 * padded<T>(waiting * n) + padded<T>(waiting) + reflectors<T>::scratch_size(n, n, n) +
      std::max(multiply_size<T>(n, waiting, 1), multiply_outer_size<T>(n, n, waiting));
  return padded<T>(n * n) + padded<T>(n) +
         std::max(reduction_scratch, rotation_queue<T>::scratch_size(n));
}

/// A = V diag(w) Vᵀ, w descending, V orthonormal. Reads all of A; about 9n³ flops. A non-finite A
/// gives NaN values and V = I.
template <Real T>
void eigh(input<T> A, std::span<T> w, matrix_view<T> V, std::span<T> scratch) {
  const index_t n = A.cols();
  w = w.first(static_cast<std::size_t>(n));
  const T top = max_abs<T>(A);
  if (!(top > T(0)) || !is_finite(top)) {
    std::fill(w.begin(), w.end(), top > T(0) ? std::numeric_limits<T>::quiet_NaN() : top);
    fill<T>(V, T(0));
    for (index_t j = 0; j < n; ++j) V(j, j) = T(1);
    return;
  }
  const T p = scale_to_one(top);
  scratch_stack<T> stack(scratch);
  const matrix_view<T> W = stack.take(n, n);
  T* d = w.data();
  T* e = stack.take(n);
  axpby<T>(p, A, T(0), W);
  tridiagonalize<T>(W, d, e, V, stack);
  T size = T(0);
  for (index_t i = 0; i < n; ++i) size = std::max(size, std::abs(d[i]));
  for (index_t i = 0; i + 1 < n; ++i) size = std::max(size, std::abs(e[i]));
  rotation_queue<T> queue(V, stack);
  constexpr T eps = std::numeric_limits<T>::epsilon();
  for (index_t first = 0; first + 1 < n; ++first)
    for (index_t steps = 0; steps < 60; ++steps) {
      index_t last = first;
      while (last + 1 < n &&
             std::abs(e[last]) > eps * (std::abs(d[last]) + std::abs(d[last + 1])) &&
             std::abs(e[last]) > eps * eps * size)
        ++last;
      if (last == first) break;
      ql_step<T>(d, e, first, last, queue);
    }
  queue.flush();
  sort_columns<T>(w, V);
  for (T& value : w) value = std::ldexp(value, -std::ilogb(p));
}

}  // namespace fanion::dense
