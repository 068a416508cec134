#!/bin/bash
# tests/cli/pipeline.sh - label: slow - the whole chain on 6x6, from games to the verdict: the keys
# of the contract, the same rows at any number of threads, what to type next, and repetition.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

shape=(--layers 2 --d-model 32 --heads 2 --batch 32 --steps 40 --checkpoint-every 20)
sample=(--games 80 --test-games 40)
[ "${OGPT_SANITIZED:-0}" = 1 ] && sample=(--games 40 --test-games 20)

# keys KEY...: the last document on stdout has each of them, and is of schema 1.
keys() {
    local key
    for key in schema "$@"; do
        grep -q "\"$key\": " out || fail "$(json_value command): key '$key' expected"
    done
    grep -q '^  "schema": 1,$' out || fail "$(json_value command): schema 1 expected"
    # A warning is never quiet: with so few games a control learns nothing, and ogpt says so.
    grep -qv '^ogpt: warning: the history MLP learned nothing' err &&
        fail "$(json_value command): --json --quiet: nothing expected on stderr: $(cat err)"
}

# timeless FILE: a document without its times.
timeless() {
    grep -v '"\(seconds\|[a-z]*_per_second\)":' "$1"
}

# chain FOLDER THREADS: every step, its document in FOLDER/<step>.json.
chain() {
    local folder=$1 common=(--threads "$2" --json --quiet)
    mkdir "$folder" && cd "$folder" || exit 1
    step generate generate games.ogpc --games 3000 --size 6 "${common[@]}"
    keys games plies content_hash seconds games_per_second
    step info corpus info games.ogpc --json --quiet
    keys games plies duplicates content_hash
    step corpus corpus show games.ogpc 5 --json --quiet
    keys games plies duplicates content_hash
    step train train model --corpus games.ogpc "${shape[@]}" "${common[@]}"
    keys step games loss tokens_per_second flops_per_second model_hash
    step eval eval model --corpus games.ogpc --games 200 "${common[@]}"
    keys positions loss floor excess kl strict_error strict_error_ci lenient_error legal_mass \
        set_f1 by_ply
    step fit probe fit model --corpus games.ogpc --out probe "${sample[@]}" "${common[@]}"
    keys task solver layers layer accuracy accuracy_ci board_exact nonempty_accuracy \
        flipped_accuracy objective seconds controls majority history history_mlp random_model \
        shuffled
    step probed probe eval model probe --corpus games.ogpc "${sample[@]}" "${common[@]}"
    keys task solver layers layer accuracy accuracy_ci board_exact nonempty_accuracy \
        flipped_accuracy objective seconds controls majority history history_mlp random_model \
        shuffled
    step cases cases make cases.csv --n 60 --size 6 "${common[@]}"
    keys cases redraws excluded mean_symmetric_difference
    step tune cases make tune.csv --n 30 --size 6 --purpose tune "${common[@]}"
    keys cases redraws excluded mean_symmetric_difference
    step case cases show cases.csv 3 --json --quiet
    keys cases excluded mean_symmetric_difference
    step intervene intervene model --probe probe --cases cases.csv --tune tune.csv "${common[@]}"
    keys cases null_error self_error edit_error edit_error_ci closed closed_ci random_error \
        wrong_square_error ideal_null drift f1 kl layers scale by_layer
    step show show model --probe probe --moves "e4 c5 b4" --flip d4 --json --quiet
    keys moves board legal layers layer top flip null_error edit_error
    step verify verify games.ogpc model probe ogpt-results.db --json --quiet
    keys findings games bad_blocks illegal_games
    step runs runs list --json --quiet
    keys runs run command_line status started
    cp ../out ../err . && rm out err
    cd .. || exit 1
}

# step NAME ARGUMENTS...: expect 0, and keep the document. The streams are those of the chain's
# folder while it lasts.
step() {
    local name=$1
    shift
    expect 0 "$@"
    cp "$work/out" "$name.json"
    cp "$work/out" out
    cp "$work/err" err
}

chain one 1
chain three 3

# The same rows at 1 and 3 threads; negative twin: a document of another step differs.
for name in generate info corpus train eval fit probed cases tune case intervene show verify; do
    timeless one/$name.json >a
    timeless three/$name.json >b
    [ -s a ] && cmp -s a b || fail "$name: --threads 1 and 3 differ: $(diff a b | head -3)"
done
timeless one/cases.json >a
timeless one/tune.json >b
cmp -s a b && fail "the comparison does not tell cases from tuning cases"
cmp -s one/probe/probe.safetensors three/probe/probe.safetensors || fail "the probes differ"
cmp -s one/cases.csv three/cases.csv || fail "the cases differ"
# A probe on file scores as it did when it was fitted.
grep '"accuracy": ' one/fit.json >a
grep '"accuracy": ' one/probed.json >b
cmp -s a b || fail "probe eval and probe fit differ on the same games"

# The rows in the results database, of each kind that the chain makes.
cd one || exit 1
rows=0
for run in $(sed -n 's/^ *"run": \([0-9]*\),$/\1/p' runs.json); do
    expect 0 runs show "$run" --json
    [ "$(json_value status)" = done ] || fail "run $run: status done expected"
    for kind in corpora train_curve checkpoints eval eval_by_ply probe_layers probe_controls \
        edit_results edit_cases edit_sweep; do
        grep -q "^    \"$kind\": \[" "$work/out" && echo $kind
    done
    rows=$((rows + 1))
done >kinds
[ "$(sort -u kinds | wc -l)" = 10 ] || fail "10 kinds of rows expected: $(sort -u kinds)"

# Repeated, as text: the same result, exit code 0, and what to type next on stderr.
hash=$(sed -n 's/^ *"model_hash": "\([0-9a-f]*\)",*$/\1/p' train.json | head -1)
again() {
    local text=$1
    shift
    expect 0 "$@"
    holds "$text"
    holds "next: ogpt " "$work/err"
}
again "made now      0" generate games.ogpc --games 3000 --size 6
holds "ogpt train runs/games --corpus games.ogpc" "$work/err"
again "model hash    ${hash:0:12}" train model --corpus games.ogpc "${shape[@]}"
holds "ogpt eval" "$work/err"
again "strict error" eval model --corpus games.ogpc --games 200
holds "ogpt probe fit model --corpus games.ogpc --out probes/mine" "$work/err"
cp probe/probe.safetensors before
again "best layer" probe fit model --corpus games.ogpc --out probe "${sample[@]}"
cmp -s before probe/probe.safetensors || fail "typed again: another probe"
holds "ogpt show" "$work/err"
again "with a witness        60" cases make cases.csv --n 60 --size 6
holds "already holds these cases" "$work/err"
holds "ogpt cases make tune-2.csv --n 300 --kind natural --edit flip --purpose tune --size 6" "$work/err"
expect 0 intervene model --probe probe --cases cases.csv --tune tune.csv
holds "closed"
holds "next: " "$work/err"
# The documents too: a finished training gives the same numbers, including loss and error.
expect 0 train model --corpus games.ogpc "${shape[@]}" --json --quiet
timeless "$work/out" >a
timeless train.json >b
cmp -s a b || fail "train typed again: $(diff a b | head -3)"
expect 0 probe fit model --corpus games.ogpc --out probe "${sample[@]}" --json --quiet
timeless "$work/out" >a # the controls are fitted anew, in another time
timeless fit.json >b
cmp -s a b || fail "probe fit typed again: $(diff a b | head -3)"

# The boards, as text.
expect 0 show model --probe probe --moves "e4 c5 b4"
for text in "true board" "layer 0" "layer 1" "  a b c d e f"; do holds "$text"; done
lacks "g h"
expect 0 intervene model --probe probe --cases cases.csv --tune tune.csv --show 2 --quiet
holds "plays after"
[ -z "$(find . -name '.tmp-*')" ] || fail "temporary files left: $(find . -name '.tmp-*')"
check_end
