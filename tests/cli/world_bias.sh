#!/bin/bash
# tests/cli/world_bias.sh - ogpt world inductive-bias: the same rows for any number of threads, others by another
# seed, what is interrupted goes on, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train m --fresh --size 4 --layers 1 --d-model 16 --heads 2 --steps 2 --batch 8
few=(world inductive-bias m --functions 6 --states 60 --trained 20 --steps 5)
for n in 1 3; do
    expect 0 "${few[@]}" --threads $n --csv by$n
done
cmp -s by1/learners.csv by3/learners.csv || fail 'rows depend on the number of threads'
expect 0 "${few[@]}" --seed 2 --csv other
cmp -s by1/learners.csv other/learners.csv && fail 'another seed gave the same rows'
[ "$(wc -l <by1/learners.csv)" = 7 ] || fail 'six learners'
grep -q '^"*empty_table"*,1.0,1.0,1.0,' by1/learners.csv || fail 'two histories of a board have other empty squares'
grep -q '^"*state_table"*,1.0,1.0,1.0,' by1/learners.csv || fail 'the oracle says two things of one state'
refuse 2 'fewer of them learned' world inductive-bias m --states 20 --trained 20

many=(world inductive-bias m --functions 80 --states 60 --trained 20 --steps 5 --threads 2)
expect 0 "${many[@]}" --csv whole
stopped INT 130 ogpt-results.db "${many[@]}" --csv again
expect 0 "${many[@]}" --csv again
cmp -s whole/learners.csv again/learners.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db
check_end
