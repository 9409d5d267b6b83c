#!/usr/bin/env bash
# Builds the benchmarks and the MLP trainer, records momenta from a training run on Fashion-MNIST
# resampled to 3,072 inputs, and runs every benchmark, or those that a filter names, of two programs:
# fanion_bench, and fanion_products, which may use several threads:
#   bench/run.sh [--benchmark_filter=REGEX] [any other flag of Google Benchmark]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=cmake/install_missing.sh
source "$root/cmake/install_missing.sh"
# shellcheck source=bench/support/record_momenta.sh
source "$root/bench/support/record_momenta.sh"
install_missing cmake:cmake ninja:ninja-build g++:g++ -- libeigen3-dev libbenchmark-dev \
  libcli11-dev nlohmann-json3-dev zlib1g-dev dataset-fashion-mnist

build=$root/build/bench
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFANION_BUILD_TESTS=OFF
cmake --build "$build" --target fanion-train fanion_bench fanion_products --parallel "$(nproc)"

record_momenta "$build"
"$build/bench/fanion_bench" "$@"
exec "$build/bench/fanion_products" "$@"
