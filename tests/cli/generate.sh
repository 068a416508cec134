#!/bin/bash
# tests/cli/generate.sh - label: slow - a corpus: the same at any number of threads, after kills,
# and typed again; damage is found.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

games=150000 few=3000
[ "${OGPT_SANITIZED:-0}" = 1 ] && games=25000

hash_of() {
    expect 0 corpus info "$1" --json
    json_value content_hash
}

# wait_for_writer CORPUS PID: until that process holds the lock of the corpus; 30 s at most.
wait_for_writer() {
    for _ in $(seq 300); do
        grep -qs "process $2 on" "$1.lock" && return
        sleep 0.1
    done
    fail "process $2 never wrote $1"
}

# Threads do not matter; seeds do.
for threads in 1 2 3; do
    expect 0 generate "t$threads.ogpc" --games $few --threads $threads --json
    json_value content_hash >"hash$threads"
    [ "$(json_value games)" = $few ] || fail "$few games expected"
done
[ -s hash1 ] && cmp -s hash1 hash2 && cmp -s hash1 hash3 || fail "the hash depends on --threads"
expect 0 generate seed2.ogpc --games $few --seed 2 --json
[ "$(json_value content_hash)" != "$(cat hash1)" ] || fail "seed 2 gave the games of seed 1"

# Typed again when finished: the same result, nothing made, exit code 0, one row in the store.
expect 0 generate t1.ogpc --games $few --json
[ "$(json_value games_made_now)" = 0 ] || fail "typed again: nothing to be made"
[ "$(json_value content_hash)" = "$(cat hash1)" ] || fail "typed again: another hash"
expect 0 runs show 1 --json
[ "$(json_value sessions)" = 2 ] || fail "typed again: the run has 2 sessions"
[ "$(grep -c '"games_per_second"' out)" = 1 ] || fail "typed again: one row of results expected"
[ "$(json_value games_per_second)" != 0 ] || fail "typed again: the speed of the making is kept"
# With other options: refused, and the corpus is as it was.
before=$(sha256sum <t1.ogpc)
refuse 2 "seed" generate t1.ogpc --games $few --seed 2
refuse 2 "t1.ogpc" generate t1.ogpc --games 10
refuse 2 "t1.ogpc" generate t1.ogpc --games $few --size 6
[ "$(sha256sum <t1.ogpc)" = "$before" ] || fail "a refused command changed a byte of the corpus"
[ "$(hash_of t1.ogpc)" = "$(cat hash1)" ] || fail "a refused command changed the corpus"
# With more games: the missing ones are added, as if all had been made at once.
expect 0 generate grown.ogpc --games $((few / 2)) --quiet
expect 0 generate grown.ogpc --games $few --json
[ "$(json_value games_made_now)" = $((few - few / 2)) ] || fail "extended: the missing games made"
[ "$(json_value content_hash)" = "$(cat hash1)" ] || fail "extended: another hash"
expect 0 verify grown.ogpc

# Killed at random moments and typed again, with changing threads: the undisturbed hash.
start=${EPOCHREALTIME/./}
expect 0 generate whole.ogpc --games $games --json
took=$((${EPOCHREALTIME/./} - start))
whole=$(json_value content_hash)
RANDOM=7
n_killed=0
expect 0 generate killed.ogpc --games 1500 --quiet # so the first kill hits an extension
for i in 1 2 3 4 5 6 7 8 9 10; do
    "$OGPT" generate killed.ogpc --games $games --threads $((i % 3 + 1)) --quiet >/dev/null 2>err &
    pid=$!
    micros=$((took * (10 + RANDOM % 30) / 100))
    sleep "$(printf '%d.%06d' $((micros / 1000000)) $((micros % 1000000)))"
    kill -KILL $pid 2>/dev/null && n_killed=$((n_killed + 1))
    wait $pid 2>/dev/null
done
[ $n_killed -ge 2 ] || fail "at least 2 kills expected to hit, found $n_killed"
expect 0 generate killed.ogpc --games $games --json
[ "$(json_value content_hash)" = "$whole" ] || fail "after $n_killed kills: another hash"
expect 0 verify killed.ogpc --json
[ "$(json_value games)" = $games ] || fail "verify: $games games expected"
[ "$(json_value bad_blocks)" = 0 ] || fail "verify: no bad block expected"
[ "$(json_value illegal_games)" = 0 ] || fail "verify: no illegal game expected"

# SIGTERM: saved, and how to go on.
"$OGPT" generate stopped.ogpc --games $((games * 20)) >out 2>err &
pid=$!
wait_for_writer stopped.ogpc $pid
kill -TERM $pid
code=0
wait $pid || code=$?
[ "$code" = 143 ] || fail "SIGTERM: exit code 143 expected, found $code"
holds "type the same command to go on" err
expect 0 runs show --json
[ "$(json_value status)" = interrupted ] || fail "SIGTERM: the run is interrupted"
expect 0 corpus info stopped.ogpc
holds "unfinished"
expect 3 verify stopped.ogpc
holds "1 path"

# SIGKILL: the row cannot be closed, and yet the run is not shown as running for ever.
"$OGPT" generate stopped.ogpc --games $((games * 20)) --quiet >/dev/null 2>/dev/null &
pid=$!
wait_for_writer stopped.ogpc $pid
expect 0 runs list --limit 3
grep -q " running .* generate stopped" out || fail "the run of $pid is running"
kill -KILL $pid
wait $pid 2>/dev/null
expect 0 runs list --limit 3
grep -q " killed .* generate stopped" out || fail "the run of $pid was killed"
lacks " running "

# Two at once: the message to the second names the holder.
"$OGPT" generate stopped.ogpc --games $((games * 20)) --quiet >/dev/null 2>/dev/null &
pid=$!
wait_for_writer stopped.ogpc $pid
refuse 5 "$pid" generate stopped.ogpc --games $((games * 20))
kill -KILL $pid
wait $pid 2>/dev/null

# Damage in the middle of the file.
expect 0 verify t2.ogpc
holds "clean"
size=$(stat -c %s t2.ogpc)
head -c 64 /dev/zero | tr '\0' '\011' | dd of=t2.ogpc bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
expect 3 verify t2.ogpc --json
[ "$(json_value bad_blocks)" = 1 ] || fail "one bad block expected"
holds "t2.ogpc"
[ "$(wc -l <err)" = 1 ] || fail "verify: one line expected on stderr"
expect 0 runs show --json
[ "$(json_value status)" = failed ] || fail "verify: the run is failed"
holds '"finding"'
# A truncated corpus, and files of no known kind.
head -c $((size / 2)) t3.ogpc >short.ogpc
expect 3 verify short.ogpc
echo "no database" >words.ogpc
refuse 2 "a text file" verify words.ogpc
refuse 3 "not a database" corpus info words.ogpc
refuse 4 "no such file" verify nowhere.ogpc
mkdir folder
expect 3 verify folder
holds "neither a model, a probe, activations nor a run"
echo '{}' >folder/MANIFEST.json
expect 3 verify folder
holds "folder"
# Several at once: the sound ones do not hide the damaged one.
expect 3 verify t1.ogpc t2.ogpc ogpt-results.db
holds "3 paths"
check_end
