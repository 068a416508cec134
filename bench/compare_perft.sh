#!/bin/bash
# Leaves of the game tree a second, on one thread without a table of positions: ogpt, and Edax where
# OGPT_EDAX names its program (its data folder beside it), in turns.
#
# Usage: [OGPT_EDAX=FILE] bench/compare_perft.sh BENCH_PERFT [DEPTH [TURNS]]
# Edax is asked `perft DEPTH`, its count without a hash table; it prints a row for each depth with the
# processor time of that depth. It leaves out the games that ended earlier (228 of 24,571,284 at depth
# 10, 584 of 212,258,800 at 11).
set -euo pipefail
bench=$1
depth=${2:-11}
turns=${3:-5}
edax=${OGPT_EDAX:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[[ -z $edax || -x $edax ]] || {
    echo "compare_perft: OGPT_EDAX=$edax is no program: give the path of one" >&2
    exit 2
}
# Moves and seconds of the row of our depth: "11, moves, passes, ..., mobility, [h:]mm:ss.mmm, speed".
edax_row() {
    (cd "$(dirname "$edax")" && printf 'perft %d\nquit\n' "$depth" | "./$(basename "$edax")") 2>/dev/null |
        awk -F ',' -v depth="$depth" '
            $1 + 0 == depth && NF >= 9 {
                n = split($8, part, ":")
                for (i = 1; i <= n; i++)
                    seconds = 60 * seconds + part[i]
                printf "edax\t%d\t%.0f\t%.6f\n", depth, $2, seconds
            }'
}
for ((i = 0; i < turns; i++)); do
    "$bench" "$depth"
    if [[ $edax ]]; then
        edax_row >"$work/row"
        [[ -s $work/row ]] || {
            echo "compare_perft: $edax: no row of depth $depth after 'perft $depth'; is it Edax 4.3 or later?" >&2
            exit 1
        }
        cat "$work/row"
    fi
done >"$work/table"
awk -F '\t' '
    !($1 in best) || $4 < best[$1] { best[$1] = $4 }
    { leaves[$1] = $3; depth = $2; if (!seen[$1]++) names[++n] = $1 }
    END {
        printf "%-8s %5s %15s %10s %14s\n", "program", "depth", "leaves", "seconds", "leaves/s"
        for (i = 1; i <= n; i++)
            printf "%-8s %5d %15d %10.3f %14.3g\n", names[i], depth, leaves[names[i]], best[names[i]],
                leaves[names[i]] / (best[names[i]] > 0 ? best[names[i]] : 0.001)
        if (n == 2 && best["ogpt"] > 0)
            printf "ogpt counts %.2f times as fast as Edax\n", best["edax"] / best["ogpt"]
    }' "$work/table"
[[ $edax ]] || echo "Edax skipped: OGPT_EDAX=FILE names its program"
echo "one thread, no table of positions, processor time, best of $turns in turns"
