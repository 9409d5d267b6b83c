#include <mlp/task.hpp>
#include <run/output.hpp>
#include <run/tune.hpp>
#include <trainers/runs.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace trainers;
using namespace trainer_tests;

namespace {

/// A quick experiment on synthetic stripes.
mlp_options quick() {
  mlp_options o;
  o.hidden = 16;
  o.batch = 50;
  o.epochs = 2;
  o.threads = 1;
  o.jobs = 1;
  o.seeds = {1, 2};
  o.methods = {"sgd", "muon"};
  return o;
}

std::vector<planned_run> plan_of(const mlp_options& o) {
  std::vector<planned_run> plan;
  for (const std::string& method : o.methods)
    for (const std::uint64_t seed : o.seeds) plan.push_back({method, o.rate_of(method), seed});
  return plan;
}

std::vector<run_record> quiet_runs(mlp_options o, const image_data& data) {
  const scratch_folder folder;
  o.out = folder.path();
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  std::vector<run_record> runs;
  {
    progress say(nowhere, false);
    runs = run_all(o, mlp_kind(o, data), plan_of(o), say);
  }
  std::fclose(nowhere);
  return runs;
}

std::filesystem::path fashion_folder() {
  const char* named = std::getenv("FANION_FASHION_MNIST");
  return named != nullptr ? named : "/usr/share/datasets/fashion-mnist";
}

}  // namespace

TEST_CASE("every default method beats a fixed loss on a small real subset") {
  mlp_options o = quick();
  o.data = fashion_folder();
  INFO("needs Fashion-MNIST: Debian's dataset-fashion-mnist, or FANION_FASHION_MNIST=folder");
  REQUIRE(std::filesystem::is_directory(o.data));
  o.limit = 2000;
  o.hidden = 32;
  o.batch = 100;
  o.seeds = {1};
  o.methods = mlp_options().methods;
  const image_data data = load_images(o);
  CHECK(data.train.size() == 2000);
  CHECK(data.held_out.size() == 2000);
  REQUIRE(data.test);
  CHECK(data.test->size() == 2000);
  CHECK(data.scale.mean == doctest::Approx(0.286 * 255).epsilon(0.02));
  CHECK(data.scale.deviation == doctest::Approx(0.353 * 255).epsilon(0.02));
  for (const run_record& run : quiet_runs(o, data)) {
    CAPTURE(run.method);
    CHECK(run.steps == 40);
    CHECK(run.losses.size() == 40);
    CHECK(run.losses.front() > 2.2f);    // ln 10 = 2.30: nothing is known at the start
    CHECK(run.train.mean_loss() < 1.0);  // classes told apart well beyond chance
    CHECK(run.test.accuracy() > 0.6);
    CHECK(run.held_out.size() == 4);
    CHECK(run.held_out.back().step == 40);
  }
}

TEST_CASE("a run has the same bits for a seed and a shard count, whatever runs beside it") {
  const image_data data = striped_data();
  mlp_options o = quick();
  const auto alone = quiet_runs(o, data);
  const auto again = quiet_runs(o, data);
  o.threads = o.jobs = 3;
  const auto beside = quiet_runs(o, data);
  o.jobs = 1;
  const auto sharded = quiet_runs(o, data);
  const auto sharded_again = quiet_runs(o, data);
  REQUIRE(alone.size() == 4);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    CAPTURE(i);
    CHECK(same_numbers(alone[i], again[i]));
    CHECK(same_numbers(alone[i], beside[i]));
    CHECK(same_numbers(sharded[i], sharded_again[i]));
    CHECK(alone[i].train.mean_loss() ==
          doctest::Approx(sharded[i].train.mean_loss()).epsilon(0.01));
  }
  CHECK_FALSE(same_numbers(alone[0], alone[1]));
}

TEST_CASE("a run records its momenta, or says that it is too short to") {
  const scratch_folder folder;
  mlp_options o = quick();
  o.record = folder.path();
  o.record_steps = 24;
  const auto runs = quiet_runs(o, striped_data());
  CHECK(runs[0].steps == 24);
  for (const run_record& run : runs) {  // the oracle's dual norms; SGD has no oracle
    CHECK(run.dual_norms.size() == 24);
    for (const float x : run.dual_norms) CHECK((x > 0) == (run.method == "muon"));
  }
  for (const char* name : {"sgd.momenta", "muon.momenta"})
    CHECK(std::filesystem::file_size(folder / name) == 32 + 24 * 16 * 60 * sizeof(float));
  o.record_steps = 25;
  const std::string said = message_of([&] { return quiet_runs(o, striped_data()); });
  CHECK(contains(said, "--record-steps 25"));
  CHECK(contains(said, "only 24 steps"));
}

TEST_CASE("the last, smaller batch of an epoch is used too") {
  mlp_options o = quick();
  o.batch = 400;  // of 600 images: 400, then 200
  o.methods = {"sgd"};
  o.seeds = {1};
  const run_record run = quiet_runs(o, striped_data()).front();
  CHECK(run.steps == 4);
  CHECK(run.losses.size() == 4);
  CHECK(run.train.count == 600);
  CHECK(run.test.count == 100);
}

TEST_CASE("a run whose loss is not finite says so, and the others go on") {
  const image_data data = striped_data();
  mlp_options o = quick();
  o.rates["sgd"] = 1e30;
  const auto runs = quiet_runs(o, data);
  REQUIRE(runs.size() == 4);
  CHECK(runs[0].diverged());
  CHECK(runs[0].diverged_at >= 1);
  CHECK(runs[0].diverged_at < runs[0].steps);
  CHECK(runs[0].test.count == 0);
  CHECK(contains(headline(runs[0]), "diverged"));
  CHECK_FALSE(runs[2].diverged());

  const auto all = summaries(runs);
  REQUIRE(all.size() == 2);
  CHECK(all[0].diverged == 2);
  CHECK(std::isnan(all[0].train_loss.mean));
  CHECK(all[1].diverged == 0);
  const text_table table = comparison(all);
  CHECK(table.rows[0].back() == "2 of 2");
  for (std::size_t j = 2; j < 8; ++j) CHECK(table.rows[0][j] == "-");
  const std::string html = to_html(comparison_page(o, mlp_kind(o, data), runs));
  CHECK_FALSE(contains(html, "nan"));
}

TEST_CASE("without divergence no column for it; without an oracle no passes and no gap") {
  const text_table table = comparison(summaries(quiet_runs(quick(), striped_data())));
  CHECK(table.header.back() == "worst gap");
  REQUIRE(table.rows.size() == 2);
  for (const auto& row : table.rows) CHECK(row.size() == table.header.size());
  CHECK(table.rows[0][0] == "sgd");
  CHECK(table.rows[0][7] == "-");
  CHECK(table.rows[0][8] == "-");
  CHECK(std::stod(table.rows[1][7]) >= 1);    // an oracle reads the momentum at least once
  CHECK(std::stod(table.rows[1][8]) < 1e-2);  // 16 x 60 is small enough to be solved exactly
}

TEST_CASE("the JSON holds every run and parses again") {
  const scratch_folder folder;
  const image_data data = striped_data();
  mlp_options o = quick();
  o.out = folder.path();
  o.rates["sgd"] = 1e30;
  const auto runs = quiet_runs(o, data);
  write_comparison(o, mlp_kind(o, data), runs, 1.5);
  const auto j = nlohmann::json::parse(std::ifstream(folder / "results.json"));
  CHECK(j.at("runs").size() == 4);
  CHECK(j.at("summary").size() == 2);
  CHECK(j.at("summary")[0].at("train_loss").at("mean").is_null());
  CHECK(j.at("runs")[0].at("diverged") == true);
  CHECK(j.at("runs")[3].at("test").at("accuracy") == runs[3].test.accuracy());
  CHECK(j.at("runs")[3].at("batch_losses").size() == runs[3].losses.size());
  CHECK(contains(j.at("task"), "hidden 16"));
  CHECK(contains(j.at("command"), "train"));
  CHECK(contains(j.at("machine"), "fanion"));
  CHECK(std::filesystem::file_size(folder / "report.html") > 5000);
  o.out = folder / "absent";
  CHECK(contains(message_of([&] { write_comparison(o, mlp_kind(o, data), runs, 1); }), "--out"));
}

TEST_CASE("a cell says how far the seeds are apart where there are several") {
  CHECK(plus_minus(spread_of({0.5}), 100, 1) == "50.0");
  CHECK(plus_minus(spread_of({1, 3}), 1, 2) == "2.00 ± 1.41");
  CHECK(plus_minus(spread_of({}), 1, 2) == "-");
}

TEST_CASE("mean and sample deviation") {
  const spread s = spread_of({1, 2, 3, 6});
  CHECK(s.mean == 3);
  CHECK(s.deviation == doctest::Approx(std::sqrt(14.0 / 3)));
  CHECK(spread_of({5}).deviation == 0);
  CHECK(std::isnan(spread_of({}).mean));
}

TEST_CASE("tuning leaves a grid whose best rate is inside, and never sees a test set") {
  const scratch_folder folder;
  image_data data = striped_data();
  data.test.reset();
  mlp_options o = quick();
  o.tune = true;
  o.out = folder.path();
  o.methods = {"sgd"};
  o.rates["sgd"] = 0.02;  // too small: the grid has to grow upwards
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  {
    progress say(nowhere, false);
    std::vector<run_record> runs;
    const tuned_method tuned = tune_method(o, mlp_kind(o, data), "sgd", runs, say);
    CHECK(std::is_sorted(tuned.rates.begin(), tuned.rates.end()));
    CHECK(tuned.rates.size() > 5);
    CHECK(tuned.best > 0);
    CHECK(tuned.best + 1 < tuned.rates.size());
    for (const double loss : tuned.losses) CHECK(loss >= tuned.losses[tuned.best]);
    CHECK(runs.size() == tuned.rates.size() * o.seeds.size());
    for (const run_record& run : runs) CHECK(run.test.count == 0);

    const text_table table = tune(o, mlp_kind(o, data), say);
    CHECK(table.rows.size() == 1);
    CHECK(contains(table.rows[0].back(), "**" + table.rows[0][1] + ": "));
  }
  std::fclose(nowhere);
  const auto j = nlohmann::json::parse(std::ifstream(folder / "tuning.json"));
  CHECK(j.at("methods")[0].at("grid").size() > 5);
  CHECK(std::filesystem::exists(folder / "tuning.md"));
}

TEST_CASE("a folder without the files is named") {
  const scratch_folder folder;
  mlp_options o = quick();
  o.data = folder.path();
  CHECK(contains(message_of([&] { return load_images(o); }), folder.path().string()));
  CHECK(contains(message_of([&] {
                   mlp_options absent = o;
                   absent.data = folder / "absent";
                   return load_images(absent);
                 }),
                 "--data " + (folder / "absent").string() + ": no such folder"));
  write_bytes(folder / "file", {1});
  CHECK(contains(message_of([&] { make_folder("--out", folder / "file" / "below"); }), "--out "));
  CHECK(contains(message_of([&] { make_folder("--out", folder / "file"); }), "cannot be made"));
  make_folder("--out", folder / "a" / "b");
  CHECK(std::filesystem::is_directory(folder / "a" / "b"));
  o.dataset = "cifar10";
  CHECK(contains(message_of([&] { return load_images(o); }), "data_batch_1.bin"));
}
