#!/bin/bash
# tests/cli/ccs.sh - ogpt ccs: the same rows for any number of threads, goes on where it was interrupted,
# and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 400 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16
few="--games 24 --test-games 10 --starts 2 --steps 30 --quiet"

# Rows do not depend on the workers; they do on the seed.
for n in 1 3; do
    expect 0 ccs m $few --threads $n --csv by$n
    cp err by$n.err
done
for table in ccs scores squares; do
    [ "$(wc -l <by1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    cmp -s by1/$table.csv by3/$table.csv || fail "$table.csv depends on the number of threads"
done
expect 0 ccs m $few --seed 2 --csv seed
cmp -s by1/scores.csv seed/scores.csv && fail 'another seed gave the same rows'
# Network, random weights, planted; parity kept and removed; three methods.
[ "$(wc -l <by1/scores.csv)" = 19 ] || fail '18 rows'
[ "$(wc -l <by1/squares.csv)" = 649 ] || fail '18 rows by 36 squares'
# The trap: raw planted rows give parity to both methods, and no square.
column() { # ROWS NAME: a column of the rows of scores.csv that begin so
    tr -d '"\r' <planted/scores.csv | awk -F, -v rows="$1" -v name="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } index($0, rows) == 1 { print $at[name] }'
}
expect 0 ccs m --games 100 --test-games 30 --starts 2 --steps 100 --layers embed --csv planted
grep -q 'of planted boards' err && fail 'a warning although enough was given'
for method in ccs crc-tpc; do
    [ "$(column "planted,embed,kept,$method" parity_found)" = 36 ] || fail "$method does not fall into the trap"
    [ "$(column "planted,embed,kept,$method" found)" = 0 ] || fail "$method finds squares and parity at once"
    [ "$(column "planted,embed,removed,$method" parity_found)" = 0 ] || fail "$method finds parity that is not there"
done
[ "$(column 'planted,embed,removed,ccs' judged)" = 36 ] || fail 'few squares are judged'
[ "$(column 'planted,embed,removed,ccs' found)" -ge 32 ] || fail 'the planted board is not found'
[ "$(column 'planted,embed,removed,ccs' own)" -ge 32 ] || fail 'directions read other squares than their own'
[ "$(column 'planted,embed,removed,labels' found)" -gt 32 ] || fail 'the ceiling is low'
[ -z "$(column 'planted,embed,removed,ccs' unconverged_squares)" ] || fail 'CCS has no tolerance that it could meet'
[ "$(column 'planted,embed,removed,labels' unconverged_squares)" = 0 ] || fail 'the ceiling did not converge'
# From few games and steps that is not so, and the command says it.
[ "$(grep -c 'of planted boards' by1.err)" = 1 ] || fail 'no warning of too little'

# A corpus, layers by name; interrupted and typed again: the same rows, from kept fits.
expect 0 ccs m --corpus g.ogpc $few --layers embed,1 --csv split
holds 'test split of g.ogpc'
[ "$(wc -l <split/scores.csv)" = 31 ] || fail '30 rows'
many="--games 40 --test-games 6 --starts 3 --steps 120 --layers 0"
expect 0 ccs m $many --csv whole --quiet
stopped INT 130 ogpt-results.db ccs m $many --csv again
expect 0 ccs m $many --csv again
cmp -s whole/squares.csv again/squares.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db

refuse 2 'layer' ccs m $few --layers 7
refuse 2 'MiB of memory, allowed are 1' ccs m --memory 1
# Refused before a million games are drawn; a corpus is counted by what it holds.
timeout 10 "$OGPT" ccs m --games 1000000 >out 2>err
[ $? = 2 ] && grep -q 'MiB of memory, allowed are 4096' err || fail 'games are drawn before the refusal'
expect 0 generate small.ogpc --games 60 --size 6
expect 0 ccs m --corpus small.ogpc --games 1000000 --test-games 1000000 --starts 1 --steps 2 --layers embed --quiet
refuse 4 'nothing.ogpc' ccs m --corpus nothing.ogpc
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' ccs m --corpus eight.ogpc
check_end
