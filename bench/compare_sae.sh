#!/bin/bash
# Speed of training a sparse autoencoder, next to the same recipe in PyTorch, in one table.
#
# Usage: bench/compare_sae.sh BENCH_SAE [ROWS [WIDTH [FEATURES [K]]]]
# First ogpt (batchtopk; ROWS rows of WIDTH numbers, a million of 128; 1,024 features, 32 kept), on two
# threads, then PyTorch on a tenth of the rows. Without PyTorch (Debian package python3-torch) its row is
# left out and a line says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$(realpath "$1")
rows=${2:-1000000} width=${3:-128} features=${4:-1024} k=${5:-32}
. "$here/peer_torch.sh"

columns='%-8s %7s %9s %6s %9s %4s %9s %9s %9s %9s %7s %5s'
row "$columns" program threads rows width features k seconds rows/s GFLOP/s peak share% MiB
line=$("$bench" "$rows" "$width" "$features" "$k" "$threads" | grep -v '^#')
IFS=$'\t' read -r _ used n _ _ _ seconds ours flops peak share memory <<<"$line"
row "$columns" ogpt "$used" "$n" "$width" "$features" "$k" "$seconds" "$ours" "$flops" "$peak" "$share" "$memory"
if [[ $have_torch == yes ]]; then
    fewer=$((rows / 10 > 40960 ? rows / 10 : 40960))
    line=$(in_torch "$here/torch_sae.py" "$fewer" "$width" "$features" "$k" "$threads")
    IFS=$'\t' read -r used n seconds theirs flops own <<<"$line"
    row "$columns" torch "$used" "$n" "$width" "$features" "$k" "$seconds" "$theirs" "$flops" "$own" - -
    awk -v a="$ours" -v b="$theirs" 'BEGIN {
        printf "ogpt trains on %.1f times the rows a second of PyTorch\n", a / b }'
    awk -v a="$peak" -v b="$own" 'BEGIN {
        if (b < a / 2) printf "torch.mm reaches %.0f %% of our sgemm: PyTorch stands on a slow BLAS\n", 100 * b / a }'
fi
awk -v a="$ours" 'BEGIN { printf "10 million such rows: %.1f min\n", 1e7 / a / 60 }'
echo "peak: 1024^3 matrix products (ogpt: sgemm a worker; torch: torch.mm)"
echo "best of 3; GFLOP/s: 12 x width x features a row, as if all features were active"
