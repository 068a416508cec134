#!/bin/bash
# Training speed of ogpt beside the same network in PyTorch, in one table.
#
# Usage: bench/compare_train.sh BENCH_TRAIN [PRESET...]
# Each preset runs first as ogpt, then as PyTorch with the same batch and number of steps, one
# after the other on two threads. The ratio is of games a second. Without PyTorch
# (Debian package python3-torch) its columns stay empty and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$1
shift
presets=("$@")
((${#presets[@]})) || presets=(tiny small paper)
declare -A steps=([nano]=10 [tiny]=12 [small]=5 [paper]=2)
threads=2

python=/usr/bin/python3 # Debian's: where the package python3-torch is installed
have_torch=no
if [[ -x $python ]] && "$python" -c 'import torch' 2>/dev/null; then
    have_torch=yes
else
    echo "PyTorch skipped: $python has no module torch (apt-get install python3-torch)"
fi

row='%-7s %-8s %6s %6s %9s %9s %8s %8s %7s %7s %7s\n'
# shellcheck disable=SC2059
printf "$row" preset program batch steps games/s tokens/s GFLOP/s peak share% MiB ratio
for preset in "${presets[@]}"; do
    line=$("$bench" "$preset" "${steps[$preset]:-5}" | grep -v '^#')
    IFS=$'\t' read -r _ _ batch n games tokens flops peak share memory <<<"$line"
    # shellcheck disable=SC2059
    printf "$row" "$preset" ogpt "$batch" "$n" "$games" "$tokens" "$flops" "$peak" "$share" \
        "$memory" 1.00
    [[ $have_torch == yes ]] || continue
    line=$(OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads "$python" "$here/torch_train.py" \
        "$preset" "$n" "$batch" "$threads" "$peak")
    IFS=$'\t' read -r _ _ _ _ torch_games tokens flops peak share memory <<<"$line"
    ratio=$(awk -v ours="$games" -v theirs="$torch_games" 'BEGIN { printf "%.2f", ours / theirs }')
    # shellcheck disable=SC2059
    printf "$row" "$preset" torch "$batch" "$n" "$torch_games" "$tokens" "$flops" "$peak" \
        "$share" "$memory" "$ratio"
done
echo "threads $threads; best of 3; peak: 1024^3 matrix products (sgemm a worker; torch.mm);"
echo "share: GFLOP/s of ogpt's sgemm peak; ratio: games/s of ogpt over games/s of PyTorch"
