#!/bin/bash
# tests/cli/world_emergence.sh - ogpt world emergence: the same rows for any number of threads, what is interrupted
# goes on, a picture, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train r --fresh --size 4 --layers 1 --d-model 16 --heads 2 --steps 64 --batch 32 --keep log2
few=(world emergence r --games 40 --fit-games 40 --plies 4)
for n in 1 3; do
    expect 0 "${few[@]}" --threads $n --csv by$n --svg emergence$n.svg
done
for table in curves order points; do
    [ "$(wc -l <by1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    cmp -s by1/$table.csv by3/$table.csv || fail "$table depends on the number of threads"
done
[ "$(wc -l <by1/points.csv)" = 99 ] || fail 'fourteen curves at seven steps'
grep -q '"*excess"*,.*,true,' by1/curves.csv || fail 'a network that is trained 64 steps has learned nothing'
grep -q '"*shuffled"*,.*,false,' by1/curves.csv || fail 'labels of other games are learned'
grep -q 'excess' emergence1.svg || fail 'no curve in the picture'
expect 0 "${few[@]}" --seed 2 --csv other
cmp -s by1/curves.csv other/curves.csv && fail 'other games gave the same curves'
mkdir empty
refuse 2 'keep log2' world emergence empty
mkdir crowd
touch crowd/step-{00000001..00000129}
refuse 2 'more than 128 checkpoints' world emergence crowd
rm crowd/step-00000129 # 128 are read
refuse 3 step-00000128 world emergence crowd

many=(world emergence r --games 60 --fit-games 300 --threads 2)
expect 0 "${many[@]}" --csv whole
stopped INT 130 ogpt-results.db "${many[@]}" --csv again
expect 0 "${many[@]}" --csv again
cmp -s whole/curves.csv again/curves.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db
check_end
