/// @file  Function objects that write one entry of a matrix: number i of a walk down its columns.
#pragma once

#include <fanion/core/random.hpp>
#include <fanion/core/view.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>

namespace fanion::device {

template <class T>
using device_view = matrix_view<T, device_space>;

/// X(i, j) = value.
template <Real T>
struct fill_entry {
  device_view<T> X;
  T value;
  FANION_HD void operator()(index_t at) const { X(at % X.rows(), at / X.rows()) = value; }
};

/// X(i, j) = random_normal(seed, row + i, col + j).
template <Real T>
struct random_entry {
  device_view<T> X;
  std::uint64_t seed;
  index_t row, col;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % X.rows(), j = at / X.rows();
    X(i, j) = static_cast<T>(random_normal(seed, row + i, col + j));
  }
};

/// Y = a X in Y's precision.
template <Real S, Real T>
struct convert_entry {
  double a;
  device_view<const S> X;
  device_view<T> Y;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % Y.rows(), j = at / Y.rows();
    Y(i, j) = static_cast<T>(a * static_cast<double>(X(i, j)));
  }
};

/// Y(i, j) = f(X(i, j), Y(i, j)), or of X(j, i) where X is turned.
template <Real T, class F>
struct map_entry {
  device_view<const T> X;
  bool turned;
  device_view<T> Y;
  F f;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % Y.rows(), j = at / Y.rows();
    Y(i, j) = f(turned ? X(j, i) : X(i, j), Y(i, j));
  }
};

/// Y(i, j) = f(X(i, j), s(line), Y(i, j)), or of X(j, i).
template <Real T, class F>
struct map_line_entry {
  device_view<const T> X;
  bool turned, by_column;
  const T* s;
  device_view<T> Y;
  F f;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % Y.rows(), j = at / Y.rows();
    Y(i, j) = f(turned ? X(j, i) : X(i, j), s[by_column ? j : i], Y(i, j));
  }
};

/// Y(i, j) = keep Y(i, j) + w[j] X(i, j), with the numbers in the object itself, which goes where
/// it is called: nothing has to be copied before.
template <Real T>
struct scale_columns_entry {
  static constexpr index_t most = sizeof(T) == sizeof(float) ? 256 : 128;

  device_view<const T> X;
  T keep;
  device_view<T> Y;
  T w[static_cast<std::size_t>(most)];
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % Y.rows(), j = at / Y.rows();
    const T x = w[j] * X(i, j);
    Y(i, j) = keep == T(0) ? x : keep * Y(i, j) + x;
  }
};

/// f(x, y, …) for the entries of views of one shape.
template <class F, class T, class... S>
struct call_entry {
  F f;
  device_view<T> X;
  std::tuple<device_view<S>...> rest;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % X.rows(), j = at / X.rows();
    std::apply([&](const auto&... Y) { f(X(i, j), Y(i, j)...); }, rest);
  }
};

/// The upper half of C from its lower half.
template <Real T>
struct mirror_entry {
  device_view<T> C;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % C.rows(), j = at / C.rows();
    if (i < j) C(i, j) = C(j, i);
  }
};

/// R = the upper triangle of A, zeros below.
template <Real T>
struct upper_entry {
  device_view<const T> A;
  device_view<T> R;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % R.rows(), j = at / R.rows();
    R(i, j) = i <= j ? A(i, j) : T(0);
  }
};

/// Exchanges column j and column n - 1 - j of V; walk over rows · (n / 2) entries.
template <Real T>
struct reverse_entry {
  device_view<T> V;
  FANION_HD void operator()(index_t at) const {
    const index_t i = at % V.rows(), j = at / V.rows();
    const T x = V(i, j);
    V(i, j) = V(i, V.cols() - 1 - j);
    V(i, V.cols() - 1 - j) = x;
  }
};

}  // namespace fanion::device
