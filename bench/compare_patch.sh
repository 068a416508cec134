#!/bin/bash
# Speed of patching every edge of a network, next to PyTorch without a cache, in one table.
#
# Usage: bench/compare_patch.sh BENCH_PATCH [PAIRS [MODEL...]]
# For each model (the shipped tiny ones unless given) PAIRS pairs (100) and both scopes: first ogpt,
# all edges, then PyTorch on the same two threads, 60 of the edges, whose sums of effects must be the
# same. Without PyTorch (Debian package python3-torch) its rows are left out and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$(realpath "$1")
pairs=${2:-100}
models=("${@:3}")
((${#models[@]})) || models=("$here"/../datasets/models/tiny-{6x6,8x8})
threads=2
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

. "$here/../tools/peer_python.sh"
have_torch=yes
peer_python torch PyTorch || have_torch=no

row='%-9s %-5s %-8s %6s %6s %6s %9s %9s\n'
# shellcheck disable=SC2059
printf "$row" model scope program pairs edges batch seconds edges/s
for model in "${models[@]}"; do
    name=$(basename "$model")
    for scope in last all; do
        line=$("$bench" "$model" "$pairs" "$scope" 1 "$threads" "$work/sheet" | grep -v '^#')
        IFS=$'\t' read -r _ n edges _ seconds ours _ <<<"$line"
        # shellcheck disable=SC2059
        printf "$row" "$name" "$scope" ogpt "$n" "$edges" - "$seconds" "$ours"
        [[ $have_torch == yes ]] || continue
        line=$(OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads "$python" \
            "$here/torch_patch.py" "$model" "$work/sheet" "$scope" "$threads" 60)
        IFS=$'\t' read -r _ n edges batch seconds theirs gap <<<"$line"
        # shellcheck disable=SC2059
        printf "$row" "$name" "$scope" torch "$n" "$edges" "$batch" "$seconds" "$theirs"
        awk -v name="$name" -v scope="$scope" -v a="$ours" -v b="$theirs" -v gap="$gap" 'BEGIN {
            printf "%s, scope %s: ogpt patches %.1f times as fast as PyTorch; largest difference of ",
                name, scope, a / b
            printf "the sum of an edge'"'"'s effects %s\n", gap }'
    done
done
echo "threads $threads; edges/s: edges times pairs; ogpt: with both runs of every pair, from the start;"
echo "PyTorch: both runs done before, the fastest of three batch sizes"
