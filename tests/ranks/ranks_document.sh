#!/bin/bash
# The lines of docs/CLUSTER.md that begin with mpirun or ogpt run as pasted, in their order, in two ranks, made
# shorter by the table below. label: slow
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_paste.sh"
# shellcheck disable=SC2034
shorter='
mpirun; -n 4; --oversubscribe -n 2
mpirun; --games 1000000; --games 3000
mpirun; --steps 5000; --steps 2 --layers 6 --d-model 32 --heads 4 --threads 1
mpirun;(ogpt eval .*)$;\1 --games 50
mpirun;(ogpt probe fit .*)$;\1 --games 20 --test-games 20 --no-controls
ogpt cases; --n 1000; --n 8
mpirun;(ogpt sae train .*)$;\1 --features 32 --activations 4096 --batch 256 --buffer 64
ogpt cases pairs; --n 200; --n 20
mpirun;(ogpt circuit .*)$;\1 --method exact,atp --no-curves
'
# shellcheck disable=SC2034
not_here=''
PATH=$(dirname "$OGPT"):$PATH
grep -E '^    (mpirun|ogpt) ' "$OGPT_SOURCE/docs/CLUSTER.md" | sed 's/^ *//' >lines
paste_lines docs/CLUSTER.md <lines
[ "${n_run:-0}" -ge 9 ] || fail "docs/CLUSTER.md: ${n_run:-0} lines ran, at least 9 expected"
check_end
