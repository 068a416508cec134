#!/bin/bash
# tests/cli/lens.sh - label: counted - ogpt lens: the last lens is the network, the board lens at its own layer is what
# probe eval prints, the same rows for any number of threads, goes on where it was interrupted, and one
# line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 1500 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16
expect 0 train other --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16 --seed 2
expect 0 probe fit m --corpus g.ogpc --games 100 --test-games 40 --plies 4 --out m/probe --no-controls
few="--games 100 --test-games 40 --plies 4 --rounds 8"

# The first line; rows do not depend on the workers.
expect 0 lens m --corpus g.ogpc $few --threads 1 --csv one
head -n 1 out | grep -q '^max |lens(last) - logits|  0 ' || fail "the first line is $(head -n 1 out)"
expect 0 lens m --corpus g.ogpc $few --threads 3 --csv three
for table in lens places fits boards order arrivals decoded blocks; do
    cmp -s one/$table.csv three/$table.csv || fail "$table.csv depends on the number of threads"
    [ "$(wc -l <one/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
done
expect 0 lens m --corpus g.ogpc $few --seed 2 --csv seed
cmp -s one/places.csv seed/places.csv && fail 'another seed gave the same rows'

# M[k,k] is probe eval, digit for digit.
expect 0 probe eval m --corpus g.ogpc --test-games 40 --no-controls --csv eval
columns() { # FILE NAME...: these columns of a CSV file
    tr -d '"' <"$1" | awk -F, -v names="${*:2}" 'NR == 1 { n = split(names, name, " "); for (i = 1; i <= NF; i++) at[$i] = i; next }
        { line = ""; for (i = 1; i <= n; i++) line = line (i > 1 ? "," : "") $at[name[i]]; print line }'
}
columns one/boards.csv probe_layer layer accuracy accuracy_low accuracy_high | awk -F, '$1 == $2' |
    cut -d, -f2- >diagonal
columns eval/layers.csv layer accuracy accuracy_low accuracy_high >eval.rows
[ "$(wc -l <diagonal)" = 3 ] || fail 'the diagonal has three layers'
cmp -s diagonal eval.rows || fail "the board lens at its own layer: $(diff diagonal eval.rows)"
columns one/boards.csv probe_layer layer accuracy | awk -F, '$1 != $2 { print $2 "," $3 }' >away
grep -qFf <(cut -d, -f1,2 eval.rows) away && fail 'another layer reads the same share of cells'

# Another network's lens; none of another shape.
expect 0 lens m $few --other other --probe m/probe
grep -q '^other lens  *other' out || fail 'the other network is not named'
expect 0 train wide --corpus g.ogpc --layers 2 --d-model 32 --heads 2 --steps 2 --batch 16
refuse 3 'another shape' lens m --other wide
refuse 3 'another shape' lens m --other tiny-6x6 # shipped

# Interrupted and typed again: the same rows, from kept fits.
many="--games 600 --test-games 60 --rounds 60"
expect 0 lens m $many --csv whole
stopped INT 130 ogpt-results.db lens m $many --csv again
expect 0 lens m $many --csv again
cmp -s whole/places.csv again/places.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db

# What cannot be.
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 20 --task empty --out empty --no-controls
refuse 2 'expected a probe of the task mine' lens m --probe empty
refuse 4 'nothing' lens m --probe nothing
refuse 2 'MiB of memory' lens m --memory 1
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' lens m --corpus eight.ogpc

# The network's own probe is used without being named; one of another task is no obstacle.
[ "$(wc -l <one/boards.csv)" -gt 1 ] || fail "the network's own probe is not used"
cp -r empty other/probe
refuse 3 'fitted on model' lens other $few # beside it, and not of it
rm -r other/probe
expect 0 probe fit other --corpus g.ogpc --games 60 --test-games 20 --task empty --out other/probe --no-controls
expect 0 lens other $few --csv without
holds 'the model has none that fits: no board lens' err
[ -e without/boards.csv ] && [ "$(wc -l <without/boards.csv)" -gt 1 ] && fail 'a probe of another task gave a board lens'
rm -r other/probe
expect 0 lens other $few
holds 'no board lens' err
check_end
