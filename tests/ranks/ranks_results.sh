#!/bin/bash
# eval, probe fit, probe files and intervene in one, two and four ranks: the same rows, the same bytes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"

expect 0 generate games.ogpc --games 3000 --size 6 --quiet
expect 0 cases make cases.csv --n 40 --size 6
expect 0 cases make tune.csv --n 20 --size 6 --purpose tune
eval=(eval tiny-6x6 --corpus games.ogpc --games 150 --threads 1)
fit=(probe fit tiny-6x6 --corpus games.ogpc --games 60 --test-games 40 --layers 2-4 --threads 1)
# mpirun takes a word "--tune" for its own, also behind the name of the program.
edit=(intervene tiny-6x6 --cases cases.csv --tune=tune.csv --threads 1)

probe_hash() {
    sha256sum <"$1/probe.safetensors"
}
rows 0 eval-0 "${eval[@]}"
rows 0 fit-0 "${fit[@]}" --out probe-0
rows 0 edit-0 "${edit[@]}"
for n in 2 4; do
    rows $n eval-$n "${eval[@]}"
    cmp eval-0.rows eval-$n.rows || fail "eval in $n ranks gives other rows"
    rows $n fit-$n "${fit[@]}" --out probe-$n
    sed 's/probe-[0-9]//g' fit-0.rows >a
    sed 's/probe-[0-9]//g' fit-$n.rows >b
    cmp a b || fail "probe fit in $n ranks gives other rows"
    [ "$(probe_hash probe-0)" = "$(probe_hash probe-$n)" ] || fail "probe fit in $n ranks gives other weights"
    rows $n edit-$n "${edit[@]}"
    cmp edit-0.rows edit-$n.rows || fail "intervene in $n ranks gives other rows"
done
rows 0 other "${eval[@]}" --seed 2
cmp -s eval-0.rows other.rows && fail "another seed gives the same rows"
for left in probe-2.lock probe-2.controls; do
    [ -d "$left" ] && fail "$left is left"
done

# A probe that one process has begun, two ranks finish; what is there stays.
expect 0 "${fit[@]}" --out begun --no-controls --quiet
expect_ranks 2 0 "${fit[@]}" --out begun --quiet
[ "$(probe_hash begun)" = "$(probe_hash probe-0)" ] || fail "two ranks change a finished probe"
refuse_ranks 2 2 'fitted with --seed' "${fit[@]}" --out begun --seed 7

# A file that one rank's machine lacks: one line with its number, and its exit code.
mkdir elsewhere
code=0
ranks 1 "$OGPT" "${eval[@]}" --store e.db : -n 1 -wdir "$PWD/elsewhere" "$OGPT" "${eval[@]}" --store e.db >out 2>err || code=$?
[ $code = 4 ] || fail "a rank without its file: exit code 4 expected, found $code"
[ "$(grep -c . err)" = 1 ] || fail "a rank without its file: one line expected on stderr: $(cat err)"
holds 'ogpt: rank 1 of 2 on ' err
holds 'games.ogpc' err
check_end
