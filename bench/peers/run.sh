#!/usr/bin/env bash
# Our solvers beside other libraries: installs what is missing, builds, records momenta, measures,
# and writes the tables and figures of docs/benchmarks.md. Prints the ratios at the end.
#
#   bench/peers/run.sh             everything, about three quarters of an hour on two cores
#   bench/peers/run.sh --long      and full decompositions and baselines at 5000 x 5000: hours
#   bench/peers/run.sh --quick     does it work? Its page goes to build/bench/page
#   bench/peers/run.sh --only TEXT problems whose name (Gaussian/500x500/k=5) has this in it;
#                                  the page as above
#   bench/peers/run.sh --solver TEXT  solvers whose name has this in it; the page as above
#
# LibTorch takes part where it is installed (libtorch-dev), and is not installed by this.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case "${1-}" in
  -h | --help) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
esac
# shellcheck source=cmake/install_missing.sh
source "$root/cmake/install_missing.sh"
# shellcheck source=bench/support/record_momenta.sh
source "$root/bench/support/record_momenta.sh"
install_missing cmake:cmake ninja:ninja-build g++:g++ pkg-config:pkg-config python3:python3 -- \
  libeigen3-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev zlib1g-dev dataset-fashion-mnist \
  libopenblas-dev liblapacke-dev libarpack2-dev libspectra-dev python3-matplotlib
install_missing -- libslepc-real-dev || echo "Goes on without SLEPc."

build=$root/build/bench
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFANION_BUILD_TESTS=OFF
cmake --build "$build" --target fanion-train fanion_peers --parallel "$(nproc)"

docs=$root/docs
if (($# > 0)) && [[ $* != --long ]]; then
  docs=$build/page
  mkdir -p "$docs"
  cp "$root/docs/benchmarks.md" "$docs"
fi
if [[ "$*" != *--quick* ]]; then
  record_momenta "$build"
fi
# Some versions of OpenBLAS do not know new processors and choose a slow kernel. Read when it loads.
if [[ -z ${OPENBLAS_CORETYPE-} ]] && grep -q avx512f /proc/cpuinfo; then
  export OPENBLAS_CORETYPE=SKYLAKEX
fi
"$build/bench/peers/fanion_peers" "$@" --out "$build/peers.json"
# Debian's interpreter has Debian's matplotlib; another one may come first.
python=python3
"$python" -c "import matplotlib" 2> /dev/null || python=/usr/bin/python3
"$python" "$root/bench/peers/page.py" "$build/peers.json" --docs "$docs"
echo "The page: $docs/benchmarks.md"
