#!/bin/bash
# tests/cli/rules.sh - rule variants: games, corpora and networks that say by which rules they are
# made, what is refused across rules, and the iago twin of a network.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# The proof of the rules, by both engines; iago plays as classic.
for rules in classic no-mid-flip iago; do
    expect 0 perft 6 --size 6 --rules $rules --json
    fast=$(json_value nodes)
    expect 0 perft 6 --size 6 --rules $rules --ref --json
    [ "$(json_value nodes)" = "$fast" ] || fail "$rules: ref $(json_value nodes), fast $fast"
    [ "$rules" = no-mid-flip ] && wanted=7636 || wanted=7604
    [ "$fast" = $wanted ] || fail "$rules: $fast leaves, expected $wanted"
    expect 0 generate $rules.ogpc --games 300 --size 6 --rules $rules --quiet
    expect 0 corpus info $rules.ogpc --json
    [ "$(json_value rules)" = $rules ] || fail "corpus info: $(json_value rules), expected $rules"
    expect 0 verify $rules.ogpc
done
refuse 2 "one of classic|no-mid-flip|iago expected" generate new.ogpc --games 10 --rules othello
refuse 2 "by the rules classic, asked for iago" generate classic.ogpc --games 300 --size 6 --rules iago

# A network takes its rules from the corpus, or from --rules with --fresh.
shape="--layers 1 --d-model 16 --heads 2 --batch 16 --steps 4 --lanes 2 --precision f32 --quiet"
for rules in classic no-mid-flip; do
    expect 0 train net-$rules --corpus $rules.ogpc $shape
    expect 0 eval net-$rules --corpus $rules.ogpc --games 20 --quiet
done
refuse 2 "by the rules classic, --rules asks for iago" train other --corpus classic.ogpc --rules iago $shape
expect 0 train fresh-ends --fresh --size 6 --rules no-mid-flip $shape
expect 0 eval fresh-ends --corpus no-mid-flip.ogpc --games 20 --quiet
refuse 2 "on games fresh:106:1, asked for fresh:6:1" train fresh-ends --fresh --size 6 $shape
refuse 2 "with --rules classic, asked for iago" train net-classic --corpus iago.ogpc $shape # the same games
expect 0 train again --init-from fresh-ends --steps 4 --quiet # takes the rules with the options
expect 0 eval again --corpus no-mid-flip.ogpc --games 20 --quiet

# What judges refuses games of other rules, both named.
for what in "eval net-no-mid-flip" "probe fit net-no-mid-flip --out p" "heads net-no-mid-flip" \
    "lens net-no-mid-flip"; do
    # shellcheck disable=SC2086
    refuse 3 "holds games by the rules classic, the model" $what --corpus classic.ogpc
    holds "plays by no-mid-flip" err
done
refuse 3 "by the rules no-mid-flip" eval net-classic --corpus no-mid-flip.ogpc

# The iago twin: other bytes, the same play; and back to the same bytes.
expect 0 convert net-classic twin --rules iago --quiet
refuse 3 "by the rules classic" eval twin --corpus classic.ogpc
refuse 2 "their games differ" convert net-classic never --rules no-mid-flip
refuse 2 "--rules means nothing with another layout" convert net-classic never --to mingpt --rules iago
expect 0 convert twin back --rules classic --quiet
cmp -s back/model.safetensors net-classic/step-00000004/model.safetensors || fail "other bytes came back"
cmp -s twin/model.safetensors net-classic/step-00000004/model.safetensors && fail "no token was renamed"
expect 0 eval net-classic --corpus classic.ogpc --games 20 --json
for key in strict_error lenient_error floor positions; do
    eval "was_$key=$(json_value $key)"
done
expect 0 eval twin --corpus iago.ogpc --games 20 --json
for key in strict_error lenient_error floor positions; do
    was=was_$key
    [ "$(json_value $key)" = "${!was}" ] || fail "$key: classic ${!was}, iago $(json_value $key)"
done
expect 0 verify twin

# Two networks of one study play by the same rules; so do a start and the games that follow, as to tokens.
for second in "lens net-classic --other" "basis net-classic --beside"; do
    for rules in no-mid-flip iago; do
        [ $rules = iago ] && other=twin || other=net-no-mid-flip
        # shellcheck disable=SC2086
        refuse 3 "${second##* } $other" $second $other --quiet
        holds "by the rules $rules, net-classic" err
        holds "by classic" err
    done
done
refuse 2 "ogpt convert twin OUT --rules classic" train joined --corpus classic.ogpc --init-from twin $shape
refuse 2 "ogpt convert net-classic OUT --rules iago" train joined --fresh --size 6 --rules iago --init-from net-classic $shape
[ -e joined ] && fail "a refused start made a run"
expect 0 train joined --corpus iago.ogpc --init-from twin $shape
expect 0 train other-play --corpus no-mid-flip.ogpc --init-from net-classic $shape
check_end
