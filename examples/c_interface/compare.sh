#!/usr/bin/env bash
# compare.sh NATIVE TOLERANCE PROGRAM [ARGUMENT …]
#
# Runs a program and hands the loss that it prints to `native`, which compares. Exits with the
# program's own status where that is not 0: 77 says that something it needs is missing.
set -uo pipefail
loss=$("${@:3}")
status=$?
echo "${*:3}: $loss"
((status == 0)) || exit "$status"
exec "$1" "$2" "$loss"
