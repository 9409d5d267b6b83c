#include <mlp/options.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

mlp_options parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "fanion-train");
  CLI::App app;
  mlp_options o;
  run_flags flags;
  o.data = std::filesystem::temp_directory_path();
  add_mlp_options(app, o, flags);
  app.parse(static_cast<int>(words.size()), words.data());
  check_image_options(app, o, flags);
  return o;
}

std::string error_of(const std::vector<const char*>& words) {
  return message_of([&] { return parsed(words); });
}

}  // namespace

TEST_CASE("flags reach the options") {
  const mlp_options o = parsed({"--methods", "muon,fanion-3",
                                "--seeds",   "4,5",
                                "--lr",      "muon=0.5,rest=1e-3,head=2e-3",
                                "--lr",      "fanion-3=0.25",
                                "--epochs",  "3",
                                "--threads", "6",
                                "--jobs",    "2",
                                "--resize",  "48,64",
                                "--limit",   "100",
                                "--decay",   "0.1",
                                "--tune"});
  CHECK(o.methods == std::vector<std::string>{"muon", "fanion-3"});
  CHECK(o.seeds == std::vector<std::uint64_t>{4, 5});
  CHECK(o.rate_of("muon") == 0.5);
  CHECK(o.rate_of("fanion-3") == 0.25);
  CHECK(o.rest_rate() == 1e-3);
  CHECK(o.head_rate() == 2e-3);
  CHECK(o.rate_of("adamw") == rate_in(o.tuned, "adamw"));
  CHECK(o.rate_factors == std::vector<double>{1});
  CHECK(o.epochs == 3);
  CHECK(o.shards() == 3);
  CHECK(o.resize == std::vector<index_t>{48, 64});
  CHECK(o.limit == 100);
  CHECK(o.decay == 0.1);
  CHECK(o.tune);
}

TEST_CASE("without flags: ten methods, three seeds, two epochs, one thread a run") {
  const mlp_options o = parsed({});
  CHECK(o.methods.size() == 10);
  CHECK(o.rest_rule == "adamw");
  CHECK(o.head_rate() == o.rest_rate());
  CHECK(o.seeds.size() == 3);
  CHECK(o.epochs == 2);
  CHECK(o.shards() == 1);
  CHECK(o.jobs == o.threads);
  CHECK_FALSE(o.tune);
  for (const std::string& method : o.methods) CHECK(o.rate_of(method) > 0);
}

TEST_CASE("a wrong flag is named together with its value") {
  struct row {
    std::vector<const char*> words;
    std::vector<const char*> said;
  };
  for (const row& r : std::vector<row>{
           {{"--methods", "muon,mion"}, {"--methods", "unknown method 'mion'", "sign-sgd"}},
           {{"--methods", "fanion"}, {"--methods", "'fanion'"}},
           {{"--methods", "fanion-0"}, {"--methods", "'fanion-0'"}},
           {{"--methods", "fanion-8x"}, {"--methods", "'fanion-8x'"}},
           {{"--methods", "rest"}, {"--methods", "'rest'"}},
           {{"--methods", "muon,sgd,muon"}, {"--methods", "'muon'", "twice"}},
           {{"--seeds", "1,2,2"}, {"--seeds", "2", "twice"}},
           {{"--lr", "muon=nan"}, {"--lr", "'muon=nan'", "finite and above 0"}},
           {{"--lr", "muon=inf"}, {"--lr", "'muon=inf'", "finite and above 0"}},
           {{"--lr", "muon=-1"}, {"--lr", "'muon=-1'", "finite and above 0"}},
           {{"--lr", "muon=0"}, {"--lr", "'muon=0'", "finite and above 0"}},
           {{"--lr", "muon=quick"}, {"--lr", "'muon=quick'", "not a number"}},
           {{"--lr", "muon"}, {"--lr", "'muon'", "method=rate"}},
           {{"--lr", "mion=1"}, {"--lr", "unknown method 'mion'"}},
           {{"--data", "/no/such/folder"}, {"--data", "/no/such/folder"}},
           {{"--dataset", "mnist"}, {"--dataset", "mnist"}},
           {{"--dataset", "cifar10"}, {"--data", "cifar10 needs the folder"}},
           {{"--epochs", "0"}, {"--epochs", "0"}},
           {{"--epochs", "two"}, {"--epochs", "two"}},
           {{"--batch", "-5"}, {"--batch", "-5"}},
           {{"--limit", "-1"}, {"--limit", "-1"}},
           {{"--momentum", "1"}, {"--momentum", "'1'"}},
           {{"--momentum", "nan"}, {"--momentum", "'nan'"}},
           {{"--warmup", "1.5"}, {"--warmup", "'1.5'"}},
           {{"--decay", "-1"}, {"--decay", "'-1'"}},
           {{"--alpha", "nan"}, {"--alpha", "'nan'"}},
           {{"--resize", "48"}, {"--resize"}},
           {{"--jobs", "3", "--threads", "2"}, {"--jobs", "3", "--threads", "2"}},
           {{"--seeds", "one"}, {"--seeds", "one"}},
           {{"--scaling", "wide"}, {"--scaling", "wide"}},
           {{"--sweep", "1,2"}, {"--sweep", "'1,2'", "lr="}},
           {{"--sweep", "lr=1,two"}, {"--sweep", "'two'", "not a number"}},
           {{"--sweep", "lr=1,-2"}, {"--sweep", "above 0"}},
           {{"--sweep", "lr=1,nan"}, {"--sweep", "above 0"}},
           {{"--sweep", "lr=1,2,1"}, {"--sweep", "twice"}},
           {{"--sweep", "lr=1,2", "--tune"}, {"--sweep", "grid"}},
           {{"--resume", "--tune"}, {"--resume", "--tune"}},
           {{"--save-every", "-1"}, {"--save-every", "-1"}},
           {{"--spectra", "1,x"}, {"--spectra", "x"}},
           {{"--methods", "dion"}, {"--methods", "'dion'"}},
           {{"--methods", "norm", "--norm", "dual(ky_fan(3))"},
            {"--norm", "needs a rate", "--lr norm=RATE"}},
           {{"--velocity", "1"}, {"--velocity"}}}) {
    const std::string said = error_of(r.words);
    CAPTURE(r.words.front());
    CAPTURE(said);
    CHECK(said != "");
    for (const char* part : r.said) {
      CAPTURE(part);
      CHECK(contains(said, part));
    }
  }
}

TEST_CASE("--device says why there is none") {
  const std::string why = trainers::why_no_device();
  if (!why.empty())
    CHECK(contains(error_of({"--device"}), ("--device: " + why).c_str()));
  else
    CHECK(parsed({"--device"}).on_device);
  CHECK_FALSE(parsed({}).on_device);
}

TEST_CASE("a sweep is a rising list of factors") {
  const mlp_options o = parsed({"--sweep", "lr=4,0.5,1", "--scaling", "rms", "--spectra", "0,9"});
  CHECK(o.rate_factors == std::vector<double>{0.5, 1, 4});
  CHECK(o.sweeps());
  CHECK(o.scaling() == fanion::shape_scaling::rms);
  CHECK(o.spectra == std::vector<index_t>{0, 9});
}

TEST_CASE("--norm adds a method, and needs a rate and an oracle") {
  const mlp_options o = parsed({"--methods", "muon", "--norm",
                                "dual(0.5*ky_fan(2) + 0.5*frobenius())", "--lr", "norm=0.25"});
  CHECK(o.methods == std::vector<std::string>{"muon", "norm"});
  CHECK(o.rate_of("norm") == 0.25);
  CHECK(parsed({"--methods", "muon", "--norm", "max_abs()", "--lr", "norm=1"}).methods.size() == 2);
  CHECK(contains(error_of({"--norm", "spectral()"}), "--lr norm=RATE"));
  CHECK(contains(error_of({"--norm", "spectra()", "--lr", "norm=1"}), "at character 1"));
  CHECK(
      contains(error_of({"--norm", "schatten(3) + spectral()", "--lr", "norm=1"}), "closed form"));
  CHECK(contains(error_of({"--methods", "norm"}), "--norm"));
}

TEST_CASE("names of methods: families, and k where a family has one") {
  CHECK(parse_method("muon")->family == "muon");
  CHECK(parse_method("muon")->k == 0);
  CHECK(parse_method("f-fanion-12")->family == "f-fanion");
  CHECK(parse_method("f-fanion-12")->k == 12);
  CHECK_FALSE(is_method(""));
  CHECK_FALSE(is_method("muon-3"));
  CHECK(parse_method("dion-4")->family == "dion");
  CHECK(parse_method("dion-4")->k == 4);
  CHECK_FALSE(is_method("g-fanion-3"));
  CHECK_FALSE(is_method("fanion-99999999999999999999"));
  CHECK_FALSE(is_method("fanion--3"));
  for (const std::string& method : mlp_options().methods) CHECK(is_method(method));
}
