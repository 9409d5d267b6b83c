#include <cnn/task.hpp>
#include <trainers/runs.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

cnn_options quick(const scratch_folder& folder) {
  cnn_options o;
  o.out = folder.path();
  o.batch = 50;
  o.width = 4;
  o.threads = o.jobs = 1;
  std::filesystem::create_directories(folder / "checkpoints");
  return o;
}

/// Images of 28 x 28 that are bright in one of ten bands, with noise.
image_set bands(index_t count, std::uint64_t seed) {
  image_set images{28, 28, 1, {}, {}};
  for (index_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint8_t>(fanion::random_bits(seed, i, -1) % 10);
    images.labels.push_back(label);
    for (index_t p = 0; p < 784; ++p) {
      const bool bright = p / 28 / 3 == label;
      images.pixels.push_back(
          static_cast<std::uint8_t>(fanion::random_bits(seed, i, p) % 100 + (bright ? 120u : 0u)));
    }
  }
  return images;
}

/// As it lies in memory.
template <class T>
Eigen::Map<const Eigen::MatrixXf> stored(const fanion::oriented_view<T>& m) {
  return {m.storage.data(), m.storage.rows(), m.storage.cols()};
}

run_record run_of(
    const cnn_options& o, const image_data& data, const planned_run& p,
    const run_listener& listen = [](const run_record&) {}) {
  const task_kind kind = cnn_kind(o, data);
  shard_team team(o.shards());
  return one_run(o, kind, p, team)(listen);
}

}  // namespace

TEST_CASE("the plain network learns, with any number of threads, and a run goes on bit for bit") {
  const image_data data = striped_data();
  const scratch_folder folder;
  cnn_options o = quick(folder);
  o.flip = true;
  o.shift = 1;
  o.epochs = 3;
  const planned_run p{"muon", 0.02, 3};
  const run_record one = run_of(o, data, p);
  CHECK(one.losses.size() == 36);
  CHECK(one.losses.front() == doctest::Approx(std::log(10.0)).epsilon(0.1));
  CHECK(one.losses.back() < 0.8f * one.losses.front());
  CHECK(run_of(o, data, p).losses == one.losses);

  // Dropout and augmentation follow the image, so shards change sums by rounding alone.
  cnn_options two = o;
  two.threads = 2;
  const run_record shared = run_of(two, data, p);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(shared.losses[i] == doctest::Approx(one.losses[i]).epsilon(1e-3));

  interrupt_at(17, [&](const auto& listen) { return run_of(o, data, p, listen); });
  o.resume = true;
  const run_record resumed = run_of(o, data, p);
  CHECK(same_numbers(resumed, one));
}

TEST_CASE("the airbench network learns, and is judged by averages of training images") {
  image_data data;
  data.train = bands(300, 1);
  data.held_out = bands(60, 2);
  data.test = bands(60, 3);
  data.scale = scale_of(data.train);
  const scratch_folder folder;
  cnn_options o = quick(folder);
  set_preset("cifar10-airbench", o);
  o.dataset = "bands";
  o.batch = 50;
  o.epochs = 12;
  o.width = 4;
  o.flip = false;
  finish_preset(o);
  const run_record run = run_of(o, data, {"muon", 0.24, 1});
  CHECK(run.losses.size() == 72);
  // Logits are divided by the head's 16 inputs: the order of classes is right long before the loss.
  CHECK(run.losses.back() < 0.95f * run.losses.front());
  CHECK(run.held_out.back().accuracy > 0.6);  // a tenth by chance
  CHECK(run.test.accuracy() > 0.6);

  // What a network says of an image does not depend on the images beside it.
  shard_team one_thread(1), three_threads(3);
  const task_kind kind = cnn_kind(o, data);
  const auto one = kind.make(one_thread), three = kind.make(three_threads);
  one->start(1);
  three->start(1);
  const tally a = one->evaluate(examples_of::test), b = three->evaluate(examples_of::test);
  CHECK(a.count == 60);
  CHECK(b.loss == doctest::Approx(a.loss).epsilon(1e-5));
}

TEST_CASE("airbench: kernels have their length before a step, the rest moves by SGD") {
  image_data data;
  data.train = bands(60, 1);
  data.scale = scale_of(data.train);
  const scratch_folder folder;
  cnn_options o = quick(folder);
  set_preset("cifar10-airbench", o);
  o.batch = 20;
  o.width = 3;
  finish_preset(o);
  CHECK(o.rest_rate() == doctest::Approx(0.053 * 20));
  CHECK(o.head_rate() == doctest::Approx(0.67 * 20));
  CHECK(o.rest_decay == doctest::Approx(2e-6 * 20));

  shard_team team(1);
  const auto net = cnn_kind(o, data).make(team);
  net->start(1);
  o.rest_decay = 0.25;
  const auto opt = make_optimizer("muon",
                                  {.rate = 0.24,
                                   .rest_rate = o.rest_rate(),
                                   .head_rate = o.head_rate(),
                                   .rest_rule = o.rest_rule,
                                   .rest_decay = o.rest_decay},
                                  *net);
  (void)net->descend(1, 0);
  const auto parameters = net->parameters();
  std::vector<Eigen::MatrixXf> expected;
  for (const auto& p : parameters) {
    const auto weight = stored(p.weight), gradient = stored(p.gradient);
    if (p.kind == fanion::parameter_kind::convolution && weight.rows() > 1)
      CHECK(weight.norm() == doctest::Approx(std::sqrt(double(p.weight.rows()))));
    const double rate = p.kind == fanion::parameter_kind::head ? o.head_rate() : o.rest_rate();
    // The first step of Nesterov's momentum: g + 0.85 g.
    expected.emplace_back(0.75f * weight - float(rate * 1.85) * gradient);
  }
  (void)opt->step(0.24);
  int rest = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& p = parameters[i];
    const auto weight = stored(p.weight);
    if (usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) == fanion::treatment::matrix)
      continue;
    ++rest;
    CHECK((weight - expected[i]).norm() <= 1e-5f * (1 + expected[i].norm()));
  }
  CHECK(rest == 8);  // the whitening's bias, six of normalisations, the head
}

TEST_CASE("an image is shown mirrored and moved; what comes in is zero") {
  image_set images{2, 3, 1, {10, 20, 30, 40, 50, 60}, {0}};
  Eigen::MatrixXf out(1, 6);
  show(images, 0, {}, {0, 10}, out);
  CHECK(out == (Eigen::MatrixXf(1, 6) << 1, 2, 3, 4, 5, 6).finished());
  show(images, 0, {true, 0, 0}, {0, 10}, out);
  CHECK(out == (Eigen::MatrixXf(1, 6) << 3, 2, 1, 6, 5, 4).finished());
  show(images, 0, {false, 1, -1}, {0, 10}, out);
  CHECK(out == (Eigen::MatrixXf(1, 6) << 0, 0, 0, 2, 3, 0).finished());
  show(images, 0, {true, 0, 1}, {0, 10}, out);
  CHECK(out == (Eigen::MatrixXf(1, 6) << 0, 3, 2, 0, 6, 5).finished());
}

TEST_CASE("images that a network leaves nothing of are refused") {
  CHECK(contains(message_of([] {
                   (void)plain_network<float>({3, 9, 1}, 10, 4, 0);
                 }),
                 "images are too small for this network: what is left of them, 1 x 4"));
  CHECK(contains(message_of([] {
                   (void)airbench_network<float>({8, 9, 1}, 10, 4, activations<float>::Zero(4, 4));
                 }),
                 "images are too small for this network: what is left of them, 1 x 2"));
  CHECK(plain_network<float>({4, 4, 1}, 10, 4, 0).classes() == 10);
}

TEST_CASE("presets fill in what the command line does not say") {
  CLI::App app;
  cnn_options o;
  run_flags flags;
  add_cnn_options(app, o, flags);
  const char* words[] = {"train", "--epochs", "3",      "--preset", "cifar10-airbench",
                         "--lr",  "muon=0.1", "--data", "/tmp"};
  app.parse(9, words);
  check_image_options(app, o, flags);
  finish_preset(o);
  CHECK(o.rest_rate() == doctest::Approx(106));
  CHECK(o.head_rate() == doctest::Approx(1340));
  CHECK(o.fixed_lengths);
  CHECK(o.network == "airbench");
  CHECK(o.epochs == 3);
  CHECK(o.batch == 2000);
  CHECK(o.rate_of("muon") == 0.1);
  CHECK(o.rate_of("f-muon") == 0.4);
  CHECK(o.published.size() == 8);
}
