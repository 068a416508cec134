#!/bin/bash
# tests/probes/board/probe_messages.sh - label: counted - what ogpt probe fit says about its sample is true: a split with
# fewer games than asked is named with its own number, and no other split. Long commands say before
# they begin how long they take.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
expect 0 generate g.ogpc --games 600 --size 4 --quiet
expect 0 train m --corpus g.ogpc --layers 1 --d-model 16 --heads 2 --steps 1 --batch 8 --quiet
fit() {
    expect 0 probe fit m --corpus g.ogpc --layers 0 --no-controls --force --out p "$@"
}

fit --games 20 --test-games 10
lacks 'were asked for' err # both splits have enough
fit --games 20 --test-games 500
grep -q 'the corpus has [0-9]* test games, 500 were asked for' err || fail 'the test split is too small'
lacks 'training games' err
fit --games 5000 --test-games 10
grep -q 'the corpus has [0-9]* training games, 5000 were asked for' err || fail 'the training split'
lacks 'test games' err

# Rows that do not fit in memory need a place on the disk. A wide network has many with few games.
expect 0 train wide --fresh --size 4 --layers 1 --d-model 512 --heads 2 --steps 1 --batch 8 --quiet
spilled=(probe fit wide --corpus g.ogpc --layers 0 --no-controls --games 400 --test-games 20 --memory 1)
TMPDIR=$work/nowhere expect 4 "${spilled[@]}" --out no --quiet
holds 'nowhere: no temporary file can be made for activations' err
[ -e no ] && fail 'a probe was made without its rows'
expect 0 "${spilled[@]}" --out yes --quiet
expect 0 "${spilled[@]:0:10}" --out same --quiet
cmp -s yes/probe.safetensors same/probe.safetensors || fail 'rows on the disk give another probe'

# Estimates, next to the memory where that is said.
fit --games 20 --test-games 10
grep -q 'MiB of memory, .* (estimated)$' err || fail 'probe fit: no estimate'
fit --games 20 --test-games 10 --quiet
lacks estimated err
expect 0 train long --fresh --size 4 --layers 1 --d-model 16 --heads 2 --steps 3 --batch 8
grep -q 'MB of memory, a few seconds (estimated)' err || fail 'train: no estimate'
"$OGPT" train far --fresh --size 8 --preset nano --batch 8 --steps 99999999 >/dev/null 2>far.err & # nobody waits for it
pid=$!
for _ in $(seq 300); do grep -qs estimated far.err && break; sleep 0.1; done
kill -TERM $pid
wait $pid
grep -q 'memory, .* h (estimated)\|memory, years (estimated)' far.err || fail 'train: 99,999,999 steps take more than hours'
expect 0 activations m acts --corpus g.ogpc --games 20 --layers 0
grep -q 'MiB of memory, a few seconds (estimated)' err || fail 'activations: no estimate'
expect 0 cases make c.csv --kind natural --n 5 --size 4 --min-moves 2 --before-end 2 --quiet
expect 0 intervene m --probe p --cases c.csv --layers 0 --scale 1
grep -q '^ogpt: add on c.csv: a few seconds (estimated)\|^add on c.csv: a few seconds (estimated)' err || fail 'intervene: no estimate'
check_end
