#!/bin/bash
# tests/cli/split_rules.sh - networks and probes record how their corpus was divided; where two rules
# meet, only games that both put into a split are used, and a run is not continued by another rule.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
shape=(--layers 1 --d-model 16 --heads 2 --batch 8 --quiet)
expect 0 generate new.ogpc --size 4 --games 1000 --seed 3 --quiet
cp new.ogpc old.ogpc # of version 1: four bytes of the file say so, and nothing else differs
printf '\0\0\0\1' | dd of=old.ogpc bs=1 seek=60 conv=notrunc status=none

expect 0 corpus info old.ogpc --json
[ "$(json_value version) $(json_value split_rule) $(json_value test_games)" = "1 game 95" ] ||
    fail "old.ogpc: $(json_value version) $(json_value split_rule) $(json_value test_games)"
old_hash=$(json_value content_hash)
expect 0 corpus info new.ogpc --json
[ "$(json_value version) $(json_value split_rule)" = "2 canonical" ] ||
    fail "new.ogpc: $(json_value version) $(json_value split_rule)"
[ "$(json_value content_hash)" = "$old_hash" ] || fail "the content hash depends on the version"

both="only games that lie in the same split by both are used"
# A network records the rule; a copy of it, and a network that starts from it, keep it. What the
# first was trained on is held out in no run that starts from it: its games are divided by both.
expect 0 train first --corpus old.ogpc --steps 2 "${shape[@]}"
holds '"split_rule": "game"' first/step-00000002/MANIFEST.json
second=(train second --corpus new.ogpc --steps 2 --init-from first "${shape[@]/--quiet/--json}")
expect 0 "${second[@]}"
holds "$both" err
holds '"split_rule": "game"' second/step-00000002/MANIFEST.json
holds '"split_rule": "game canonical"' second/step-00000002/MANIFEST.json
expect 0 "${second[@]}" # typed again
expect 0 train third --corpus new.ogpc --steps 2 "${shape[@]}"
holds '"split_rule": "canonical"' third/step-00000002/MANIFEST.json
lacks "$both" err
expect 0 train fourth --corpus new.ogpc --steps 2 --init-from third "${shape[@]/--quiet/--json}"
holds '"split_rule": "canonical"' fourth/step-00000002/MANIFEST.json
lacks "$both" err
expect 0 train fresh --fresh --size 4 --steps 2 "${shape[@]}"
lacks split_rule fresh/step-00000002/MANIFEST.json
expect 0 convert second copy --to tl
holds '"split_rule": "game canonical"' copy/MANIFEST.json

# Two rules that meet are named, and leave fewer games.
for model in first second copy; do
    expect 0 eval $model --corpus new.ogpc --json
    holds "$both" err
    [ "$(json_value games)" = 35 ] || fail "$model: 35 test games by both: $(json_value games)"
done
expect 0 eval first --corpus old.ogpc --json
lacks "$both" err
[ "$(json_value games)" = 95 ] || fail "first, old.ogpc: 95 test games: $(json_value games)"
expect 0 eval fresh --corpus new.ogpc --json
lacks "$both" err
[ "$(json_value games)" = 89 ] || fail "fresh, new.ogpc: 89 test games: $(json_value games)"

# A run or a probe is not continued with the same games, divided in another way.
refuse 2 "was trained on a corpus divided by rule game, asked for canonical" \
    train first --corpus new.ogpc --steps 2 "${shape[@]}"
fit=(--games 20 --test-games 4 --no-controls --layers 0 --quiet)
expect 0 probe fit fresh --corpus new.ogpc --out probe "${fit[@]}"
holds '"split_rule": "canonical"' probe/probe.json
refuse 2 "fitted with a corpus divided by canonical, asked for game" \
    probe fit fresh --corpus old.ogpc --out probe "${fit[@]}"
expect 0 probe fit first --corpus new.ogpc --out probe-both "${fit[@]}"
holds '"split_rule": "game canonical"' probe-both/probe.json

# Class means come from games that are training games by all: the corpus, the network, its probe.
expect 0 probe fit fresh --corpus old.ogpc --out probe-old "${fit[@]}"
expect 0 cases make cases.csv --n 4 --size 4 --min-moves 2 --before-end 2 --quiet
means() { # network, probe, corpus, games behind the means
    expect 0 intervene "$1" --probe "$2" --method mean-difference --means-from "$3" \
        --cases cases.csv --layers 0 --scale 1 --json
    [ "$(json_value means_games)" = "$4" ] ||
        fail "means of $1, $2, $3: $4 games expected, found $(json_value means_games)"
}
expect 0 corpus info new.ogpc --json
of_new=$(json_value training_games)
means fresh probe new.ogpc "$of_new"
means fresh probe-old new.ogpc 702
means first probe-both new.ogpc 702
holds "$both" err

expect 0 activations fresh acts --corpus new.ogpc --layers 0 --quiet
holds '"split_rule": "canonical"' acts/index.json
check_end
