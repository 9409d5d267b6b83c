/// @file  Slow and obvious references, and matrices that notice reads and writes outside them.
#pragma once

#include <fanion/backend/concepts.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace fanion_test {

using fanion::index_t;
using fanion::matrix_view;

/// A matrix in long double. Its products are three loops.
class reference {
 public:
  reference(index_t rows, index_t cols)
      : rows_(rows), cols_(cols), data_(static_cast<std::size_t>(rows * cols), 0) {}

  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  long double& operator()(index_t i, index_t j) {
    return data_[static_cast<std::size_t>(i + j * rows_)];
  }
  long double operator()(index_t i, index_t j) const {
    return data_[static_cast<std::size_t>(i + j * rows_)];
  }

 private:
  index_t rows_, cols_;
  std::vector<long double> data_;
};

/// Entry (i, j) is f(i, j).
template <class F>
reference build(index_t rows, index_t cols, F f) {
  reference A(rows, cols);
  for (index_t j = 0; j < cols; ++j)
    for (index_t i = 0; i < rows; ++i) A(i, j) = f(i, j);
  return A;
}

inline reference adjoint(const reference& A) {
  return build(A.cols(), A.rows(), [&](index_t i, index_t j) { return A(j, i); });
}
inline reference magnitude(const reference& A) {
  return build(A.rows(), A.cols(), [&](index_t i, index_t j) { return std::fabs(A(i, j)); });
}
inline reference product(const reference& A, const reference& B) {
  return build(A.rows(), B.cols(), [&](index_t i, index_t j) {
    long double sum = 0;
    for (index_t p = 0; p < A.cols(); ++p) sum += A(i, p) * B(p, j);
    return sum;
  });
}
/// a A + b B, where b == 0 forgets B.
inline reference combine(long double a, const reference& A, long double b, const reference& B) {
  return build(A.rows(), A.cols(),
               [&](index_t i, index_t j) { return a * A(i, j) + (b == 0 ? 0 : b * B(i, j)); });
}
inline long double largest(const reference& A) {
  long double top = 0;
  for (index_t j = 0; j < A.cols(); ++j)
    for (index_t i = 0; i < A.rows(); ++i)
      if (!(std::fabs(A(i, j)) <= top)) top = std::fabs(A(i, j));
  return top;
}
inline long double frobenius_norm(const reference& A) {
  long double sum = 0;
  for (index_t j = 0; j < A.cols(); ++j)
    for (index_t i = 0; i < A.rows(); ++i) sum += A(i, j) * A(i, j);
  return std::sqrt(sum);
}
/// max |AᵀA − I|: how far the columns are from orthonormal.
inline long double frame_error(const reference& A) {
  const reference G = product(adjoint(A), A);
  return largest(build(G.rows(), G.cols(),
                       [&](index_t i, index_t j) { return G(i, j) - (i == j ? 1.0L : 0.0L); }));
}

/// Numbers of T in (−1, 1), the same on every platform.
template <class T>
reference random_matrix(index_t rows, index_t cols, unsigned seed) {
  std::mt19937_64 bits(seed);
  return build(rows, cols, [&](index_t, index_t) {
    return static_cast<long double>(
        static_cast<T>(static_cast<double>(bits() >> 11) * 0x1p-52 - 1));
  });
}
inline reference scaled(long double c, const reference& A) { return combine(c, A, 0, A); }
inline reference symmetrized(const reference& A) { return combine(0.5L, A, 0.5L, adjoint(A)); }

/// n x k orthonormal columns, by Gram and Schmidt's process in long double, twice.
inline reference random_frame(index_t n, index_t k, unsigned seed) {
  reference Q = random_matrix<double>(n, k, seed);
  for (index_t j = 0; j < k; ++j) {
    for (int pass = 0; pass < 2; ++pass)
      for (index_t l = 0; l < j; ++l) {
        long double overlap = 0;
        for (index_t i = 0; i < n; ++i) overlap += Q(i, l) * Q(i, j);
        for (index_t i = 0; i < n; ++i) Q(i, j) -= overlap * Q(i, l);
      }
    long double square = 0;
    for (index_t i = 0; i < n; ++i) square += Q(i, j) * Q(i, j);
    for (index_t i = 0; i < n; ++i) Q(i, j) /= std::sqrt(square);
  }
  return Q;
}

/// How a test reaches a backend's memory. Specialise for a backend whose memory is elsewhere.
template <class Backend>
struct transfer {
  template <class T>
  static void upload(Backend&, const std::vector<T>& from, T* to) {
    std::copy(from.begin(), from.end(), to);
  }
  template <class T>
  static void download(Backend&, const T* from, std::vector<T>& to) {
    std::copy_n(from, to.size(), to.begin());
  }
};

/// A matrix in a backend's memory with ld > rows. The gaps hold NaN, so that a read outside the
/// matrix spoils the result, and a write outside it is seen by `intact`.
template <class Backend, class T>
class panel {
 public:
  panel(Backend& backend, const reference& A, index_t gap = 3)
      : backend_(backend),
        rows_(A.rows()),
        cols_(A.cols()),
        ld_(A.rows() + gap),
        memory_(backend.template make_workspace<T>(ld_ * (cols_ + 1))) {
    std::vector<T> image(static_cast<std::size_t>(memory_.size()),
                         std::numeric_limits<T>::quiet_NaN());
    for (index_t j = 0; j < cols_; ++j)
      for (index_t i = 0; i < rows_; ++i) image[at(i, j)] = static_cast<T>(A(i, j));
    transfer<Backend>::upload(backend_, image, memory_.data());
  }

  auto view() { return matrix_view<T, typename Backend::space>(memory_.data(), rows_, cols_, ld_); }
  auto in() { return view().as_const(); }

  reference get() {
    const std::vector<T> image = read();
    return build(rows_, cols_, [&](index_t i, index_t j) { return image[at(i, j)]; });
  }
  /// Whether every number between the columns and past them is still NaN.
  bool intact() {
    const std::vector<T> image = read();
    for (index_t j = 0; j <= cols_; ++j)
      for (index_t i = j < cols_ ? rows_ : 0; i < ld_; ++i)
        if (!std::isnan(image[at(i, j)])) return false;
    return true;
  }

 private:
  std::size_t at(index_t i, index_t j) const { return static_cast<std::size_t>(i + j * ld_); }
  std::vector<T> read() {
    std::vector<T> image(static_cast<std::size_t>(memory_.size()));
    transfer<Backend>::download(backend_, memory_.data(), image);
    return image;
  }

  Backend& backend_;
  index_t rows_, cols_, ld_;
  decltype(std::declval<Backend&>().template make_workspace<T>(0)) memory_;
};

template <class T>
inline constexpr long double eps = std::numeric_limits<T>::epsilon();

/// A scale at which squares over- or underflow in T.
template <class T>
inline constexpr long double far_out = sizeof(T) == 4 ? 1e30L : 1e300L;

/// Empty, single, row, column, tall, wide, and around the vector and tile widths.
inline std::vector<std::pair<index_t, index_t>> shapes() {
  return {{0, 0},  {0, 3},  {3, 0},   {1, 1},   {1, 7},   {7, 1},   {5, 3},    {8, 16},  {15, 17},
          {48, 8}, {49, 9}, {33, 65}, {97, 31}, {31, 97}, {64, 64}, {130, 20}, {20, 130}};
}

/// Checks |got − want| <= bound, entry by entry, where a NaN fails.
inline void check_within(const reference& got, const reference& want, const reference& bound) {
  REQUIRE(got.rows() == want.rows());
  REQUIRE(got.cols() == want.cols());
  long double excess = 0;
  for (index_t j = 0; j < got.cols(); ++j)
    for (index_t i = 0; i < got.rows(); ++i) {
      const long double over = std::fabs(got(i, j) - want(i, j)) - bound(i, j);
      if (!(over <= excess)) excess = over;
    }
  CHECK(excess == 0);
}

}  // namespace fanion_test
