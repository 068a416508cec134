#!/bin/bash
# Draw the figures of docs/figures/ again, with the commands that anyone may type: the shipped 6x6 network, games
# from a seed. Takes about five minutes on two cores.
#
# Usage: tools/figures/figures.sh [FOLDER]      FOLDER: docs/figures unless told
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$(realpath -m "${1:-docs/figures}")
ogpt=$PWD/build/release/ogpt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
cd "$work"
say() {
    printf 'ogpt %s\n' "$*"
    "$ogpt" "$@" --quiet >/dev/null
}
say generate games.ogpc --games 3000 --size 6
say probe fit tiny-6x6 --corpus games.ogpc --games 600 --out probe --svg accuracy.svg
say plot --figure squares --svg squares.svg --width 174mm
say show tiny-6x6 --probe probe --moves "e4 e3 e2 c5 b2" --flip c3 --svg boards.svg --width 174mm
say cases make cases.csv --size 6 --n 100
say cases make tune.csv --size 6 --n 40 --purpose tune
say intervene tiny-6x6 --probe probe --cases cases.csv --tune tune.csv --figure errors --svg edit.svg
say cases pairs pairs.csv --size 6 --n 24
say circuit tiny-6x6 --pairs pairs.csv --method exact,atp,eap-ig --svg circuit.svg --top 40
say plot --figure faithfulness --svg faithfulness.svg
cp ./*.svg "$out"
