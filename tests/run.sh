#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.
#
#   tests/run.sh          the whole gate
#   tests/run.sh --all    the same again under clang and the sanitizers, what sees vector code at full
#                         optimisation for plain x86-64, AVX2 and this processor; device code on
#                         threads; other libraries beside ours, a report opened in a browser: hours
#
# Needs no network and no root where everything is installed already.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/install_missing.sh

presets=(tests)
tools=(cmake:cmake ninja:ninja-build g++:g++)
case "${1-}" in
  "") ;;
  --all)
    presets+=(clang sanitize sse2 avx2 native) tools+=(clang++:clang)
    ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
  *) echo "tests/run.sh: unknown argument '$1' (try --help)" >&2 && exit 2 ;;
esac

install_missing "${tools[@]}" -- libeigen3-dev doctest-dev libbenchmark-dev libcli11-dev \
  nlohmann-json3-dev zlib1g-dev dataset-fashion-mnist python3 python3-numpy

if [[ -z ${CMAKE_CXX_COMPILER_LAUNCHER-} ]] && command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
jobs=$(nproc)
if [[ ${1-} == --all ]]; then
  install_missing -- chromium python3-pil || echo "Goes on without Chromium."
fi

for preset in "${presets[@]}"; do
  echo "== $preset: configure, build, test =="
  # What a test may leave out for the sake of time, it does not, but sanitizers take that five-fold.
  if [[ ${1-} == --all ]]; then export FANION_ZOO=all; fi
  if [[ $preset == sanitize ]]; then unset FANION_ZOO; fi
  cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$jobs"
  ctest --preset "$preset" --parallel "$jobs"
done

if [[ ${1-} == --all ]]; then
  echo "== what the gate does not compile =="
  cmake --build --preset clang --parallel "$jobs" --target fanion_bench fanion_products
  build/clang/bench/fanion_bench --benchmark_list_tests
  echo "== what runs on a device, on threads =="
  cmake --preset tests -B build/cuda_omp -DFANION_THRUST_HOST=OMP -DFANION_BUILD_BENCH=OFF
  if grep -q '^FANION_THRUST_HOST:STRING=' build/cuda_omp/CMakeCache.txt; then # there is a toolkit
    cmake --build build/cuda_omp --parallel "$jobs" \
      --target test_cuda_backend test_cuda_batch test_cuda_lmo test_cuda_optim test_cuda_capturable test_cuda_trainers
    (cd build/cuda_omp &&
      ctest -R '^cuda\.(backend|batch|lmo|optim|capturable|trainers)$' --output-on-failure)
  fi
  echo "== beside other libraries =="
  bench/peers/run.sh --quick
  echo "== a report in a browser =="
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  build/tests/examples/trainers/fanion-train mlp --methods adamw,nsgd,neon --seeds 1,2 --limit 2000 \
    --held-out 200 --epochs 1 --batch 50 --sweep lr=0.5,1,2 --spectra 0,20 --out "$folder"
  tests/report.sh "$folder/report.html" "$folder" || (($? == 77))
fi
