#!/usr/bin/env bash
# compare.sh NATIVE TOLERANCE PROGRAM [ARGUMENT …]
#
# Runs a program and hands the loss that it prints to `native`, which compares. Exits with the
# program's own status where that is not 0: 77 says that something is missing, if only the program.
set -uo pipefail
loss=$("${@:3}")
status=$?
((status == 127)) && status=77
echo "${*:3}: $loss"
((status == 0)) || exit "$status"
exec "$1" "$2" "$loss"
