/// @file  Float masters of bfloat16 and half weights: the float run's bits, and nothing lost.
#include <fanion/backend/eigen.hpp>
#include <fanion/core/random.hpp>
#include <fanion/core/reduced.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/elementwise_steps.hpp>
#include <fanion/optim/lmo_step.hpp>
#include <fanion/optim/master_weights.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;

namespace {

/// m x n in memory of its own, with two elements between lines that nobody may touch.
template <class T>
struct framed {
  static constexpr index_t between = 2;
  index_t rows, cols;
  bool by_rows;
  std::vector<T> memory;

  framed(index_t m, index_t n, bool order)
      : rows(m),
        cols(n),
        by_rows(order),
        memory(static_cast<std::size_t>((inner() + between) * outer())) {}
  [[nodiscard]] index_t inner() const { return by_rows ? cols : rows; }
  [[nodiscard]] index_t outer() const { return by_rows ? rows : cols; }
  [[nodiscard]] oriented_view<T> view() {
    return {matrix_view<T>(memory.data(), inner(), outer(), inner() + between), by_rows};
  }
  [[nodiscard]] oriented_view<const T> read() { return {view().storage.as_const(), by_rows}; }
  [[nodiscard]] T& operator()(index_t i, index_t j) {
    return by_rows ? view().storage(j, i) : view().storage(i, j);
  }
};

/// Fills with numbers of Low, whatever the element.
template <Reduced Low, class T>
void fill(framed<T>& x, std::uint64_t seed) {
  for (index_t i = 0; i < x.rows; ++i)
    for (index_t j = 0; j < x.cols; ++j) {
      const Low number = rounded<Low>(static_cast<float>(random_normal(seed, i, j)));
      if constexpr (Reduced<T>)
        x(i, j) = number;
      else
        x(i, j) = widened(number);
    }
}

template <Reduced Low>
float master_entry(master_weights<Low>& master, index_t i, index_t j) {
  const auto w = master.weight();
  return w.transposed ? w.storage(j, i) : w.storage(i, j);
}

template <Reduced Low>
std::string saved(const master_weights<Low>& master) {
  std::ostringstream out;
  archive_writer archive(out);
  master.save(archive);
  return out.str();
}
template <Reduced Low>
void restore(master_weights<Low>& master, const std::string& state) {
  std::istringstream in(state);
  archive_reader archive(in);
  master.load(archive);
}

/// A float run and one in Low with a master, from one start with the same gradients.
template <Reduced Low, class Step, class G, class Rule>
void check_run(const Rule& rule, index_t m, index_t n, bool by_rows) {
  eigen_backend b;
  Step plain(rule, m, n, b), mastered(rule, m, n, b);
  framed<float> x(m, n, by_rows), g(m, n, by_rows);
  framed<Low> low(m, n, by_rows);
  framed<G> slope(m, n, by_rows);
  fill<Low>(x, 1);
  fill<Low>(low, 1);
  master_weights master(low.view());
  for (std::uint64_t t = 0; t < 12; ++t) {
    fill<Low>(g, 100 + t);
    fill<Low>(slope, 100 + t);
    (void)plain.step(x.view(), g.read(), 1e-3);
    master.open(low.view(), slope.read());
    (void)mastered.step(master.weight(), master.gradient(), 1e-3);
    master.close(low.view());
  }
  for (index_t i = 0; i < m; ++i)
    for (index_t j = 0; j < n; ++j) {
      REQUIRE(master_entry(master, i, j) == x(i, j));
      REQUIRE(low(i, j) == rounded<Low>(x(i, j)));
    }
  for (index_t j = 0; j < low.outer(); ++j)
    for (index_t i = 0; i < framed<Low>::between; ++i)
      CHECK(low.memory[static_cast<std::size_t>(j * (low.inner() + 2) + low.inner() + i)] == Low{});
}

}  // namespace

TEST_CASE_TEMPLATE("a run with a master is the float run, bit for bit", Low, bfloat16, float16) {
  for (const bool by_rows : {false, true})
    for (const auto& [m, n] :
         {std::pair(5, 3), std::pair(1, 4), std::pair(4, 1), std::pair(1, 1)}) {
      check_run<Low, elementwise_step<adamw, float, eigen_backend>, Low>(adamw{.decay = 0.1}, m, n,
                                                                         by_rows);
      check_run<Low, elementwise_step<adamw, float, eigen_backend>, float>(adamw{}, m, n, by_rows);
      check_run<Low, lmo_step<spectral, float, eigen_backend>, Low>(lmo_rule<spectral>{spectral()},
                                                                    m, n, by_rows);
    }
}

TEST_CASE("small steps add up; without a master they are lost") {
  eigen_backend b;
  const sgd rule{.momentum = {.beta = 0}};
  elementwise_step<sgd, float, eigen_backend> step(rule, 1, 1, b);
  bfloat16 with = rounded<bfloat16>(1), without = with;
  const bfloat16 slope = rounded<bfloat16>(1);
  const oriented_view<bfloat16> view{matrix_view<bfloat16>(&with, 1, 1), false};
  const oriented_view<const bfloat16> gradient{matrix_view<const bfloat16>(&slope, 1, 1), false};
  master_weights master(view);
  for (int t = 0; t < 512; ++t) {
    master.open(view, gradient);
    (void)step.step(master.weight(), master.gradient(), 0x1p-10);
    master.close(view);
    without = rounded<bfloat16>(widened(without) - 0x1p-10f * widened(slope));
  }
  CHECK(widened(with) == 0.5f);
  CHECK(widened(without) == 1.0f);
}

TEST_CASE_TEMPLATE("an entry changed from outside is taken over, the others keep their rest", Low,
                   bfloat16, float16) {
  for (const bool by_rows : {false, true}) {
    framed<Low> low(3, 2, by_rows), slope(3, 2, !by_rows);
    fill<Low>(low, 1);
    fill<Low>(slope, 2);
    master_weights master(low.view());
    master.open(low.view(), slope.read());
    const auto w = master.weight().storage;
    for (index_t j = 0; j < w.cols(); ++j)
      for (index_t i = 0; i < w.rows(); ++i) w(i, j) *= 1 + 0x1p-15f;  // hidden by rounding
    master.close(low.view());
    const float kept = master_entry(master, 0, 0);
    CHECK(kept != widened(low(0, 0)));
    low(2, 1) = rounded<Low>(7.0f);
    low(1, 0) = rounded<Low>(-0.0f);
    master.open(low.view(), slope.read());
    CHECK(master_entry(master, 0, 0) == kept);
    CHECK(master_entry(master, 2, 1) == 7.0f);
    CHECK(std::signbit(master_entry(master, 1, 0)));
    // The gradient, which is stored in the other order, is where the weight's entries are.
    const auto g = master.gradient();
    CHECK(g.transposed == by_rows);
    for (index_t i = 0; i < 3; ++i)
      for (index_t j = 0; j < 2; ++j)
        CHECK((by_rows ? g.storage(j, i) : g.storage(i, j)) == widened(slope(i, j)));
    // A step that was not closed is undone.
    const auto again = master.weight().storage;
    again(0, 0) += 5;
    master.open(low.view(), slope.read());
    CHECK(master_entry(master, 0, 0) == widened(low(0, 0)));
  }
}

TEST_CASE_TEMPLATE("a skipped step leaves the weight's bits, NaN among them", Low, bfloat16,
                   float16) {
  eigen_backend b;
  elementwise_step<adamw, float, eigen_backend> step(adamw{}, 2, 2, b);
  framed<Low> low(2, 2, false), slope(2, 2, false);
  fill<Low>(low, 1);
  low(0, 1) = Low{0x7f81};  // a NaN; a signalling one of bfloat16
  slope(1, 1) = rounded<Low>(std::numeric_limits<float>::infinity());
  const auto before = low.memory;
  master_weights master(low.view());
  master.open(low.view(), slope.read());
  const step_report r = step.step(master.weight(), master.gradient(), 0.1);
  CHECK(r.skipped);
  CHECK(low.memory == before);
}

TEST_CASE_TEMPLATE("a master is saved and goes on where it was", Low, bfloat16, float16) {
  for (const bool by_rows : {false, true}) {
    framed<Low> low(3, 4, by_rows), slope(3, 4, by_rows);
    fill<Low>(low, 1);
    master_weights master(low.view()), other(low.view()), third(low.view()), unread(low.view());
    const std::string nothing = saved(unread);
    master.open(low.view(), slope.read());
    master.weight().storage(0, 0) += 0x1p-14f;
    master.close(low.view());
    const std::string state = saved(master);
    const float* const memory = other.weight().storage.data();
    restore(other, state);
    CHECK(other.weight().storage.data() == memory);
    CHECK(saved(other) == state);
    third.adopt(other);
    CHECK(saved(third) == state);
    other.open(low.view(), slope.read());  // nothing was changed from outside
    CHECK(saved(other) == state);

    for (std::size_t length = 0; length < state.size(); ++length) {
      CHECK_THROWS_AS(restore(unread, state.substr(0, length)), std::invalid_argument);
      CHECK(saved(unread) == nothing);
    }
    framed<Low> turned(3, 4, !by_rows), narrow(3, 2, by_rows);
    master_weights wrong_order(turned.view()), wrong_shape(narrow.view());
    CHECK_THROWS_WITH_AS(restore(wrong_order, state),
                         by_rows
                             ? "checkpoint: the order of the master weights must be by columns, "
                               "got by rows"
                             : "checkpoint: the order of the master weights must be by rows, "
                               "got by columns",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(restore(wrong_shape, state),
                         "checkpoint: the shape must be 3 x 2, got 3 x 4", std::invalid_argument);
    CHECK_THROWS_AS(wrong_shape.adopt(master), std::invalid_argument);
  }
  framed<bfloat16> b(1, 1, false);
  framed<float16> h(1, 1, false);
  master_weights of_b(b.view()), of_b_again(b.view());
  master_weights of_h(h.view());
  CHECK_THROWS_WITH_AS(
      restore(of_h, saved(of_b)),
      "checkpoint: expected master weights of float16, found master weights of bfloat16",
      std::invalid_argument);
}

TEST_CASE("shapes and orders are named, and nothing is changed") {
  framed<bfloat16> low(3, 2, false), tall(4, 2, false), turned(3, 2, true);
  framed<float> slope(3, 2, false), wide(3, 5, false);
  fill<bfloat16>(low, 1);
  master_weights master(low.view());
  const std::string before = saved(master);
  CHECK_THROWS_WITH_AS(master.open(tall.view(), slope.read()),
                       "master_weights: the shape of the weight must be 3 x 2, got 4 x 2",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(master.open(low.view(), wide.read()),
                       "master_weights: the shape of the gradient must be 3 x 2, got 3 x 5",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(master.open(turned.view(), slope.read()),
                       "master_weights: the storage of the weight must be by columns, got by rows",
                       std::invalid_argument);
  CHECK_THROWS_AS(master.close(tall.view()), std::invalid_argument);
  CHECK_THROWS_AS(master.close(turned.view()), std::invalid_argument);
  CHECK(saved(master) == before);

  framed<bfloat16> none(0, 2, false), no_slope(0, 2, false);
  master_weights empty(none.view());
  CHECK_NOTHROW(empty.open(none.view(), no_slope.read()));
  CHECK_NOTHROW(empty.close(none.view()));
}
