#!/bin/bash
# tests/probes/edits/odd_inputs.sh - label: counted - questions that hardly have an answer: classes that no training board
# shows, fewer boards than directions, edits after which nobody can move. Each is answered and
# counted; no number is missing.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate games.ogpc --games 60 --size 6 --quiet
expect 0 train model --corpus games.ogpc --layers 1 --d-model 64 --heads 2 --batch 8 --steps 3 --quiet

# One game has 8 boards, for 64 directions: most squares show only one class, and the first moves
# leave columns constant.
for task in mine colour empty flipped legal played previous; do
    expect 0 probe fit model --corpus games.ogpc --out "$task" --task $task --games 1 \
        --test-games 2 --no-controls --json --quiet
    [ "$(json_value training_positions)" -lt 64 ] || fail "$task: fewer boards than directions expected"
    few=$(json_value absent_classes)
    [ "$few" -gt 0 ] || fail "$task: absent classes are not counted"
    grep -qi '": -\?\(nan\|inf\)' out && fail "$task: a number that is none"
    # The intervals of so few boards may be open; the scores themselves are there.
    for key in accuracy board_exact objective; do
        case $(json_value $key) in
        [0-9]*) ;;
        *) fail "$task: $key is '$(json_value $key)'" ;;
        esac
    done
    expect 0 verify "$task"
done
# The twin: many games leave out fewer classes.
expect 0 probe fit model --corpus games.ogpc --out more --task previous --games 40 --test-games 2 \
    --no-controls --json --quiet
[ "$(json_value absent_classes)" -lt "$few" ] || fail "40 games leave out as many classes as 1"

# Edits after which the game cannot go on: counted apart, in no mean.
sound='e4 e5 e6 b4 b3 f4 c5 b2 e3,c4,black,white'
printf 'moves,square,from,to\n%s\n' "$sound" >sound.csv
{
    cat sound.csv
    echo 'd5 e5 e4 c5 b3,c4,white,empty' # the centre emptied
    echo 'd5,c3,white,black'             # no white disc left: nobody can move
} >odd.csv
edit=(intervene model --probe mine --layers 0 --scale 1)
expect 0 "${edit[@]}" --cases sound.csv --json --quiet
grep '_error": \|"f1"\|"kl"' out >sound.means
[ "$(json_value excluded)" = 0 ] || fail "a sound case was excluded"
expect 0 "${edit[@]}" --cases odd.csv --json
grep '_error": \|"f1"\|"kl"' out >odd.means
[ "$(json_value excluded)" = 2 ] || fail "2 excluded cases expected, found $(json_value excluded)"
cmp -s sound.means odd.means || fail "excluded cases changed a mean"
# Flipping an empty square is no edit of that board at all.
printf 'moves,square,from,to\nd5 e5 e4 c5 b3,a1,white,black\n' >empty.csv
refuse 3 "empty.csv:2: after 5 moves a1 is empty, the case says white" "${edit[@]}" --cases empty.csv \
    --quiet
printf 'moves,square,from,to\nd5,c3,white,black\n' >none.csv
refuse 3 "none.csv" "${edit[@]}" --cases none.csv --quiet
check_end
