#!/bin/bash
# tests/cli/threads.sh - the commands that work in several threads, on tiny jobs with one and with
# four: the same bytes and numbers. ./dev test runs it under the thread sanitizer too.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# document NAME COMMAND...: what it prints with --json, without what depends on time.
document() {
    local name=$1
    shift
    expect 0 "$@" --json --quiet --threads $threads
    grep -vE '"(seconds|[a-z_]*_per_second|memory_bytes|threads)"' "$work/out" >"$name"
}

for threads in 1 4; do
    mkdir "$work/t$threads"
    cd "$work/t$threads" || exit 1
    document generate generate games.ogpc --games 2500 --size 4
    document train train net --corpus games.ogpc --layers 2 --d-model 16 --heads 2 --batch 16 \
        --steps 12 --checkpoint-every 6 --report-every 6
    document fit probe fit net --corpus games.ogpc --out probe --games 60 --test-games 20
    document eval eval net --corpus games.ogpc --games 60
    document activations activations net acts --corpus games.ogpc --games 40 --layers all
    document cases cases make cases.csv --n 8 --size 4 --min-moves 2 --before-end 2
    document intervene intervene net --probe probe --cases cases.csv --layers 0-1 --scale 1
done
cd "$work" || exit 1
for name in generate train fit eval activations cases intervene; do
    [ -s t1/$name ] || fail "$name: no document"
    cmp -s t1/$name t4/$name || fail "$name: another result with four threads: $(diff t1/$name t4/$name | head -3)"
done
for file in net/step-00000012/model.safetensors probe/probe.safetensors cases.csv; do
    cmp -s t1/$file t4/$file || fail "$file: other bytes with four threads"
done
cmp -s t1/net/step-00000006/model.safetensors t4/net/step-00000012/model.safetensors &&
    fail "the twin: two checkpoints are the same bytes"
check_end
