#!/bin/bash
# tests/cli/neurons.sh - ogpt neurons: the same rows for any number of threads, one neuron with its boards, and
# one line for what cannot be.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

few="--games 20 --test-games 12 --plies 4 --use-games 6 --use-plies 2 --ablate 3 --mean-games 40 --quiet"
expect 0 generate g.ogpc --games 600 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16

# Rows do not depend on the workers; they do on the seed.
for n in 1 2 3; do
    expect 0 neurons m $few --threads $n --csv by$n
done
for table in neurons_run layers cover neurons patterns; do
    [ "$(wc -l <by1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    for n in 2 3; do
        cmp -s by1/$table.csv by$n/$table.csv || fail "$table.csv depends on the number of threads"
    done
done
expect 0 neurons m $few --seed 2 --csv other
cmp -s by1/neurons.csv other/neurons.csv && fail 'another seed gave the same rows'
[ "$(wc -l <by1/layers.csv)" = 9 ] || fail '2 layers in 4 arms'
[ "$(wc -l <by1/neurons.csv)" = 129 ] || fail '2 layers of 64 neurons'
[ "$(wc -l <by1/patterns.csv)" = 361 ] || fail '360 flanks on 6x6'
[ "$(grep -c '"*largest"*,' by1/neurons.csv)" -ge 3 ] || fail 'three were ablated'
[ "$(grep -c '"*drawn"*,' by1/neurons.csv)" = 3 ] || fail 'and three others'

# The games of the test split; no controls, no attribution.
expect 0 neurons m --corpus g.ogpc --games 12 --test-games 8 --plies 3 --no-controls --use-games 0 --legal
holds 'test split of g.ogpc'
lacks 'random'
lacks 'lost'

# One neuron: the row of the table and its page agree, its boards are drawn.
expect 0 neurons m $few --neuron L1N5 --csv page --svg page.svg
[ "$(wc -l <page/weights.csv)" = 37 ] || fail '36 squares'
[ "$(grep -c '^"*top"*,' page/sights.csv)" = 20 ] || fail '20 positions'
rule=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /tree_r2/) c = i } /L1N5/ { print $c; exit }' by1/neurons.csv)
page=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /tree_r2/) c = i } NR == 2 { print $c }' page/neuron.csv)
[ -n "$rule" ] && [ "$rule" = "$page" ] || fail "R2 of L1N5: $rule in the table, $page on its page"
expect 0 neurons m ${few/--ablate 3/--ablate 1} --neuron L1N5 --replace resample --top 2
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out mine --no-controls --quiet
expect 0 neurons m --games 20 --test-games 12 --plies 4 --use-games 0 --probe mine --neuron L1N5 --top 2
holds 'reads: mine'
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out colour --task colour --no-controls --quiet
refuse 2 'expected a linear probe of the task mine' neurons m $few --probe colour
refuse 2 '--neuron "L2N0": expected a neuron from L0N0 to L1N63' neurons m --neuron L2N0
refuse 2 '--neuron "L1N5x"' neurons m --neuron L1N5x
refuse 2 'MiB of memory, allowed are 1' neurons m $few --memory 1
refuse 2 'positions, expected at most' neurons m --games 1000000 --memory 1000000
refuse 4 'nothing.ogpc' neurons m --corpus nothing.ogpc
check_end
