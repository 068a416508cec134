#!/bin/bash
# tests/cli/plant.sh - ogpt plant: networks that the other commands take, the truth as text and as JSON,
# the twin without it; typed again, typed otherwise, and places that hold something else.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

for kind in emptiness duplicate backup saturated cancel linear dormant; do
    expect 0 plant $kind $kind --size 4
    holds "kind          $kind"
    grep -q '^L0H[0-3]  *[a-z]' out || fail "$kind: what its first head does is not said"
done
expect 0 plant dormant dormant --size 4 # the same again: nothing is written
holds "dormant was there already, unchanged"
expect 0 verify emptiness duplicate backup saturated cancel linear dormant
[ "$(grep -c clean out)" = 8 ] || fail "seven networks are clean: $(cat out)"

# The truth: names as the commands on circuits have them, numbers that are not zero.
expect 0 plant backup truth --size 4 --json
holds '"kind": "backup"'
for edge in 'input->L0H[0-3].v' 'mlp0->L1H[0-3].q' 'L1H[0-3]->logits'; do
    grep -q "\"name\": \"$edge\"" out || fail "no edge $edge: $(cat out)"
done
holds '"effect": -6.0'
expect 0 plant backup truth --size 4
holds 'the backup: does the same if the gate is on'
[ "$(grep -c '^edge ' out)" = 7 ] || fail "seven edges: $(cat out)"
# The twin has no truth, and other weights.
expect 0 plant backup twin --size 4 --twin --json
holds '"truth": []'
lacks '"effect"'
expect 0 plant backup twin --size 4 --twin
holds 'what finds this circuit here is wrong'
cmp -s truth/model.safetensors twin/model.safetensors && fail 'the twin is the network itself'

# The other commands take it: on the moves of a game, emptiness never says a square that was played.
expect 0 generate four.ogpc --games 200 --size 4
expect 0 plant emptiness empty --size 4 --strength 12 --force
expect 0 eval empty --corpus four.ogpc --games 100 --json
held=$(sed -n 's/.*"strict_error": \([0-9.]*\),.*/\1/p' out | head -1)
expect 0 plant emptiness empty-twin --size 4 --twin
expect 0 eval empty-twin --corpus four.ogpc --games 100 --json
without=$(sed -n 's/.*"strict_error": \([0-9.]*\),.*/\1/p' out | head -1)
awk -v a="$held" -v b="$without" 'BEGIN { exit !(a > 0 && a < b - 0.1) }' ||
    fail "strict error with the circuit $held, without $without: at least 0.1 less expected"

# Other options on the same place; a place that holds something else.
refuse 2 'holds another planted network' plant backup truth --size 4 --seed 2
refuse 2 '"seed":1' plant backup truth --size 4 --seed 2
expect 0 plant backup truth --size 4 --seed 2 --force
refuse 2 'did you mean cancel' plant cancle x
refuse 2 'expected one of emptiness' plant nothing x
refuse 2 'strength' plant cancel x --strength 13
refuse 2 'is the name of a checkpoint' plant cancel step-00000012
mkdir precious && echo text >precious/file
refuse 2 'precious: exists and is no planted network' plant cancel precious --force
refuse 2 'four.ogpc: exists and is no planted network' plant cancel four.ogpc --force
[ "$(cat precious/file)" = text ] || fail 'a folder was touched'
mkdir truth/probe
refuse 2 'truth/probe: a probe lies there' plant backup truth --size 4 --seed 1 --force
rmdir truth/probe
echo >>truth/config.json
refuse 2 'or a damaged one' plant backup truth --size 4 --seed 2
expect 0 plant backup truth --size 4 --seed 2 --force
expect 0 verify truth
check_end
