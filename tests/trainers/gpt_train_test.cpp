#include <gpt/task.hpp>
#include <trainers/runs.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

/// A little model on a text that repeats itself.
gpt_options quick(const scratch_folder& folder) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "the cat sat on the mat. " + std::to_string(i % 7) + "\n";
  std::ofstream(folder / "text.txt") << text;
  gpt_options o;
  o.text = folder / "text.txt";
  o.out = folder.path();
  o.layers = 1;
  o.heads = 2;
  o.width = 16;
  o.context = 12;
  o.batch = 8;
  o.steps = 60;
  o.look_every = 20;
  o.windows = 16;
  o.sample = 20;
  o.threads = o.jobs = 1;
  std::filesystem::create_directories(folder / "checkpoints");
  return o;
}

run_record run_of(
    gpt_options o, const planned_run& p, const run_listener& listen = [](const run_record&) {}) {
  gpt_experiment e;
  load(o, e);
  const task_kind kind = gpt_kind(o, e);
  shard_team team(o.shards());
  return one_run(o, kind, p, team)(listen);
}

}  // namespace

TEST_CASE("a small model learns a text that repeats itself, and says so") {
  const scratch_folder folder;
  const gpt_options o = quick(folder);
  for (const char* method : {"muon", "adamw"}) {
    CAPTURE(method);
    const run_record run = run_of(o, {method, o.rate_of(method), 1});
    CHECK(run.losses.size() == 60);
    CHECK(run.losses.front() == doctest::Approx(std::log(20.0)).epsilon(0.1));
    CHECK(run.held_out.size() == 3);
    // The frequencies of the characters alone give 2.5; the digit is a guess among seven.
    CHECK(run.held_out.back().loss < 1.8);
    CHECK(run.test.mean_loss() < 1.8);
    CHECK(run.test.accuracy() > 0.45);
    CHECK(run.sample.size() == 21);
  }
}

TEST_CASE("threads and micro-batches change sums by rounding, and nothing else") {
  const scratch_folder folder;
  gpt_options o = quick(folder);
  o.steps = 10;
  const planned_run p{"muon", 0.02, 1};
  const run_record one = run_of(o, p);
  CHECK(run_of(o, p).losses == one.losses);
  CHECK(run_of(o, {"muon", 0.02, 2}).losses != one.losses);
  gpt_options micro = o;
  micro.micro_batch = 3;
  o.threads = 2;
  for (const gpt_options& other : {o, micro}) {
    const run_record run = run_of(other, p);
    REQUIRE(run.losses.size() == 10);
    for (std::size_t i = 0; i < 10; ++i)
      CHECK(run.losses[i] == doctest::Approx(one.losses[i]).epsilon(1e-3));
  }
}

TEST_CASE("a run goes on bit for bit, and its model can be kept and started from") {
  const scratch_folder folder;
  gpt_options o = quick(folder);
  o.steps = 12;
  o.keep_model = true;
  const planned_run p{"muon", 0.02, 1};
  const run_record straight = run_of(o, p);
  interrupt_at(5, [&](const auto& listen) { return run_of(o, p, listen); });
  o.resume = true;
  const run_record resumed = run_of(o, p);
  CHECK(same_numbers(resumed, straight));

  gpt_options again = quick(folder);
  again.init = folder / "muon-0.02-1.llmc.bin";
  again.steps = 1;
  const run_record tuned = run_of(again, {"sgd", 1e-9, 1});
  CHECK(tuned.test.loss == doctest::Approx(straight.test.loss).epsilon(1e-4));
}

TEST_CASE("token files: nanoGPT's, and a vocabulary that must hold them") {
  const scratch_folder folder;
  std::vector<std::uint8_t> tokens;
  for (int i = 0; i < 500; ++i) {
    tokens.push_back(static_cast<std::uint8_t>(i % 5));
    tokens.push_back(0);
  }
  write_bytes(folder / "train.bin", tokens);
  write_bytes(folder / "val.bin", tokens);
  gpt_options o = quick(folder);
  o.text.clear();
  o.tokens = {folder / "train.bin"};
  o.validation = {folder / "val.bin"};
  o.vocabulary = 5;
  const run_record run = run_of(o, {"muon", 0.02, 1});
  CHECK(run.test.mean_loss() < 0.6);  // log 5 = 1.6 without looking
  CHECK(contains(run.sample, "0 1 2 3 4"));
  o.vocabulary = 4;
  CHECK(contains(message_of([&] { return run_of(o, {"muon", 0.02, 1}); }), "expected below 4"));
  o.vocabulary = 5;
  o.context = 400;
  CHECK(contains(message_of([&] { return run_of(o, {"muon", 0.02, 1}); }), "too short"));
}

TEST_CASE("a gradient longer than --clip is shortened to it, whatever the number of threads") {
  const scratch_folder folder;
  gpt_options o = quick(folder);
  const auto length_with = [&](double clip, index_t threads) {
    o.clip = clip;
    gpt_experiment e;
    load(o, e);
    shard_team team(threads);
    const task_kind kind = gpt_kind(o, e);
    const auto net = kind.make(team);
    net->start(1);
    (void)net->descend(1, 0);
    double squares = 0;
    for (const auto& p : net->parameters()) {
      const auto& g = p.gradient.storage;
      for (index_t j = 0; j < g.cols(); ++j)
        for (index_t i = 0; i < g.rows(); ++i) squares += double(g(i, j)) * double(g(i, j));
    }
    return std::sqrt(squares);
  };
  const double whole = length_with(0, 1);
  CHECK(whole > 0.1);
  CHECK(length_with(2 * whole, 1) == whole);
  CHECK(length_with(0.01, 1) == doctest::Approx(0.01).epsilon(1e-5));
  CHECK(length_with(0.01, 3) == doctest::Approx(0.01).epsilon(1e-5));
}

TEST_CASE("drawing: the likeliest at temperature 0, by share otherwise") {
  Eigen::Vector3f logits(0, std::log(3.0f), -1e30f);
  CHECK(draw(logits, 0, 0.0) == 1);
  CHECK(draw(logits, 1, 0.24) == 0);
  CHECK(draw(logits, 1, 0.26) == 1);
  CHECK(draw(logits, 1, 0.999999) == 1);
  CHECK(draw(logits, 1e-3, 0.001) == 1);
}
