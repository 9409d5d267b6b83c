// Plans: memory, determinism, checkpoints, updates.
#include <doctest/doctest.h>

#include "support/oracle_check.hpp"

#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

using namespace fanion;
using oracle_check::matrix_of;

namespace {

constexpr auto f_fanion = dual(0.5 * ky_fan(3) + 0.5 * frobenius());

template <class T>
matrix_of<T> gaussian(Eigen::Index m, Eigen::Index n, std::uint64_t seed = 1) {
  return matrices::gaussian(m, n, seed).cast<T>();
}

/// Bits, so that -0 and 0 differ and NaN equals itself.
template <class T>
bool same_bits(const matrix_of<T>& a, const matrix_of<T>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.data(), b.data(), sizeof(T) * static_cast<std::size_t>(a.size())) == 0;
}

/// A slowly drifting sequence, as momenta are: M_t = low rank + noise.
template <class T>
matrix_of<T> drifting(Eigen::Index m, Eigen::Index n, int t) {
  return (matrices::graded(m, n) + 0.002 * t * matrices::gaussian(m, n, 77)).cast<T>();
}

/// f(norm, method) over every pair of a solver and a need.
template <class F>
void for_each_plan(F&& f) {
  f(frobenius(), automatic{});
  f(f_fanion, exact{});
  f(f_fanion, automatic{});
  f(f_fanion, automatic{.gap = 1e-2});
  f(f_fanion, subspace{.gap = 1e-3});
  f(f_fanion, power{.gap = 1e-2});
  f(f_fanion, randomized{});
  f(f_fanion, lanczos{});
  f(f_fanion, block_krylov{});
  f(f_fanion, block_krylov{.gap = 1e-3, .in_float = true});
  f(spectral(), newton_schulz{});
  f(spectral(), polar_express{});
  f(spectral(), qdwh{});
  f(spectral(), gram_eigen{});
}

template <class N, class M, class Method>
std::string memory_of(const N& n, const M& like, const Method& method, int executions) {
  auto plan = plan_lmo(n, like, method);
  matrix_of<scalar_of<M>> d;
  for (int t = 0; t < executions; ++t)
    (void)plan.execute(drifting<scalar_of<M>>(like.rows(), like.cols(), t), d);
  std::ostringstream out;
  plan.save(out);
  return out.str();
}

}  // namespace

TEST_CASE_TEMPLATE("two plans, the same calls: the same bits", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    const matrix_of<T> like(90, 70);
    auto a = plan_lmo(n, like, method), b = plan_lmo(n, like, method);
    matrix_of<T> da, db;
    for (int t = 0; t < 3; ++t) {
      const matrix_of<T> m = drifting<T>(90, 70, t);
      const auto ra = a.execute(m, da), rb = b.execute(m, db);
      CHECK(same_bits<T>(da, db));
      CHECK(ra.passes == rb.passes);
      CHECK(ra.objective == rb.objective);
      CHECK(ra.bound == rb.bound);
      CHECK(a.report().objective == ra.objective);
    }
  });
}

TEST_CASE_TEMPLATE("reset gives the first answer again, bit for bit", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    auto plan = plan_lmo(n, matrix_of<T>(70, 90), method);
    matrix_of<T> first, later;
    const auto report = plan.execute(drifting<T>(70, 90, 0), first);
    for (int t = 1; t < 3; ++t) (void)plan.execute(drifting<T>(70, 90, 20 * t), later);
    plan.reset();
    const auto again = plan.execute(drifting<T>(70, 90, 0), later);
    CHECK(same_bits<T>(first, later));
    CHECK(again.passes == report.passes);
  });
}

TEST_CASE_TEMPLATE("a warm start saves passes", T, float, double) {
  const auto passes = [](const auto& method) {
    auto plan = plan_lmo(f_fanion, matrix_of<T>(120, 100), method);
    matrix_of<T> d;
    const auto cold = plan.execute(drifting<T>(120, 100, 0), d).passes;
    const auto warm = plan.execute(drifting<T>(120, 100, 0), d).passes;
    return std::pair(cold, warm);
  };
  const auto [cold, warm] = passes(subspace{.gap = 1e-3});
  CHECK(warm < cold);
  const auto [cold_lanczos, warm_lanczos] = passes(lanczos{});
  CHECK(warm_lanczos <= cold_lanczos);
  const auto [cold_krylov, warm_krylov] = passes(block_krylov{.tol = 1e-2});
  CHECK(warm_krylov < cold_krylov);
}

TEST_CASE_TEMPLATE("a warm start in the null space of the next matrix does no harm", T, float,
                   double) {
  // Old and new matrix share neither rows nor columns.
  const Eigen::Index m = 100, n = 90;
  matrix_of<T> old = matrix_of<T>::Zero(m, n), next = matrix_of<T>::Zero(m, n);
  old.topLeftCorner(50, 45) = gaussian<T>(50, 45, 3);
  next.bottomRightCorner(50, 45) = gaussian<T>(50, 45, 4);
  const auto f = reference::facts_of(next);
  const auto best = reference::leading_sum(f, 3);
  const auto check = [&](const auto& method, double gap) {
    auto plan = plan_lmo(dual(ky_fan(3)), old, method);
    matrix_of<T> d;
    (void)plan.execute(old, d);
    const auto report = plan.execute(next, d);
    const auto lost = 1 + reference::dot(f.x, reference::widen(d)) / best;
    CAPTURE(report.passes);
    CHECK(static_cast<double>(lost) <= gap);
  };
  check(subspace{.gap = 1e-3}, 3e-3);
  check(subspace{.oversample = 0, .gap = 1e-3}, 5e-2);
  check(subspace{.oversample = 1, .gap = 1e-3}, 1e-2);
  check(lanczos{.gap = 1e-4}, 3e-4);
  check(block_krylov{.gap = 1e-4}, 1e-4);
  check(automatic{.gap = 1e-2}, 3e-2);
  check(automatic{}, 3e-4);
}

TEST_CASE_TEMPLATE("seed_subspace starts where it is told", T, float, double) {
  const matrix_of<T> m = drifting<T>(120, 100, 0);
  const auto d = reference::svd(reference::widen(m));
  const matrix_of<T> v = d.v.leftCols(8).template cast<T>();
  matrix_of<T> out;
  const auto check = [&](const auto& method, index_t more = 0) {
    auto plan = plan_lmo(f_fanion, m, method);
    const auto cold = plan.execute(m, out).passes;
    plan.reset();
    plan.seed_subspace(v);
    const auto seeded = plan.execute(m, out);
    CHECK(seeded.passes <= cold + more);
    CHECK(seeded.outcome == outcome::converged);
    // Row-major, and more columns than a block holds, and only one, and all of them equal.
    plan.seed_subspace(Eigen::Matrix<T, -1, -1, Eigen::RowMajor>(v));
    CHECK(plan.execute(m, out).outcome == outcome::converged);
    plan.seed_subspace(matrix_of<T>(matrix_of<T>::Identity(100, 100)));
    CHECK(plan.execute(m, out).outcome == outcome::converged);
    plan.seed_subspace(v.col(0));
    CHECK(plan.execute(m, out).outcome == outcome::converged);
    plan.seed_subspace(matrix_of<T>(matrix_of<T>::Ones(100, 8)));
    CHECK(plan.execute(m, out).outcome == outcome::converged);
    plan.seed_subspace(matrix_of<T>(matrix_of<T>::Zero(100, 8)));
    CHECK(plan.execute(m, out).outcome == outcome::converged);
    CHECK_THROWS_AS(plan.seed_subspace(matrix_of<T>(99, 2)), std::invalid_argument);
    CHECK_THROWS_AS(plan.seed_subspace(matrix_of<T>(100, 0)), std::invalid_argument);
  };
  check(subspace{.gap = 1e-3}, 1);  // after a reset one gain is not trusted
  check(lanczos{});
  check(block_krylov{.gap = 1e-3}, 1);  // a read for A V; and the proof asks for as many as before
  auto plain = plan_lmo(frobenius(), m);
  CHECK_THROWS_AS(plain.seed_subspace(v), std::invalid_argument);
  auto full = plan_lmo(f_fanion, m, exact{});
  CHECK_THROWS_AS(full.seed_subspace(v), std::invalid_argument);
  // These start from noise every time, and say so.
  auto forgetful = plan_lmo(f_fanion, m, power{});
  CHECK_THROWS_AS(forgetful.seed_subspace(v), std::invalid_argument);
}

TEST_CASE_TEMPLATE("a seed of NaN is refused or harmless", T, float, double) {
  const matrix_of<T> m = drifting<T>(120, 100, 0);
  const matrix_of<T> v = matrix_of<T>::Constant(100, 4, std::numeric_limits<T>::quiet_NaN());
  const auto check = [&](const auto& method) {
    auto plan = plan_lmo(f_fanion, m, method);
    matrix_of<T> d;
    try {
      plan.seed_subspace(v);
    } catch (const std::invalid_argument&) {
    }
    (void)plan.execute(m, d);
    CHECK(d.allFinite());
    (void)plan.execute(m, d);
    CHECK(d.allFinite());
  };
  check(subspace{});
  check(lanczos{});
  check(block_krylov{.gap = 1e-3});
}

TEST_CASE_TEMPLATE("a matrix of NaN does not spoil the memory", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    auto a = plan_lmo(n, matrix_of<T>(90, 70), method),
         b = plan_lmo(n, matrix_of<T>(90, 70), method);
    matrix_of<T> da, db;
    (void)a.execute(drifting<T>(90, 70, 0), da);
    (void)b.execute(drifting<T>(90, 70, 0), db);
    matrix_of<T> bad = drifting<T>(90, 70, 0);
    bad(3, 4) = std::numeric_limits<T>::quiet_NaN();
    CHECK(a.execute(bad, da).outcome == outcome::non_finite);
    CHECK(a.execute(matrix_of<T>(matrix_of<T>::Zero(90, 70)), da).outcome == outcome::zero_input);
    (void)a.execute(drifting<T>(90, 70, 1), da);
    (void)b.execute(drifting<T>(90, 70, 1), db);
    CHECK(same_bits<T>(da, db));
  });
}

TEST_CASE_TEMPLATE("save and load: the next answers are the same bits", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    auto a = plan_lmo(n, matrix_of<T>(90, 70), method),
         b = plan_lmo(n, matrix_of<T>(90, 70), method);
    matrix_of<T> da, db;
    for (int t = 0; t < 3; ++t) (void)a.execute(drifting<T>(90, 70, t), da);
    std::stringstream file;
    a.save(file);
    b.load(file);
    std::ostringstream copy;
    b.save(copy);
    CHECK(copy.str() == file.str());
    for (int t = 3; t < 5; ++t) {
      (void)a.execute(drifting<T>(90, 70, t), da);
      (void)b.execute(drifting<T>(90, 70, t), db);
      CHECK(same_bits<T>(da, db));
    }
    std::ostringstream again, once;
    a.save(again);
    b.save(once);
    CHECK(again.str() == once.str());
  });
}

TEST_CASE_TEMPLATE("a checkpoint cut short throws and changes nothing", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    const matrix_of<T> like(90, 70);
    const std::string other = memory_of(n, like, method, 3);
    auto plan = plan_lmo(n, like, method);
    matrix_of<T> d;
    (void)plan.execute(drifting<T>(90, 70, 9), d);
    std::ostringstream before;
    plan.save(before);
    for (const std::size_t left :
         {std::size_t{0}, std::size_t{5}, std::size_t{20}, other.size() / 2, other.size() - 1}) {
      std::istringstream in(other.substr(0, left));
      CHECK_THROWS_AS(plan.load(in), std::invalid_argument);
      std::ostringstream after;
      plan.save(after);
      CHECK(after.str() == before.str());
    }
    // The first bytes say what it is.
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{8}, std::size_t{16}, std::size_t{24}}) {
      std::string bad = other;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      std::istringstream in(bad);
      CHECK_THROWS_AS(plan.load(in), std::invalid_argument);
      std::ostringstream after;
      plan.save(after);
      CHECK(after.str() == before.str());
    }
  });
}

TEST_CASE_TEMPLATE("another plan's checkpoint throws and changes nothing", T, float, double) {
  using U = std::conditional_t<std::same_as<T, float>, double, float>;
  const matrix_of<T> like(90, 70);
  const auto refuses = [&](const auto& n, const auto& method, const std::string& file) {
    auto plan = plan_lmo(n, like, method);
    matrix_of<T> d;
    (void)plan.execute(drifting<T>(90, 70, 0), d);
    std::ostringstream before, after;
    plan.save(before);
    // More data may follow in the stream: a plan reads its own part only.
    std::istringstream in(file + file);
    CHECK_THROWS_AS(plan.load(in), std::invalid_argument);
    plan.save(after);
    CHECK(after.str() == before.str());
  };
  const subspace block{.gap = 1e-3};
  refuses(f_fanion, block, memory_of(f_fanion, matrix_of<U>(90, 70), block, 1));
  refuses(f_fanion, block, memory_of(f_fanion, matrix_of<T>(90, 71), block, 1));
  refuses(f_fanion, block, memory_of(f_fanion, matrix_of<T>(70, 90), block, 1));
  refuses(f_fanion, block, memory_of(f_fanion, like, lanczos{}, 1));
  refuses(f_fanion, lanczos{}, memory_of(f_fanion, like, block, 1));
  refuses(f_fanion, exact{}, memory_of(f_fanion, like, block, 1));
  refuses(frobenius(), exact{}, memory_of(f_fanion, like, block, 1));
  refuses(spectral(), polar_express{}, memory_of(f_fanion, like, block, 1));
  // The same solver, but another depth or width.
  refuses(f_fanion, block, memory_of(dual(ky_fan(5)), like, block, 1));
  refuses(f_fanion, block, memory_of(dual(ky_fan(2)), like, block, 1));
  refuses(f_fanion, block, memory_of(f_fanion, like, subspace{.oversample = 3}, 1));
  refuses(f_fanion, lanczos{}, memory_of(dual(ky_fan(5)), like, lanczos{}, 1));
  refuses(f_fanion, lanczos{}, memory_of(dual(ky_fan(2)), like, lanczos{}, 1));
  refuses(f_fanion, block_krylov{}, memory_of(f_fanion, like, lanczos{}, 1));
  refuses(f_fanion, block_krylov{}, memory_of(dual(ky_fan(2)), like, block_krylov{}, 1));
}

TEST_CASE_TEMPLATE("plans move, and go on", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    auto stays = plan_lmo(n, matrix_of<T>(90, 70), method);
    auto first = plan_lmo(n, matrix_of<T>(90, 70), method);
    matrix_of<T> da, db;
    (void)stays.execute(drifting<T>(90, 70, 0), da);
    (void)first.execute(drifting<T>(90, 70, 0), db);
    auto second = std::move(first);
    (void)stays.execute(drifting<T>(90, 70, 1), da);
    (void)second.execute(drifting<T>(90, 70, 1), db);
    CHECK(same_bits<T>(da, db));
    auto third = plan_lmo(n, matrix_of<T>(5, 4), method);
    third = std::move(second);
    (void)stays.execute(drifting<T>(90, 70, 2), da);
    (void)third.execute(drifting<T>(90, 70, 2), db);
    CHECK(same_bits<T>(da, db));
  });
}

TEST_CASE("a caller's backend is used by reference") {
  eigen_backend backend;
  const Eigen::MatrixXf m = gaussian<float>(80, 70);
  auto plan = plan_lmo(f_fanion, m, exact{}, backend);
  auto owns = plan_lmo(f_fanion, m, exact{});
  Eigen::MatrixXf a, b;
  (void)plan.execute(m, a);
  (void)owns.execute(m, b);
  CHECK(same_bits<float>(a, b));
  static_assert(!std::is_copy_constructible_v<decltype(plan)>);
  static_assert(!std::is_copy_constructible_v<decltype(owns)>);
  static_assert(std::is_nothrow_move_constructible_v<decltype(owns)>);
}

TEST_CASE("like is read for its shape only") {
  const Eigen::Map<const Eigen::MatrixXf> nowhere(nullptr, 80, 70);
  auto plan = plan_lmo(f_fanion, nowhere);
  CHECK(plan.rows() == 80);
  CHECK(plan.cols() == 70);
  Eigen::MatrixXf d;
  CHECK(plan.execute(gaussian<float>(80, 70), d).outcome == outcome::converged);
  Eigen::MatrixXf nan = Eigen::MatrixXf::Constant(80, 70, std::numeric_limits<float>::quiet_NaN());
  CHECK_NOTHROW((void)plan_lmo(f_fanion, nan));
}

TEST_CASE_TEMPLATE("one expression, one factorisation", T, float, double) {
  // Norms of one matrix and its polynomials cost what the deepest of them costs alone.
  const matrix_of<T> m = drifting<T>(90, 70, 1);
  matrix_of<T> d;
  const auto both = lmo(dual(ky_fan(3) + spectral()), m, d, lanczos{});
  const auto deep = lmo(dual(ky_fan(3)), m, d, lanczos{});
  CHECK(both.passes == deep.passes);
  CHECK(both.iterations == deep.iterations);
  const auto with_length = lmo(f_fanion, m, d, lanczos{});
  CHECK(with_length.iterations == deep.iterations);
  CHECK(with_length.passes == deep.passes + 1);  // the direction M is read when D is written
  const auto exactly = lmo(dual(ky_fan(3) + spectral() + nuclear()), m, d, exact{});
  CHECK(exactly.iterations == 1);
  CHECK(exactly.passes == 2);  // finiteness and ‖M‖, then the decomposition
}

TEST_CASE_TEMPLATE("update is X <- keep X + rate D", T, float, double) {
  for_each_plan([](const auto& n, const auto& method) {
    const matrix_of<T> m = drifting<T>(90, 70, 1), before = gaussian<T>(90, 70, 5);
    auto a = plan_lmo(n, m, method), b = plan_lmo(n, m, method);
    matrix_of<T> d;
    const auto report = a.execute(m, d);
    for (const auto& [keep, rate] :
         {std::pair(0.75, 0.3), {1.0, 2.0}, {0.0, 1.0}, {1.0, 0.0}, {-0.5, -1.0}}) {
      matrix_of<T> x = before;
      b.reset();
      const auto updated = b.update(m, x, keep, rate);
      const matrix_of<T> expected = T(keep) * before + T(rate) * d;
      CHECK((x - expected).norm() <=
            T(8) * std::numeric_limits<T>::epsilon() * (before.norm() + d.norm()));
      CHECK(updated.objective == report.objective);
      // Row-major X, and M.
      Eigen::Matrix<T, -1, -1, Eigen::RowMajor> row = before;
      b.reset();
      (void)b.update(m, row, keep, rate);
      CHECK((row - expected).norm() <=
            T(8) * std::numeric_limits<T>::epsilon() * (before.norm() + d.norm()));
    }
    matrix_of<T> x = before;
    (void)b.update(matrix_of<T>(matrix_of<T>::Zero(90, 70)), x, 0.5, 3);
    CHECK(same_bits<T>(x, T(0.5) * before));
    matrix_of<T> bad = m;
    bad(0, 0) = std::numeric_limits<T>::infinity();
    x = before;
    (void)b.update(bad, x, 1, 3);
    CHECK(same_bits<T>(x, before));
  });
}
