#!/usr/bin/env bash
# Installs what is missing, builds one of the programs of this folder and runs it:
#
#   examples/run.sh least_squares [options]   every method on a quadratic, theory beside it: a report
#   examples/run.sh completion [options]      a matrix of images completed from some pixels: a report
#   examples/run.sh unit_balls [file.svg]     the unit balls of the family
#
# --help after the program's name lists its options.
set -euo pipefail

case "${1-}" in
  least_squares | completion | unit_balls) program=$1 && shift ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
  *) echo "examples/run.sh: unknown program '${1-}' (try --help)" >&2 && exit 2 ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=cmake/install_missing.sh
source "$root/cmake/install_missing.sh"
install_missing cmake:cmake ninja:ninja-build g++:g++ -- libeigen3-dev libcli11-dev \
  nlohmann-json3-dev zlib1g-dev dataset-fashion-mnist

if [[ -z ${CMAKE_CXX_COMPILER_LAUNCHER-} ]] && command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
build=$root/build/demo
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFANION_BUILD_TESTS=OFF \
  -DFANION_BUILD_BENCH=OFF
if [[ $program == least_squares ]]; then
  cmake --build "$build" --target fanion-train --parallel "$(nproc)"
  exec "$build/examples/trainers/fanion-train" least-squares "$@"
fi
cmake --build "$build" --target "$program" --parallel "$(nproc)"
exec "$build/examples/$program/$program" "$@"
