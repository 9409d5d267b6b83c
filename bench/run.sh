#!/usr/bin/env bash
# Builds the benchmarks and the MLP trainer, records momenta from a training run on Fashion-MNIST
# resampled to 3,072 inputs, and runs every benchmark, or those that a filter names, of two programs:
# fanion_bench, and fanion_products, which may use several threads:
#   bench/run.sh [--benchmark_filter=REGEX] [any other flag of Google Benchmark]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=cmake/install_missing.sh
source "$root/cmake/install_missing.sh"
install_missing cmake:cmake ninja:ninja-build g++:g++ -- libeigen3-dev libbenchmark-dev \
  libcli11-dev nlohmann-json3-dev zlib1g-dev dataset-fashion-mnist

build=$root/build/bench
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFANION_BUILD_TESTS=OFF
cmake --build "$build" --target mlp fanion_bench fanion_products --parallel "$(nproc)"

# 200 consecutive steps of Muon on a 512 x 3072 hidden matrix. The images are Fashion-MNIST's,
# resampled to 48 x 64, since no colour images come with Debian.
momenta=$build/momenta
if [[ ! -f $momenta/muon.momenta ]]; then
  "$build/examples/trainers/mlp" --methods muon --seeds 1 --epochs 3 --resize 48,64 \
    --record "$momenta" --record-steps 200 --out "$build/recording"
fi
export FANION_MOMENTA=$momenta/muon.momenta
"$build/bench/fanion_bench" "$@"
exec "$build/bench/fanion_products" "$@"
