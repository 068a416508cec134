#!/bin/bash
# One, two, three and four ranks: what base/ranks promises, one corpus, and commands that many processes
# must not run.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"

for n in 2 3 4; do
    OGPT_RANKS_WANTED=$n ranks $n "$(dirname "$OGPT")/tests/test_ranks" >unit 2>&1 ||
        fail "test_ranks in $n ranks: $(grep -E 'FAILED|error|ranks' unit | head -5)"
done

# A rank fails while another computes and cannot hear: one line, and that code.
for failing in 0 1; do
    code=0
    OGPT_RANKS_FAILING=$failing ranks 3 "$(dirname "$OGPT")/tests/test_ranks" >unit 2>err || code=$?
    [ "$code" = 6 ] || fail "rank $failing fails: exit code 6 expected, found $code"
    [ "$(grep -c . err)" = 1 ] || fail "rank $failing fails: one line expected: $(cat err)"
    holds 'a number went wrong' err
done
holds 'ogpt: rank 1 of 3 on ' err

hash_of() {
    sed -n 's/^content hash *//p' "$work/out"
}
games=(--size 6 --quiet --games)
expect 0 generate one.ogpc "${games[@]}" 9000
one=$(hash_of)
[ -n "$one" ] || fail "no content hash printed"
for n in 2 3 4; do
    expect_ranks $n 0 generate "many-$n.ogpc" "${games[@]}" 9000
    [ "$(hash_of)" = "$one" ] || fail "$n ranks: hash $(hash_of), one process: $one"
    [ "$(grep -c '^content hash' "$work/out")" = 1 ] || fail "$n ranks: the result is printed once"
done
expect 0 generate other.ogpc "${games[@]}" 9000 --seed 2
[ "$(hash_of)" != "$one" ] || fail "another seed gives the same hash"
# A corpus of one process is made longer by three, and the other way round.
expect 0 generate long.ogpc "${games[@]}" 3000
expect_ranks 3 0 generate long.ogpc "${games[@]}" 6000
expect 0 generate long.ogpc "${games[@]}" 9000
[ "$(hash_of)" = "$one" ] || fail "made in three pieces: $(hash_of), at once: $one"
expect_ranks 2 0 generate long.ogpc "${games[@]}" 9000 # all is there
[ "$(hash_of)" = "$one" ] || fail "nothing to do: $(hash_of), before: $one"
expect 0 runs list --json
[ "$(grep -c '"status": "done"' "$work/out")" -ge 5 ] || fail "one row a run in the database"

# Refused in one line, whatever the number of ranks.
refuse_ranks 3 2 'perft: works in one process, and mpirun started 3' perft 3
refuse_ranks 2 2 "unknown command 'generat'" generat
refuse_ranks 4 2 'generate: 1 argument expected' generate
refuse_ranks 2 4 'nowhere/' generate nowhere/c.ogpc "${games[@]}" 9000
expect_ranks 2 0 version
[ "$(grep -c '^ogpt ' "$work/out")" = 1 ] || fail "version is printed once"
holds 'Open MPI'
# Ranks that were started with other words.
code=0
ranks 1 "$OGPT" generate a.ogpc "${games[@]}" 9000 : -n 1 "$OGPT" generate b.ogpc "${games[@]}" 9000 \
    >out 2>err || code=$?
[ $code = 2 ] || fail "ranks with other words: exit code 2 expected, found $code"
holds 'rank 1 of 2' err
holds 'the words of the command' err
check_end
