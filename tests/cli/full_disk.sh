#!/bin/bash
# tests/cli/full_disk.sh - label: slow - the disk runs full while generate, import, export, train,
# probe fit, cases make and the results database write: exit code 4, one line, nothing lost, and it
# goes on when there is room.
#
# A disk that is really full is a small tmpfs in a mount namespace of this script's own. Where
# namespaces are forbidden, a limit on the size of files takes its place: the same write calls
# fail, with another errno, so only the words of the messages are not compared.
if [ -z "${OGPT_DISK:-}" ]; then
    try='mount -t tmpfs -o size=64k none "$1"'
    spot=$(mktemp -d) || exit 1
    for flags in -m -rm; do
        if unshare $flags sh -c "$try" sh "$spot" 2>/dev/null; then
            rmdir "$spot"
            OGPT_DISK=tmpfs exec unshare $flags bash "$0"
        fi
    done
    rmdir "$spot"
    OGPT_DISK=limit exec bash "$0"
fi
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

mkdir disk
if [ "$OGPT_DISK" = tmpfs ]; then
    mount -t tmpfs -o size=96m none disk || exit 1
    trap 'umount "$work/disk"; rm -rf "$work"' EXIT
fi

# room KIB: this much is free on the disk from now on; "all" ends the fault. A file fills the
# rest, because not every namespace may change the size of its disk.
limit=unlimited
room() {
    limit=unlimited
    rm -f disk/fill
    [ "$1" = all ] && return
    if [ "$OGPT_DISK" = limit ]; then
        limit=$1
    else
        head -c $((($(df -k --output=avail disk | tail -1) - $1) * 1024)) /dev/zero >disk/fill ||
            fail "the disk cannot be filled but for $1 KiB"
    fi
}

# full PATH ARGUMENTS...: the command ends as it must when PATH cannot be written.
full() {
    local path=$1 code=0
    shift
    (
        trap '' XFSZ
        ulimit -f $limit
        exec "$OGPT" "$@" --quiet >"$work/out" 2>"$work/err"
    ) || code=$?
    [ "$code" = 4 ] || fail "ogpt $*: exit code 4 expected, found $code"
    [ -s out ] && fail "ogpt $*: nothing expected on stdout"
    [ "$(wc -l <err)" = 1 ] || fail "ogpt $*: one line expected on stderr"
    grep -q '^ogpt: ' err || fail "ogpt $*: 'ogpt: ...' expected on stderr"
    if [ "$OGPT_DISK" = tmpfs ]; then
        holds "$path" err
        grep -q 'make room\|disk space' err || fail "ogpt $*: what to do is missing"
    fi
    [ -z "$(find disk -name '.tmp-*')" ] || fail "ogpt $*: left $(find disk -name '.tmp-*')"
}

hash_in() {
    json_value "$1"
}

kib_used() {
    du -sk disk | cut -f 1
}

# Undisturbed results, and what must survive.
shape=(--layers 1 --d-model 64 --heads 2 --batch 16 --steps 12 --checkpoint-every 3)
fit=(--games 40 --test-games 20 --no-controls)
expect 0 generate whole.ogpc --games 40000 --size 6 --json
corpus_hash=$(hash_in content_hash)
expect 0 generate small.ogpc --games 2000 --size 6 --quiet
expect 0 train whole --corpus small.ogpc "${shape[@]}" --json
model_hash=$(hash_in model_hash)
expect 0 probe fit whole --corpus small.ogpc --out whole-probe "${fit[@]}" --quiet
expect 0 cases make whole.csv --n 2000 --size 6 --quiet
[ -n "$corpus_hash" ] && [ -n "$model_hash" ] || fail "undisturbed hashes expected"

# The corpus: no room for all of it is seen before the work is done. Then the room is taken away
# while it is being written: what was committed stays.
room 200
full disk/games.ogpc generate disk/games.ogpc --games 40000 --size 6
room all
if [ "$OGPT_DISK" = tmpfs ]; then
    rm disk/*
    expect 0 generate disk/first.ogpc --games 2000 --size 6 --quiet
    "$OGPT" generate disk/games.ogpc --games 400000 --size 6 --threads 1 --quiet >out 2>err &
    pid=$!
    for _ in $(seq 500); do
        [ "$(kib_used)" -gt 1500 ] && break
        sleep 0.01
    done
    cat /dev/zero >disk/fill 2>/dev/null
    code=0
    wait $pid || code=$?
    [ "$code" = 4 ] || fail "generate while the disk fills: exit code 4 expected, found $code"
    [ "$(wc -l <err)" = 1 ] || fail "generate while the disk fills: one line expected"
    holds "disk/games.ogpc" err
    room all
    expect 0 verify disk/first.ogpc
    expect 3 verify disk/games.ogpc --json
    [ "$(json_value bad_blocks)" = 0 ] || fail "a full disk made bad blocks"
    [ "$(json_value games)" -gt 0 ] || fail "the games before the disk was full are lost"
    rm disk/games.ogpc*
fi
expect 0 generate disk/games.ogpc --games 40000 --size 6 --json
[ "$(hash_in content_hash)" = "$corpus_hash" ] || fail "the corpus differs after a full disk"
expect 0 verify disk/games.ogpc
rm disk/*.ogpc*

# Games out and in: no half a file, no half a corpus.
expect 0 export whole.ogpc whole.txt --format text
room 500
full out.txt export whole.ogpc disk/out.txt --format text
full out.ogpc import disk/out.ogpc whole.txt --size 6
if [ -e disk/out.txt ] || [ -e disk/out.ogpc ]; then fail "a full disk left half an output"; fi
room all
expect 0 import disk/out.ogpc whole.txt --size 6 --json
[ "$(hash_in content_hash)" = "$corpus_hash" ] || fail "the imported corpus differs"
rm disk/out*

# A checkpoint in the middle of training: those before it stay, and training goes on from there.
if [ "$OGPT_DISK" = tmpfs ]; then
    expect 0 train disk/probe-size --corpus small.ogpc "${shape[@]}" --quiet
    two=$(kib_used) # two checkpoints are kept
    rm -r disk/probe-size
    room $((two * 2)) # and the next one is begun only where two and a half have room
else
    room 300
fi
full disk/run train disk/run --corpus small.ogpc "${shape[@]}"
if [ "$OGPT_DISK" = tmpfs ]; then
    [ -d disk/run/step-00000003 ] || fail "the checkpoint of step 3 expected: $(ls disk/run)"
    expect 0 verify disk/run
    expect 0 eval disk/run --corpus small.ogpc --games 10 --quiet
fi
room all
expect 0 train disk/run --corpus small.ogpc "${shape[@]}" --json
[ "$(hash_in model_hash)" = "$model_hash" ] || fail "the model differs after a full disk"
expect 0 verify disk/run
rm -r disk/run

# A probe: what was fitted before stays, and is not fitted again. A probe of two layers takes 56
# KiB, so that there is room for the first publication and not for the second.
room 90
full -probe/probe. probe fit whole --corpus small.ogpc --out disk/probe "${fit[@]}" \
    --store results.db
[ "$OGPT_DISK" = limit ] || expect 0 verify disk/probe
room all
seconds=$(grep -sm 1 '"seconds": ' disk/probe/probe.json)
expect 0 probe fit whole --corpus small.ogpc --out disk/probe "${fit[@]}" --json
if [ "$OGPT_DISK" = tmpfs ]; then
    [ -n "$seconds" ] && grep -qF "${seconds##* }" out ||
        fail "one of the two layers was fitted before, and not again"
fi
cmp -s disk/probe/probe.safetensors whole-probe/probe.safetensors ||
    fail "the probe differs after a full disk"
expect 0 verify disk/probe

# Rows of a probe that do not fit in memory: a temporary file that the disk does not take. No probe.
expect 0 train wide --corpus small.ogpc --layers 1 --d-model 512 --heads 2 --batch 16 --steps 1 --quiet
room 500
export TMPDIR=$work/disk
full disk probe fit wide --corpus small.ogpc --layers 0 --no-controls --games 500 --test-games 20 \
    --memory 1 --out wide-probe
unset TMPDIR
[ -e wide-probe ] && fail "a probe was made without its rows"
room all

# Cases.
room 80
full cases.csv cases make disk/cases.csv --n 2000 --size 6
[ -e disk/cases.csv ] && fail "half a case file was published"
room all
expect 0 cases make disk/cases.csv --n 2000 --size 6 --quiet
cmp -s disk/cases.csv whole.csv || fail "the cases differ after a full disk"
rm -r disk/*

# The results database: its older rows stay.
expect 0 perft 3 --store disk/results.db --quiet
[ "$OGPT_DISK" = tmpfs ] && room 0 || room 40
full disk/results.db eval whole --corpus small.ogpc --games 10 --store disk/results.db
room all
expect 0 eval whole --corpus small.ogpc --games 10 --quiet --store disk/results.db
expect 0 runs show 1 --store disk/results.db --json
[ "$(json_value nodes)" = 56 ] || fail "the older run lost its result"
expect 0 verify disk/results.db whole small.ogpc whole.ogpc whole-probe
check_end
