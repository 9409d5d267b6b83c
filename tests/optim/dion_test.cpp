/// @file  Dion against its published pseudo-code in long double, with both kinds of columns, and
/// what becomes of it at the edges.
#include <optim/support.hpp>
#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/dion.hpp>
#include <fanion/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;
using namespace steps;

namespace {

template <class T>
using step_type = dion_step<T, eigen_backend>;

/// Modified Gram and Schmidt, twice; no column is dropped.
table orthogonal(table q) {
  for (int pass = 0; pass < 2; ++pass)
    for (Eigen::Index j = 0; j < q.cols(); ++j) {
      for (Eigen::Index k = 0; k < j; ++k) {
        real overlap = 0;
        for (Eigen::Index i = 0; i < q.rows(); ++i) overlap += q(i, k) * q(i, j);
        for (Eigen::Index i = 0; i < q.rows(); ++i) q(i, j) -= overlap * q(i, k);
      }
      real square = 0;
      for (Eigen::Index i = 0; i < q.rows(); ++i) square += q(i, j) * q(i, j);
      for (Eigen::Index i = 0; i < q.rows(); ++i) q(i, j) /= std::sqrt(square);
    }
  return q;
}

/// One block of the pseudo-code: the state is (m, q), the answer the new weight.
struct by_hand {
  table m, q;

  table step(const table& x, const table& g, const dion& o, real rate) {
    const table b = m + g;
    const table p = orthogonal(reference::product(b, q));
    const table r = reference::product(reference::transposed(b), p);
    const real mu = static_cast<real>(o.mu), decay = static_cast<real>(o.decay);
    m = b - (1 - mu) * reference::product(p, reference::transposed(r));
    if (o.columns == dion_columns::orthonormal) {
      q = orthogonal(r);
    } else {
      q = r;
      for (Eigen::Index j = 0; j < r.cols(); ++j) {
        real square = 0;
        for (Eigen::Index i = 0; i < r.rows(); ++i) square += r(i, j) * r(i, j);
        for (Eigen::Index i = 0; i < r.rows(); ++i) q(i, j) /= std::sqrt(square);
      }
    }
    const real s = o.scaling == shape_scaling::rms
                       ? std::sqrt(static_cast<real>(x.rows()) / static_cast<real>(x.cols()))
                       : 1;
    return (1 - rate * decay) * x - rate * s * reference::product(p, reference::transposed(q));
  }
};

template <class M>
table panel(const M& view) {
  return reference::widen(Eigen::Map<const columns, 0, Eigen::OuterStride<>>(
      view.data(), view.rows(), view.cols(), Eigen::OuterStride<>(view.ld())));
}

template <class W, class G>
void check_against_hand(Eigen::Index m, Eigen::Index n, const dion& o,
                        std::vector<matrix_block> blocks = {}) {
  eigen_backend backend;
  step_type<double> step(o, m, n, backend, blocks);
  W x = matrices::gaussian(m, n, 11);
  table want = reference::widen(x);
  if (blocks.empty()) blocks.push_back({0, 0, m, n});
  std::vector<by_hand> hands;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    hands.push_back({table::Zero(blocks[i].rows, blocks[i].cols), panel(step.right_factor(i))});
  for (std::uint64_t t = 0; t < 6; ++t) {
    const G g = matrices::gaussian(m, n, 20 + t);
    const step_report report = take(step, x, g, 0.1);
    CHECK_FALSE(report.skipped);
    CHECK(report.outcome == outcome::converged);
    const table wide = reference::widen(g);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto& b = blocks[i];
      want.block(b.row, b.col, b.rows, b.cols) =
          hands[i].step(want.block(b.row, b.col, b.rows, b.cols),
                        wide.block(b.row, b.col, b.rows, b.cols), o, 0.1L);
    }
  }
  CHECK(step.steps() == 6);
  // Six power iterations; B Q of Gaussian B and Q has a condition number below 1e4 here.
  CHECK(error(reference::widen(x), want) <= 1e-10);
}

columns change(const columns& before, const columns& after, double rate) {
  return (before - after) / rate;
}
std::vector<double> sigma(const columns& x) {
  std::vector<double> out;
  for (const real s : reference::svd(reference::widen(x)).sigma)
    out.push_back(static_cast<double>(s));
  return out;
}

const dion plain = {.rank = 3, .mu = 0, .scaling = shape_scaling::none};

}  // namespace

TEST_CASE("both kinds of columns follow the pseudo-code, in both storage orders") {
  for (const auto kind : {dion_columns::normalized, dion_columns::orthonormal}) {
    for (const auto& [m, n] : {std::pair(7, 4), std::pair(4, 7), std::pair(5, 5), std::pair(1, 6),
                               std::pair(6, 1), std::pair(1, 1)})
      for (const index_t rank : {1, 3, 99}) {
        const dion o{.rank = rank, .mu = 0.9, .decay = 0.5, .columns = kind, .seed = 3};
        check_against_hand<columns, columns>(m, n, o);
        check_against_hand<rows, rows>(m, n, o);
        check_against_hand<rows, columns>(m, n, o);
        check_against_hand<columns, rows>(m, n, o);
      }
    check_against_hand<columns, columns>(40, 30, {.rank = 8, .columns = kind});
    check_against_hand<rows, columns>(9, 5, {.rank = 2, .columns = kind}, split_qkv(9, 5));
    check_against_hand<columns, rows>(9, 5, {.rank = 4, .columns = kind},
                                      {{0, 0, 4, 2}, {4, 0, 5, 2}, {0, 2, 9, 3}});
  }
}

TEST_CASE("orthonormal columns keep the spectral norm at 1; normalized ones do not") {
  double largest = 0;
  for (const auto kind : {dion_columns::normalized, dion_columns::orthonormal})
    for (std::uint64_t seed = 1; seed < 9; ++seed) {
      dion o = plain;
      o.columns = kind;
      o.seed = seed;
      eigen_backend backend;
      step_type<double> step(o, 8, 6, backend);
      // One direction that dwarfs the rest: the columns of R are nearly parallel at first.
      const columns g = 20 * matrices::rank_one(8, 6) + matrices::gaussian(8, 6, seed);
      columns x = columns::Zero(8, 6);
      take(step, x, g, 1);
      const double top = sigma(x).front();
      if (kind == dion_columns::orthonormal) {
        CHECK(top == doctest::Approx(1).epsilon(1e-13));
        CHECK(sigma(x)[2] == doctest::Approx(1).epsilon(1e-13));
        CHECK(sigma(x)[3] <= 1e-13);
      } else {
        CHECK(top <= std::sqrt(3.0) * (1 + 1e-13));
        largest = std::max(largest, top);
      }
    }
  CHECK(largest > 1.5);
}

TEST_CASE("where B stands still the orthonormal step goes to that of Fanion-r") {
  eigen_backend backend;
  dion o = plain;
  o.mu = 0.5;
  o.columns = dion_columns::orthonormal;
  step_type<double> step(o, 7, 5, backend);
  const columns b = matrices::with_spectrum(7, 5, [](auto k) { return std::pow(0.5, k); });
  columns x = columns::Zero(7, 5), before;
  for (int t = 0; t < 60; ++t) {
    const auto m = step.momentum_buffer();
    const columns g = b - (t == 0 ? columns(columns::Zero(7, 5))
                                  : columns(Eigen::Map<const columns>(m.data(), 7, 5)));
    before = x;
    take(step, x, g, 1);
  }
  const auto d = reference::svd(reference::widen(b));
  CHECK(error(reference::widen(change(before, x, 1)), reference::compose(d, {1, 1, 1})) <= 1e-12);
}

TEST_CASE("a zero gradient keeps Q and decays the weight") {
  eigen_backend backend;
  dion o = plain;
  o.decay = 0.5;
  step_type<double> step(o, 4, 5, backend);
  const table q = panel(step.right_factor());
  columns x = columns::Ones(4, 5);
  const step_report report = take(step, x, columns(columns::Zero(4, 5)), 0.5);
  CHECK(report.outcome == outcome::zero_input);
  CHECK(report.gap == 0);
  CHECK_FALSE(report.skipped);
  CHECK(step.steps() == 1);
  CHECK(x == columns::Constant(4, 5, 0.75));
  CHECK(panel(step.right_factor()) == q);
}

TEST_CASE("a gradient in the kernel of a Q that has settled elsewhere still moves the weight") {
  eigen_backend backend;
  step_type<double> step({.rank = 1, .mu = 0, .scaling = shape_scaling::none}, 2, 3, backend);
  columns x = columns::Zero(2, 3), g = columns::Zero(2, 3);
  g(0, 0) = 2;
  take(step, x, g, 1);
  CHECK(x(0, 0) == -1);
  const table q = panel(step.right_factor());
  REQUIRE(q(1, 0) == 0);
  g.setZero();
  g(1, 1) = 4;
  CHECK(take(step, x, g, 1).outcome == outcome::converged);
  CHECK(x(1, 1) == doctest::Approx(-1));
}

TEST_CASE(
    "a gradient of lower rank moves the weight in that many directions, and the rank returns") {
  for (const auto kind : {dion_columns::normalized, dion_columns::orthonormal}) {
    eigen_backend backend;
    dion o = plain;
    o.columns = kind;
    step_type<double> step(o, 6, 5, backend);
    columns x = columns::Zero(6, 5), before;
    columns one = columns::Zero(6, 5);
    for (int j = 0; j < 5; ++j)
      for (int i = 0; i < 6; ++i) one(i, j) = (i + 1) * (j - 1);
    for (int t = 0; t < 3; ++t) {
      before = x;
      take(step, x, one, 1);
      const auto s = sigma(change(before, x, 1));
      CHECK(s[0] == doctest::Approx(1).epsilon(1e-12));
      CHECK(s[1] <= 1e-12);
    }
    for (Eigen::Index j = 0; j < 3; ++j)
      CHECK(panel(step.right_factor()).col(j).cwiseAbs().maxCoeff() > 0);
    before = x;
    take(step, x, matrices::gaussian(6, 5, 3), 1);
    CHECK(sigma(change(before, x, 1))[2] > 0.1);
    CHECK(x.allFinite());
  }
}

TEST_CASE("what is not finite, or would not be, changes nothing") {
  using single = Eigen::MatrixXf;
  eigen_backend backend;
  dion o = plain;
  o.decay = 0.1;
  const float huge = 3e38f, nan = std::numeric_limits<float>::quiet_NaN(),
              infinite = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinite, -infinite, huge}) {
    step_type<float> step(o, 5, 4, backend), twin(o, 5, 4, backend);
    // Far below what the buffer holds afterwards, so that only `huge` meets a sum that overflows.
    single g = single::Zero(5, 4);
    for (int i = 0; i < 4; ++i) g(i, i) = 1.5e38f;
    single x = single::Ones(5, 4), y = x;
    take(step, x, g, 0.1);
    take(twin, y, g, 0.1);
    REQUIRE(x.allFinite());
    single spoiled = single::Zero(5, 4);
    spoiled(0, 0) = bad;
    const step_report report = take(step, x, spoiled, 0.1);
    CHECK(report.skipped);
    CHECK(report.outcome == outcome::non_finite);
    CHECK(step.steps() == 1);
    CHECK(x == y);
    const auto m = step.momentum_buffer(), m2 = twin.momentum_buffer();
    CHECK(Eigen::Map<const single>(m.data(), 5, 4) == Eigen::Map<const single>(m2.data(), 5, 4));
    take(step, x, single(g * 0.001f), 0.1);
    take(twin, y, single(g * 0.001f), 0.1);
    CHECK(x == y);
  }
}

TEST_CASE("scale: gradients of 1e±30 in float move the weight as those of 1 do") {
  using single = Eigen::MatrixXf;
  const auto end = [](float scale, dion_columns kind) {
    eigen_backend backend;
    dion o = plain;
    o.columns = kind;
    step_type<float> step(o, 6, 5, backend);
    single x = single::Zero(6, 5);
    for (std::uint64_t t = 0; t < 4; ++t)
      take(step, x, single(scale * matrices::gaussian(6, 5, 40 + t).cast<float>()), 1);
    return x;
  };
  for (const auto kind : {dion_columns::normalized, dion_columns::orthonormal}) {
    const single want = end(1, kind);
    CHECK(end(0x1p90f, kind) == want);
    CHECK(end(0x1p-90f, kind) == want);
    CHECK((end(1e30f, kind) - want).cwiseAbs().maxCoeff() <= 1e-3f);
    CHECK((end(1e-30f, kind) - want).cwiseAbs().maxCoeff() <= 1e-3f);
  }
}

TEST_CASE("reset forgets everything") {
  eigen_backend backend;
  step_type<double> step(plain, 5, 4, backend), fresh(plain, 5, 4, backend);
  columns x = columns::Ones(5, 4), y = x, z = x;
  take(step, x, matrices::gaussian(5, 4, 1), 0.1);
  step.reset();
  CHECK(step.steps() == 0);
  take(step, y, matrices::gaussian(5, 4, 2), 0.1);
  take(fresh, z, matrices::gaussian(5, 4, 2), 0.1);
  CHECK(y == z);
}

TEST_CASE("a rule for an optimizer: text, blocks, and checkpoints that resume bit for bit") {
  const dion o{.rank = 2, .columns = dion_columns::orthonormal, .seed = 5};
  using rule_type = optimizer<double>::rule_type;
  CHECK(rule_type(o).name() == "dion");
  CHECK(rule_type(o).has_oracle());
  CHECK(rule_type(o).text() == "dion, rank 2, mu 0.95, decay 0, orthonormal, scaling rms, seed 5");
  CHECK(rule_type(dion{}).text() ==
        "dion, rank 16, mu 0.95, decay 0, normalized, scaling rms, seed 0");

  const auto add = [](optimizer<double>& opt, columns& w, columns& slope) {
    opt.add(make_parameter("w", w, slope, parameter_kind::hidden, split_qkv(9, 5)));
  };
  check_resume(
      o, 6, 3, 3, [](std::uint64_t t) { return matrices::gaussian(9, 5, 50 + t); }, add);

  columns y = matrices::gaussian(9, 5, 1), h = y;
  optimizer<double> second(o, adamw{});
  add(second, y, h);
  second.step(0.1);
  const std::string good = saved(second);
  const auto refused = [&](const std::string& state, const char* message) {
    CHECK_THROWS_WITH_AS(restore(second, state), doctest::Contains(message), std::invalid_argument);
    CHECK(saved(second) == good);
  };
  optimizer<double> whole(o, adamw{});
  whole.add(make_parameter("w", y, h));
  refused(saved(whole), "checkpoint: blocks must be the parameter's, got 1");
  optimizer<double> other(dion{.rank = 3}, adamw{});
  other.add(make_parameter("w", y, h, parameter_kind::hidden, split_qkv(9, 5)));
  refused(saved(other), "checkpoint: parameter w: expected rule dion, rank 2");
  eigen_backend backend;
  step_type<double> small({.rank = 1}, 9, 5, backend), large({.rank = 2}, 9, 5, backend);
  std::ostringstream out;
  archive_writer archive(out);
  small.save(archive);
  std::istringstream in(out.str());
  archive_reader reader(in);
  CHECK_THROWS_WITH_AS(large.load(reader), "checkpoint: the rank must be 2, got 1",
                       std::invalid_argument);
}

TEST_CASE("misuse names what is wrong, and changes nothing") {
  eigen_backend backend;
  step_type<double> step(plain, 3, 2, backend);
  columns x = columns::Ones(3, 2), g = x, other = columns::Ones(2, 3), w = other;
  CHECK_THROWS_WITH_AS(take(step, x, other, 0.1),
                       "step: the shape of the gradient must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(take(step, w, other, 0.1),
                       "step: the shape of the weight must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(take(step, x, g, -0.5), "step: rate must be finite and at least 0, got -0.5",
                       std::invalid_argument);
  CHECK_THROWS_AS(take(step, x, x, 0.1), std::invalid_argument);
  CHECK(x == columns::Ones(3, 2));
  CHECK(step.steps() == 0);
  const auto refused = [&](const dion& o, const char* message) {
    CHECK_THROWS_WITH_AS(step_type<double>(o, 3, 2, backend), message, std::invalid_argument);
    CHECK_THROWS_WITH_AS((void)optimizer<double>::rule_type(o), message, std::invalid_argument);
  };
  refused({.rank = 0}, "dion: rank must be at least 1, got 0");
  refused({.mu = 1}, "dion: mu must be at least 0 and below 1, got 1");
  refused({.decay = -1}, "dion: decay must be finite and at least 0, got -1");
  CHECK_THROWS_WITH_AS(step_type<double>({}, 3, 2, backend, {{1, 0, 3, 2}}),
                       "dion_step: a block must be inside 3 x 2, got 3 x 2 at (1, 0)",
                       std::invalid_argument);
}
