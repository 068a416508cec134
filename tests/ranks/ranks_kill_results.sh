#!/bin/bash
# label: slow
# As ranks_kill.sh, of circuit and of sae train: one rank is killed at a random time, again and again, and
# the next start, with another number of ranks, goes on. Blocks of pairs that are kept, autoencoders that are
# finished and steps of checkpoints never become fewer; rows and autoencoders are those of an undisturbed
# run in one process in the end.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"
kills=${OGPT_RANKS_KILLS:-3}

expect 0 train net --fresh --size 4 --layers 2 --d-model 32 --heads 2 --batch 16 --steps 200 --quiet
expect 0 cases pairs pairs.csv --n 400 --size 4
circuit=(circuit net --pairs pairs.csv --threads 1)
# shellcheck disable=SC2054
sae=(sae train net --kind topk,gated --k 4,8 --features 256 --activations 256000 --batch 256 --buffer 500
    --checkpoint-every 100 --threads 1)

# What is acknowledged: blocks in the journal; rows of finished autoencoders, and of checkpoints.
# shellcheck disable=SC2317
kept_circuit() {
    sqlite3 part.circuit.db 'SELECT count(*) FROM journal' 2>/dev/null || echo 0
}
# shellcheck disable=SC2317
kept_sae() {
    local sum=0 step
    for path in part.saes/*; do
        case $path in
            *.training) step=$(sed -n 's/^ *"step": \([0-9]*\).*/\1/p' "$path/MANIFEST.json" 2>/dev/null) ;;
            *.lock | *\*) continue ;;
            *) step=1000 ;;
        esac
        sum=$((sum + step))
    done
    echo "$sum"
}

# How often the run of a database was begun or gone on with.
sessions() {
    sqlite3 "$1" 'SELECT sum(sessions) FROM runs' 2>/dev/null || true
}

# Whether a run of a database has its result: then it keeps no blocks any longer, also if a rank was killed at
# its very end.
ended() {
    local done
    done=$(sqlite3 "$1" "SELECT count(*) FROM runs WHERE status = 'done'" 2>/dev/null)
    ((${done:-0} > 0))
}

# kill_ranks NAME ARGUMENTS...: start and kill until so many are killed. Kills while MPI starts are in
# ranks_kill.sh; here the run has begun.
kill_ranks() {
    local name=$1 killed=0 named=0 finished=0 before=0 i j n victim code hit now begun
    shift
    for ((i = 0; killed < kills && i < 4 * kills; i++)); do
        n=$((2 + i % 3)) hit=0 code=0
        begun=$(sessions "part.$name.db")
        ranks_start $n "$@" --store "part.$name.db" --quiet
        for ((j = 0; j < 1000; j++)); do
            [ "$(sessions "part.$name.db")" != "$begun" ] && break
            sleep 0.02
        done
        sleep "$((RANDOM % 3)).$((RANDOM % 900 + 100))"
        victim=$((RANDOM % n))
        ((${#pids[@]} == n)) && kill -KILL "${pids[victim]}" 2>/dev/null && hit=1
        wait "$launcher" || code=$?
        if ((code == 0)) || ended "part.$name.db"; then
            finished=$((finished + 1))
            rm -rf part.saes "part.$name.db"* # it had its result before the kill: once more from the start
            before=0
            continue
        fi
        ((hit)) || fail "$name, start $i: exit code $code without a kill: $(head -3 part.err)"
        killed=$((killed + hit))
        ((code == 137)) || fail "$name, start $i: exit code 137 (killed) expected, found $code"
        (($(grep -c . part.err) <= 1)) || fail "$name, start $i: one line expected: $(cat part.err)"
        grep -q "^ogpt: rank [0-9] of $n died (process ${pids[victim]} " part.err && named=$((named + 1))
        now=$(kept_"$name")
        ((now >= before)) || fail "$name, start $i: $before kept before, $now now"
        before=$now
    done
    echo "$name: $killed of $kills kills, $named named by the line, $finished runs had ended, $before kept in the end"
    ((killed == kills)) || fail "$name: only $killed of $kills kills hit a running job"
    ((10 * named >= 8 * killed)) || fail "$name: only $named of $killed kills were named"
}

rows 0 whole.circuit "${circuit[@]}"
kill_ranks circuit "${circuit[@]}"
rows 2 part.circuit "${circuit[@]}"
cmp whole.circuit.rows part.circuit.rows || fail "circuit: other rows than those of an undisturbed run"
[ "$(sqlite3 part.circuit.db 'SELECT count(*) FROM journal')" = 0 ] || fail "circuit: blocks are left in the journal"

hash_of() {
    (cd "$1" && find . -name '*.safetensors' | sort | xargs sha256sum)
}
expect 0 "${sae[@]}" --out whole.saes --quiet
kill_ranks sae "${sae[@]}" --out part.saes
expect_ranks 3 0 "${sae[@]}" --out part.saes --store part.sae.db --quiet
[ "$(hash_of whole.saes)" = "$(hash_of part.saes)" ] || fail "sae train: other autoencoders than undisturbed"
[ "$(hash_of part.saes | wc -l)" = 4 ] || fail "sae train: four autoencoders expected"
for left in part.saes/*.lock part.saes/*.training part.saes/.tmp-*; do
    [ -e "$left" ] && fail "$left is left"
done
check_end
