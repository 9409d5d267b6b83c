#!/usr/bin/env bash
# Fetches six novels by Jane Austen from Debian's package r-cran-janeaustenr (1.6 MB) and leaves
# Rdata.rdx and Rdata.rdb in a folder, by default build/austen. Needs apt-get and dpkg-deb, but
# neither root nor R: the package is unpacked, not installed. A folder that has both is left alone.
#
#   examples/trainers/gpt/get_austen.sh [FOLDER]
set -euo pipefail

package=r-cran-janeaustenr
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
folder=${1:-$root/build/austen}

if [[ -s $folder/Rdata.rdx && -s $folder/Rdata.rdb ]]; then
  echo "The novels: $folder"
  exit
fi
for tool in apt-get dpkg-deb; do
  command -v "$tool" > /dev/null || {
    echo "get_austen.sh: needs $tool (a Debian system)" >&2
    exit 1
  }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch" # for the user that apt-get downloads as when root calls it
(cd "$scratch" && apt-get download -q "$package" > log 2>&1) || {
  cat "$scratch/log" >&2
  echo "get_austen.sh: apt-get cannot download $package; its lists may be missing or old:" \
    "apt-get update, as root" >&2
  exit 1
}
dpkg-deb -x "$scratch/$package"_*.deb "$scratch/unpacked"
mkdir -p "$folder"
for file in Rdata.rdb Rdata.rdx; do
  cp "$scratch/unpacked/usr/lib/R/site-library/janeaustenr/data/$file" "$folder/$file.part"
  mv "$folder/$file.part" "$folder/$file"
done
echo "$folder"
