#!/bin/bash
# Wall time until a network plays by the rules: ogpt and PyTorch, one run of each.
#
# Usage: bench/compare_quality.sh OGPT [MINUTES [GOAL [STEPS]]]
# The same network (8x8, preset tiny) learns from random legal games on two threads until its
# strict error on held-out games falls below GOAL (10 %). ogpt trains with its defaults, on
# fresh games, timed from the start of the command, held-out reports included. PyTorch follows the
# published recipe on games made by ogpt (AdamW 5e-4, batch 512, no dropout, constant rate after a
# warm-up); only its training steps are timed. It is stopped after MINUTES (60): then the ratio is
# "more than". Without PyTorch its side is skipped and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ogpt=$(realpath "$1")
minutes=${2:-60}
goal=${3:-10}
steps=${4:-450} # the rate of a run of 450 steps is nearly down when it gets to 10 %
threads=2 trainer=
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-quality-XXXXXX")
trap '[[ -z $trainer ]] || kill -KILL "$trainer" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

echo "ogpt: train run --fresh --preset tiny --steps $steps --threads $threads"
"$ogpt" train run --fresh --preset tiny --steps $steps --threads $threads --report-every 25 \
    --checkpoint-every $steps >run.txt 2>run.log &
trainer=$!
start=$(date +%s.%N)
seconds=
while [[ -z $seconds ]]; do
    sleep 0.2
    alive=no
    kill -0 $trainer 2>/dev/null && alive=yes
    line=$(awk -v goal=$goal '/^step / {
        for (i = 1; i < NF; i++) if ($i == "error" && $(i + 1) < goal) { print; exit } }' run.log)
    if [[ -n $line ]]; then
        seconds=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    elif [[ $alive == no ]]; then
        echo "ogpt: did not get below $goal % in $steps steps" >&2
        tail -n 3 run.log >&2
        exit 1
    fi
done
kill -INT $trainer 2>/dev/null || true
wait $trainer 2>/dev/null || true
trainer=
echo "ogpt:    $line"
echo "ogpt:    below $goal % after $seconds s"

. "$here/../tools/peer_python.sh"
peer_python torch PyTorch || exit 0
for set in "train 400000 1" "held 1024 2"; do
    read -r name games seed <<<"$set"
    "$ogpt" generate "$name.ogpc" --games "$games" --seed "$seed" --quiet >/dev/null
    "$ogpt" export "$name.ogpc" "$name.npy" --format npy --as tokens --quiet >/dev/null
done
share=$(awk -v goal="$goal" 'BEGIN { print goal / 100 }')
OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads "$python" "$here/torch_quality.py" \
    train.npy held.npy "$share" $threads "$minutes" | tee torch.log
IFS=$'\t' read -r _ verdict torch_seconds _ <<<"$(tail -n 1 torch.log)"
awk -v goal="$goal" -v ours="$seconds" -v theirs="$torch_seconds" -v verdict="$verdict" 'BEGIN {
    printf "ogpt gets below %s %% strict error %s%.1f times sooner than PyTorch (%s s, %s%s s)\n",
        goal, verdict == "reached" ? "" : "more than ", theirs / ours, ours,
        verdict == "reached" ? "" : "more than ", theirs }'
