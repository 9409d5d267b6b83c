#!/usr/bin/env bash
# On a machine with a CUDA device and the toolkit: builds what runs on it and runs it, and the same
# over the double of the libraries; compares what both answer to wrong calls; and times steps. A test
# that skips is a failure here, because somebody asked.
#
#   tests/gpu.sh [architecture]     such as 90; by default that of the device
#
# Needs g++, CMake, ninja, Eigen and doctest; installs them where they are missing.
set -euo pipefail

case "${1-}" in
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source cmake/install_missing.sh
install_missing cmake:cmake ninja:ninja-build g++:g++ -- libeigen3-dev doctest-dev libcli11-dev \
  nlohmann-json3-dev zlib1g-dev

if command -v nvidia-smi > /dev/null; then
  nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader || true
fi
architecture=${1-}
if [[ -z $architecture ]]; then
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -n 1 | tr -d .) || true
fi
options=(-DFANION_BUILD_BENCH=OFF -DFANION_TORCH=OFF)
[[ -z $architecture ]] || options+=("-DCMAKE_CUDA_ARCHITECTURES=$architecture")
cmake --preset tests -B build/gpu "${options[@]}"
cmake --build build/gpu --parallel "$(nproc)" \
  --target test_cuda_device example_08_cuda test_cuda_backend test_cuda_lmo test_cuda_optim \
  test_cuda_batch test_cuda_capturable test_cuda_headers \
  test_cuda_trainers test_cuda_trainers_device test_cuda_status_double test_cuda_status_device
log=build/gpu/gpu.log
(cd build/gpu && ctest -L cuda --output-on-failure --verbose) | tee "$log"
if grep -q '\*\*\*Skipped' "$log"; then
  echo "tests/gpu.sh: some of it skipped: see above for the reason" >&2
  exit 1
fi
echo "== what wrong calls are answered: by the libraries (<), and what the double believes (>) =="
same=true
diff <(build/gpu/tests/cuda/test_cuda_status_device) <(build/gpu/tests/cuda/test_cuda_status_double) ||
  same=false
echo "== times =="
build/gpu/tests/cuda/test_cuda_device --bench
$same || { echo "tests/gpu.sh: the double answers otherwise: see above" >&2 && exit 1; }
