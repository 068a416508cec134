#!/bin/bash
# tests/probes/attribution/attribute_games.sh - label: slow - ogpt attribute over many games: every grain adds
# up, any number of threads gives the same rows; probes that it cannot read.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/probes/attribution/lib_attribute.sh" || exit 1

for grain in layer part head source neuron; do
    expect 0 attribute net --moves "$moves" --square c3 --by $grain --json --quiet
    adds_up "board by $grain"
    expect 0 attribute net --moves "$moves" --move f3 --by $grain --json --quiet
    adds_up "logit by $grain"
done
# ---- many games ----
games=33 # three passes (PASS_GAMES), or workers would not share anything
[ "${OGPT_SANITIZED:-0}" = 1 ] && games=17
expect 0 generate six.ogpc --games 400 --size 6
expect 0 attribute net --corpus six.ogpc --games 20 --layers 5 --json --quiet --csv tables
adds_up corpus
[ "$(wc -l <tables/components.csv)" -gt 60 ] || fail "a row a component in the CSV"
holds '"all heads"'
tr -d '"' <tables/shares.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $(at["kind"]) !~ /^all/ { sum += $(at["share"]); random += $(at["random_share"]) }
    END { exit !(sum > 0.999 && sum < 1.001 && random < 0.3 && random > -0.3) }' ||
    fail "shares do not add up to 1, or the control gets as much"
for grain in head source neuron; do
    expect 0 attribute net --fresh --games $games --by $grain --threads 1 --json --quiet
    mv "$work/out" one
    expect 0 attribute net --fresh --games $games --by $grain --threads 2 --json --quiet
    cmp -s one "$work/out" || fail "$grain: other rows with another number of threads"
done
expect 0 attribute net --fresh --games $games --by neuron --seed 2 --json --quiet
cmp -s one "$work/out" && fail "another seed gives the same rows"
expect 0 attribute net --fresh --games 8 --to logit --metric centred --by part --html page.html --quiet
grep -q mlp7 page.html || fail "the page lacks a component"
"$OGPT" runs list --limit 1 --json --quiet >"$work/out"
expect 0 runs show "$(json_value run)" --json --quiet
holds '"attribution_components"'

quiet=(--quiet)
refuse 3 "fitted on model" attribute net --fresh --probe big/probe "${quiet[@]}"
refuse 3 "six.ogpc" attribute big --corpus six.ogpc "${quiet[@]}"
small="--corpus six.ogpc --games 30 --test-games 10 --no-controls --layers 3"
expect 0 probe fit net $small --site z --out of_z
refuse 2 "no sum of what the network's parts wrote" attribute net --fresh --probe of_z --layers 3 "${quiet[@]}"
expect 0 probe fit net $small --hidden 16 --solver adamw --out hidden
refuse 2 "hidden" attribute net --fresh --probe hidden --layers 3 "${quiet[@]}"
expect 0 probe fit net $small --out third
refuse 2 "third holds no layer 5" attribute net --fresh --probe third --layers 5 "${quiet[@]}"
expect 0 attribute net --fresh --games 2 --probe third --quiet # its only layer
check_end
