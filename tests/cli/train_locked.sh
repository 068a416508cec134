#!/bin/bash
# tests/cli/train_locked.sh - the same training started twice at once: the second is refused and closes
# only its own row; repeated when the first has stopped, training continues in the first row.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

train=(train model --fresh --size 4 --layers 1 --d-model 16 --heads 1 --batch 8 --quiet
    --checkpoint-every 5 --steps 1000000)

# status RUN: of a run, as it is shown.
status() {
    expect 0 runs show "$1" --json
    json_value status
}

"$OGPT" "${train[@]}" >first.out 2>first.err &
first=$!
for ((i = 0; i < 300; i++)); do
    compgen -G "model/step-*" >/dev/null && break
    sleep 0.1
done
compgen -G "model/step-*" >/dev/null || fail "no checkpoint after 30 s: $(ls model)"
refuse 5 "locked by process $first" "${train[@]}"
refuse 5 "locked by process $first" "${train[@]}"
[ "$(status 1)" = running ] || fail "run 1 trains: status running expected"
[ "$(json_value sessions)" = 1 ] || fail "run 1 was not taken over: 1 session expected"
[ "$(status 2)" = failed ] || fail "run 2 was refused: status failed expected"
[ "$(status 3)" = failed ] || fail "run 3 was refused: status failed expected"
kill -KILL $first
wait $first 2>/dev/null
[ "$(status 1)" = killed ] || fail "run 1: status killed expected"

"$OGPT" "${train[@]}" >again.out 2>again.err &
again=$!
for ((i = 0; i < 300; i++)); do
    [ "$(status 1)" = running ] && break
    sleep 0.1
done
kill -INT $again
wait $again
[ $? = 130 ] || fail "interrupted: exit code 130 expected"
[ "$(status 1)" = interrupted ] || fail "run 1: status interrupted expected"
[ "$(json_value sessions)" = 2 ] || fail "run 1 went on: 2 sessions expected"
refuse 2 "no run 4" runs show 4
check_end
