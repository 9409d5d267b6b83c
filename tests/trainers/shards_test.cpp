#include <common/shards.hpp>
#include <mlp/task.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

using namespace trainers;
using namespace trainer_tests;

TEST_CASE("shards cover all items once, in order, in nearly equal parts") {
  for (const index_t items : {0, 1, 7, 512, 513})
    for (const index_t shards : {1, 2, 3, 8}) {
      index_t next = 0;
      for (index_t s = 0; s < shards; ++s) {
        const item_range r = shard_of(items, s, shards);
        CHECK(r.first == next);
        CHECK(r.count >= items / shards);
        CHECK(r.count <= items / shards + 1);
        next += r.count;
      }
      CHECK(next == items);
    }
}

TEST_CASE("a team runs every shard once a round and waits") {
  shard_team team(3);
  std::vector<int> hits(3, 0);
  for (int round = 0; round < 200; ++round)
    team.run([&](index_t s) { ++hits[static_cast<std::size_t>(s)]; });
  CHECK(hits == std::vector<int>(3, 200));
}

TEST_CASE("what a shard throws reaches the caller, and the team goes on") {
  shard_team team(3);
  const auto fail_from = [&](index_t least) {
    return message_of([&] {
      team.run([&](index_t s) {
        if (s >= least) throw std::runtime_error("shard " + std::to_string(s));
      });
    });
  };
  CHECK(fail_from(2) == "shard 2");
  CHECK(fail_from(1) == "shard 1");
  CHECK(fail_from(0) == "shard 0");
  std::atomic<int> sum{0};
  team.run([&](index_t s) { sum += static_cast<int>(s); });
  CHECK(sum == 3);
  CHECK(contains(message_of([] { shard_team none(0); }), "shard_team: count must be at least 1"));
}

TEST_CASE(
    "a batch gradient has the same bits for the same shard count, and the same value for any") {
  image_data data;
  data.train = striped_images(101, 4);
  data.scale = scale_of(data.train);
  mlp_options o;
  o.hidden = 33;
  o.batch = 101;
  const auto gradient_with = [&](index_t threads) {
    shard_team team(threads);
    mlp_task net(o, data, team);
    net.start(1);
    CHECK(net.descend(9, 0).count == 101);
    std::vector<Eigen::MatrixXf> all;
    for (const auto& p : net.parameters())
      all.emplace_back(Eigen::Map<const Eigen::MatrixXf>(p.gradient.storage.data(),
                                                         p.gradient.rows(), p.gradient.cols()));
    return all;
  };
  const auto one = gradient_with(1), three = gradient_with(3);
  CHECK(gradient_with(3) == three);
  // 101 terms in another order: at most about 101 roundings of the largest entry.
  const float tolerance = 101 * std::numeric_limits<float>::epsilon();
  REQUIRE(one.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(one[i].norm() > 0);
    CHECK((one[i] - three[i]).norm() < tolerance * one[i].norm());
  }
}

TEST_CASE("a permutation holds every number once and follows its seed") {
  const auto p = permutation(1000, 1);
  std::vector<bool> seen(1000, false);
  for (const std::uint32_t i : p) seen.at(i) = true;
  CHECK(std::count(seen.begin(), seen.end(), true) == 1000);
  CHECK(p == permutation(1000, 1));
  CHECK(p != permutation(1000, 2));
}
