#!/bin/bash
# tests/cli/heads.sh - ogpt heads: the same rows for any number of threads, whole circuits of one head, and
# one line for what cannot be.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

few="--games 24 --pass-games 20 --hard-games 9 --random-games 20 --rotations 3 --quiet" # two passes of each
expect 0 generate g.ogpc --games 600 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16

# Rows do not depend on the workers; they do on the seed.
for n in 1 2 3; do
    expect 0 heads m $few --threads $n --csv by$n --head L1H0
done
for table in heads_run controls heads patterns follow circuits composition matrices; do
    [ "$(wc -l <by1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    for n in 2 3; do
        cmp -s by1/$table.csv by$n/$table.csv || fail "$table.csv depends on the number of threads"
    done
done
expect 0 heads m $few --seed 2 --csv other
cmp -s by1/patterns.csv other/patterns.csv && fail 'another seed gave the same rows'
[ "$(wc -l <by1/patterns.csv)" = 41 ] || fail '4 heads by 10 detectors'
[ "$(wc -l <by1/composition.csv)" = 13 ] || fail '2 by 2 heads, three ways'
# Without a probe: moves, places and logits of one head.
[ "$(grep -c ov_logits by1/matrices.csv)" = $((32 * 32)) ] || fail 'all moves by all moves'
grep -q ov_empty by1/matrices.csv && fail 'there is no probe'

# One game: what a head looks at adds up to 1, and the moves are those that were typed.
expect 0 heads m --moves 'e4 e5 b3' --head L1H0 --csv look.csv --svg look.svg --quiet
[ "$(cut -d, -f3 look.csv | tr -d '"' | tr '\n' ' ')" = 'square c3 d3 c4 d4 e4 e5 b3 ' ] || fail "look.csv: $(cat look.csv)"
awk -F, 'NR > 1 { sum += $NF } END { exit !(sum > 0.999999 && sum < 1.000001) }' look.csv || fail 'attention adds up to 1'
awk -F, 'END { exit !($NF > 0.01) }' look.csv || fail 'the last move is seen too, of three by an untrained head'
[ "$(grep -c '^"*L1H0"*,[1-3],' look.csv)" = 3 ] || fail 'three moves were seen'
grep -q 'L1H0' look.svg || fail 'the figure names the head'
expect 0 heads m --moves 'e4 e5 b3' --csv all.csv --quiet
[ "$(wc -l <all.csv)" = 29 ] || fail '4 heads by 7 squares'
refuse 3 '--moves: ' heads m --moves 'e4 e4'

# Games of the test split, no controls; and it says what cannot exist.
expect 0 heads m --corpus g.ogpc --games 20 --pass-games 4 --hard-games 0 --random-games 0 --rotations 2
holds 'duplicate-token and induction heads'
holds 'test split of g.ogpc'
lacks 'hard:'
if command -v sqlite3 >/dev/null; then
    [ "$(sqlite3 ogpt-results.db 'SELECT count(*) FROM head_patterns')" = 200 ] || fail 'five runs of 40 rows in the database'
fi

# The probe that is named is used, one that does not fit is refused.
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out mine --no-controls --quiet
expect 0 heads m $few --probe mine --head L0H1 --csv probed
grep -q ov_empty probed/matrices.csv || fail 'no circuit into the probe'
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out colour --task colour --no-controls --quiet
refuse 2 'expected a linear probe of the task mine' heads m $few --probe colour
refuse 2 '--head "L2H0": expected a head from L0H0 to L1H1' heads m --head L2H0
refuse 2 '--head "L1H0x"' heads m --head L1H0x
refuse 2 'MiB of memory, allowed are 1' heads m $few --memory 1
refuse 4 'nothing.ogpc' heads m --corpus nothing.ogpc
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' heads m --corpus eight.ogpc
check_end
