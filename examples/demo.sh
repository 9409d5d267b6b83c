#!/usr/bin/env bash
# Installs what is missing, builds the trainer and trains: the table on the screen, the report in
# ./fanion-report.
#
#   examples/demo.sh [options of the trainer]      examples/demo.sh --help lists them
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/cmake/install_missing.sh"
install_missing cmake:cmake ninja:ninja-build g++:g++ -- libeigen3-dev libcli11-dev \
  nlohmann-json3-dev zlib1g-dev dataset-fashion-mnist

if [[ -z ${CMAKE_CXX_COMPILER_LAUNCHER-} ]] && command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
build=$root/build/demo
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFANION_BUILD_TESTS=OFF \
  -DFANION_BUILD_BENCH=OFF
cmake --build "$build" --target mlp --parallel "$(nproc)"

# The report goes to ./fanion-report unless the user names another folder.
out=(--out fanion-report)
for argument in "$@"; do
  case $argument in --out | --out=*) out=() ;; esac
done
exec "$build/examples/trainers/mlp" "${out[@]}" "$@"
