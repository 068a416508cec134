#!/bin/bash
# The numbers of docs/CLUSTER.md: the work of a step in one process and the time on 1 to 64 machines that
# follows; messages between two ranks over the loopback device and through shared memory.
# Usage: bench/measure_ranks.sh BENCH_RANKS [GIGABIT [MICROSECONDS [GAMES [CORES]]]]
set -euo pipefail
bench=$1
shift
[[ -x $bench ]] || {
    echo "measure_ranks: no $bench: ./dev mpi builds it" >&2
    exit 2
}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
"$bench" "$@"
for btl in self,tcp self,vader; do
    echo
    [[ $btl == self,tcp ]] && echo "over the loopback device" || echo "through shared memory"
    mpirun --quiet --oversubscribe --bind-to none --mca btl $btl --mca btl_tcp_if_include lo -n 2 "$bench"
done
