#!/bin/bash
# Training speed of ogpt and of the same network in PyTorch, in one table.
#
# Usage: bench/compare_train.sh BENCH_TRAIN [PRESET...]
# Each preset runs first as ogpt, then as PyTorch with the same batch and number of steps, one
# after the other on two threads; both by AdamW, and ogpt once more by Muon, its default. The ratio
# is of games a second. Without PyTorch (Debian package python3-torch) its columns stay empty and a
# line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$1
shift
presets=("$@")
((${#presets[@]})) || presets=(tiny small paper)
declare -A ours
declare -A steps=([nano]=10 [tiny]=12 [small]=5 [paper]=2)
threads=2

. "$here/../tools/peer_python.sh"
have_torch=yes
peer_python torch PyTorch || have_torch=no

row='%-7s %-9s %6s %6s %9s %9s %8s %8s %7s %7s %7s\n'
# shellcheck disable=SC2059
printf "$row" preset program batch steps games/s tokens/s GFLOP/s peak share% MiB bf16%
ways=("f32 adamw")
if grep -qw avx512_bf16 /proc/cpuinfo; then
    ways+=("bf16 adamw" "bf16 muon")
else
    ways+=("f32 muon")
    echo "bf16 products skipped: this processor has no AVX512-BF16"
fi
for preset in "${presets[@]}"; do
    for way in "${ways[@]}"; do
        read -r precision optimizer <<<"$way"
        line=$("$bench" "$preset" "${steps[$preset]:-5}" 128 "$threads" "$precision" "$optimizer" |
            grep -v '^#')
        IFS=$'\t' read -r _ _ _ batch n games tokens flops peak share memory half <<<"$line"
        ours[$way]=$games
        # shellcheck disable=SC2059
        printf "$row" "$preset" "${way/adamw/}" "$batch" "$n" "$games" "$tokens" "$flops" "$peak" \
            "$share" "$memory" "$half"
    done
    [[ $have_torch == yes ]] || continue
    line=$(OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads "$python" "$here/torch_train.py" \
        "$preset" "$n" "$batch" "$threads" "$peak")
    IFS=$'\t' read -r _ _ _ _ torch_games tokens flops peak share memory <<<"$line"
    # shellcheck disable=SC2059
    printf "$row" "$preset" torch "$batch" "$n" "$torch_games" "$tokens" "$flops" "$peak" \
        "$share" "$memory" -
    for way in "${ways[@]}"; do
        awk -v preset="$preset" -v way="$way" -v a="${ours[$way]}" -v b="$torch_games" 'BEGIN {
                printf "%s: ogpt %s trains %.2f times the games a second of PyTorch\n",
                    preset, way, a / b }'
    done
done
echo "threads $threads; best of 3; peak: 1024^3 matrix products (sgemm a worker; torch.mm);"
echo "share: GFLOP/s over the float32 sgemm peak of both cores, for bf16 rows too; bf16%: over the bf16 peak"
