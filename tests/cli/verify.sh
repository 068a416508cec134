#!/bin/bash
# tests/cli/verify.sh - label: counted - ogpt verify on every kind of artefact: clean ones, one fault each, and whether
# they belong together.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate games.ogpc --games 2000 --size 4 --quiet
net=(--size 4 --layers 1 --d-model 16 --heads 2 --batch 8 --steps 6 --checkpoint-every 2 --quiet)
expect 0 train run --corpus games.ogpc "${net[@]}"
expect 0 train other --corpus games.ogpc "${net[@]}" --seed 2
expect 0 probe fit run --corpus games.ogpc --out probe --games 40 --layers 0 --no-controls --quiet

# Clean: one line a path, and whether the probe belongs to the model.
expect 0 verify games.ogpc run probe ogpt-results.db
[ "$(grep -c ': clean$' out)" = 5 ] || fail "a clean line a path and one for all expected"
holds "probe: belongs to run/step-00000006"
holds "games.ogpc: corpus, 2000 games replayed"
holds "run: run, 2 checkpoints, newest a model of 4x4, 1 layers, d_model 16"
expect 0 verify run/step-00000006
[ "$(wc -l <out)" = 1 ] || fail "one line for one clean path expected"
expect 0 verify games.ogpc --json
[ "$(json_value games)" = 2000 ] || fail "2000 games expected"
grep -q '"findings": \[\]' out || fail "no findings expected"

# A probe with a model that is not its own; with both models its own is found.
expect 3 verify other probe
holds "probe: fitted on model"
expect 3 verify other probe --json
grep -q 'fitted on model' out || fail "the finding is in findings[]"
# It is a finding on the probe, which is not called clean, in either order.
for paths in "other probe" "probe other"; do
    expect 3 verify $paths
    lacks "probe: probe of task"
    holds "other: run, 2 checkpoints, newest a model of 4x4, 1 layers, d_model 16"
    expect 3 verify $paths --json
    [ "$(grep -c '"findings": 1' out)" = 1 ] || fail "1 finding expected on one of two items"
    [ "$(sed -n '/"path": "probe"/,/}/p' out | grep -c '"findings": 1')" = 1 ] ||
        fail "the finding is expected on the probe"
done
expect 0 verify other run probe
holds "probe: belongs to run/step-00000006"

# A checkpoint damaged: the tensors, the training state, its name.
spoil() { # file: one byte in its middle
    printf '\377' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") / 2)) conv=notrunc 2>/dev/null
}
for file in model.safetensors config.json train/optim.safetensors train/state.json; do
    rm -rf cut
    cp -r run cut
    spoil "cut/step-00000004/$file"
    expect 3 verify cut
    holds "cut/step-00000004/$file"
    holds "1 finding"
done
rm -rf cut
cp -r run cut
mv cut/step-00000004 cut/step-00000005
expect 3 verify cut
holds "expected step 5 by its name, found 4"

# What a dead process left in a run, and what a living process is writing.
rm -rf cut
cp -r run cut
mkdir "cut/.tmp-$$-step-00000007"
expect 0 verify cut
sleep 0 &
wait $!
mkdir "cut/.tmp-$!-step-00000008"
expect 3 verify cut
holds "cut/.tmp-$!-step-00000008: left by a process that is over"

# Results: a checkpoint that is gone, settled on request; then nothing is left to settle.
rm -rf other
expect 3 verify ogpt-results.db
holds "expected its newest checkpoint $(pwd -P)/other/step-00000006, found none"
# Typed in another directory, it drops no row of the checkpoints that are there.
mkdir away
cd away
expect 0 verify ../ogpt-results.db --settle
cd ..
holds "$(pwd -P)/other/step-00000006 is gone: " "$work/err"
lacks "/run/step" "$work/err"
expect 0 verify ogpt-results.db --settle
lacks "is gone" err

# Without a results database --settle is an error; with one it is not.
refuse 2 "--settle means nothing" verify run --settle
refuse 2 "--settle means nothing" verify games.ogpc run --settle
expect 0 verify run ogpt-results.db --settle

# A killed run is reported, and settled.
"$OGPT" generate large.ogpc --games 30000000 --quiet 2>/dev/null &
pid=$!
for _ in $(seq 100); do
    [ -s large.ogpc ] && break
    sleep 0.05
done
kill -KILL $pid
wait $pid 2>/dev/null
expect 3 verify ogpt-results.db
holds "found process $pid over"
expect 0 verify ogpt-results.db --settle
expect 0 runs list
holds "interrupted"
check_end
