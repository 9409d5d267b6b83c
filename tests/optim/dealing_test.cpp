#include <fanion/optim/dealing.hpp>

#include <doctest/doctest.h>

#include <atomic>

using namespace fanion;

namespace {

std::vector<std::size_t> dealt(const std::vector<double>& costs, std::size_t workers,
                               std::optional<std::size_t> first = {}) {
  return workers_for(costs, workers,
                     [&](std::size_t i) { return i == 0 ? first : std::optional<std::size_t>(); });
}

using workers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("largest first, each to the worker with the least work") {
  CHECK(dealt({1, 5, 4, 3}, 2) == workers{0, 0, 1, 1});  // 5 + 1 and 4 + 3
  CHECK(dealt({2, 2, 2}, 3) == workers{0, 1, 2});        // of equal ones the first goes first
  CHECK(dealt({7, 1, 1}, 1) == workers{0, 0, 0});
  CHECK(dealt({}, 2).empty());
}

TEST_CASE("what stays where it is counts as work there") {
  CHECK(dealt({6, 5, 4}, 2, 1) == workers{1, 0, 0});
  CHECK(dealt({1, 5, 4}, 2, 1) == workers{1, 0, 1});
}

TEST_CASE("a step's cost: an oracle's grows with the shorter side") {
  CHECK(step_cost(3, 5, true) == 45);
  CHECK(step_cost(5, 3, true) == 45);
  CHECK(step_cost(3, 5, false) == 15);
}

TEST_CASE("every worker works once") {
  for (const std::size_t count : {1u, 2u, 5u}) {
    std::vector<std::atomic<int>> calls(count);
    on_workers(count, [&](std::size_t w) { ++calls[w]; });
    for (const auto& c : calls) CHECK(c == 1);
  }
}
