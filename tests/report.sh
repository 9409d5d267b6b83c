#!/usr/bin/env bash
# Opens a report page in headless Chromium, light and dark, wide and narrow, and looks at it:
# pictures are not blank, dark is dark, nothing sticks out of a narrow window, the browser says
# nothing on its console. Part of tests/run.sh --all.
#
#   tests/report.sh report.html [folder for the pictures]
#
# Exits with 77 where there is no Chromium.
set -euo pipefail

case "${1-}" in
  "" | -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit $(($# > 0 ? 0 : 2)) ;;
esac
[[ -f $1 ]] || { echo "tests/report.sh: $1: no such file" >&2 && exit 1; }
page=$(realpath "$1")
pictures=$(realpath -m "${2-$(mktemp -d)}")
mkdir -p "$pictures"
browser=
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then browser=$name && break; fi
done
if [[ -z $browser ]]; then echo "Skipped: no Chromium." && exit 77; fi

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
open_page() { # arguments of the browser
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
    --user-data-dir="$profile" --enable-logging=stderr --v=0 "$@" "file://$page" \
    2> "$pictures/browser.log"
  if grep -E 'CONSOLE' "$pictures/browser.log"; then
    echo "tests/report.sh: $page: the browser has something to say" >&2 && exit 1
  fi
}
open_page --window-size=1100,4000 --blink-settings=preferredColorScheme=1 \
  --screenshot="$pictures/light.png"
open_page --window-size=1100,4000 --blink-settings=preferredColorScheme=0 \
  --screenshot="$pictures/dark.png"
open_page --window-size=500,4000 --blink-settings=preferredColorScheme=1 \
  --screenshot="$pictures/narrow.png"

python=python3
"$python" -c "import numpy, PIL" 2> /dev/null || python=/usr/bin/python3
"$python" - "$pictures" << 'EOF'
import sys
import numpy
from PIL import Image

failures = []
for name, size, dark in (("light", 1100, False), ("dark", 1100, True), ("narrow", 500, False)):
    picture = numpy.asarray(Image.open(f"{sys.argv[1]}/{name}.png").convert("RGB")).astype(int)
    paper = picture[2, 2]
    inked = (abs(picture - paper).sum(axis=2) > 60)
    hue = picture.max(axis=2) - picture.min(axis=2)
    print(f"{name}: {picture.shape[1]} x {picture.shape[0]}, paper {tuple(paper)}, "
          f"{100 * inked.mean():.1f} % inked, {100 * (hue > 60).mean():.2f} % coloured")
    if (paper.mean() < 128) != dark:
        failures.append(f"{name}: the paper is {tuple(paper)}")
    if not 0.01 < inked.mean() < 0.5:
        failures.append(f"{name}: {100 * inked.mean():.2f} % of it is inked")
    if not (hue > 60).mean() > 1e-3:
        failures.append(f"{name}: no coloured lines")
    if inked[:, -6:].any():
        failures.append(f"{name}: something sticks out at the right")
sys.exit("\n".join(failures) or 0)
EOF
echo "Pictures: $pictures"
