// The oracles of duals of sums against the definitions: F- and S-Fanions, and sums of more terms.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"
#include "support/wider_run.hpp"

namespace {

using namespace oracle_check;

template <class T, class N>
void check_all(const expressions::expression<N>& e, const facts& f, const matrix_of<T>& m) {
  using namespace fanion;
  const double gap = standard_gap<T>;
  check_general_methods<T>(e, f, m);
  if (e.depth == 0) return;
  check_method<T>(e, f, m, "subspace", subspace{.gap = 1e-3},
                  {.gap = estimate * 1e-3, .proven = false});
  check_method<T>(e, f, m, "lanczos", lanczos{}, {.gap = estimate * gap, .proven = false});
  check_method<T>(e, f, m, "randomized", randomized{}, {.gap = 0.1, .proven = false});
  if (!e.polar) return;
  check_method<T>(e, f, m, "polar express", polar_express{.gap = 1e-3},
                  {.gap = 1e-3, .over = 1e-3});
  check_method<T>(e, f, m, "newton schulz", newton_schulz{},
                  {.gap = 0.5, .over = 0.21, .proven = false});
}

template <class T>
void check_shapes(const std::vector<matrices::shape>& shapes, bool large) {
  std::size_t turn = 0;
  for (const auto& s : shapes) {
    for (const auto& kind : large ? matrices::hard_kinds() : matrices::kinds()) {
      if (large && ++turn % 3 != 0 && !wider_run()) continue;  // five kinds: each has its turn
      INFO(kind.name);
      const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
      const facts f = reference::facts_of(m);
      for (const double alpha : {0.0, 0.5, 1.0})
        for (const std::ptrdiff_t k : {std::ptrdiff_t{1}, std::ptrdiff_t{3}, s.shorter() + 2}) {
          if (large && (alpha != 0.5 || k == 1)) continue;
          CAPTURE(alpha);
          CAPTURE(k);
          expressions::for_each(expressions::sums(s.rows, s.cols, k, alpha),
                                [&](const auto& e) { check_all<T>(e, f, m); });
        }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("balls of sums, ordered weights, Schatten", T, float, double) {
  const auto look = [](const matrices::shape& s, const matrices::kind& kind, std::ptrdiff_t k) {
    INFO(kind.name);
    const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
    const facts f = reference::facts_of(m);
    expressions::for_each(expressions::closed(s.rows, s.cols, k), [&](const auto& e) {
      check_method<T>(e, f, m, "exact", fanion::exact{}, {});
      check_method<T>(e, f, m, "automatic", fanion::automatic{.gap = 1e-2},
                      {.gap = estimate * 1e-2, .over = e.polar ? 1e-2 : 0, .proven = false});
    });
  };
  for (const auto& s : matrices::small_shapes())
    for (const auto& kind : matrices::kinds())
      for (const std::ptrdiff_t k : {std::ptrdiff_t{1}, std::ptrdiff_t{3}, s.shorter() + 2})
        look(s, kind, k);
  for (const auto& kind : matrices::hard_kinds()) look({66, 90}, kind, 5);
}

TEST_CASE("duals of sums, small shapes, float") {
  check_shapes<float>(matrices::small_shapes(), false);
}
TEST_CASE("duals of sums, small shapes, double") {
  check_shapes<double>(matrices::small_shapes(), false);
}
TEST_CASE("duals of sums, large shapes, float") { check_shapes<float>({{65, 65}, {66, 90}}, true); }
TEST_CASE("duals of sums, large shapes, double") {
  check_shapes<double>({{70, 64}, {90, 70}}, true);
}
