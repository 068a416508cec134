#!/bin/bash
# tests/cli/sae_eval.sh - ogpt sae eval: rows of every twin in groups of equal L0, the same for any number of threads
# and behind an interruption; one line for what does not belong together. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 600 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16
expect 0 train other --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16 --seed 3
short="--corpus g.ogpc --features 32 --activations 2000 --batch 256 --buffer 40 --quiet"
expect 0 sae train m --layer 1 --kind topk --k 3,5 --out pair $short
expect 0 sae train m --layer 1 --kind topk --k 3 --out again --seed 2 $short
expect 0 sae train m --layer 0 --kind topk --k 3 --out first $short
expect 0 sae train m --layer 1 --kind transcoder --k 3 --out coder $short
plain="--corpus g.ogpc --fit-games 20 --validation-games 6 --test-games 6 --quiet"
few="$plain --twin-activations 600"

for n in 1 3; do
    expect 0 sae eval m pair/k-3 again pair/k-5 $few --threads $n --csv by$n
done
for table in dictionaries methods verdicts rows differences densities pairs cosines; do
    [ "$(wc -l <by1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    cmp -s by1/$table.csv by3/$table.csv || fail "$table.csv depends on the number of threads"
done
# Three trained, six twins (there is no probe: neurons, basis, pca, random, two trained) at 3 and at 5, neurons and mean.
[ "$(wc -l <by1/rows.csv)" = 18 ] || fail '3 + 2 * 6 + 2 rows'
[ "$(wc -l <by1/differences.csv)" = 19 ] || fail 'three times six differences'
[ "$(wc -l <by1/pairs.csv)" = 7 ] || fail 'each of three of one kind in each other'
# Two seeds at 3 are one row; a verdict by five numbers at both L0.
[ "$(wc -l <by1/methods.csv)" = 17 ] || fail '2 + 2 * 6 + 2 methods'
[ "$(wc -l <by1/verdicts.csv)" = 11 ] || fail 'two times five verdicts'
tr -d '"\r' <by1/methods.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["method"] == "topk" && $at["group_l0"] == 3 { two = $at["dictionaries"] == 2 && $at["coverage_spread"] > 0 }
    END { exit !two }' || fail 'two seeds are no mean'
tr -d '"\r' <by1/rows.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i
        if (!("group_l0" in at && "l0" in at && "method" in at && "excess_ratio" in at)) exit 1; next }
    $at["method"] == "topk" && $at["group_l0"] != $at["l0"] { exit 1 }
    $at["method"] ~ /basis|pca/ && $at["l0"] != $at["group_l0"] { exit 1 }
    $at["method"] == "mean" && ($at["l0"] != 0 || $at["coverage"] != 0) { exit 1 }
    $at["group_l0"] > 0 && $at["coverage"] <= 0 { exit 1 }' || fail 'a row is not at its L0'
expect 0 sae eval m pair/k-3 $few --seed 2 --csv seed
holds 'at L0 0: twins with all features that are active in a row'
holds 'it takes no part in what wins'
cmp -s by1/rows.csv seed/rows.csv && fail 'another seed gave the same rows'

# A probe of the place is a twin; one of another place is none.
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out mine --no-controls --quiet
expect 0 sae eval m pair/k-3 $plain --twin-activations 0 --probe mine --csv probed --svg coverage.svg
[ "$(grep -c '"probe"' probed/rows.csv)" = 2 ] || fail 'the probe is no twin'
tr -d '"\r' <probed/rows.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["method"] == "mean" { next }
    $at["absorption"] == "" || $at["absorption"] < 0 || $at["absorption"] > 1 || $at["main_features"] < 1 { exit 1 }
    ' || fail 'no absorption beside a probe'
tr -d '"\r' <by1/rows.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["absorption"] != "" { exit 1 }' || fail 'absorption without a probe'
lacks 'it takes no part in what wins'
grep -q random_weights probed/rows.csv && fail 'a twin was trained unasked'
grep -q '<svg' coverage.svg || fail 'no figure'
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --layers 0 --out lower --no-controls --quiet
refuse 2 'does not read resid_post of layer 1' sae eval m pair/k-3 $few --probe lower

# Interrupted and typed again: the same rows, from kept ones.
stopped INT 130 ogpt-results.db sae eval m pair/k-3 again pair/k-5 $few --csv later
expect 0 sae eval m pair/k-3 again pair/k-5 $few --csv later
for table in rows differences; do
    cmp -s by1/$table.csv later/$table.csv || fail "going on gave other rows of $table"
done
journal_is_empty ogpt-results.db

# Without a name: the autoencoder beside the network, or a word on how to get one.
refuse 2 'no autoencoder is named, and there is no m/sae' sae eval m $few
cp -r pair/k-3 m/sae
expect 0 sae eval m $few --csv beside
expect 0 sae eval m pair/k-3 $few --csv named
sed 's,pair/k-3,m/sae,' named/rows.csv | cmp -s - beside/rows.csv || fail 'the autoencoder beside the network gives other rows'
grep -q '"m/sae"' beside/rows.csv || fail 'the row has not its name'
rm -r m/sae

refuse 3 'first' sae eval m pair/k-3 first $few
refuse 3 'pair/k-3' sae eval other pair/k-3 $few
refuse 2 'transcoder' sae eval m coder $few
refuse 2 'MiB of memory, allowed are 1' sae eval m pair/k-3 --memory 1 --quiet
refuse 4 'nothing' sae eval m nothing $few
check_end
