#!/bin/bash
# tests/cli/play.sh - ogpt play by scripts: whole games, undo, hint, flip, save and import again, passes,
# bad lines, the end of the input, signals.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_json.sh" || exit 1

quiet=(--quiet --store lab.db)
expect 0 generate games.ogpc --size 4 --games 300 "${quiet[@]}"
expect 0 train net --fresh --size 4 --layers 2 --d-model 16 --heads 2 --batch 8 --steps 2 "${quiet[@]}"
expect 0 probe fit net --corpus games.ogpc --games 60 --test-games 20 --plies 4 --out net/probe \
    --no-controls "${quiet[@]}"

# typed TEXT ARGUMENTS...: the lines of TEXT at ogpt play net; exit code 0.
typed() {
    local text=$1 code=0
    shift
    printf "$text" | "$OGPT" play net --quiet "$@" >"$work/out" 2>"$work/err" || code=$?
    [ $code = 0 ] || fail "play $*: exit code 0 expected, found $code"
    [ -s "$work/err" ] && fail "play $*: nothing expected on stderr with --quiet"
}

# event N KEY: a value of document N (from 1) of --json, strings in quotes.
event() {
    sed -n "$1p" "$work/out" | json_leaves | awk -F '\t' -v key="$2" '$1 == key { print $2 }' | paste -sd ' '
}

# The network alone: a whole game, the same for the same seed, one document a line.
typed '' --human none --json
cp out first
while read -r line; do
    echo "$line" | json_leaves >leaves || fail "no document: $line"
    grep -qx 'schema	1' leaves || fail "schema 1 expected: $line"
done <out
head -n 1 out | grep -q '"event":"start"' || fail "the start is expected first"
tail -n 1 out | grep -q '"event":"end"' || fail "the end is expected last"
[ "$(sed -n '/"event":"move"/p' out | tail -n 1 | grep -c '"over":true')" = 1 ] || fail "no end of the game"
grep -q '"player":"human"' out && fail "--human none: no move of a person expected"
typed '' --human none --json
cmp -s out first || fail "the same seed: another game"
typed '' --human none --json --seed 2
cmp -s out first && fail "another seed: the same game"
# At temperature 0 nothing is drawn: any seed gives the same game.
typed '' --human none --json --temperature 0 --moves a2
cut -d , -f 4- out >first_cold
typed '' --human none --json --temperature 0 --moves a2 --seed 5
cut -d , -f 4- out | cmp -s - first_cold || fail "temperature 0: another seed, another game"
typed '' --human none --json --moves a2 --seed 5
cut -d , -f 4- out | cmp -s - first_cold && fail "temperature 1 draws nothing"

# Saved and imported again: the same moves.
typed 'save game.pgn\n' --human none
holds "game.pgn: "
expect 0 import back.ogpc game.pgn --size 4 "${quiet[@]}"
expect 0 export back.ogpc back.txt --format text --quiet
[ "$(cat back.txt)" = "$(tail -n 1 first | json_leaves | sed -n 's/^moves\t"\(.*\)"$/\1/p')" ] ||
    fail "another game came back: $(cat back.txt)"
grep -q '^\[Black "network"\]$' game.pgn || fail "the players' names are expected in game.pgn"
typed 'save game.pgn\n' --human none
holds "? game.pgn: "
typed 'save game.pgn\n' --human none --force
holds "game.pgn: 1"
typed 'save none.pgn\nsave\n' --human both
holds "? save: expected a game, found no move yet"
holds "? save: expected FILE behind it"
[ -e none.pgn ] && fail "a game without moves was saved"

# Two people: moves, undo back to the same position, hint.
typed 'hint\na2\nboard\nA1\nundo\nhint\n' --human both --json
[ "$(sed 's/.*"event":"\([a-z]*\)".*/\1/' out | paste -sd ' ')" = "start hint move board move undo hint end" ] ||
    fail "other events: $(sed 's/.*"event":"\([a-z]*\)".*/\1/' out | paste -sd ' ')"
for key in moves board to_move legal[] layers[].board top[].p; do
    [ "$(event 4 $key)" = "$(event 6 $key)" ] || fail "undo: $key is not as before"
    [ -n "$(event 4 $key)" ] || fail "undo: $key is missing"
done
[ "$(event 4 board)" != "$(event 5 board)" ] || fail "the move between changed nothing"
[ -z "$(event 1 top[].p)" ] || fail "nothing is expected of the network before the first move"
typed 'hint\n' --human both
holds "it reads moves, so it has nothing to say here"

# A flip is the edit of ogpt show; the game goes on unedited.
typed 'flip b2\nboard\n' --human both --json --moves 'a2 a1'
expect 0 show net --moves 'a2 a1' --layers 1 --flip b2 --json
json_leaves <out >shown
printf 'flip b2\nboard\n' | "$OGPT" play net --quiet --human both --json --moves 'a2 a1' >out
for key in square from to board legal[] predicted_before[] predicted_after[] null_error edit_error rule; do
    [ "$(event 2 $key)" = "$(awk -F '\t' -v key="flip.$key" '$1 == key { print $2 }' shown | paste -sd ' ')" ] ||
        fail "flip: $key is not that of show"
done
[ "$(event 1 board)" = "$(event 3 board)" ] || fail "flip changed the game"
[ "$(event 1 top[].p)" = "$(event 3 top[].p)" ] || fail "flip changed what the network says"
typed 'flip b2\n' --human both --moves 'a2 a1'
for text in "edited board" "legal on the edited board" "the network, edited" "rule                       topn"; do
    holds "$text"
done
typed 'flip b2\n' --human both
holds "? flip: expected 1 to 11 moves before it, found 0"

# A person against the network: it answers at once, and undo takes both moves back.
typed 'a2\nundo\n' --json
[ "$(sed 's/.*"event":"\([a-z]*\)".*/\1/' out | head -n 3 | paste -sd ' ')" = "start move move" ] ||
    fail "the network's answer is expected: $(cut -c 1-60 out)"
[ "$(event 2 played.player)" = '"human"' ] && [ "$(event 3 played.player)" = '"network"' ] ||
    fail "the person's move, then the network's"
sed -n '/"event":"undo"/p' out | grep -q '"moves":""' || fail "undo goes back to the start"
typed 'undo\n' --human white
holds "? there is no move of yours to take back"

# Passes are made, and a forced one may be typed once.
for seed in $(seq 40); do
    typed '' --human none --json --seed $seed
    line=$(grep -n -m 1 '"passed":"[a-z]' out | cut -d : -f 1)
    [ -n "$line" ] && break
done
before=$(event "$line" moves | tr -d '"')
typed 'pass\nps\n' --human both --moves "${before% *}"
holds "? no pass here: "
[ "$(grep -c '^?' out)" = 2 ] || fail "a pass that is not forced is refused"
typed "${before##* }\n--\nPASS\n" --human both --moves "${before% *}"
holds "has no move: the pass is made"
[ "$(grep -c '^? no pass here' out)" = 1 ] || fail "one pass of two is expected to be right"

# Bad lines: one line each, and the dialogue goes on. The last line has no end.
long=$(head -c 3000 /dev/zero | tr '\0' x)
typed "a2\na2\nd4\nz9\nflop b2\nundo now\na2 a1\n\n  board  \n\001\033[31m\n$long\nhint" --human both
[ "$(grep -c '^?' out)" = 8 ] || fail "8 refusals expected, found $(grep -c '^?' out): $(grep '^?' out)"
for text in "? a2 is occupied" "? d4 turns no disc over for white" "? 'z9' is no move and no command" \
    "did you mean 'flip'?" "? undo: expected nothing behind it, found 'now'" \
    "? a2: one move a line, found 'a1' behind it" "? a line of more than 1023 bytes"; do
    holds "$text"
done
grep -q "$(printf '\033')" out && fail "a control character was printed"
holds "legal by the rules"
typed 'help\nquit\nhint\n' --human both
holds "flip SQUARE"
lacks "legal by the rules"
typed 'z9\n' --human both --json
sed -n 2p out | grep -q '"event":"error","message":"' || fail "an error is a document too"

# What is wrong before the first line is refused as everywhere.
refuse 2 "one of black|white|both|none expected, found 'red'" play net --human red
refuse 3 "--moves: " play net --moves 'd4'
refuse 2 "--layers 7: net/probe has no fitted probe there" play net --layers 7
printf 'hint\n' | "$OGPT" play net --quiet >/dev/full 2>err
[ ${PIPESTATUS[1]} = 4 ] || fail "a full stdout: exit code 4 expected"

# A signal ends it while it waits for a line.
mkfifo line
"$OGPT" play net --quiet <line >waiting 2>err &
pid=$!
exec 3>line
for _ in $(seq 100); do
    grep -qs "to move" waiting && break
    sleep 0.05
done
kill -TERM $pid
wait $pid
[ $? = 143 ] || fail "SIGTERM: exit code 143 expected"
grep -q "to move" waiting || fail "SIGTERM: it was not waiting for a line"
exec 3>&-
check_end
