#!/bin/bash
# tests/cli/world.sh - ogpt world: the engine holds a world, the same rows for any number of threads, a test
# goes on where it was interrupted, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

few="--history-steps 20 --mistake-games 64" # what the controls see in all commands but one
expect 0 train m --fresh --size 4 --layers 1 --d-model 16 --heads 2 --steps 2 --batch 8

# same TEST OPTIONS...: one row a player and setting, whatever the threads; another seed gives others.
same() {
    local test=$1
    shift
    expect 0 world "$test" m "$@" --strict-games 8 $few --threads 1 --csv "$test-1"
    expect 0 world "$test" m "$@" --strict-games 8 $few --threads 3 --csv "$test-3"
    cmp -s "$test-1/players.csv" "$test-3/players.csv" || fail "$test depends on the number of threads"
    expect 0 world "$test" m "$@" --strict-games 8 $few --seed 2 --csv "$test-2"
    cmp -s "$test-1/players.csv" "$test-2/players.csv" && fail "$test: another seed gave the same rows"
    for player in network random_model engine empties either_side random_mistakes history_mlp; do
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
expect 0 world adversary m --games 10 --strict-games 4 $few --goal illegal --out found.ogpc
[ "$(sqlite3 found.ogpc "SELECT count(*) FROM blocks")" = 1 ] || fail 'no game is saved'
expect 0 verify found.ogpc
refuse 2 'exists' world adversary m --games 11 --strict-games 4 $few --goal illegal --out found.ogpc
expect 0 world adversary m --games 11 --strict-games 4 $few --goal illegal --out found.ogpc --force
refuse 2 'no probe' world adversary m --games 4 --goal misread
expect 0 world adversary m --games 4 --strict-games 4
holds 'no opponent plays to misread' err
refuse 2 'no probe is read' world adversary m --games 4 --layers 0
refuse 2 'no probe is read with --goal illegal' world adversary m --games 4 --goal illegal --layers 0

# Without --force, a corpus stays that holds other moves, be they as many; the same moves are no error.
found=(world adversary m --games 11 --strict-games 4 $few --goal illegal)
before=$(sha256sum <found.ogpc)
touch found.ogpc-journal
expect 0 "${found[@]}" --out found.ogpc --force
[ -e found.ogpc-journal ] || fail 'a corpus of the same games was replaced'
[ "$before" = "$(sha256sum <found.ogpc)" ] || fail 'the same games gave another file'
expect 0 "${found[@]}" --out found.ogpc --force --seed 2
[ ! -e found.ogpc-journal ] || fail 'the log of the old corpus lies beside the new one'
[ "$before" != "$(sha256sum <found.ogpc)" ] || fail 'another seed lost the same games'
expect 0 verify found.ogpc
echo text >not.ogpc
refuse 3 'not.ogpc' "${found[@]}" --out not.ogpc --force
[ "$(cat not.ogpc)" = text ] || fail 'a file that is no corpus was replaced'

# A probe of the board plays; one of another task is left out, unless it is asked for.
expect 0 generate g.ogpc --games 200 --size 4
expect 0 probe fit m --corpus g.ogpc --out m/probe --games 100 --layers all --no-controls --test-games 20
expect 0 world adversary m --games 12 --strict-games 4 $few --goal misread --layers 0 --csv misread-1
[ "$(value misread network layer misread)" = 0 ] || fail 'the layer of the probe is not named'
[ "$(value misread network success misread)" != 0 ] || fail 'nothing was lost'
grep -c misread misread-1/players.csv >rows
[ "$(cat rows)" = 1 ] || fail 'a player without a probe was misread'
refuse 2 'no such layer' world adversary m --games 4 --goal misread --layers 1
expect 0 world adversary m --games 4 --strict-games 4 $few --csv all-1
grep -q misread all-1/players.csv || fail 'the probe beside the network is not read'
expect 0 probe fit m --corpus g.ogpc --out m/probe --games 100 --layers all --no-controls --test-games 20 --task colour --force
expect 0 world adversary m --games 4 --strict-games 4 $few
holds 'no opponent plays to misread' err
refuse 2 'task colour' world adversary m --games 4 --goal misread
refuse 2 'task colour' world adversary m --games 4 --probe m/probe

# What was found as edits, with as many of random positions that are as long; it can be read and edited.
expect 0 probe fit m --corpus g.ogpc --out m/probe --games 100 --layers all --no-controls --test-games 20 --force
lost=(world adversary m --games 20 --strict-games 4 $few --goal illegal --found found)
expect 0 "${lost[@]}"
holds 'found/cases.csv' err
expect 0 verify found/games.ogpc
n=$(wc -l <found/cases.csv)
[ "$n" -gt 3 ] || fail 'few positions were found'
[ "$n" = "$(wc -l <found/random.csv)" ] || fail 'the control has another number of cases'
lengths() { cut -d, -f1 "$1" | awk '{ print NF }'; }
[ "$(lengths found/cases.csv)" = "$(lengths found/random.csv)" ] || fail 'the control has other lengths'
cmp -s found/cases.csv found/random.csv && fail 'the control is what was found'
before=$(sha256sum found/*)
expect 0 "${lost[@]}"
[ "$before" = "$(sha256sum found/*)" ] || fail 'typed again, it saved something else'
refuse 2 'holds other games' world adversary m --games 20 --strict-games 4 $few --goal illegal --found found --seed 2
[ "$before" = "$(sha256sum found/*)" ] || fail 'a refused command changed files'
expect 0 "${lost[@]}" --store other.db # the same files, and a folder that is empty, are no hindrance
[ "$before" = "$(sha256sum found/*)" ] || fail 'another results database changed files'
mkdir empty
expect 0 world adversary m --games 20 --strict-games 4 $few --goal illegal --found empty
cmp found/cases.csv empty/cases.csv || fail 'an empty folder got other cases'
expect 0 probe eval m --corpus g.ogpc --positions found/cases.csv --no-controls --games 50 --test-games 4
holds "$((n - 1)) test positions" err
sed 1d found/cases.csv | cat found/cases.csv - >twice.csv
expect 0 probe eval m --corpus g.ogpc --positions twice.csv --no-controls --games 50 --test-games 4
holds "$((n - 1)) test positions" err
holds "$((n - 1)) cases repeat a history" err
expect 0 intervene m --cases found/cases.csv --method project --layers 0 --scale 1 --no-by-layer
holds "$((n - 1)) cases"
expect 0 world adversary m --games 20 --strict-games 4 $few --goal illegal --found found --seed 2 --force # its work was kept
[ "$before" != "$(sha256sum found/*)" ] || fail 'nothing was replaced with --force'
echo text >no.csv
refuse 3 'no.csv' probe eval m --corpus g.ogpc --positions no.csv --no-controls

# Pairs of a file: those that show nothing, and no others.
expect 0 cases pairs t.csv --kind transposition --n 5 --size 4 --min-moves 3 --before-end 1
expect 0 world transposition m --pairs t.csv --strict-games 4 $few
holds 'games, pairs or states  5'
expect 0 cases pairs flips.csv --n 3 --size 4 --min-moves 3 --before-end 1
refuse 3 'transposition' world transposition m --pairs flips.csv
refuse 2 'half of a game' world detour m --opening 7
refuse 4 'nothing' world detour nothing

# Interrupted and typed again: the same rows, from kept blocks.
games=400
[ "${OGPT_SANITIZED:-0}" = 1 ] && games=200
many=(world detour m --games $games --strict-games 8 $few)
expect 0 "${many[@]}" --csv whole
stopped INT 130 ogpt-results.db "${many[@]}" --csv again
expect 0 "${many[@]}" --csv again
cmp -s whole/players.csv again/players.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db
check_end
