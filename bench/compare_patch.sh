#!/bin/bash
# Speed of patching every edge of a network, next to PyTorch without a cache, in one table.
#
# Usage: bench/compare_patch.sh BENCH_PATCH [PAIRS [MODEL...]]
# For each model (the shipped tiny ones unless given) and both scopes, PAIRS pairs (100; a quarter of
# them for scope all): first ogpt, all edges, on two threads, then PyTorch on one or two threads, 16 of
# the edges, whose sums of effects must be the same. Without PyTorch (Debian package python3-torch) its
# rows are left out and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$(realpath "$1")
pairs=${2:-100}
models=("${@:3}")
((${#models[@]})) || models=("$here"/../datasets/models/tiny-{6x6,8x8})
. "$here/peer_torch.sh"

columns='%-9s %-5s %-8s %7s %6s %6s %6s %9s %9s'
row "$columns" model scope program threads pairs edges batch seconds edges/s
for model in "${models[@]}"; do
    name=$(basename "$model")
    for scope in last all; do
        n=$pairs
        [[ $scope == last ]] || n=$(((pairs + 3) / 4))
        line=$("$bench" "$model" "$n" "$scope" 1 "$threads" "$work/sheet" | grep -v '^#')
        IFS=$'\t' read -r used n edges _ seconds ours _ <<<"$line"
        row "$columns" "$name" "$scope" ogpt "$used" "$n" "$edges" - "$seconds" "$ours"
        [[ $have_torch == yes ]] || continue
        line=$(in_torch "$here/torch_patch.py" "$model" "$work/sheet" "$scope" 16)
        IFS=$'\t' read -r used n edges batch seconds theirs gap <<<"$line"
        row "$columns" "$name" "$scope" torch "$used" "$n" "$edges" "$batch" "$seconds" "$theirs"
        awk -v name="$name" -v scope="$scope" -v a="$ours" -v b="$theirs" -v gap="$gap" 'BEGIN {
            printf "%s, scope %s: ogpt patches %.1f times as fast as PyTorch; largest difference of ",
                name, scope, a / b
            printf "the sum of an edge'"'"'s effects %s\n", gap }'
    done
done
echo "edges/s: edges times pairs; ogpt: with both runs of every pair, from the start; PyTorch: both runs"
echo "done before, the fastest of two batch sizes on one and on two threads"
