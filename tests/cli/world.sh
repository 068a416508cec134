#!/bin/bash
# tests/cli/world.sh - ogpt world: the engine holds a world, the same rows for any number of threads, a test
# goes on where it was interrupted, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train m --fresh --size 4 --layers 1 --d-model 16 --heads 2 --steps 2 --batch 8

# same TEST OPTIONS...: one row a player and setting, whatever the threads; another seed gives others.
same() {
    local test=$1
    shift
    expect 0 world "$test" m "$@" --strict-games 8 --threads 1 --csv "$test-1"
    expect 0 world "$test" m "$@" --strict-games 8 --threads 3 --csv "$test-3"
    cmp -s "$test-1/players.csv" "$test-3/players.csv" || fail "$test depends on the number of threads"
    expect 0 world "$test" m "$@" --strict-games 8 --seed 2 --csv "$test-2"
    cmp -s "$test-1/players.csv" "$test-2/players.csv" && fail "$test: another seed gave the same rows"
    for player in network random_model engine empties either_side random_mistakes; do
        grep -q "^\"\{0,1\}$player\"\{0,1\}," "$test-1/players.csv" || fail "$test has no row of $player"
    done
}
# value TEST PLAYER COLUMN [PATTERN]: of the first row of a player that matches.
value() {
    tr -d '"' <"$1-1/players.csv" | awk -F, -v player="$2" -v column="$3" -v pattern="${4:-.}" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 == player && $0 ~ pattern { print $at[column] + 0; exit }'
}

same transposition --n 24
[ "$(value transposition engine effect)" = 0 ] || fail 'two histories of one board are two for the engine'
[ "$(value transposition empties effect)" = 0 ] || fail 'two histories of one board are two for empties'
[ "$(value transposition random_model effect)" != 0 ] || fail 'random weights know boards'
same detour --games 12
[ "$(value detour engine finished)" = 1 ] || fail 'the engine makes illegal moves'
[ "$(value detour empties finished)" != 1 ] || fail 'who knows empty squares alone plays legally'

same compression --states 12 --suffixes 3
[ "$(value compression engine compression ,0.01,)" = 1 ] || fail 'the engine does not compress'
[ "$(value compression empties compression ,0.01,)" = 1 ] || fail 'empties does not compress'
same distinction --states 12
[ "$(value distinction engine recall ,flip,0.01,)" = 1 ] || fail 'the engine cannot tell boards apart'
[ "$(value distinction engine precision ,flip,0.01,)" = 1 ] || fail 'the engine tells too much apart'
[ "$(value distinction empties recall ,flip,0.01,)" = 0 ] || fail 'empties knows owners'
same adversary --games 12 --beam 2
[ "$(value adversary engine success illegal)" = 0 ] || fail 'the engine was beaten'
[ "$(value adversary either_side success illegal)" != 0 ] || fail 'who moves for both sides was not beaten'

# What was found is a corpus of legal games; nothing found, no file.
expect 0 world adversary m --games 10 --strict-games 4 --goal illegal --out found.ogpc
[ "$(sqlite3 found.ogpc "SELECT count(*) FROM blocks")" = 1 ] || fail 'no game is saved'
expect 0 verify found.ogpc
refuse 2 'exists' world adversary m --games 11 --strict-games 4 --goal illegal --out found.ogpc
expect 0 world adversary m --games 11 --strict-games 4 --goal illegal --out found.ogpc --force
refuse 2 'no probe' world adversary m --games 4 --goal misread
expect 0 world adversary m --games 4 --strict-games 4
holds 'nobody plays to misread' err

# Pairs of a file: those that show nothing, and no others.
expect 0 cases pairs t.csv --kind transposition --n 5 --size 4 --min-moves 3 --before-end 1
expect 0 world transposition m --pairs t.csv --strict-games 4
holds 'games, pairs or states  5'
expect 0 cases pairs flips.csv --n 3 --size 4 --min-moves 3 --before-end 1
refuse 3 'transposition' world transposition m --pairs flips.csv
refuse 2 'half of a game' world detour m --opening 7
refuse 4 'nothing' world detour nothing

# Interrupted and typed again: the same rows, from kept blocks.
many=(world detour m --games 1200 --strict-games 8)
expect 0 "${many[@]}" --csv whole
stopped INT 130 ogpt-results.db "${many[@]}" --csv again
expect 0 "${many[@]}" --csv again
cmp -s whole/players.csv again/players.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db
check_end
