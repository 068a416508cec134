#!/bin/bash
# Probes of all squares of a layer: ogpt, scikit-learn and liblinear, in one table.
#
# Usage: bench/compare_probe.sh BENCH_PROBE [ROWS [MODEL]]
# All fit the same rows and labels on two threads: bench_probe first, then scikit-learn, where
# Debian's python3-sklearn is installed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$1
rows=${2:-40000}
model=${3:-$here/../datasets/models/tiny-8x8}
threads=2
l2=0.0001
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$here/../tools/peer_python.sh"
"$bench" "$model" "$work" "$rows" "$threads" | tee "$work/table"
if peer_python sklearn scikit-learn; then
    "$python" "$here/peer_probe.py" "$work" "$l2" "$threads" | tee -a "$work/table"
fi
awk -F '\t' '
    $1 == "newton" { ours = $6; objective = $7 }
    $1 == "liblinear" {
        printf "newton fits all %d squares %.1f times as fast as liblinear\n", $5, $6 / ours
    }
    $1 == "sklearn" {
        gap = ($7 - objective) / objective
        printf "newton fits all %d squares %.1f times as fast as scikit-learn; ", $5, $6 / ours
        printf "objectives differ by %.1e of ours\n", gap < 0 ? -gap : gap
    }
    $1 == "check" {
        printf "on liblinear'"'"'s binary problems the objectives differ by %.1e (worst square ", $6
        printf "%.1e); %.3f %% of cells are read alike\n", $7, 100 * $8
    }' "$work/table"
echo "threads $threads; newton best of 3; quote only from an idle machine"
