#!/bin/bash
# tests/cli/sae_edits.sh - label: counted - features of an autoencoder as handles: ogpt intervene --method sae and ogpt steer --from sae. The
# same numbers for any number of threads, going on where it stopped; the shipped autoencoder edits the board, its controls and
# an untrained one do not; one line for what cannot be.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
shipped=$OGPT_SOURCE/datasets/models/tiny-6x6
column() { # NAME FILE
    awk -F, -v name="\"$1\"" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at[name] }' "$2"
}

# The shipped autoencoder: most of the gap, more than both controls; the probe's direction in the same table.
expect 0 cases make cases.csv --n 60 --size 6 --quiet
expect 0 cases make tune.csv --n 40 --size 6 --purpose tune --quiet
few="--cases cases.csv --features-games 60 --no-play-on"
edit="intervene tiny-6x6 --method sae --sae $shipped/sae $few"
good="--per-state 2 --scale 1.5" # what 300 tuning cases choose
for n in 1 3; do
    expect 0 $edit $good --threads $n --json
    grep -v '"threads"' out >edit$n
done
cmp -s edit1 edit3 || fail 'edits by features depend on the number of threads'
awk -F'[:,]' '/^  "[a-z_]*": [-0-9.]+,?$/ { gsub(/[ "]/, "", $1); v[$1] = $2 + 0 }
    END { print v["closed"], v["random_closed"], v["wrong_square_closed"], v["probe_closed"], v["features"], v["features_games"]
        exit !(v["closed"] > 0.6 && v["random_closed"] < 0.3 && v["wrong_square_closed"] < 0.3 && v["probe_closed"] > 0.6 &&
        v["features"] >= 1 && v["features_games"] == 60) }' edit1 >seen || fail "the features do not edit, or a control does: $(cat seen)"
expect 0 $edit --tune tune.csv --scale 1 --no-by-layer
holds 'features a state: chosen on the tuning cases'
holds "probe's direction closes"

# Twin: an autoencoder of the same layer that has seen next to nothing. The best of its directions are of some use, as the best
# of many are, but of less.
expect 0 sae train tiny-6x6 --layer 4 --k 32 --features 256 --activations 4096 --batch 256 --buffer 200 --out twin --quiet
expect 0 intervene tiny-6x6 --method sae --sae twin $few $good --json
awk -v twin="$(json_value closed)" '{ exit !(twin < $1 - 0.1) }' seen || fail "an untrained autoencoder closes $(json_value closed) of $(cat seen)"

# Interrupted and typed again: the same rows.
long="intervene tiny-6x6 --method sae --sae $shipped/sae --cases many.csv --per-state 1 --scale 1.5 --features-games 20 --no-by-layer"
expect 0 cases make many.csv --n 320 --size 6 --quiet # five blocks
expect 0 $long --csv whole
stopped INT 130 ogpt-results.db $long --csv again
expect 0 $long --csv again
cmp -s whole/edit_cases.csv again/edit_cases.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db

# Beside the other methods, each tuned.
expect 0 intervene tiny-6x6 --method all --sae $shipped/sae $few --tune tune.csv --steps 3 --layers 4 --json
[ "$(grep -c '"method": "\(add\|project\|set\|gradient\|sae\)"' out)" = 5 ] || fail 'five methods'

# Steered along features: other games choose; the probe's direction beside them; a list of features, and their squares alone.
steer="steer tiny-6x6 --from sae --sae $shipped/sae --fit-games 60 --tuning-games 10 --games 20 --plies 4 --features-games 60 --alpha 1"
expect 0 $steer --threads 1 --csv one
expect 0 $steer --threads 3 --csv three
cmp -s one/arms.csv three/arms.csv || fail 'steering depends on the number of threads'
[ "$(column arm one/arms.csv | tr -d '"' | tr '\n' ' ')" = 'null steer random permuted wrong_square shuffled probe ' ] || fail 'seven arms'
column closed one/arms.csv | awk 'NR == 2 && $1 < 0.3 || (NR >= 3 && NR <= 5) && $1 > 0.2 || NR == 7 && $1 < 0.3 { exit 1 }' ||
    fail 'features do not steer, or a control does'
feature=$($OGPT sae features tiny-6x6 "$shipped/sae" --games 60 --test-games 20 --csv list --quiet >out 2>err && tr -d '"' <list/list.csv |
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $at["property"] ~ /(theirs|mine)/ { print $at["number"]; exit }')
expect 0 $steer --features "$feature" --json
[ "$(json_value features)" = "$feature" ] || fail "features of the list: $(json_value features)"
grep -q '"arm": "probe"' out || fail 'no probe in the table'

# What cannot be: one line, with both sides.
expect 0 generate g.ogpc --games 200 --size 6
expect 0 train other --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 2 --batch 16 --quiet
refuse 3 'belongs to another network' intervene other --method sae --sae "$shipped/sae" --cases cases.csv --quiet
refuse 3 'of layer 4, but resid_post of layer 3 is asked for' $edit --layers 3
refuse 3 'but mlp_out of layer 4 is asked for' $edit --site mlp_out
refuse 2 'ogpt sae train' intervene other --probe "$shipped/probe" --method sae --cases cases.csv
expect 0 intervene tiny-6x6 --method sae $few $good --json # the one beside the network
[ "$(json_value features)" = 2 ] || fail 'no autoencoder beside the network'
refuse 2 'asked for with --method sae or all only' intervene tiny-6x6 --sae "$shipped/sae" --cases cases.csv --layers 4 --scale 1
refuse 2 'nothing to choose: --per-state and scale are both given' $edit --per-state 2 --scale 1 --tune tune.csv
refuse 2 'without r' $edit --scale 0.5r --quiet
refuse 4 'nowhere' intervene tiny-6x6 --method sae --sae nowhere --cases cases.csv
expect 0 sae train tiny-6x6 --layer 4 --kind transcoder --k 3 --features 12 --activations 1000 --batch 100 --buffer 20 --out coder --quiet
refuse 2 'transcoder' intervene tiny-6x6 --method sae --sae coder --cases cases.csv
expect 0 sae train tiny-6x6 --layer embed --k 3 --features 12 --activations 1000 --batch 100 --buffer 20 --out embed --quiet
refuse 2 'an autoencoder of the embedding' intervene tiny-6x6 --method sae --sae embed --cases cases.csv
refuse 3 'of layer 4, but resid_post of layer 2 is asked for' $steer --layers 2
refuse 3 'but mlp_out of layer 4 is asked for' $steer --site mlp_out
refuse 2 'ogpt sae train' steer other --from sae
refuse 2 'asked for with --from sae only' steer tiny-6x6 --sae "$shipped/sae"
refuse 2 '--features "1024"' $steer --features 1024
refuse 2 'none of the features' $steer --features "$feature" --square a1 --quiet
check_end
