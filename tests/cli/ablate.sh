#!/bin/bash
# tests/cli/ablate.sh - ogpt ablate: the same rows for any number of threads, goes on where it was
# interrupted, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 1500 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16
few="--games 150 --lending-games 3000 --mean-games 64 --match own"

# Rows do not depend on the workers.
expect 0 ablate m $few --draws 3 --pairs 20 --threads 1 --csv one
expect 0 ablate m $few --draws 3 --pairs 20 --threads 3 --csv three
for table in ablation units shares ranks controls pairs curves; do
    cmp -s one/$table.csv three/$table.csv || fail "$table.csv depends on the number of threads"
    [ "$(wc -l <one/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
done
expect 0 ablate m $few --draws 3 --pairs 20 --seed 2 --csv other
cmp -s one/units.csv other/units.csv && fail 'another seed gave the same rows'

# Interrupted and typed again: the same rows, from kept blocks.
games=500
[ "${OGPT_SANITIZED:-0}" = 1 ] && games=170
neurons="--games $games --lending-games 3000 --mean-games 64 --match own --units neuron,head --draws 0"
expect 0 ablate m $neurons --csv whole
stopped INT 130 ogpt-results.db ablate m $neurons --csv again
expect 0 ablate m $neurons --csv again
cmp -s whole/units.csv again/units.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db

# What cannot be.
refuse 2 '--units: "heads" is no name' ablate m --units heads
refuse 2 '--kinds: "zero" is named twice' ablate m --kinds zero,zero
refuse 2 '--match: "z9"' ablate m --match z9
refuse 2 'leave out --games' ablate m --cases pairs.csv --games 5
refuse 4 'nothing.csv' ablate m --cases nothing.csv
refuse 2 'MiB of memory' ablate m $few --units neuron --memory 1
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' ablate m --corpus eight.ogpc
expect 0 cases pairs pairs.csv --size 6 --n 8
expect 0 ablate m --cases pairs.csv --lending-games 3000 --match own --units head --no-curves
holds 'legal on the first board only'

# Positions are left out for want of a lender by the kind that needs one, and memory is known before.
expect 0 ablate m --cases pairs.csv --lending-games 20 --kinds mean --units head --no-curves --draws 0 --json --quiet
[ "$(json_value positions) $(json_value no_lender)" = '8 0' ] || fail 'a mean needs no lending game'
[ "$(json_value lending_games)" = 0 ] || fail 'games were drawn that lend nothing'
refuse 3 'none of 8 positions finds one of 20' ablate m --cases pairs.csv --lending-games 20 --kinds mean,matched
refuse 2 'MiB of memory' ablate m $few --units head --memory 100 --draws 100000
expect 0 cases pairs same.csv --size 6 --n 4 --kind transposition
expect 0 ablate m --cases same.csv --kinds mean --units head --no-curves --draws 0
holds '4 of 4 pairs have the same legal moves on both boards' err
holds 'legal moves - of the other empty squares'
check_end
