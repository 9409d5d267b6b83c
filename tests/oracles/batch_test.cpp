// Batches: each member gets what a plan of its own gives it. Built with and without OpenMP.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

using namespace fanion;
using oracle_check::matrix_of;

namespace {

/// `count` matrices of m x n side by side in one, with a gap between them that belongs to no one.
template <class T>
struct stack {
  stack(Eigen::Index m, Eigen::Index n, Eigen::Index count, T value)
      : memory(matrix_of<T>::Constant(m + 3, (n + 1) * count, value)),
        rows(m),
        cols(n),
        size(count) {}

  [[nodiscard]] batch_view<T> view() {
    return {memory.data() + 1, rows, cols, memory.rows(), memory.rows() * (cols + 1), size};
  }
  [[nodiscard]] auto member(Eigen::Index i) { return memory.block(1, i * (cols + 1), rows, cols); }

  matrix_of<T> memory;
  Eigen::Index rows, cols, size;
};

constexpr Eigen::Index members = 7;

template <class T>
stack<T> inputs(int t) {
  stack<T> m(70, 90, members, T(0));
  for (Eigen::Index i = 0; i < members; ++i)
    m.member(i) = (matrices::graded(70, 90) +
                   0.01 * (t + 1) * matrices::gaussian(70, 90, static_cast<std::uint64_t>(i)))
                      .template cast<T>();
  return m;
}

template <class T, class N, class Method>
void check(const N& n, const Method& method, bool remembers) {
  CHECK(plan_lmo(n, matrix_of<T>(70, 90), method).keeps_subspace() == remembers);
  stack<T> like = inputs<T>(0);
  std::vector<decltype(plan_lmo(n, matrix_of<T>(70, 90), method))> alone;
  for (Eigen::Index i = 0; i < members; ++i)
    alone.push_back(plan_lmo(n, matrix_of<T>(70, 90), method));
  for (const index_t threads : {1, 2, 3, 64}) {
    auto plan = plan_lmo_batch(n, like.view(), method, threads);
    for (auto& p : alone) p.reset();
    for (int t = 0; t < 2; ++t) {
      stack<T> m = inputs<T>(t);
      stack<T> d(70, 90, members, T(5));
      std::vector<lmo_report> reports(static_cast<std::size_t>(members));
      plan.execute(m.view().as_const(), d.view(), reports);
      for (Eigen::Index i = 0; i < members; ++i) {
        auto& own = alone[static_cast<std::size_t>(i)];
        if (!remembers) own.reset();
        matrix_of<T> single;
        const auto report = own.execute(m.view()[i], single);
        CHECK(matrix_of<T>(d.member(i)) == single);
        CHECK(reports[static_cast<std::size_t>(i)].objective == report.objective);
        CHECK(reports[static_cast<std::size_t>(i)].passes == report.passes);
      }
      // The memory between the members is as it was.
      CHECK(d.memory.row(0).minCoeff() == T(5));
      CHECK(d.memory.bottomRows(2).maxCoeff() == T(5));
      CHECK(d.memory.col(90).maxCoeff() == T(5));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("a batch gives the bits of plans of their own, on any number of threads", T,
                   float, double) {
  check<T>(spectral(), polar_express{.gap = 1e-3}, false);
  check<T>(spectral(), newton_schulz{}, false);
  check<T>(dual(ky_fan(3)), subspace{.gap = 1e-2}, true);
  check<T>(dual(0.5 * ky_fan(3) + 0.5 * sum_abs()), lanczos{}, true);
  check<T>(max_abs(), automatic{}, false);
}

TEST_CASE("a batch updates its weights in place") {
  stack<float> like = inputs<float>(0);
  auto plan = plan_lmo_batch(dual(ky_fan(3)), like.view(), subspace{.gap = 1e-2}, 2);
  stack<float> m = inputs<float>(1), x(70, 90, members, 2.0F);
  std::vector<lmo_report> reports(static_cast<std::size_t>(members));
  plan.update(m.view().as_const(), x.view(), 0.5, -0.1, reports);
  for (Eigen::Index i = 0; i < members; ++i) {
    Eigen::MatrixXf own = Eigen::MatrixXf::Constant(70, 90, 2.0F);
    auto single = plan_lmo(dual(ky_fan(3)), own, subspace{.gap = 1e-2});
    (void)single.update(Eigen::MatrixXf(m.member(i)), own, 0.5, -0.1);
    CHECK(Eigen::MatrixXf(x.member(i)) == own);
  }
}

TEST_CASE("one bad member does not spoil the others, and says so") {
  stack<float> like = inputs<float>(0);
  const int threads = 2;  // a variable, which is no backend
  auto plan = plan_lmo_batch(spectral(), like.view(), polar_express{.gap = 1e-3}, threads);
  stack<float> m = inputs<float>(0), d(70, 90, members, 0.0F);
  m.member(2)(3, 4) = std::numeric_limits<float>::quiet_NaN();
  m.member(4).setZero();
  std::vector<lmo_report> reports(static_cast<std::size_t>(members));
  plan.execute(m.view().as_const(), d.view(), reports);
  for (Eigen::Index i = 0; i < members; ++i) {
    const auto out = reports[static_cast<std::size_t>(i)].outcome;
    CHECK(out == (i == 2   ? outcome::non_finite
                  : i == 4 ? outcome::zero_input
                           : outcome::converged));
    CHECK(d.member(i).allFinite());
  }
}

TEST_CASE("bad batches are refused, and nothing is written") {
  stack<float> m = inputs<float>(0), d(70, 90, members, 5.0F);
  std::vector<lmo_report> reports(static_cast<std::size_t>(members));
  auto plan = plan_lmo_batch(spectral(), m.view(), polar_express{.gap = 1e-2}, 2);
  const auto refused = [&](batch_view<const float> in, batch_view<float> out, std::size_t size) {
    CHECK_THROWS_AS(plan.execute(in, out, std::span(reports).first(size)), std::invalid_argument);
    CHECK(d.memory.minCoeff() == 5.0F);
  };
  const auto good_in = m.view().as_const();
  const auto good_out = d.view();
  auto in = good_in;
  auto out = good_out;
  refused(good_in, good_out, 6);
  in.count = 6;
  refused(in, good_out, 7);
  out.rows = 69;
  refused(good_in, out, 7);
  out = good_out;
  out.stride = 0;  // every answer in one place
  refused(good_in, out, 7);
  out.stride = 1;
  refused(good_in, out, 7);
  refused(good_in, m.view(), 7);
  // Each answer in the place of the next matrix: no pair of its own overlaps.
  stack<float> longer(70, 90, members + 1, 3.0F);
  batch_view<float> first = longer.view();
  first.count = members;
  batch_view<float> shifted = first;
  shifted.pointer += shifted.stride;
  refused(first.as_const(), shifted, 7);
  CHECK(longer.memory.maxCoeff() == 3.0F);
  CHECK(longer.memory.minCoeff() == 3.0F);
  out = m.view();
  out.pointer += 1;
  refused(good_in, out, 7);
  CHECK_THROWS_AS((void)plan_lmo_batch(spectral(), m.view(), automatic{}, 0),
                  std::invalid_argument);
  CHECK_THROWS_AS((void)plan_lmo_batch(spectral(), m.view(), automatic{}, 65),
                  std::invalid_argument);
  out.count = -1;
  CHECK_THROWS_AS((void)plan_lmo_batch(spectral(), out), std::invalid_argument);
  out.count = 0;
  auto none = plan_lmo_batch(spectral(), out);
  in.count = 0;
  none.execute(in, out, {});
}
