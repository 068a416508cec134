#!/bin/bash
# tests/probes/board/probe_cli.sh - ogpt probe fit, probe eval and show: results, going on after a kill,
# the same bytes at any number of threads, and every refusal. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

games=600
[ "${OGPT_SANITIZED:-0}" = 1 ] && games=150
small="--corpus g.ogpc --games $games --test-games 60 --plies 4"

expect 0 generate g.ogpc --games 3000 --size 6
expect 0 train m --corpus g.ogpc --layers 6 --d-model 32 --heads 2 --steps 4 --batch 16
expect 0 train other --corpus g.ogpc --layers 6 --d-model 32 --heads 2 --steps 2 --batch 16

tensors_of() {
    sha256sum "$1/probe.safetensors" | cut -d' ' -f1
}

# One sweep with controls: a table for people, a document for programs, rows in the store.
expect 0 probe fit m $small --out whole
for line in 'embed  [a-z]*  ' '    5  [a-z]*  ' majority history history_mlp random_model shuffled planted; do
    grep -q "^$line  " out || fail "no line of $line"
done
for heading in accuracy 'exact boards' '95 % interval'; do
    holds "$heading"
done
expect 0 probe fit m $small --out whole --json
for key in task solver best_layer accuracy board_exact nonempty_accuracy flipped_accuracy \
    objective seconds; do
    holds "\"$key\":"
done
[ "$(grep -c '"random_model"' out)" -gt 1 ] || fail "controls beside every layer expected"
for key in majority history history_mlp random_model shuffled planted; do
    [ "$(grep -c "\"$key\":" out)" = 7 ] || fail "control $key beside all 7 layers expected"
done
# accuracy_low <= accuracy <= accuracy_high, and every layer is there.
[ "$(grep -c '"validation_accuracy"' out)" = 7 ] || fail "7 layers expected"
expect 0 runs show 4 --json
holds '"probe_layers"'
holds '"validation_accuracy": 0.'
holds '"probe_controls"'

# Killed in the middle and typed again, with other threads: the same bytes, the finished layers
# not fitted again.
"$OGPT" probe fit m $small --l2 0.000001 --out killed --threads 1 --no-controls >/dev/null 2>&1 &
pid=$!
for _ in $(seq 3000); do
    [ -e killed/probe.json ] && break
    sleep 0.01
done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
grep -q '"fitted": false' killed/probe.json || fail "the sweep was over before the kill"
took=$(grep -m 1 '"seconds": ' killed/probe.json)
expect 0 probe fit m $small --l2 0.000001 --out killed --threads 3 --no-controls --json
[ -n "$took" ] && grep -qF "${took##* }" out || fail "a finished layer was fitted again"
cp out fitted
expect 0 probe fit m $small --l2 0.000001 --out killed --no-controls --json
cmp -s fitted out || fail "typed again: another result: $(diff fitted out | head -4)"
expect 0 probe fit m $small --l2 0.000001 --out unbroken --threads 2 --no-controls
[ "$(tensors_of killed)" = "$(tensors_of unbroken)" ] || fail "the kill changed the bytes"
[ "$(tensors_of whole)" != "$(tensors_of unbroken)" ] || fail "l2 changed nothing"

# One at a time: while a probe is fitted, a second fit of it is refused under any spelling of its path.
"$OGPT" probe fit m $small --l2 0.000001 --out busy --threads 1 >/dev/null 2>&1 &
pid=$!
for _ in $(seq 3000); do
    [ -e busy/probe.json ] && break
    sleep 0.01
done
refuse 5 'busy.lock' probe fit m $small --l2 0.000001 --out busy/ --quiet
holds "$pid" err
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
expect 0 probe fit m $small --l2 0.000001 --out busy --no-controls
[ "$(tensors_of busy)" = "$(tensors_of unbroken)" ] || fail "the refused fit changed the bytes"
expect 0 verify busy
rm -r busy
expect 0 probe fit m $small --l2 0.000001 --out busy --no-controls --layers 0 # a lock left behind

# A probe on file is scored as it was when it was fitted.
expect 0 probe fit m $small --out whole --no-controls --json
fitted=$(json_value accuracy)
expect 0 probe eval m whole $small --no-controls
holds 'next: ogpt show m --probe whole --moves '"'e4 c5'" err
expect 0 probe eval m whole $small --no-controls --json
[ -n "$fitted" ] && [ "$(json_value accuracy)" = "$fitted" ] || fail "probe eval scores otherwise"

# The published recipe, a hidden layer, a chosen penalty, the referee beside newton.
one="--corpus g.ogpc --games 60 --test-games 20 --layers 3 --no-controls"
expect 0 probe fit m $one --solver adamw --labels parity --out adamw --json
holds '"solver": "adamw"'
expect 0 probe fit m $one --solver adamw --hidden 16 --epochs 2 --threads 1 --out hidden
holds 'with 16 hidden units'
expect 0 probe fit m $one --solver adamw --hidden 16 --epochs 2 --threads 3 --out hidden3
[ "$(tensors_of hidden)" = "$(tensors_of hidden3)" ] || fail "threads changed a hidden layer"
expect 0 probe eval m hidden --corpus g.ogpc --games 60 --test-games 20 --no-controls
refuse 2 '--hidden' probe fit m $one --solver adamw --hidden 8 --epochs 2 --out hidden --quiet
refuse 2 'adamw' probe fit m $one --hidden 8 --out nowhere --quiet
expect 0 probe fit m $one --l2 auto --out auto --json
holds '"l2": "auto"'
refuse 2 '--l2' probe fit m $one --l2 much --out nowhere --quiet
expect 0 probe fit m $one --check-against liblinear --out checked --json
holds '"argmax_agreement"'
awk -F '[:,]' '/"check_difference"/ { seen = 1; if ($2 > 1e-4) exit 1 } END { exit !seen }' out ||
    fail "newton and liblinear differ by more than 1e-4"

# The referee solver and every task.
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 20 --layers 3 --no-controls \
    --solver liblinear --out lib
for task in colour empty flipped legal played previous; do
    expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 20 --layers embed,3 \
        --no-controls --task $task --labels parity --out "task-$task"
    expect 0 show m --probe "task-$task" --moves e4
done

# A typed game.
expect 0 show m --probe whole --moves "e4 c5" --layer 3
holds 'true board'
holds 'layer 3:'
holds "the network's next move"
lacks 'layer 2:'
expect 0 show m --probe whole --moves "e4 c5" --flip d4
sed -n '/inside the network/,$p' out >edited
holds 'layer 3: ' edited
holds 'layer 5: ' edited
lacks 'layer 2: ' edited # before the edit: as above
lacks 'embed: ' edited
holds 'layer 2: '
expect 0 show m --probe whole --moves "E4,C5" --flip d4 --layer 2 --json
for key in moves board legal layers wrong top flip null_error edit_error; do
    holds "\"$key\":"
done

# Refusals: exit code, one line, both sides named.
refuse 2 '--l2' probe fit m $small --l2 0.5 --out whole --quiet
refuse 2 '--task' probe fit m $small --task colour --out whole --quiet
refuse 3 'fitted on model' probe eval other whole --corpus g.ogpc --quiet
refuse 3 'fitted on model' show other --probe whole --moves e4
refuse 2 '--layers' probe fit m $small --layers 0,x --out x
refuse 2 "--layers" probe fit m $small --layers 0,99 --out x
for layer in 6 63; do
    refuse 2 "--layers 0,$layer: m has" probe fit m $small --layers 0,$layer --out x
    holds "has layers 0 to 5 and 'embed'" err
done
refuse 2 '--site' probe fit m $small --site pattern --out x
refuse 2 '--corpus' probe fit m --out x
refuse 2 '--out' probe fit m --corpus g.ogpc
refuse 3 '--moves: character 4, ply 2: a1 flips nothing' show m --probe whole --moves "e4 a1"
refuse 2 '--layer' show m --probe whole --moves e4 --layer 9
refuse 2 '--flip' show m --probe whole --moves e4 --flip a1
refuse 2 'task empty' show m --probe task-empty --moves e4 --flip d4
expect 0 generate eight.ogpc --games 100
for command in "probe fit m --out x" "probe eval m whole"; do
    # shellcheck disable=SC2086
    refuse 3 'eight.ogpc: holds games of 8x8' $command --corpus eight.ogpc
    holds "plays 6x6; use a corpus of the model's board size" err
done
[ ! -e x ] || fail "a refused command left something at its --out"

# --force replaces a probe, damaged or not, and nothing else: not a folder, not a file.
mkdir -p precious/deep
echo kept >precious/deep/diary
echo '{}' >precious/MANIFEST.json
for force in "" --force; do
    # shellcheck disable=SC2086
    refuse 2 'precious: is not a probe' probe fit m $small --out precious --quiet $force
    # shellcheck disable=SC2086
    refuse 2 'precious/deep/diary: is not a probe' probe fit m $small --out precious/deep/diary --quiet $force
done
[ "$(cat precious/deep/diary)" = kept ] || fail "--force destroyed a folder that is not a probe"
[ ! -e precious.lock ] || fail "a refused fit left precious.lock"
printf 'x' | dd of=whole/probe.safetensors bs=1 seek=2000 conv=notrunc 2>/dev/null
refuse 3 'probe.safetensors' probe eval m whole --corpus g.ogpc
expect 0 probe fit m $small --out whole --no-controls --force
expect 0 probe eval m whole $small --no-controls
check_end
