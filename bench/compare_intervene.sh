#!/bin/bash
# Speed of a sweep of edits, next to the same sweep in PyTorch without a cache, in one table.
#
# Usage: bench/compare_intervene.sh OGPT BENCH_INTERVENE [SIZE...]
# For each board (6 and 8 unless given) the shipped tiny model, a probe of its own layers, and
# 1,000 natural cases: every layer alone with five scales, first ogpt, then PyTorch on the same
# two threads, which must find the same mean error for every plan. Without PyTorch (Debian package
# python3-torch) its rows are left out and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ogpt=$(realpath "$1")
bench=$(realpath "$2")
shift 2
sizes=("$@")
((${#sizes[@]})) || sizes=(6 8)
. "$here/peer_torch.sh"

columns='%-9s %-8s %6s %6s %6s %9s %9s %9s'
row "$columns" model program cases plans batch seconds edits/s error
for size in "${sizes[@]}"; do
    name=tiny-${size}x$size
    model=$here/../datasets/models/$name
    (
        cd "$work"
        "$ogpt" generate "g$size" --size "$size" --games 5000 --seed 77 --quiet
        "$ogpt" probe fit "$model" --corpus "g$size" --out "p$size" \
            --layers 0,1,2,3,4,5,6,7 --games 800 --test-games 100 --no-controls --quiet
        "$ogpt" cases make "c$size" --size "$size" --n 1000 --seed 77 --quiet
    ) >/dev/null
    line=$("$bench" "$model" "$work/p$size" "$work/c$size" "$threads" "$work/sheet" |
        grep -v '^#')
    IFS=$'\t' read -r _ cases plans ours edits error _ <<<"$line"
    row "$columns" "$name" ogpt "$cases" "$plans" - "$ours" "$edits" "$error"
    [[ $have_torch == yes ]] || continue
    line=$(in_torch "$here/torch_intervene.py" "$model" "$work/p$size" "$work/sheet" "$threads")
    IFS=$'\t' read -r _ cases plans batch theirs edits error gap <<<"$line"
    row "$columns" "$name" torch "$cases" "$plans" "$batch" "$theirs" "$edits" "$error"
    awk -v name="$name" -v a="$ours" -v b="$theirs" -v gap="$gap" 'BEGIN {
        printf "%s: ogpt sweeps %.1f times as fast as PyTorch; largest difference of a ", name, b / a
        printf "plan'"'"'s mean error %s\n", gap }'
done
echo "threads $threads; ogpt: best of 3, caches made anew each time; PyTorch: the fastest of three"
echo "batch sizes, all plans once; error: mean over all plans"
