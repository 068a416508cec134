#!/bin/bash
# tests/probes/attribution/attribute.sh - label: slow - ogpt attribute from the shell: a typed game, cases,
# pairs and many games; tables, any number of threads, and every wrong question in one line.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
ln -s "$OGPT_SOURCE/datasets/models/tiny-6x6" net
ln -s "$OGPT_SOURCE/datasets/models/tiny-8x8" big
moves='e4 e5 b3 e3'

# sums: of the values of all components on stdout, and the number.
sums() {
    sed -n '/^  "components"/,/^  \]/s/^ *"value": \(.*\),$/\1/p' "$work/out" |
        awk '{ sum += $1; size += $1 < 0 ? -$1 : $1 } END { printf "%.4f %.2f\n", sum, size }'
}

# adds_up NAME: the components of the last document are the number, and the identity holds.
adds_up() {
    local number error sum size
    number=$(json_value number)
    error=$(json_value identity_error)
    read -r sum size <<<"$(sums)"
    awk -v n="$number" -v s="$sum" -v e="$error" -v z="$size" 'BEGIN {
        d = n - s; d = d < 0 ? -d : d
        exit !(d < 2e-4 && e > 0 && e < 1e-4 && z > 1) }' ||
        fail "$1: number $number, sum $sum of size $size, error $error"
}

# ---- one game ----
expect 0 attribute net --moves "$moves" --square c3 --quiet
holds "identity error"
holds "'<' is what is asked about"
holds "adds to the score of each square"
lacks "read from each earlier move"
expect 0 attribute net --moves "$moves" --square c3 --by source --quiet
holds "read from each earlier move, by all heads"
holds "@"
for grain in layer part head source neuron; do
    expect 0 attribute net --moves "$moves" --square c3 --by $grain --json --quiet
    adds_up "board by $grain"
    expect 0 attribute net --moves "$moves" --move f3 --by $grain --json --quiet
    adds_up "logit by $grain"
done
# Twins: recomputed does not add up, and says how far it is from what does.
expect 0 attribute net --moves "$moves" --move f3 --ln recomputed --json --quiet
read -r sum size <<<"$(sums)"
awk -v n="$(json_value number)" -v s="$sum" 'BEGIN { exit !(n - s > 0.05 || s - n > 0.05) }' ||
    fail "with the LayerNorm recomputed the values add up: $sum"
awk -v g="$(json_value ln_gap)" 'BEGIN { exit !(g > 0.01) }' || fail "a gap expected"
expect 0 attribute net --moves "$moves" --move a1
holds "--move a1 is not legal there" err

# ---- cases and pairs ----
expect 0 cases make cases.csv --n 20 --size 6
expect 0 attribute net --cases cases.csv --json --quiet
adds_up cases
[ "$(json_value games)" = 20 ] || fail "20 cases expected"
expect 0 cases pairs pairs.csv --n 20 --size 6
expect 0 attribute net --cases pairs.csv --to logit --json --quiet
adds_up pairs
holds "moves legal on the first board only"

# ---- many games ----
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
    expect 0 attribute net --fresh --games 40 --by $grain --threads 1 --json --quiet
    mv "$work/out" one
    expect 0 attribute net --fresh --games 40 --by $grain --threads 2 --json --quiet
    cmp -s one "$work/out" || fail "$grain: other rows with another number of threads"
done
expect 0 attribute net --fresh --games 40 --by neuron --seed 2 --json --quiet
cmp -s one "$work/out" && fail "another seed gives the same rows"
expect 0 attribute net --fresh --games 8 --to logit --metric centred --by part --html page.html --quiet
grep -q mlp7 page.html || fail "the page lacks a component"
"$OGPT" runs list --limit 1 --json --quiet >"$work/out"
expect 0 runs show "$(json_value run)" --json --quiet
holds '"attribution_components"'

# ---- wrong questions: one line each ----
quiet=(--quiet)
refuse 2 "expected one of --moves, --corpus, --cases and --fresh, found 0" attribute net "${quiet[@]}"
refuse 2 "found 2" attribute net --fresh --moves "$moves" "${quiet[@]}"
refuse 2 "expected a square of the 6x6 board" attribute net --moves "$moves" --square g7 "${quiet[@]}"
refuse 3 "--moves: character 4, ply 2: a1 flips nothing" attribute net --moves "e4 a1" "${quiet[@]}"
refuse 2 "layer" attribute net --moves "$moves" --layers 9 "${quiet[@]}"
refuse 2 "a centre square is never played" attribute net --moves "$moves" --move c3 "${quiet[@]}"
refuse 2 "add --to logit" attribute net --moves "$moves" --move f3 --to board "${quiet[@]}"
refuse 2 "the number is a logit" attribute net --moves "$moves" --square c3 --to logit "${quiet[@]}"
refuse 2 "--ln: no LayerNorm lies between" attribute net --fresh --ln frozen "${quiet[@]}"
refuse 2 "needs --move" attribute net --moves "$moves" --metric move "${quiet[@]}"
refuse 2 "metric delta is of all moves" attribute net --moves "$moves" --move f3 --metric delta "${quiet[@]}"
refuse 2 "joined by '-'" attribute net --fresh --contrast mine "${quiet[@]}"
refuse 2 "take fewer --games" attribute net --fresh --memory 1 "${quiet[@]}"
refuse 3 "fitted on model" attribute net --fresh --probe big/probe "${quiet[@]}"
refuse 3 "six.ogpc" attribute big --corpus six.ogpc "${quiet[@]}"
refuse 3 "cases.csv:2" attribute big --cases cases.csv "${quiet[@]}"
small="--corpus six.ogpc --games 30 --test-games 10 --no-controls --layers 3"
expect 0 probe fit net $small --site z --out of_z
refuse 2 "no sum of what the network's parts wrote" attribute net --fresh --probe of_z --layers 3 "${quiet[@]}"
expect 0 probe fit net $small --hidden 16 --solver adamw --out hidden
refuse 2 "hidden" attribute net --fresh --probe hidden --layers 3 "${quiet[@]}"
expect 0 probe fit net $small --out third
refuse 2 "third holds no layer 5" attribute net --fresh --probe third --layers 5 "${quiet[@]}"
expect 0 attribute net --fresh --games 2 --probe third --quiet # its only layer
check_end
