#!/bin/bash
# Wall time until a network plays by the rules: ogpt in SEEDS runs, PyTorch in one.
#
# Usage: bench/compare_quality.sh OGPT [MINUTES [GOAL [STEPS [SEEDS]]]]
# The same network (8x8, preset tiny) learns from random legal games on two threads until its strict error on held-out
# games is below GOAL (10 %). ogpt trains with its defaults, on fresh games: whole runs of STEPS (750) updates, timed from
# the start of the command to its end, once for each of SEEDS (3). Every one must end below GOAL. PyTorch follows the
# published recipe on games made by ogpt (AdamW 5e-4, batch 512, no dropout, constant rate after a warm-up); only its
# training steps are timed. It is stopped after MINUTES (60): then the ratio is "more than". Without PyTorch its side is
# skipped and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ogpt=$(realpath "$1")
minutes=${2:-60} goal=${3:-10} steps=${4:-750} seeds=${5:-3}
threads=2
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-quality-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

echo "ogpt: train run --fresh --preset tiny --steps $steps --threads $threads --seed 1, 2, ... $seeds"
for ((seed = 1; seed <= seeds; seed++)); do
    start=$(date +%s.%N)
    "$ogpt" train "run$seed" --fresh --preset tiny --steps "$steps" --threads $threads --seed "$seed" \
        --report-every "$steps" --checkpoint-every "$steps" --quiet >run.txt
    end=$(date +%s.%N)
    error=$(awk '$1 == "strict" { print $3 }' run.txt)
    awk -v seed="$seed" -v a="$start" -v b="$end" -v error="$error" -v goal="$goal" 'BEGIN {
        printf "ogpt:    seed %d: strict error %.2f %% after %.1f s\n", seed, error, b - a
        exit !(error < goal) }' | tee -a seeds.txt || {
        echo "ogpt: did not get below $goal % in $steps steps" >&2
        exit 1
    }
done
seconds=$(awk '{ sum += $(NF - 1) } END { printf "%.1f", sum / NR }' seeds.txt)
echo "ogpt:    below $goal % after $seconds s, the mean of $seeds seeds"

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
