#!/bin/bash
# tests/cli/pipeline_kill.sh - label: slow - eval, probe fit, cases make and intervene, each killed
# by SIGKILL at random moments and typed again with another number of threads: the undisturbed
# result, no finished layer fitted again, nothing left over.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

kills=3 eval_games=1500 n_cases=600 sample=(--games 100 --test-games 40)
if [ "${OGPT_SANITIZED:-0}" = 1 ]; then
    kills=2 eval_games=400 n_cases=150 sample=(--games 60 --test-games 20)
fi
RANDOM=11

# timeless FILE: a document without its times.
timeless() {
    grep -v '"seconds":' "$1"
}

# killed NAME COMMAND...: run the command with --threads 1 to 3 and kill it within the time that the
# undisturbed one took, until $kills kills have hit. A command that ended before its kill does not
# count, and its output is thrown away.
took=0
killed() {
    local name=$1 hits=0 tries=0 micros pid
    shift
    while [ $hits -lt $kills ] && [ $tries -lt $((20 * kills)) ]; do
        tries=$((tries + 1))
        "$OGPT" "$@" --threads $((tries % 3 + 1)) --quiet >/dev/null 2>err &
        pid=$!
        micros=$((took * (10 + RANDOM % 80) / 100))
        sleep "$(printf '%d.%06d' $((micros / 1000000)) $((micros % 1000000)))"
        kill -KILL $pid 2>/dev/null
        if wait $pid 2>/dev/null; then
            [ "$name" = fit ] && rm -r part
            [ "$name" = cases ] && rm part.csv
        else
            [ $? = 137 ] || fail "$name: died before it was killed"
            hits=$((hits + 1))
        fi
    done
    [ $hits = $kills ] || fail "$name: only $hits of $kills kills hit"
}

# whole NAME COMMAND...: the undisturbed run, its document and its duration.
whole() {
    local name=$1 start=${EPOCHREALTIME/./}
    shift
    expect 0 "$@" --threads 2 --json --quiet
    took=$((${EPOCHREALTIME/./} - start))
    timeless out >"$name.whole"
}

# same NAME COMMAND...: run to the end once more, it gives the undisturbed result.
same() {
    local name=$1
    shift
    expect 0 "$@" --threads 3 --json --quiet
    timeless out | sed 's/"part/"whole/' >"$name.part"
    [ -s "$name.part" ] && cmp -s "$name.whole" "$name.part" ||
        fail "$name after kills: $(diff "$name.whole" "$name.part" | head -4)"
    [ -z "$(find . -name '.tmp-*' -o -name '.old-*')" ] ||
        fail "$name left $(find . -name '.tmp-*' -o -name '.old-*')"
}

expect 0 generate games.ogpc --games 6000 --size 6 --quiet
expect 0 train model --fresh --size 6 --layers 3 --d-model 32 --heads 2 --batch 32 --steps 20 --quiet

whole eval eval model --corpus games.ogpc --games $eval_games
killed eval eval model --corpus games.ogpc --games $eval_games
same eval eval model --corpus games.ogpc --games $eval_games

fit=(probe fit model --corpus games.ogpc "${sample[@]}")
whole fit "${fit[@]}" --out whole
killed fit "${fit[@]}" --out part
same fit "${fit[@]}" --out part
[ "$(sha256sum <whole/probe.safetensors)" = "$(sha256sum <part/probe.safetensors)" ] ||
    fail "the probe differs after kills"
expect 0 verify part
# Killed when the first layer is on the disk: that one is not fitted again.
rm -r part
"$OGPT" "${fit[@]}" --out part --threads 1 --quiet >/dev/null 2>err &
pid=$!
for _ in $(seq 2000); do
    [ -e part/MANIFEST.json ] && break
    sleep 0.005
done
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
expect 0 runs show
holds "status     killed"
seconds=$(grep -m 1 '"seconds": ' part/probe.json)
same fit "${fit[@]}" --out part
[ -n "$seconds" ] && grep -qF "${seconds##* }" out || fail "the finished layer was fitted again"
[ "$(sha256sum <whole/probe.safetensors)" = "$(sha256sum <part/probe.safetensors)" ] ||
    fail "the probe differs after a kill between layers"
# Negative twin: another seed draws other positions and is another probe.
expect 0 "${fit[@]}" --out other --seed 2 --no-controls --quiet
cmp -s other/probe.safetensors part/probe.safetensors && fail "seed 2 gave the same probe"

make=(--n $((n_cases * 4)) --size 6)
whole cases cases make whole.csv "${make[@]}"
killed cases cases make part.csv "${make[@]}"
same cases cases make part.csv "${make[@]}"
cmp -s whole.csv part.csv || fail "the cases differ after kills"
# What an earlier kill left of this file is removed; what belongs to living processes or other files stays.
(exit 0) &
gone=$!
wait $gone
touch .tmp-$gone-part.csv .tmp-$$-part.csv .tmp-$gone-other.csv
expect 0 cases make part.csv "${make[@]}" --quiet
[ -e .tmp-$gone-part.csv ] && fail "the leftover of a dead process is still there"
[ -e .tmp-$$-part.csv ] && [ -e .tmp-$gone-other.csv ] || fail "more than its own was removed"
rm .tmp-*

head -$((n_cases + 1)) whole.csv >cases.csv
expect 0 cases make tune.csv --n 40 --size 6 --purpose tune --quiet
edit=(intervene model --probe whole --cases cases.csv --tune tune.csv)
whole intervene "${edit[@]}"
killed intervene "${edit[@]}"
same intervene "${edit[@]}"

# Result rows of a run are there together or not at all, and the store is sound.
expect 0 runs list --limit 0 --json
for run in $(sed -n 's/^ *"run": \([0-9]*\),$/\1/p' out); do
    expect 0 runs show "$run" --json
    if [ "$(json_value command)" = intervene ] && [ "$(json_value status)" = done ]; then
        rows=$(grep -c '"case_index"' out)
        [ "$rows" = $n_cases ] || fail "run $run: $n_cases rows expected, found $rows"
    fi
done
expect 0 verify ogpt-results.db games.ogpc model whole part
check_end
