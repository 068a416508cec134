#!/bin/bash
# tests/cli/world_forget.sh - ogpt world forget: nothing learned is nothing forgotten, other games are, the control
# is not; the same rows for any number of threads, what is stopped goes on, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train m --fresh --size 4 --layers 2 --d-model 32 --heads 4 --batch 64 --steps 500 --precision f32 --quiet
few=(world forget m --rules iago --games 6400 --batch 64 --test-games 60 --fit-games 60 --plies 4 --lr 0.01)

expect 0 world forget m --out nothing --games 0 --test-games 30 --fit-games 30 --json
for key in forgetting same_forgetting barrier same_barrier; do
    [ "$(json_value $key)" = 0.0 ] || fail "$key of no training: $(json_value $key)"
done
expect 0 world forget m --out nothing --games 0 --test-games 30 --fit-games 30
lacks 'relearning the old games' # an empty table
expect 0 runs list
holds 'forgetting 0.0000'
[ -e nothing ] && fail 'a network was trained without games'

# New names of the moves are learned at the cost of the old ones; more of the same games cost little.
expect 0 "${few[@]}" --out by1 --csv csv1 --json
lost=$(json_value forgetting) kept=$(json_value same_forgetting)
awk -v l="$lost" -v k="$kept" 'BEGIN { exit !(l > 0.5 && k < 0.1 && k > -0.1) }' || fail "forgetting $lost, control $kept"
expect 0 "${few[@]}" --out by1
holds 'relearning the old games'
# Rows of less do not depend on the number of threads.
less=("${few[@]/6400/1280}")
for n in 1 3; do
    expect 0 "${less[@]}" --out less$n --threads $n --csv less-csv$n
done
for table in networks relearning line; do
    [ "$(wc -l <less-csv1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    cmp -s less-csv1/$table.csv less-csv3/$table.csv || fail "$table: rows depend on the number of threads"
done
cmp -s less-csv1/networks.csv csv1/networks.csv && fail 'other games gave the same rows'
[ "$(wc -l <csv1/networks.csv)" = 9 ] || fail 'four networks on two kinds of games'
[ "$(wc -l <csv1/relearning.csv)" = 9 ] || fail 'checkpoints after 1, 2, 4, ..., 64, 100 steps'
expect 0 generate iago.ogpc --games 200 --size 4 --rules iago --quiet
expect 0 eval by1/there --corpus iago.ogpc --games 20 --quiet
refuse 3 'by the rules iago' eval by1/back --corpus iago.ogpc

# Typed again: all is there, the same rows. Stopped while it trains: it goes on.
expect 0 "${few[@]}" --out by1 --csv again
cmp -s csv1/networks.csv again/networks.csv || fail 'typed again it says other things'
"$OGPT" "${less[@]}" --out cut --csv cut1 >part 2>&1 &
child=$!
for _ in $(seq 500); do
    [ -e cut/there ] && break
    sleep 0.01
done
kill -INT $child
wait $child
expect 0 "${less[@]}" --out cut --csv cut2
cmp -s less-csv1/networks.csv cut2/networks.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db

# Games of a corpus, which says its rules.
expect 0 world forget m --out corpus --to iago.ogpc --games 640 --batch 64 --test-games 10 --fit-games 20 --json
[ "$(json_value other)" = iago ] || fail "rules of --to: $(json_value other)"
expect 0 generate six.ogpc --games 50 --size 6 --quiet
refuse 3 'holds games of 6x6' world forget m --out never --to six.ogpc
refuse 2 'exclude each other' world forget m --out never --to iago.ogpc --rules iago
refuse 2 'multiple of' world forget m --out never --batch 100
[ -e never ] && fail 'a refused command made a folder'
check_end
