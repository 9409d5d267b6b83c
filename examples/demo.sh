#!/usr/bin/env bash
# Installs what is missing, builds the trainer and trains: tables on the screen, reports in
# ./fanion-report.
#
#   examples/demo.sh                       a perceptron on Fashion-MNIST, then a GPT on Jane Austen
#   examples/demo.sh mlp|cnn|gpt [options] one of them; --help lists the options
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "${1-}" in
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
esac
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
cmake --build "$build" --target fanion-train --parallel "$(nproc)"
train=$build/examples/trainers/fanion-train

# The novels, where no other text is asked for.
austen=()
if [[ ${1-gpt} == gpt && "$*" != *--text* && "$*" != *--tokens* && "$*" != *--austen* ]]; then
  "$root/examples/trainers/gpt/get_austen.sh" "$build/austen"
  austen=(--austen "$build/austen")
fi

if (($# == 0)); then
  "$train" mlp --seeds 1,2 --out fanion-report/mlp
  exec "$train" gpt "${austen[@]}" --out fanion-report/gpt
fi
# The report goes to ./fanion-report unless the user names another folder.
out=(--out "fanion-report/$1")
for argument in "$@"; do
  case $argument in --out | --out=*) out=() ;; esac
done
exec "$train" "$1" "${austen[@]}" "${out[@]}" "${@:2}"
