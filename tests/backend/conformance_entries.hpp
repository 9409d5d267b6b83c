/// @file  What every backend must do: verbs on entries, and reductions.
#pragma once

#include <backend/support.hpp>

#include <fanion/backend/measure.hpp>
#include <fanion/backend/scale_columns.hpp>
#include <fanion/core/random.hpp>

namespace fanion_test {

/// Two roundings of a product and one of the sum.
template <class T>
reference entry_bound(long double a, const reference& X, long double b, const reference& Y) {
  return combine(3 * eps<T> * std::fabs(a), magnitude(X), 3 * eps<T> * std::fabs(b), magnitude(Y));
}

template <class Backend, class T>
void conform_copies(Backend& backend) {
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    CAPTURE(m);
    CAPTURE(n);
    const reference X = random_matrix<T>(m, n, 1), junk = random_matrix<T>(m, n, 2);
    panel<Backend, T> x(backend, X), y(backend, junk), z(backend, adjoint(junk));
    backend.template copy<T>(x.in(), y.view());
    backend.template copy_adjoint<T>(x.in(), z.view());
    CHECK(largest(combine(1, y.get(), -1, X)) == 0);
    CHECK(largest(combine(1, z.get(), -1, adjoint(X))) == 0);
    backend.template fill<T>(y.view(), T(2.5));
    CHECK(largest(combine(1, y.get(), -1, build(m, n, [](index_t, index_t) { return 2.5L; }))) ==
          0);
    CHECK((x.intact() && y.intact() && z.intact()));
  }
}

template <class Backend, class T>
void conform_random(Backend& backend) {
  panel<Backend, T> x(backend, reference(19, 7));
  backend.template random<T>(x.view(), 42, 100, 1000);
  // 4 eps: the transcendental functions of another platform may round differently.
  const reference want = build(19, 7, [](index_t i, index_t j) {
    return static_cast<T>(fanion::random_normal(42, 100 + i, 1000 + j));
  });
  check_within(x.get(), want, build(19, 7, [](index_t, index_t) { return 16 * eps<T>; }));
  CHECK(x.intact());
}

template <class Backend, class T>
void conform_axpby(Backend& backend) {
  const std::pair<double, double> factors[] = {{1, 0}, {-0.75, 1}, {2, -0.5}, {0, 3}};
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    for (const auto& factor : factors) {
      const auto a = factor.first, b = factor.second;
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(a);
      CAPTURE(b);
      const reference X = random_matrix<T>(m, n, 3);
      const reference Y =
          b == 0 ? build(m, n, [](index_t, index_t) { return NAN; }) : random_matrix<T>(m, n, 4);
      panel<Backend, T> x(backend, X), xt(backend, adjoint(X)), y(backend, Y), z(backend, Y);
      backend.template axpby<T>(T(a), x.in(), T(b), y.view());
      backend.template axpby_adjoint<T>(T(a), xt.in(), T(b), z.view());
      const reference want = combine(a, X, b, Y), bound = entry_bound<T>(a, X, b, Y);
      check_within(y.get(), want, bound);
      check_within(z.get(), want, bound);
      CHECK((y.intact() && z.intact()));
    }
  }
}

/// More columns than go into one call.
template <class Backend, class T>
void conform_scale_columns(Backend& backend) {
  for (const auto& shape : {std::pair<index_t, index_t>{0, 3}, {5, 0}, {4, 7}, {3, 600}})
    for (const T keep : {T(0), T(1), T(-0.5)}) {
      const auto m = shape.first, n = shape.second;
      CAPTURE(n);
      CAPTURE(keep);
      const reference X = random_matrix<T>(m, n, 1), w = random_matrix<T>(1, n, 2);
      const reference Y = keep == T(0) ? build(m, n, [](index_t, index_t) { return NAN; })
                                       : random_matrix<T>(m, n, 3);
      std::vector<T> factors;
      for (index_t j = 0; j < n; ++j) factors.push_back(static_cast<T>(w(0, j)));
      panel<Backend, T> x(backend, X), y(backend, Y);
      fanion::scale_columns<T>(backend, factors, x.in(), keep, y.view());
      const reference scaled = build(m, n, [&](index_t i, index_t j) { return w(0, j) * X(i, j); });
      check_within(y.get(), combine(1, scaled, keep, Y), entry_bound<T>(1, scaled, keep, Y));
      CHECK((x.intact() && y.intact()));
    }
}

/// Together what they are one by one, whatever the order.
template <class Backend, class T>
void conform_measure(Backend& backend) {
  using space = typename Backend::space;
  for (const auto& shape : shapes()) {
    const reference X = random_matrix<T>(shape.first, shape.second, 1),
                    Y = random_matrix<T>(shape.first, shape.second, 2);
    panel<Backend, T> x(backend, X), y(backend, Y), yt(backend, adjoint(Y));
    const auto seen = fanion::measure(
        backend, fanion::measured::entries<T, space>{y.in(), fanion::reduction::max_abs},
        fanion::measured::dot<T, space>{x.in(), y.in()},
        fanion::measured::dot<T, space>{x.in(), yt.in(), true},
        fanion::measured::norm<T, space>{x.in()},
        fanion::measured::entries<T, space>{y.in(), fanion::reduction::sum_abs});
    CHECK(seen[0] == backend.reduce_entries(y.in(), fanion::reduction::max_abs));
    CHECK(seen[1] == backend.dot(x.in(), y.in()));
    CHECK(seen[2] == backend.dot_adjoint(x.in(), yt.in()));
    CHECK(seen[3] == backend.norm(x.in()));
    CHECK(seen[4] == backend.reduce_entries(y.in(), fanion::reduction::sum_abs));
  }
}

/// x <- x - 2z, y <- x + y, of the old x: the order in which views are handed over shows.
struct stir {
  template <class T>
  FANION_HD void operator()(T& x, const T& z, T& y) const {
    const T before = x;
    x = before - 2 * z;
    y = before + y;
  }
};

template <class Backend, class T>
void conform_for_each_entry(Backend& backend) {
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    CAPTURE(m);
    CAPTURE(n);
    const reference X = random_matrix<T>(m, n, 5), Y = random_matrix<T>(m, n, 6),
                    Z = random_matrix<T>(m, n, 7);
    panel<Backend, T> x(backend, X), y(backend, Y), z(backend, Z);
    backend.for_each_entry(stir(), x.view(), z.in(), y.view());
    check_within(x.get(), combine(1, X, -2, Z), entry_bound<T>(1, X, -2, Z));
    check_within(y.get(), combine(1, X, 1, Y), entry_bound<T>(1, X, 1, Y));
    CHECK((x.intact() && y.intact() && z.intact()));
    CHECK(largest(combine(1, z.get(), -1, Z)) == 0);
    // One view, twice.
    backend.for_each_entry(fanion::entry::exchange(), y.view(), y.view());
    check_within(y.get(), combine(1, X, 1, Y), entry_bound<T>(1, X, 1, Y));
  }
}

template <class Backend, class T>
void conform_map_entries(Backend& backend) {
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    const reference X = random_matrix<T>(m, n, 5), Y = random_matrix<T>(m, n, 6);
    panel<Backend, T> x(backend, X), xt(backend, adjoint(X)), y(backend, Y), z(backend, Y);
    const auto f = [](T p, T q) { return p < q ? p : T(2) * q; };
    backend.template map_entries<T>(x.in(), y.view(), f);
    backend.template map_entries_adjoint<T>(xt.in(), z.view(), f);
    const reference want = build(
        m, n, [&](index_t i, index_t j) { return X(i, j) < Y(i, j) ? X(i, j) : 2 * Y(i, j); });
    CHECK(largest(combine(1, y.get(), -1, want)) == 0);
    CHECK(largest(combine(1, z.get(), -1, want)) == 0);
    CHECK((y.intact() && z.intact()));
  }
}

/// Far out c² (and 1/c²) leaves T's range, while c times the sums does not.
template <class Backend, class T>
void conform_reductions(Backend& backend) {
  using fanion::reduction;
  for (const auto& shape : shapes()) {
    const auto m = shape.first, n = shape.second;
    for (long double c : {1.0L, far_out<T>, 1 / far_out<T>}) {
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(c);
      const auto round = [](const reference& A) {
        return build(A.rows(), A.cols(), [&](index_t i, index_t j) { return T(A(i, j)); });
      };
      const reference X = round(scaled(c, random_matrix<T>(m, n, 7)));
      const reference Y = round(scaled(1 / c, random_matrix<T>(m, n, 8)));
      panel<Backend, T> x(backend, X), y(backend, Y), yt(backend, adjoint(Y));
      long double sum = 0, magnitudes = 0, dot = 0, dot_magnitudes = 0;
      fanion::entry_position top;
      for (index_t j = 0; j < n; ++j)
        for (index_t i = 0; i < m; ++i) {
          sum += std::fabs(X(i, j));
          magnitudes = std::max(magnitudes, std::fabs(X(i, j)));
          dot += X(i, j) * Y(i, j);
          dot_magnitudes += std::fabs(X(i, j) * Y(i, j));
          if (std::fabs(X(i, j)) > std::fabs(X(top.row, top.col))) top = {i, j};
        }
      // A lane adds at most 80 numbers before it is folded, so 100 eps holds at every size.
      const long double tolerance = 100 * eps<T>;
      const auto close = [&](long double got, long double want, long double scale) {
        return std::fabs(got - want) <= tolerance * scale;
      };
      CHECK(close(backend.norm(x.in()), frobenius_norm(X), frobenius_norm(X)));
      CHECK(close(backend.dot(x.in(), y.in()), dot, dot_magnitudes));
      CHECK(close(backend.dot_adjoint(yt.in(), x.in()), dot, dot_magnitudes));
      CHECK(close(backend.reduce_entries(x.in(), reduction::sum_abs), sum, sum));
      CHECK(static_cast<long double>(backend.reduce_entries(x.in(), reduction::max_abs)) ==
            magnitudes);
      if (m * n > 0) CHECK(backend.locate_max_abs(x.in()) == top);
    }
  }
}

/// Lengths of lines, the host's and the default; far out their squares leave T's range.
template <class Backend, class T>
void conform_line_norms(Backend& backend) {
  using fanion::lines;
  for (const auto& shape : shapes())
    for (long double c : {1.0L, far_out<T>, 1 / far_out<T>})
      for (const lines along : {lines::rows, lines::columns}) {
        const auto m = shape.first, n = shape.second;
        const bool columns = along == lines::columns;
        const index_t count = columns ? n : m;
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(c);
        CAPTURE(columns);
        const reference given = random_matrix<T>(m, n, 12);
        const reference X = build(m, n, [&](index_t i, index_t j) { return T(c * given(i, j)); });
        const reference want = build(count, 1, [&](index_t l, index_t) {
          long double sum = 0;
          for (index_t i = 0; i < (columns ? m : n); ++i)
            sum += columns ? X(i, l) * X(i, l) : X(l, i) * X(l, i);
          return std::sqrt(sum);
        });
        panel<Backend, T> x(backend, X), out(backend, random_matrix<T>(count, 1, 13)),
            simple(backend, random_matrix<T>(count, 1, 14));
        backend.template line_norms<T>(x.in(), along, out.view());
        fanion::defaults::line_norms<T>(backend, x.in(), along, simple.view());
        const reference bound =
            build(count, 1, [&](index_t l, index_t) { return 100 * eps<T> * want(l, 0); });
        check_within(out.get(), want, bound);
        check_within(simple.get(), want, bound);
        CHECK((out.intact() && simple.intact()));
      }
}

template <class Backend, class T>
void conform_map_lines(Backend& backend) {
  using fanion::lines;
  using view = fanion::oriented_view<const T, typename Backend::space>;
  const auto f = [](T p, T s, T q) { return p < q ? s : T(2) * q + p; };
  for (const auto& shape : shapes())
    for (const lines along : {lines::rows, lines::columns}) {
      const auto m = shape.first, n = shape.second;
      const bool columns = along == lines::columns;
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(columns);
      const reference X = random_matrix<T>(m, n, 15), Y = random_matrix<T>(m, n, 16);
      const reference S = random_matrix<T>(columns ? n : m, 1, 17);
      const reference want = build(m, n, [&](index_t i, index_t j) {
        return f(T(X(i, j)), T(S(columns ? j : i, 0)), T(Y(i, j)));
      });
      panel<Backend, T> x(backend, X), xt(backend, adjoint(X)), s(backend, S);
      for (const bool by_default : {false, true})
        for (const bool turned : {false, true}) {
          panel<Backend, T> y(backend, Y);
          const view from{turned ? xt.in() : x.in(), turned};
          // The default reads s on the host.
          if constexpr (!std::same_as<typename Backend::space, fanion::host_space>)
            if (by_default) continue;
          if (by_default)
            fanion::defaults::map_lines<T>(backend, from, along, s.in(), y.view(), f);
          else
            backend.template map_lines<T>(from, along, s.in(), y.view(), f);
          CHECK(largest(combine(1, y.get(), -1, want)) == 0);
          CHECK(y.intact());
        }
    }
}

/// A sum of 2²⁴ equal squares: a plain float sum stops growing at 2²⁴ of the first.
template <class Backend, class T>
void conform_large_norm(Backend& backend) {
  const index_t n = 4096;
  auto memory = backend.template make_workspace<T>(n * n);
  const matrix_view<T, typename Backend::space> X(memory.data(), n, n);
  backend.template fill<T>(X, T(1.1));
  const long double entry = T(1.1);
  CHECK(std::fabs(backend.norm(X.as_const()) / (entry * n) - 1) <= 16 * eps<T>);
  CHECK(std::fabs(backend.dot(X, X) / (entry * entry * n * n) - 1) <= 32 * eps<T>);
  CHECK(std::fabs(backend.dot_adjoint(X, X) / (entry * entry * n * n) - 1) <= 32 * eps<T>);
  CHECK(std::fabs(backend.reduce_entries(X, fanion::reduction::sum_abs) / (entry * n * n) - 1) <=
        32 * eps<T>);
}

/// Products that are subnormal, of which the sum is not; and products that overflow, but cancel.
template <class Backend, class T>
void conform_scaled_dot(Backend& backend) {
  const index_t n = 100;
  const T base = std::sqrt(std::numeric_limits<T>::min() / (n * n));
  const T x = T(1.7) * base, y = T(1.3) * base;
  panel<Backend, T> X(backend, build(n, n, [x](index_t, index_t) { return x; }));
  panel<Backend, T> Y(backend, build(n, n, [y](index_t, index_t) { return y; }));
  const long double want = static_cast<long double>(x) * y * n * n;
  CHECK(std::fabs(backend.dot(X.in(), Y.in()) / want - 1) <= 100 * eps<T>);
  // A power of two: where a compiler fuses multiplication and addition, the rounding of a product
  // does not cancel, and no scale makes it small.
  const long double c = std::ldexp(1.0L, std::ilogb(far_out<T>));
  panel<Backend, T> P(backend, build(2, 1, [c](index_t, index_t) { return c; }));
  panel<Backend, T> Q(backend, build(2, 1, [c](index_t i, index_t) { return i == 0 ? c : -c; }));
  CHECK(backend.dot(P.in(), Q.in()) == T(0));
  // Products beyond the largest number, of which the sum is within.
  const long double large = std::ldexp(1.0L, std::numeric_limits<T>::max_exponent / 2 + 4);
  const long double less = 1 - std::ldexp(1.0L, -10);
  panel<Backend, T> U(backend, build(2, 1, [=](index_t, index_t) { return large; }));
  panel<Backend, T> V(
      backend, build(2, 1, [=](index_t i, index_t) { return i == 0 ? large : -large * less; }));
  CHECK(backend.dot(U.in(), V.in()) == static_cast<T>(large * large * (1 - less)));
}

template <class Backend, class T>
void conform_non_finite(Backend& backend) {
  using fanion::reduction;
  const T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  for (index_t place : {0, 6, 32, 46}) {
    reference X = random_matrix<T>(47, 2, 9);
    const reference ones = build(47, 2, [](index_t, index_t) { return 1.0L; });
    panel<Backend, T> one(backend, ones);
    X(place, 1) = nan;
    X(3, 0) = infinity;
    panel<Backend, T> x(backend, X);
    panel<Backend, T> by_column(backend, reference(2, 1)), by_row(backend, reference(47, 1));
    backend.template line_norms<T>(x.in(), fanion::lines::columns, by_column.view());
    backend.template line_norms<T>(x.in(), fanion::lines::rows, by_row.view());
    CHECK(by_column.get()(0, 0) == infinity);
    CHECK(std::isnan(by_column.get()(1, 0)));
    CHECK(std::isnan(by_row.get()(place, 0)));
    if (place != 3) CHECK(by_row.get()(3, 0) == infinity);
    CHECK(std::isnan(backend.norm(x.in())));
    CHECK(std::isnan(backend.dot(x.in(), one.in())));
    CHECK(std::isnan(backend.reduce_entries(x.in(), reduction::sum_abs)));
    CHECK(std::isnan(backend.reduce_entries(x.in(), reduction::max_abs)));
    X(place, 1) = -infinity;
    X(3, 0) = 1;
    panel<Backend, T> y(backend, X);
    CHECK(backend.norm(y.in()) == infinity);
    CHECK(backend.dot(y.in(), one.in()) == -infinity);
    CHECK(backend.reduce_entries(y.in(), reduction::sum_abs) == infinity);
    CHECK(backend.reduce_entries(y.in(), reduction::max_abs) == infinity);
    CHECK(backend.locate_max_abs(y.in()) == fanion::entry_position{place, 1});
  }
  // Ties go to the first entry in column-major order, whatever its sign.
  panel<Backend, T> tie(backend, build(40, 3, [](index_t i, index_t j) {
                          return i == 37 && j == 1 ? -2.0L : i == 2 && j == 2 ? 2.0L : 1.0L;
                        }));
  CHECK(backend.locate_max_abs(tie.in()) == fanion::entry_position{37, 1});
}

/// The twins give what the verbs return.
template <class Backend, class T>
void conform_twins(Backend& backend) {
  panel<Backend, T> x(backend, random_matrix<T>(30, 4, 10)),
      y(backend, random_matrix<T>(30, 4, 11));
  panel<Backend, T> out(backend, reference(1, 1));
  backend.template dot_to<T>(x.in(), y.in(), out.view());
  CHECK(static_cast<T>(out.get()(0, 0)) == backend.dot(x.in(), y.in()));
  backend.template norm_to<T>(x.in(), out.view());
  CHECK(static_cast<T>(out.get()(0, 0)) == backend.norm(x.in()));
  backend.template reduce_entries_to<T>(x.in(), fanion::reduction::max_abs, out.view());
  CHECK(static_cast<T>(out.get()(0, 0)) ==
        backend.reduce_entries(x.in(), fanion::reduction::max_abs));
  auto scratch = backend.template make_workspace<T>(backend.template orthonormalize_size<T>(30, 4));
  backend.template orthonormalize_to<T>(x.view(), out.view(), scratch.span());
  CHECK(out.get()(0, 0) == 4);
}

}  // namespace fanion_test
