#!/bin/bash
# tests/cli/edit_words.sh - what intervene, show, saliency and the help pages say: tuning cases that
# collide with reported ones, the rule and the probabilities of show, the move's own square.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

quiet=(--quiet --store lab.db)
expect 0 generate games.ogpc --games 400 --size 6 "${quiet[@]}"
expect 0 train net --fresh --size 6 --layers 2 --d-model 16 --heads 2 --batch 8 --steps 2 "${quiet[@]}"
expect 0 probe fit net --corpus games.ogpc --games 60 --test-games 20 --plies 4 --out net/probe \
    --no-controls "${quiet[@]}"
expect 0 cases make cases.csv --size 6 --n 8 "${quiet[@]}"
expect 0 cases make tune.csv --size 6 --n 5 --purpose tune "${quiet[@]}"

# Tuning cases at positions of reported cases are left out and counted; the rest chooses.
edit=(intervene net --cases cases.csv --method project --layers 1 --no-play-on --no-by-layer --json
    "${quiet[@]}")
expect 0 "${edit[@]}" --tune tune.csv
[ "$(json_value tuning_left_out)" = 0 ] || fail "none of these cases collide"
[ -s err ] && fail "nothing to warn of: $(cat err)"
cp out clean
(cat tune.csv && sed -n '2,4p' cases.csv) >mixed.csv
expect 0 "${edit[@]}" --tune mixed.csv
[ "$(json_value tuning_left_out)" = 3 ] || fail "3 cases left out expected, $(json_value tuning_left_out)"
holds "mixed.csv: 3 tuning cases stand at positions of reported cases and are left out; 5 are left" err
for key in scale edit_error closed; do
    [ "$(json_value $key)" = "$(sed -n "s/^ *\"$key\": \(.*\),\$/\1/p" clean | head -1)" ] ||
        fail "$key: the cases that are left choose as they do alone"
done
refuse 2 "--tune cases.csv: all 8 cases stand at positions of reported cases" "${edit[@]}" \
    --tune cases.csv

# show names its rule and prints the probability of every square that it judges.
expect 0 show net --moves "e4 c5 b4" --flip d4
holds "rule                       topn: its top "
for line in "the network, unedited" "the network, edited"; do
    grep -A 3 -F "$line" out | grep -qE "[a-f][1-6] [0-9]+\.[0-9] %" || fail "$line: no probabilities"
done
expect 0 show net --moves "e4 c5 b4"
lacks "rule  "

# saliency: the move's own square is on a line of its own, and not on the map.
expect 0 saliency net --moves "e4 c5 b4" --move d2 "${quiet[@]}"
[ "$(grep -c '^its own square, d2, with a disc on it: ' out)" = 1 ] || fail "no line for d2"
[ "$(grep -c ' own ' out)" = 2 ] || fail "the map names the own square instead of a number"
expect 0 saliency net --moves "e4 c5 b4" --move d2 --place none "${quiet[@]}"
lacks "its own square"

# Help: the range of an argument, and what is true of fresh games.
expect 0 perft --help
tr -s ' \n' ' ' <out >words
holds "0 to 15 moves" words
refuse 2 "15" perft 16 "${quiet[@]}"
expect 0 train --help
tr -s ' \n' ' ' <out >words # help is broken into lines
holds "only the shortest repeat now and then" words
lacks "never twice" words
check_end
