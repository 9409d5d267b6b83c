/// @file  Trains one small network by the whole family of methods and compares them.

#include <mlp/output.hpp>
#include <mlp/tune.hpp>

#include <chrono>
#include <cstdio>
#include <exception>

namespace {

int run(const trainers::options& o) {
  using namespace trainers;
  const auto start = std::chrono::steady_clock::now();
  make_folder("--out", o.out);
  if (!o.record.empty()) make_folder("--record", o.record);
  const experiment_data data = load_data(o);
  progress say;
  if (o.tune) {
    std::fputs(to_text(tune(o, data, say)).c_str(), stdout);
    std::printf("\nwritten: %s\n", (o.out / "tuning.json").c_str());
    std::printf("written: %s\n", (o.out / "tuning.md").c_str());
    return 0;
  }
  std::vector<planned_run> plan;
  for (const std::string& method : o.methods)
    for (const std::uint64_t seed : o.seeds) plan.push_back({method, o.rate_of(method), seed});
  const std::vector<run_record> runs = run_all(o, data, plan, say);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_comparison(o, data, runs, seconds);
  std::printf("\n%s\n%zu runs in %.0f s, %lld at once, %lld thread(s) each\n",
              to_text(comparison(summaries(runs))).c_str(), runs.size(), seconds,
              static_cast<long long>(o.jobs), static_cast<long long>(o.shards()));
  std::printf("written: %s\n", (o.out / "results.json").c_str());
  std::printf("written: %s\n", (o.out / "report.html").c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  trainers::options o;
  try {
    trainers::parse_options(app, o, argc, argv);
    return run(o);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mlp: %s\n", error.what());
    return 1;
  }
}
