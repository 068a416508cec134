#!/bin/bash
# label: slow
# One rank of a training, at a random time, is killed by SIGKILL, again and again; each time the job ends
# with one line that names the rank, and the next start, with another number of ranks, goes on. In the end
# the model is that of an undisturbed run in one process, and each report and checkpoint is in the database once.
# OGPT_RANKS_KILLS: how many (./dev faults ranks: 50).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"
kills=${OGPT_RANKS_KILLS:-5}
command=(train --fresh --size 4 --layers 2 --d-model 32 --heads 2 --batch 16 --steps 800 --checkpoint-every 20
    --report-every 200 --quiet --threads 1)

expect 0 "${command[@]}" whole
whole=$(sed -n 's/^model hash *//p' "$work/out")
[ -n "$whole" ] || fail "no model hash printed"

killed=0 named=0 finished=0 lost=0 newest=0 before=0
for ((i = 0; killed < kills && i < 4 * kills; i++)); do
    n=$((2 + i % 3))
    ranks_start $n "${command[@]}" part --store part.db
    sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
    victim=$((RANDOM % n)) code=0
    hit=0
    ((${#pids[@]} == n)) && kill -KILL "${pids[victim]}" 2>/dev/null && hit=1
    wait $launcher || code=$?
    if ((code == 0)); then
        ((finished++))
        rm -rf part part.db* # it had ended before the kill: once more from the start
        before=0
        continue
    fi
    ((hit)) || fail "start $i: exit code $code without a kill: $(head -3 part.err)"
    killed=$((killed + hit))
    ((code == 137)) || fail "start $i: exit code 137 (killed) expected, found $code"
    # A rank that is killed while MPI starts cannot be named yet.
    lines=$(grep -c . part.err)
    ((lines <= 1)) || fail "start $i: one line expected: $(cat part.err)"
    grep -q "^ogpt: rank [0-9] of $n died (process ${pids[victim]} " part.err && ((named++))
    # What was acknowledged is there: no checkpoint is lost.
    newest=$(find part -maxdepth 1 -name 'step-*' 2>/dev/null | sort | tail -1)
    newest=$((10#0${newest##*step-}))
    ((newest >= before)) || { lost=$((lost + 1)); fail "start $i: checkpoint $before before, $newest now"; }
    before=$newest
done
expect_ranks 2 0 "${command[@]}" part --store part.db
part=$(sed -n 's/^model hash *//p' "$work/out")
echo "ranks: $killed of $kills kills, $named named by the line, $finished runs had ended, $lost lost"
((killed == kills)) || fail "only $killed of $kills kills hit a running job"
((10 * named >= 7 * killed)) || fail "only $named of $killed kills were named"
[ "$whole" = "$part" ] || fail "after $killed kills: $part, undisturbed: $whole"
compgen -G 'part/.tmp-*' >/dev/null && fail "temporary directories left: $(ls -A part)"
expect 0 runs list --store part.db --json
steps=$("$OGPT" runs show 1 --store part.db --json | sed -n '/"checkpoints": \[/,/^    \]/s/^ *"step": \([0-9]*\).*/\1/p')
[ -n "$steps" ] || fail "no checkpoint in the database"
[ -z "$(sort <<<"$steps" | uniq -d)" ] || fail "a checkpoint is in the database twice"
check_end
