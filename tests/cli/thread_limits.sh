#!/bin/bash
# tests/cli/thread_limits.sh - OpenBLAS under limits on memory and processes: commands that multiply
# nothing do not load it, the others start no thread of it, and say so where there is no room.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

model=$OGPT_SOURCE/datasets/models/tiny-6x6
# The library starts its threads before main, where no signal ends it: hence -s KILL.
ogpt() {
    timeout -s KILL 20 "$OGPT" "$@" >"$work/out" 2>"$work/err"
}

loaded() { # whether a command loads OpenBLAS
    LD_DEBUG=files "$OGPT" "$@" 2>&1 >/dev/null | grep -q 'openblas.*generating link map'
}
for words in help "perft 3" "generate c.ogpc --games 5 --size 4 --quiet" "runs list" "corpus info c.ogpc"; do
    # shellcheck disable=SC2086
    if loaded $words; then fail "ogpt $words: OpenBLAS is loaded"; fi
done
loaded version || fail "ogpt version: OpenBLAS is not loaded, so the check above sees nothing"

OPENBLAS_NUM_THREADS=2 expect 0 version --json
[ "$(json_value blas_threads)" = 1 ] || fail "1 BLAS thread expected"

# A library that is damaged, one that lacks a function, and a LIBLINEAR without a version: one line.
mkdir bad
export LD_LIBRARY_PATH=$work/bad
echo "no library" >bad/libopenblas.so.0
refuse 4 "OpenBLAS cannot be loaded" eval "$model" --corpus c.ogpc
expect 0 perft 3
echo 'int liblinear_version = 1;' | cc -shared -x c - -o bad/libopenblas.so.0 || fail "no compiler"
refuse 4 "has no function cblas_sgemm" eval "$model" --corpus c.ogpc
mv bad/libopenblas.so.0 bad/liblinear.so.4
ln -s liblinear.so.4 bad/liblinear.so.5
ln -s liblinear.so.4 bad/liblinear.so
"$OGPT" generate g6.ogpc --size 6 --games 200 --quiet >out 2>err || fail "generate"
refuse 4 "liblinear4" probe fit "$model" --corpus g6.ogpc --out p --layers 1 --games 10 --test-games 10 \
    --no-controls --solver liblinear --quiet
unset LD_LIBRARY_PATH

if [ "$OGPT_SANITIZED" != 1 ]; then # the sanitizers reserve terabytes of address space
    (ulimit -v 100000 && ogpt help) || fail "help in 100 MB: exit code $?"
    (ulimit -v 100000 && ogpt perft 4 --threads 1) || fail "perft in 100 MB: exit code $?"
    code=0
    (ulimit -v 150000 && ogpt eval "$model" --corpus c.ogpc --threads 1) || code=$?
    [ "$code" = 4 ] || fail "eval in 150 MB: exit code 4 expected, found $code"
    [ "$(wc -l <err)" = 1 ] || fail "one line expected"
    holds "ulimit -v" err
    for limit in 250000 300000 400000 500000; do # room for one or for two: done or refused, never stuck
        code=0
        (ulimit -v "$limit" && ogpt convert "$model" "out$limit" --to tl --check) || code=$?
        [ "$code" = 0 ] || [ "$code" = 4 ] || fail "convert in $limit kB: exit code 0 or 4, found $code"
    done
    code=0
    (ulimit -v 600000 && ogpt convert "$model" roomy --to tl --check) || code=$?
    [ "$code" = 0 ] || fail "convert in 600 MB: exit code $code"
fi

[ "$OGPT_SANITIZED" = 1 ] && check_end # the leak checker starts a process of its own

# One process only: root is not held to that limit, so another user runs it where this is root.
as_user=()
if [ "$(id -u)" = 0 ]; then
    as_user=(setpriv --reuid=65534 --clear-groups)
    cp "$OGPT" ./ogpt_copy && chmod 755 . ogpt_copy
    OGPT=$work/ogpt_copy
fi
if "${as_user[@]}" true 2>/dev/null; then
    mkdir -m 777 counts && export GCOV_PREFIX=$work/counts # where a build that counts lines may write
    for word in help version; do
        timeout -s KILL 20 "${as_user[@]}" prlimit --nproc=1 "$OGPT" "$word" >out 2>err ||
            fail "$word with one process: exit code $?"
        [ -s err ] && fail "$word with one process: a message"
    done
    holds "blas_threads 1"
fi
check_end
