#!/bin/bash
# tests/probes/board/probe_messages.sh - what ogpt probe fit says about its sample is true: a split with
# fewer games than asked is named with its own number, and no other split.
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
check_end
