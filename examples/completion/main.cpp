/// @file  Completes a matrix of images from a share of its pixels.

#include <completion/output.hpp>

#include <common/idx.hpp>
#include <common/progress.hpp>

#include <cstdio>
#include <exception>

namespace {

int run(const completion::options& o) {
  using namespace completion;
  const stopwatch clock;
  trainers::make_folder("--out", o.out);
  const split s = split_entries(trainers::read_mnist(o.data, "train"), o.images,
                                {o.observed, o.chosen_on, o.held_out}, o.seed);
  trainers::progress say;
  const results r = compare(o, s, [&](const std::string& line) { say.line(line); });
  const double seconds = clock.seconds();
  write_results(o, s, r, seconds);
  std::printf("\n%s\n%s after %lld steps, f(X) %.1f, certified gap %.1f; %.0f s in all\n",
              to_text(comparison(r)).c_str(), to_string(r.end.outcome),
              static_cast<long long>(r.end.iterations), r.end.value, r.end.certified_gap, seconds);
  std::printf("written: %s\n", (o.out / "results.json").c_str());
  std::printf("written: %s\n", (o.out / "report.html").c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  completion::options o;
  try {
    completion::parse_options(app, o, argc, argv);
    return run(o);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "completion: %s\n", error.what());
    return 1;
  }
}
