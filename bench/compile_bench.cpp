/// What including the library costs: compile/<header> at -O0, with nothing instantiated.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

namespace {

void compile(benchmark::State& state, const std::string& header) {
  const std::string command = std::string("echo '#include <fanion/") + header + ">' | " +
                              FANION_BENCH_COMPILER +
                              " -std=c++20 -O0 -x c++ -c -o /dev/null " FANION_BENCH_INCLUDES " -";
  for (auto _ : state)
    if (std::system(command.c_str()) != 0) {
      state.SkipWithError("the compiler failed");
      return;
    }
}

[[maybe_unused]] const bool registered = [] {
  for (const char* header : {"fanion.hpp", "eigen.hpp"})
    benchmark::RegisterBenchmark((std::string("compile/") + header).c_str(),
                                 [=](benchmark::State& state) { compile(state, header); })
        ->Iterations(3)
        ->UseRealTime()
        ->Unit(benchmark::kSecond);
  return true;
}();

}  // namespace
