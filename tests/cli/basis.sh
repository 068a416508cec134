#!/bin/bash
# tests/cli/basis.sh - label: counted - ogpt basis: the same rows for any number of threads, two networks side by side, toys
# with their diagram and its figure, and one line for what cannot be.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 400 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16
expect 0 train other --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16 --optimizer adamw
few="--games 24 --rotations 4 --quiet"

# Rows do not depend on the workers; they do on the seed.
for n in 1 3; do
    expect 0 basis m $few --beside other --threads $n --csv by$n
done
for table in basis kurtosis differences directions; do
    [ "$(wc -l <by1/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    cmp -s by1/$table.csv by3/$table.csv || fail "$table.csv depends on the number of threads"
done
expect 0 basis m $few --seed 2 --csv seed
lacks 'side by side'
cmp -s by1/kurtosis.csv seed/kurtosis.csv && fail 'another seed gave the same rows'
# Three networks by the embedding and two blocks, and by two layers of neurons.
[ "$(wc -l <by1/kurtosis.csv)" = 16 ] || fail '15 places'
[ "$(wc -l <by1/differences.csv)" = 6 ] || fail '5 places side by side'
[ -e seed/differences.csv ] && [ "$(wc -l <seed/differences.csv)" -gt 1 ] && fail 'nothing lies beside it'

# A network beside itself differs by nothing.
expect 0 basis m $few --beside m --csv same
tr -d '"\r' <same/differences.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i
        if (!("difference" in at && "own_z" in at && "beside_z" in at)) exit 1; next }
    $at["difference"] != 0 || $at["own_z"] != $at["beside_z"] { exit 1 }' || fail 'a network differs from itself'

# The probe that is named is used, one that does not fit is refused.
expect 0 basis m --corpus g.ogpc $few
holds 'test split of g.ogpc'
lacks 'turn, empty'
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out mine --no-controls --quiet
expect 0 basis m $few --probe mine --csv probed
grep -q '"turn"' probed/directions.csv || fail 'no angles of the probe'
holds 'turn, empty'
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --out legal --task legal --no-controls --quiet
refuse 2 'expected a linear probe of the task mine' basis m $few --probe legal

# The network's own probe is used without being named; one of another task is no obstacle.
mkdir beside_legal beside_mine && cp -r m/. beside_legal && cp -r m/. beside_mine
cp -r legal beside_legal/probe && cp -r mine beside_mine/probe
expect 0 basis beside_mine $few --csv own
cmp -s own/directions.csv probed/directions.csv || fail "the network's own probe is not used"
expect 0 basis beside_legal ${few% --quiet} --csv without
holds 'no angles of squares' err
grep -q '"turn"' without/directions.csv && fail 'a probe of legal moves gave angles of squares'

# Interrupted and typed again: the same rows, from kept sites.
many="--games 60 --rotations 30 --beside other"
expect 0 basis m $many --csv whole --quiet
stopped INT 130 ogpt-results.db basis m $many --csv again
expect 0 basis m $many --csv again
for table in kurtosis differences directions; do
    cmp -s whole/$table.csv again/$table.csv || fail "going on gave other rows of $table"
done
journal_is_empty ogpt-results.db

# Toys: the diagram, as text and as a figure; every cell as good as the closed forms.
expect 0 basis --toy --cells 4 --starts 8 --features 4 --csv toy --svg toy.svg
holds 'W is the winner'
[ "$(wc -l <toy/phases.csv)" = 17 ] || fail '4 by 4 cells'
tr -d '"\r' <toy/phases.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i
        if (!("first" in at && "second" in at && "both" in at && "loss" in at)) exit 1; next }
    { best = $at["first"]; if ($at["second"] < best) best = $at["second"]; if ($at["both"] < best) best = $at["both"]
      if ($at["loss"] > 1.01 * best || $at["loss"] <= 0) exit 1 }' || fail 'a toy is worse than the closed forms'
tr -d '"\r' <toy/features.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i
        if (!("features" in at && "kept" in at && "per_feature" in at && "sum_dimensions" in at)) exit 1; next }
    $at["kept"] < $at["features"] { n++; if ($at["per_feature"] * $at["kept"] > $at["sum_dimensions"] - 0.01) n = -99 }
    END { exit !(n > 0) }' || fail 'the mean of kept features has the others in it'
holds '? none of these'
grep -q '<svg' toy.svg || fail 'no figure'
expect 0 basis --toy --cells 4 --starts 8 --features 4 --csv toy1 --threads 1
cmp -s toy/phases.csv toy1/phases.csv || fail 'toys depend on the number of threads'

refuse 2 'MODEL or --toy expected' basis
refuse 2 '--toy takes no network' basis m --toy
refuse 2 '--rotations: --toy takes no network' basis --toy --rotations 4
refuse 2 '--beside: --toy takes no network' basis --toy --beside m
refuse 2 '--cells: asked for with --toy only' basis m $few --cells 5 --dims 3
refuse 2 '--dims: asked for with --toy only' basis m $few --dims 3
refuse 2 'at most as many as --features' basis --toy --features 2 --dims 3
refuse 2 'MiB of memory, allowed are 1' basis m --memory 1 --quiet
expect 0 basis m $few --beside tiny-6x6 # shipped
refuse 4 'nothing' basis m --beside nothing
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' basis m --corpus eight.ogpc
expect 0 train large --fresh --layers 1 --d-model 16 --heads 2 --steps 1 --batch 8
refuse 3 'plays on 8x8' basis m --beside large
check_end
