#!/usr/bin/env bash
# Builds every fuzzer of this folder (clang++ with libFuzzer and AddressSanitizer; Debian: clang,
# libclang-rt-14-dev, zlib1g-dev) and runs each for some seconds, by default 600, one after the
# other. A crash, a leak, an exception that is no std::runtime_error, an input that takes more than
# 10 s or 1 GiB ends it with a failure; the input is then in build/fuzz/NAME/.
#
#   tests/fuzz/run.sh [SECONDS [NAME...]]
#
# What a run finds joins build/fuzz/NAME/found/, where the next run starts; corpus/ is not changed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:-600}
shift || true
names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
  for source in "$here"/*.cpp; do names+=("$(basename "$source" .cpp)"); done
fi

for name in "${names[@]}"; do
  work=$root/build/fuzz/$name
  mkdir -p "$work/found"
  "${CXX:-clang++}" -std=c++20 -O1 -g -Wall -Wextra -Wpedantic -Werror \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I"$root/include" -I"$root/examples/trainers" -I"$here" "$here/$name.cpp" -o "$work/fuzzer" -lz
  echo "fuzz $name: $seconds s"
  "$work/fuzzer" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 \
    -malloc_limit_mb=256 -print_final_stats=1 -print_funcs=0 -verbosity=0 -artifact_prefix="$work/" \
    "$work/found" "$here/corpus/$name"
done
