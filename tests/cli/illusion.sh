#!/bin/bash
# tests/cli/illusion.sh - ogpt illusion: the same rows for any number of threads, both sites, a probe,
# and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 1500 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16
expect 0 probe fit m --corpus g.ogpc --games 100 --test-games 40 --plies 4 --out m/probe --no-controls
few="--pairs 70 --training-pairs 70 --fit-games 150 --plies 4 --gram-pairs 70"

# Rows do not depend on the workers, and do on the seed.
expect 0 illusion m --corpus g.ogpc $few --site resid_post --threads 1 --csv one
expect 0 illusion m --corpus g.ogpc $few --site resid_post --threads 3 --csv three
for table in illusion_run best layers; do
    cmp -s one/$table.csv three/$table.csv || fail "$table.csv depends on the number of threads"
    [ "$(wc -l <one/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
done
expect 0 illusion m $few --site resid_post --seed 2 --csv seed
cmp -s one/layers.csv seed/layers.csv && fail 'another seed gave the same rows'
[ "$(wc -l <one/layers.csv)" = 27 ] || fail '2 layers of 4, 4 and 5 methods'

# Every direction is read if all of the trace is kept: no part is hidden.
column() { # NAME FILE
    awk -F, -v name="\"$1\"" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at[name] }' "$2"
}
expect 0 illusion m $few --csv post
holds 'no directions of a probe' err
[ "$(wc -l <post/layers.csv)" = 17 ] || fail '2 layers of 4 and 4 methods'
column disconnected post/layers.csv | awk '$1 < 0.01 { exit 1 }' || fail 'W_out reads every direction of 64'
expect 0 illusion m $few --site resid_post --kept 1 --csv all
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["\"layer\""] == 0 { n++; if ($at["\"disconnected\""] >= 1e-6) exit 1 } END { exit n != 13 }' all/layers.csv ||
    fail 'with all of the trace a part of layer 0 is unread' # behind the last block, LN hides the direction of ones
expect 0 illusion m $few --site resid_post --kept 0.5 --csv half
[ "$(column rank half/layers.csv | sort -n | tail -1)" -lt 16 ] || fail 'half of the trace is all of it'

# The layer of `best` is that of the largest effect in training, not in what is reported.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } FNR == 1 { next }
    { group = $at["\"origin\""] $at["\"method\""]; x = $at["\"training_effect\""] + 0 }
    NR == FNR { if (!(group in top) || x > top[group]) top[group] = x; next }
    { n++; if (x == 0 || x != top[group]) bad = 1 } END { exit bad || n != 13 }' one/layers.csv one/best.csv ||
    fail 'best is not chosen on the training pairs'

# What cannot be.
expect 2 illusion m $few --memory 1
holds 'MiB of memory, allowed are 1' err
refuse 2 'expected a linear probe of the task mine, labels mover, at mlp_post' illusion m $few --probe m/probe
refuse 4 'nothing' illusion m --probe nothing
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' illusion m --corpus eight.ogpc
check_end
