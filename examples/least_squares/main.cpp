/// @file  The synthetic quadratic: which method is there first, and whether theory holds.

#include <least_squares/output.hpp>

#include <common/progress.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <exception>

namespace {

void parse(CLI::App& app, least_squares::options& o, int argc, char** argv) {
  using least_squares::index_t;
  app.description(
      "Tunes every method of the family on F(X) = <X, M X N>/2 and compares the steps that they "
      "need;\nmeasures stationarity beside its bound. Writes results.json and report.html into the "
      "folder --out.");
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
  app.parse(argc, argv);
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
  if (!holds) std::fprintf(stderr, "least_squares: a bound does not hold\n");
  return holds ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  least_squares::options o;
  try {
    parse(app, o, argc, argv);
    return go(o);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "least_squares: %s\n", error.what());
    return 1;
  }
}
