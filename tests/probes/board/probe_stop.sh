#!/bin/bash
# tests/probes/board/probe_stop.sh - a signal ends a fit of any solver within two seconds, with exit
# code 143.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
model=$OGPT_SOURCE/datasets/models/tiny-6x6
seconds=2
[ "${OGPT_SANITIZED:-0}" = 1 ] && seconds=10
expect 0 generate g.ogpc --games 3000 --size 6 --quiet

for solver in liblinear newton adamw; do
    "$OGPT" probe fit "$model" --corpus g.ogpc --out "p-$solver" --solver $solver --l2 1e-6 \
        --layers 3-7 --threads 1 --quiet >out 2>err &
    pid=$!
    sleep 0.7 # in the first fit: liblinear needs many seconds for it
    kill -TERM $pid || fail "$solver: it was over before the signal"
    start=$(date +%s%N)
    wait $pid
    code=$?
    took=$((($(date +%s%N) - start) / 1000000))
    [ $code = 143 ] || fail "$solver: exit code 143 expected, found $code"
    [ $took -lt $((seconds * 1000)) ] || fail "$solver: ended $took ms after the signal"
done
check_end
