#!/bin/bash
# Training in one, two, three and four ranks gives one model; a run goes on with another number of ranks.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"

hash_of() {
    sed -n 's/^model hash *//p' "$work/out"
}
# 5 lanes: shares of the ranks that are no halves of the tree.
train=(train --fresh --size 4 --layers 2 --d-model 32 --heads 2 --batch 20 --lanes 5 --average 0.9 --quiet --threads 1
    --checkpoint-every 20 --report-every 20)
expect 0 "${train[@]}" one --steps 60
one=$(hash_of)
[ -n "$one" ] || fail "no model hash printed"
for n in 2 3 4; do
    expect_ranks $n 0 "${train[@]}" "many-$n" --steps 60
    [ "$(hash_of)" = "$one" ] || fail "$n ranks: model $(hash_of), one process: $one"
    [ "$(grep -c '^model hash' "$work/out")" = 1 ] || fail "$n ranks: the result is printed once"
done
expect_ranks 2 0 "${train[@]}" other --steps 60 --seed 2
[ "$(hash_of)" != "$one" ] || fail "another seed gives the same model"
# With another optimiser and constant rates: 20 steps by two ranks, 20 more by three, 20 by one.
more=("${train[@]}" --optimizer adamw --schedule constant --warmup 0)
expect 0 "${more[@]}" straight --steps 60
straight=$(hash_of)
expect_ranks 2 0 "${more[@]}" steps --steps 20
expect_ranks 3 0 "${more[@]}" steps --steps 40
expect 0 "${more[@]}" steps --steps 60
[ "$(hash_of)" = "$straight" ] || fail "2, 3 and 1 ranks: model $(hash_of), one process: $straight"
expect_ranks 2 0 "${more[@]}" steps --steps 60 # finished: the result at once
[ "$(hash_of)" = "$straight" ] || fail "a finished run in two ranks: $(hash_of), expected $straight"

# The same held-out error and curve.
curve() { # run
    "$OGPT" runs show "$1" --json | sed -n '/"train_curve": \[/,/^    \]/p' | grep -v games_per_second
}
[ -n "$(curve 1)" ] || fail "the first run has no curve"
[ "$(curve 1)" = "$(curve 2)" ] || fail "two ranks report another curve"

refuse_ranks 6 2 'train: 6 ranks for 5 lanes' "${train[@]}" six --steps 20
[ -e six ] && fail "a refused run leaves a folder"
"$OGPT" "${train[@]}" busy --steps 100000 >/dev/null 2>&1 &
child=$!
for _ in $(seq 500); do
    [ -e busy/step-00000020 ] && break
    sleep 0.02
done
refuse_ranks 2 5 'busy/LOCK' "${train[@]}" busy --steps 100000
kill $child
wait $child
check_end
