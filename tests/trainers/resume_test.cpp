#include <mlp/task.hpp>
#include <trainers/runs.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

using namespace trainers;
using namespace trainer_tests;

namespace {

/// 24 steps on stripes: half an epoch a look.
mlp_options quick(const scratch_folder& folder) {
  mlp_options o;
  o.hidden = 16;
  o.batch = 50;
  o.epochs = 2;
  o.threads = o.jobs = 1;
  o.out = folder.path();
  o.spectra = {3, 20};
  std::filesystem::create_directories(folder / "checkpoints");
  return o;
}

run_record run_of(
    const mlp_options& o, const image_data& data, const planned_run& p,
    const run_listener& listen = [](const run_record&) {}) {
  const task_kind kind = mlp_kind(o, data);
  shard_team team(o.shards());
  return one_run(o, kind, p, team)(listen);
}

}  // namespace

TEST_CASE("a run that a signal ended goes on bit for bit") {
  const image_data data = striped_data();
  for (const char* method : {"muon", "adamw", "fanion-3", "dion-3", "s-muon"}) {
    CAPTURE(method);
    const scratch_folder folder;
    mlp_options o = quick(folder);
    const planned_run p{method, 0.02, 5};
    const run_record straight = run_of(o, data, p);
    CHECK(straight.losses.size() == 24);
    CHECK(straight.spectra.size() == 2);
    for (const std::size_t step : {1u, 11u, 12u, 22u}) {
      o.resume = false;
      interrupt_at(step, [&](const auto& listen) { return run_of(o, data, p, listen); });
      CHECK(std::filesystem::exists(checkpoint_path(o, p)));
      o.resume = true;
      std::size_t steps = 0;
      const run_record resumed = run_of(o, data, p, [&](const run_record&) { ++steps; });
      CHECK(same_numbers(straight, resumed));
      CHECK(steps == 24 - step);  // the signal was seen a step later; the end is told once more
    }
  }
}

TEST_CASE("a run that has ended is not run again") {
  const image_data data = striped_data();
  const scratch_folder folder;
  mlp_options o = quick(folder);
  const planned_run p{"muon", 0.02, 5};
  const run_record straight = run_of(o, data, p);
  o.resume = true;
  std::size_t steps = 0;
  CHECK(same_numbers(straight, run_of(o, data, p, [&](const run_record&) { ++steps; })));
  CHECK(steps == 0);
  CHECK(std::filesystem::file_size(checkpoint_path(o, p)) < 4000);  // its record and no weights
  // Nor one that diverged.
  const planned_run wild{"sgd", 1e30, 5};
  CHECK(run_of(o, data, wild).diverged());
  CHECK(run_of(o, data, wild, [&](const run_record&) { ++steps; }).diverged());
  CHECK(steps == 0);
}

TEST_CASE("what is no checkpoint of this run is refused, and says what was expected") {
  const image_data data = striped_data();
  const scratch_folder folder;
  mlp_options o = quick(folder);
  const planned_run p{"muon", 0.02, 5};
  interrupt_at(9, [&](const auto& listen) { return run_of(o, data, p, listen); });
  o.resume = true;
  const auto path = checkpoint_path(o, p);
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> good((std::istreambuf_iterator<char>(file)),
                                       std::istreambuf_iterator<char>());
  const auto refused = [&](const std::vector<std::uint8_t>& bytes) {
    write_bytes(path, bytes);
    const std::string said = message_of([&] { return run_of(o, data, p); });
    CHECK(contains(said, path.string()));
    return said;
  };
  for (std::size_t length = 0; length < good.size(); length += 997)
    CHECK(refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)}) != "");
  for (std::size_t at = 0; at < good.size(); at += 1999) {
    auto bytes = good;
    bytes[at] ^= 0x10;
    CHECK(refused(bytes) != "");
  }
  CHECK(contains(refused({'P', 'K', 3, 4}), "expected it to start with \"fanion run 2\""));
  CHECK(contains(refused({}), "expected it to start with"));
  write_bytes(path, good);
  mlp_options other = o;
  other.momentum = 0.8;
  const std::string said = message_of([&] { return run_of(other, data, p); });
  CHECK(contains(said, "expected mlp, hidden 16"));
  CHECK(contains(said, "momentum 0.9"));
  CHECK(run_of(o, data, p).losses.size() == 24);
}

TEST_CASE("a program killed at any moment leaves the last checkpoint, and loses one interval") {
  const image_data data = striped_data();
  const scratch_folder folder;
  mlp_options o = quick(folder);
  o.save_every = 1;
  const planned_run p{"muon", 0.02, 5};
  const run_record straight = run_of(o, data, p);
  std::filesystem::remove(checkpoint_path(o, p));
  o.resume = true;
  for (int kill_number = 0; kill_number < 12; ++kill_number) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // Over and over, so that it is in the middle of something whenever it is killed.
      try {
        for (;;) {
          (void)run_of(o, data, p);
          std::filesystem::remove(checkpoint_path(o, p));
        }
      } catch (...) {
        _exit(1);  // the parent looks at the file
      }
    }
    const timespec pause{0, 3'000'000L * (1 + 7 * kill_number % 11)};
    nanosleep(&pause, nullptr);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK(same_numbers(straight, run_of(o, data, p)));
  }
}
