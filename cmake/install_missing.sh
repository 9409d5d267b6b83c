# shellcheck shell=bash
# Sourced by tests/run.sh and examples/demo.sh.
#
# install_missing command:package... -- package...
# Installs, with apt, the packages of commands that cannot be found and the packages that are not
# installed. Where nothing is missing it calls nothing. Without apt it names what to install.
install_missing() {
  local missing=() runner=() pair
  while [[ $1 != -- ]]; do
    pair=$1 && shift
    command -v "${pair%%:*}" > /dev/null || missing+=("${pair#*:}")
  done
  shift
  if command -v dpkg-query > /dev/null; then
    local package
    for package in "$@"; do
      [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null) == installed ]] ||
        missing+=("$package")
    done
  fi
  ((${#missing[@]} == 0)) && return

  echo "Missing: ${missing[*]}"
  if ! command -v apt-get > /dev/null; then
    echo "There is no apt-get here: install them (Debian names) with your package manager." >&2
    return 1
  fi
  if ((EUID != 0)); then
    if ! command -v sudo > /dev/null; then
      echo "Not root and no sudo. As root: apt-get install ${missing[*]}" >&2
      return 1
    fi
    runner=(sudo)
  fi
  "${runner[@]}" apt-get update -q
  "${runner[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
}
