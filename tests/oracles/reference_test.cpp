// Every single norm's oracle against the definitions, by every method that serves it.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"
#include "support/wider_run.hpp"

namespace {

using namespace oracle_check;

template <class T, class N>
void check_spectral(const expressions::expression<N>& e, const facts& f, const matrix_of<T>& m) {
  using namespace fanion;
  const double gap = standard_gap<T>;
  check_method<T>(e, f, m, "subspace", subspace{}, {.gap = estimate * gap, .proven = false});
  check_method<T>(e, f, m, "lanczos", lanczos{}, {.gap = estimate * gap, .proven = false});
  check_method<T>(e, f, m, "block krylov", block_krylov{}, {.gap = gap, .converges = false});
  check_method<T>(e, f, m, "block krylov tol", block_krylov{.tol = 1e-3},
                  {.gap = 1e-3, .proven = false, .converges = false});
  check_method<T>(e, f, m, "lanczos tol", lanczos{.tol = 1e-3},
                  {.gap = 1e-3, .proven = false, .converges = false});
  // Without a column to spare, the estimate cannot see what it misses.
  check_method<T>(e, f, m, "power", power{.gap = 1e-2}, {.gap = 5e-2, .proven = false});
  // Two power iterations and eight columns beside those wanted: a tenth is ample for these spectra.
  check_method<T>(e, f, m, "randomized", randomized{}, {.gap = 0.1, .proven = false});
  if (!e.polar) return;
  check_method<T>(e, f, m, "polar express", polar_express{}, {.gap = gap, .over = gap});
  check_method<T>(e, f, m, "qdwh", qdwh{}, {.gap = gap, .over = gap});
  // The Gram matrix leaves 1e-7 of the largest σ in doubt for each of the others, and D by as much.
  check_method<T>(e, f, m, "gram eigen", gram_eigen{},
                  {.gap = 1e-5, .over = 1e-6, .proven = false});
  check_method<T>(e, f, m, "polar express 1e-2", polar_express{.gap = 1e-2},
                  {.gap = 1e-2, .over = 1e-2});
  // Five steps take σ into [0.68, 1.21] except the smallest, so a third may be missed.
  check_method<T>(e, f, m, "newton schulz", newton_schulz{},
                  {.gap = 0.5, .over = 0.21, .proven = false});
  check_method<T>(e, f, m, "classic newton schulz",
                  newton_schulz{.steps = 40, .coefficients = schulz::classic},
                  {.gap = 1e-3, .proven = false});
}

template <class T, class N>
void check_all(const expressions::expression<N>& e, const facts& f, const matrix_of<T>& m) {
  check_general_methods<T>(e, f, m);
  // Norms of entries have no use for the others, which take the compiler long.
  if constexpr (fanion::EntrywiseNorm<fanion::dual_type<N>>)
    CHECK(e.depth == 0);
  else
    check_spectral<T>(e, f, m);
}

template <class T, class Expressions>
void check_shapes(const std::vector<matrices::shape>& shapes, bool large, Expressions make) {
  std::size_t turn = 0;
  for (const auto& s : shapes) {
    for (const auto& kind : large ? matrices::hard_kinds() : matrices::kinds()) {
      if (large && ++turn % 3 != 0 && !wider_run()) continue;  // five kinds: each has its turn
      INFO(kind.name);
      const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
      const facts f = reference::facts_of(m);
      for (const std::ptrdiff_t k : {std::ptrdiff_t{1}, std::ptrdiff_t{3}, s.shorter() + 2}) {
        if (large && k != 3) continue;
        CAPTURE(k);
        expressions::for_each(make(s.rows, s.cols, k),
                              [&](const auto& e) { check_all<T>(e, f, m); });
      }
    }
  }
}

const auto every = [](auto... size) { return expressions::single(size...); };
const auto distinct = [](auto... size) { return expressions::distinct(size...); };

}  // namespace

TEST_CASE("single norms, small shapes, float") {
  check_shapes<float>(matrices::small_shapes(), false, every);
}
TEST_CASE("single norms, small shapes, double") {
  check_shapes<double>(matrices::small_shapes(), false, every);
}
TEST_CASE("single norms, large shapes, float") {
  check_shapes<float>(matrices::large_shapes(), true, distinct);
}
TEST_CASE("single norms, large shapes, double") {
  check_shapes<double>(matrices::large_shapes(), true, distinct);
}
