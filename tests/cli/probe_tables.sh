#!/bin/bash
# tests/cli/probe_tables.sh - comparing probes, geometry, activations, pictures and tables work from the
# shell. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
methods=$OGPT_SOURCE/docs/METHODS.md

expect 0 generate g.ogpc --games 1500 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16
small="--corpus g.ogpc --games 60 --test-games 20 --plies 4"

expect 0 probe fit m $small --out mine --check-against liblinear --json
for control in majority history history_mlp random_model shuffled planted; do
    grep -q "\"$control\":" out || fail "control $control is not printed"
done

expect 0 probe fit m $small --out empty --task empty --no-controls --layers 1 --seed 2
expect 0 probe compare m mine --corpus g.ogpc --test-games 20 --json
[ "$(grep -c '"p_holm":' out)" = 2 ] || fail 'every layer but the best is tested'
expect 0 probe compare m mine m empty --corpus g.ogpc --test-games 20 --csv tables
holds 'empty layer 1'
[ "$(wc -l <tables/tests.csv)" = 2 ] || fail 'one test in the CSV'
refuse 2 'pairs MODEL PROBE' probe compare m mine m --corpus g.ogpc
refuse 2 'has no layer 5' probe compare m mine --corpus g.ogpc --layer 5 --quiet
expect 0 probe compare m mine --corpus g.ogpc --test-games 20
holds 'the best layer on validation games'
refuse 2 'probes.csv: exists' probe compare m mine --corpus g.ogpc --csv tables --quiet
expect 0 probe geometry m mine empty --corpus g.ogpc --games 60 --test-games 20
holds 'random directions in 16 dimensions'
holds 'same square at two layers'
expect 0 probe geometry m mine --corpus g.ogpc --games 60 --test-games 20 --no-halves --csv tables
holds 'random directions in 16 dimensions'
refuse 2 'geometry.csv: exists' probe geometry m mine --corpus g.ogpc --games 60 --test-games 30 --no-halves \
    --csv tables --quiet # another table
expect 0 probe fit m $small --out hidden --solver adamw --hidden 8 --layers 1 --no-controls
refuse 2 'hidden' probe geometry m hidden --corpus g.ogpc --quiet

# Pictures and tables; the same command again accepts its own files.
for _ in 1 2; do
    expect 0 probe fit m $small --out mine --check-against liblinear --heat --csv csv
    holds 'accuracy by square'
    holds 'bars from'
done
for table in layers controls breakdown tests; do
    head -1 "csv/$table.csv" | grep -q '"task"' || fail "csv/$table.csv has no header"
done
grep -q '^"mine",.*,"square",0,"a1",' csv/breakdown.csv || fail 'no row of square a1'
expect 0 probe eval m mine $small --no-controls --heat --color always
grep -q $'\033\[48;5;' out || fail 'colour was asked for'
expect 0 show m --probe mine --moves "e4 c5" --layer 1 --probabilities
holds 'probability of what it reads'

# Other tables: refused before any work, without a trace; --force replaces them.
for file in '--csv csv' '--csv csv/layers.csv' '--html csv/layers.csv'; do
    # shellcheck disable=SC2086
    refuse 2 "csv/layers.csv: exists; give ${file% *} another name" probe fit m --corpus g.ogpc --out new $file --quiet
done
refuse 2 'csv/layers.csv: exists' probe eval m mine --corpus g.ogpc --csv csv --quiet
ls -d new* 2>/dev/null && fail 'a fit whose tables are refused was begun'
expect 0 probe eval m mine --corpus g.ogpc --test-games 10 --json
for key in '"planted_reached": \(true\|false\)' '"control": "shuffled"' '"kept_epoch": [0-9]'; do
    grep -q "$key" out || fail "no $key in the document"
done
# The controls have the sample of the probe; fewer positions are reported.
[ "$(json_value training_games)" = 60 ] || fail "probe eval: controls on other games than the probe"
expect 0 probe eval m mine --corpus g.ogpc --test-games 10 --csv csv --force
holds 'controls, fitted on 240 positions of 60 games'
lacks 'fitted on 240 positions, the probe' err
expect 0 probe eval m mine --corpus g.ogpc --test-games 10 --games 20
holds 'fitted on 80 positions, the probe on 240' err

# Activations: announced, written, resumed after a kill, and read by numpy.
acts="acts --corpus g.ogpc --games 400 --layers embed,1 --memory 1 --threads 1"
expect 0 activations m $acts --json
cp -r acts whole
"$OGPT" activations m broken ${acts#acts} >/dev/null 2>&1 &
pid=$!
for _ in $(seq 3000); do
    [ -e broken/shard-00001/MANIFEST.json ] && break
    sleep 0.01
done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
expect 0 activations m broken ${acts#acts}
holds 'were there already, and whole'
diff -r -x LOCK -x MANIFEST.json whole broken >/dev/null || fail 'the kill changed a file'
expect 0 verify broken
holds "activations of resid_post"
printf 'x' | dd of=broken/shard-00000/ply.npy bs=1 seek=150 conv=notrunc status=none
expect 3 verify broken
holds "shard-00000/ply.npy"
cp broken/index.json kept.json
head -c 100 kept.json >broken/index.json
expect 3 verify broken
holds "broken/index.json"
sed 's/"rows": [0-9]*/"rows": 9223372036854775807/' kept.json >broken/index.json
expect 3 verify broken
holds "is not a shard"
refuse 2 'made with games 400, asked for 300' activations m acts --corpus g.ogpc --games 300 \
    --layers embed,1 --memory 1 --quiet
refuse 2 '--ply' activations m x --corpus g.ogpc --ply 3-2
refuse 2 'give one of them' activations m x --corpus g.ogpc --ply 3 --plies 2
if python3 -c 'import numpy' 2>/dev/null; then
    # The recipe of the page, word for word.
    sed -n '/import json, numpy/,/labels.npy/s/^    //p' "$methods" >recipe.py
    echo 'print(X.shape, X.dtype, Y.shape, Y.max())' >>recipe.py
    python3 recipe.py >out 2>err || fail 'the recipe of METHODS.md does not run'
    holds "($(sed -n 's/^  "rows": \(.*\),/\1/p' acts/index.json), 16) float32"
fi

# The usual tables of the store.
for table in $("$OGPT" runs table --quiet | cut -d' ' -f1); do
    expect 0 runs table "$table"
    expect 0 runs table "$table" --csv "views-$table"
done
expect 0 runs table probes_by_layer --wide
holds history_mlp
holds majority
refuse 2 "no table 'tea'" runs table tea
check_end
