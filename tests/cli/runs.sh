#!/bin/bash
# tests/cli/runs.sh - what commands leave in the results database, and how it is shown.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 perft 5
expect 0 perft 6 --size 6
expect 0 generate "a b.ogpc" --games 100 --size 4 --store ogpt-results.db
expect 0 runs list --wide
[ "$(grep -c ' done ' out)" = 3 ] || fail "3 runs done expected"
holds "ogpt generate 'a b.ogpc' --games 100 --size 4"
# What came out of each, with the beginning of its hash, within 80 columns.
expect 0 runs list
grep -Eq '^ +3  done +100 games +[0-9a-f]{12}  ogpt generate ' out || fail "run 3: its games and its hash"
grep -Eq '^ +1  done +1396 nodes +-  *ogpt perft 5$' out || fail "run 1: its nodes"
[ "$(wc -L <out)" -le 80 ] || fail "runs list: $(wc -L <out) columns"
expect 0 runs list --limit 1 --json
[ "$(json_value result)" = "100 games" ] && [ "$(json_value result_key)" = games ] || fail "--json: the result of run 3"
expect 0 runs list --limit 1
[ "$(wc -l <out)" = 2 ] || fail "--limit 1: a head and one run expected"
expect 0 runs show 1
holds "nodes=1396"
holds "command    ogpt perft 5"
expect 0 runs show 1 --json
[ "$(json_value nodes)" = 1396 ] || fail "nodes 1396 expected"
[ "$(json_value ref)" = false ] || fail "defaults are part of the options"
holds '"kernels"'
lacks '"blas"' # perft multiplies nothing
expect 0 runs show
holds "run        3"
expect 0 runs diff 1 2
holds "size"
holds "1396 -> 7604"
lacks "blas_core"
# Tables as files: a file a kind, the pairs that differ, the list; another table is not overwritten.
expect 0 runs show 1 --csv kinds --html run.html
[ "$(head -1 kinds/perft.csv | tr -d '\r')" = '"depth","size","nodes"' ] || # times are no result
    fail "header: $(head -1 kinds/perft.csv)"
grep -q '^5,8,1396' kinds/perft.csv || fail "the row of perft 5: $(cat kinds/perft.csv)"
grep -q '<td class="n">1396</td>' run.html || fail "the page has no 1396"
expect 0 runs show 1 --csv kinds
expect 2 runs show 2 --csv kinds --quiet
holds "perft.csv: exists and holds another table" err
expect 0 runs show 2 --csv kinds --force
expect 0 runs diff 1 2 --csv pairs.csv
grep -q '"perft","nodes","1396","7604"' pairs.csv || fail "the pair of nodes: $(cat pairs.csv)"
expect 0 runs list --csv list.csv
[ "$(wc -l <list.csv)" = 4 ] || fail "a header and 3 runs expected"
refuse 2 "no run 99" runs show 99
refuse 2 "RUN: a whole number" runs show x
refuse 2 "2 arguments expected" runs diff 1

# A corpus is not a results database, and is left alone.
cp "a b.ogpc" before
refuse 3 "another kind of file" perft 3 --store "a b.ogpc"
cmp -s "a b.ogpc" before || fail "a refused store was changed"
refuse 4 "cannot open" perft 3 --store nowhere/results.db
expect 0 verify ogpt-results.db
holds "clean"

# Escape sequences in a name never reach the terminal.
esc=$(printf '\033')
expect 0 generate "x${esc}[31my.ogpc" --games 10 --size 4
lacks "$esc"
expect 0 runs list
lacks "$esc"
holds "x?[31my.ogpc"

# A command that draws reports its seed, unless it is quiet.
expect 0 cases make seen.csv --n 5 --size 6 --seed 3
holds "seed 3" err
expect 0 cases make quiet.csv --n 5 --size 6 --seed 3 --quiet
lacks "seed" err
expect 0 cases make json.csv --n 5 --size 6 --seed 3 --json
lacks "seed" err
[ "$(json_value seed)" = 3 ] || fail "--json: the seed is in the document"

# Games and boards.
expect 0 generate six.ogpc --games 50 --size 6
expect 0 corpus show six.ogpc 7 --ply 0
holds "black to move: black 2, white 2"
holds "  a b c d e f"
holds "3 . * O X . ."
expect 0 corpus show six.ogpc 7 --ply 0 --json
[ "$(json_value to_move)" = black ] || fail "black moves first"
[ "$(json_value board)" = "..............wb....bw.............. b" ] || fail "the start board: $(json_value board)"
expect 0 corpus show six.ogpc 49
holds "game is over"
refuse 2 "N: a whole number 0..49 expected, found '50'" corpus show six.ogpc 50
refuse 2 "--ply" corpus show six.ogpc 7 --ply 61
refuse 2 "moves, found 33" corpus show six.ogpc 7 --ply 33

expect 0 doctor
holds "perft 7"
expect 0 doctor --json
[ "$(json_value failed)" = 0 ] || fail "no failed check expected"
[ -e .ogpt-doctor ] && fail "doctor left its folder"
# Doctor says no when the results database is damaged: exit code 1.
head -c 9000 ogpt-results.db >broken.db
expect 1 doctor --store broken.db
holds "FAILED"
check_end

# Typed again, each command finds its work done and its tables unchanged.
again() {
    expect 0 "$@" --csv again --quiet
    expect 0 "$@" --csv again --quiet
}
again generate six.ogpc --games 100 --size 6
again export six.ogpc six.txt --format text
again import again.ogpc six.txt --size 6
again activations "$OGPT_SOURCE/datasets/models/tiny-6x6" acts --corpus six.ogpc --games 5 --layers 2
for name in corpus export import activations; do
    [ -s "again/$name.csv" ] || fail "no again/$name.csv"
done
# With other threads, too.
expect 0 activations "$OGPT_SOURCE/datasets/models/tiny-6x6" acts --corpus six.ogpc --games 5 \
    --layers 2 --csv again --quiet --threads 1

# A file that is none of our pages is kept, also by a command that has no row of its run.
cp ogpt-results.db before
expect 2 runs list --html ogpt-results.db --quiet
holds "ogpt-results.db: exists" err
cmp -s ogpt-results.db before || fail "a page replaced the results database"
