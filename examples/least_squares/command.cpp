/// @file  fanion-train least-squares: the synthetic quadratic. Which method is there first, and
/// does theory hold?

#include <least_squares/output.hpp>

#include <common/progress.hpp>
#include <run/command.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

namespace {

void add_options(CLI::App& app, least_squares::options& o) {
  using least_squares::index_t;
  const CLI::Range count(index_t(1), index_t(1) << 20);
  app.add_option("--size", o.size, "of the matrices")
      ->check(CLI::Range(2, 2000))
      ->capture_default_str();
  app.add_option("--seeds", o.seeds, "of the matrices and the start")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--threshold", o.threshold, "of F")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--steps", o.steps, "at most, for each setting")
      ->check(count)
      ->capture_default_str();
  app.add_option("--theory-size", o.theory_size, "of the matrices beside the bound")
      ->check(CLI::Range(2, 500))
      ->capture_default_str();
  app.add_option("--theory-steps", o.theory_steps, "beside the bound")
      ->check(count)
      ->capture_default_str();
  app.add_option("--threads", o.threads, "over methods and seeds; changes no number")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--out", o.out, "folder for the report and the JSON")->capture_default_str();
}

int go(const least_squares::options& o) {
  using namespace least_squares;
  const auto start = std::chrono::steady_clock::now();
  trainers::make_folder("--out", o.out);
  trainers::progress say;
  const results r = experiment(o, [&](const std::string& line) { say.line(line); });
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_results(o, r, seconds);
  std::printf(
      "\nSteps to F < %g\n%s\nStationarity after %td steps\n%s\nn* over the Frobenius norm\n%s\n",
      o.threshold, to_text(comparison(o, r)).c_str(), o.theory_steps, to_text(bounds(r)).c_str(),
      to_text(norms(r)).c_str());
  std::printf("%.0f s\nwritten: %s/results.json\nwritten: %s/report.html\n", seconds, o.out.c_str(),
              o.out.c_str());
  bool holds = true;
  for (const stationarity& s : r.theory) holds = holds && s.holds();
  if (!holds) std::fprintf(stderr, "fanion-train: a bound does not hold\n");
  return holds ? 0 : 1;
}

}  // namespace

namespace trainers {

command least_squares_command(CLI::App& program) {
  const auto o = std::make_shared<least_squares::options>();
  CLI::App* const app = program.add_subcommand(
      "least-squares",
      "tunes every method on F(X) = <X, M X N>/2, compares the steps that they need, and measures "
      "stationarity beside its bound");
  add_options(*app, *o);
  return {app, [o] { return go(*o); }};
}

}  // namespace trainers
