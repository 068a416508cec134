#!/bin/bash
# tests/probes/attribution/attribute.sh - ogpt attribute from the shell: a typed game, cases, pairs, a few
# games; and every wrong question in one line. attribute_games.sh has what takes longer.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/probes/attribution/lib_attribute.sh" || exit 1

# ---- one game ----
expect 0 attribute net --moves "$moves" --square c3 --quiet
holds "identity error"
holds "'<' is what is asked about"
holds "adds to the score of each square"
lacks "95 % interval" # of one game
lacks "read from each earlier move"
expect 0 attribute net --moves "$moves" --square c3 --by source --quiet
holds "read from each earlier move, by all heads"
holds "@"
expect 0 attribute net --moves "$moves" --square c3 --by neuron --json --quiet
adds_up "board by neuron"
expect 0 attribute net --moves "$moves" --move f3 --by part --json --quiet
adds_up "logit by part"
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

expect 0 cases pairs same.csv --n 5 --size 6 --kind transposition
expect 0 attribute net --cases same.csv --to logit
holds "5 of 5 pairs have the same legal moves on both boards" err
holds "legal moves - of the other empty squares"
expect 0 attribute net --cases pairs.csv --to logit
grep -q "same legal moves" "$work/err" && fail "pairs that differ are warned of"

# ---- a few games ----
expect 0 attribute net --fresh --games 3 --layers 5 --csv tables --html page.html --quiet
holds "all heads"
grep -q L5H3 page.html || fail "the page lacks a component"
[ "$(wc -l <tables/components.csv)" -gt 60 ] || fail "a row a component in the CSV"

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
refuse 3 "cases.csv:2" attribute big --cases cases.csv "${quiet[@]}"
check_end
