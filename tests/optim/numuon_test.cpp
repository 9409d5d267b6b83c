/// @file  NuMuon: its schedule of ranks, and that each of its steps is Fanion-k's with that k.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/numuon.hpp>
#include <fanion/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

using namespace fanion;
using namespace steps;

namespace {

using step_type = numuon_step<double, eigen_backend>;

const rank_schedule cosine{.shape = rank_shape::cosine, .first = 1, .last = 0.2, .steps = 4};
const rank_schedule pieces{
    .shape = rank_shape::piecewise, .first = 0.6, .pieces = {{2, 0.4}, {3, 0.2}}};
const lmo_options plain{.momentum = {.beta = 0.5, .lookahead = lookahead::none}, .decay = 0.5};

}  // namespace

TEST_CASE("ranks by hand") {
  const auto ranks = [](const rank_schedule& s, index_t r) {
    std::vector<index_t> out;
    for (index_t t = 0; t < 6; ++t) out.push_back(s.rank(t, r));
    return out;
  };
  // 0.2 + 0.4 (1 + cos(πt/4)) = 1, 0.88, 0.6, 0.317, 0.2
  CHECK(ranks(cosine, 10) == std::vector<index_t>{10, 9, 6, 4, 2, 2});
  CHECK(ranks(pieces, 10) == std::vector<index_t>{6, 6, 4, 2, 2, 2});
  CHECK(ranks({.first = 0.25}, 10) == std::vector<index_t>(6, 3));
  CHECK(ranks({.first = 1e-9}, 10) == std::vector<index_t>(6, 1));
  CHECK(ranks({}, 7) == std::vector<index_t>(6, 7));
  // Whole numbers stay whole: 0.07 * 100 is above 7 in double.
  REQUIRE(0.07 * 100 > 7);
  CHECK(rank_schedule{.first = 0.07}.rank(0, 100) == 7);
  for (index_t k = 1; k <= 1000; ++k)
    CHECK(rank_schedule{.first = static_cast<double>(k) / 1000}.rank(0, 1000) == k);
}

TEST_CASE("each step is the oracle's with k of that step, and momentum goes on") {
  const auto check = [](auto kind, Eigen::Index m, Eigen::Index n, const rank_schedule& s,
                        std::vector<matrix_block> blocks = {}) {
    using W = decltype(kind);
    eigen_backend backend;
    step_type step({s, plain}, m, n, backend, blocks);
    if (blocks.empty()) blocks.push_back({0, 0, m, n});
    W x = matrices::gaussian(m, n, 1);
    table want = reference::widen(x), momentum = table::Zero(m, n);
    const index_t side = std::min(blocks[0].rows, blocks[0].cols);
    for (std::uint64_t t = 0; t < 6; ++t) {
      const W g = matrices::gaussian(m, n, 20 + t);
      take(step, x, g, 0.1);
      const index_t k = s.rank(static_cast<index_t>(t), side);
      CHECK(step.rank() == k);
      momentum = 0.5L * momentum + 0.5L * reference::widen(g);
      for (const auto& b : blocks) {
        auto part = want.block(b.row, b.col, b.rows, b.cols);
        part =
            (1 - 0.1L * 0.5L) * part - 0.1L * leading(momentum.block(b.row, b.col, b.rows, b.cols),
                                                      static_cast<std::size_t>(k));
      }
    }
    CHECK(step.steps() == 6);
    CHECK(static_cast<double>((reference::widen(x) - want).cwiseAbs().maxCoeff()) <= 1e-12);
  };
  for (const auto& s : {cosine, pieces, rank_schedule{.first = 0.5}}) {
    check(columns(), 7, 5, s);
    check(rows(), 5, 7, s);
    check(columns(), 1, 6, s);
    check(rows(), 15, 5, s, split_qkv(15, 5));
  }
}

TEST_CASE("a non-finite gradient changes nothing, where k changes too; reset starts over") {
  eigen_backend backend;
  step_type step({pieces, plain}, 7, 5, backend), twin({pieces, plain}, 7, 5, backend);
  columns x = columns::Ones(7, 5), y = x;
  const auto both = [&](std::uint64_t t) {
    const columns g = matrices::gaussian(7, 5, 30 + t);
    take(step, x, g, 0.1);
    take(twin, y, g, 0.1);
  };
  both(0);
  both(1);
  columns bad = x;
  bad(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(take(step, x, bad, 0.1).skipped);
  CHECK(step.steps() == 2);
  CHECK(x == y);
  both(2);
  CHECK(x == y);
  step.reset();
  CHECK(step.steps() == 0);
  CHECK(step.rank() == 3);
  columns z = columns::Ones(7, 5), w = z;
  step_type fresh({pieces, plain}, 7, 5, backend);
  take(step, z, columns(matrices::gaussian(7, 5, 9)), 0.1);
  take(fresh, w, columns(matrices::gaussian(7, 5, 9)), 0.1);
  CHECK(z == w);
}

TEST_CASE("a rule for an optimizer: text, and checkpoints that resume bit for bit") {
  using rule_type = optimizer<double>::rule_type;
  CHECK(rule_type(numuon{cosine, plain}).text() ==
        "numuon, rank 1 to 0.2 in 4, momentum 0.5 ema, decay 0.5, scaling none, seed 0");
  CHECK(rule_type(numuon{pieces, {}}).text() ==
        "numuon, rank 0.6, from 2 0.4, from 3 0.2, momentum 0.95 ema nesterov, decay 0, scaling "
        "none, seed 0");
  // k has reached its last value in the fifth step: warm from there on.
  check_resume(
      numuon{cosine, plain}, 7, 5, 1999,
      [](std::uint64_t t) { return matrices::gaussian(96, 80, 50 + t); },
      [](optimizer<double>& opt, columns& w, columns& g) { opt.add(make_parameter("w", w, g)); });
  eigen_backend backend;
  step_type small({{.first = 0.2}, plain}, 7, 5, backend), large({{}, plain}, 9, 9, backend);
  std::ostringstream out;
  archive_writer archive(out);
  large.save(archive);
  std::istringstream in(out.str());
  archive_reader reader(in);
  CHECK_THROWS_WITH_AS(small.load(reader), "checkpoint: the rank must be from 1 to 5, got 9",
                       std::invalid_argument);
}

TEST_CASE("misuse names what is wrong") {
  eigen_backend backend;
  const auto refused = [&](const rank_schedule& s, const char* message) {
    CHECK_THROWS_WITH_AS(step_type({s, plain}, 7, 5, backend), message, std::invalid_argument);
  };
  refused({.first = 0}, "rank_schedule: share must be finite and above 0, got 0");
  refused({.first = 1.5}, "rank_schedule: share must be between 0 and 1, got 1.5");
  refused({.last = 2}, "rank_schedule: share must be between 0 and 1, got 2");
  refused({.steps = 0}, "rank_schedule: steps must be at least 1, got 0");
  refused({.pieces = {{3, 0.5}, {3, 0.4}}}, "rank_schedule: from must be at least 4, got 3");
  refused({.pieces = {{3, 0}}}, "rank_schedule: share must be finite and above 0, got 0");
  CHECK_THROWS_WITH_AS(step_type({cosine, plain}, 7, 5, backend, {{0, 0, 3, 5}, {3, 0, 4, 5}}),
                       "numuon_step: the shorter side of a block must be 3, got 4",
                       std::invalid_argument);
}
