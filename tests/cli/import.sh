#!/bin/bash
# tests/cli/import.sh - tournament games through the whole program: counts, exit codes, what is
# printed and stored, training and evaluation on them, and the way back out. The games are not part
# of the repository: without them that part is skipped, and the reason printed.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

games=${OGPT_TEST_DATA:-$OGPT_SOURCE/../shared/data}
shape=(--layers 1 --d-model 16 --heads 2 --batch 16 --steps 4 --quiet)

# counts FILE KEY=NUMBER...: of the last document.
counts() {
    local pair
    for pair in "$@"; do
        [ "$(json_value "${pair%%=*}")" = "${pair##*=}" ] || fail "$pair expected"
    done
}

# A bad game: everything refused, then the others kept; where and why on both streams.
printf 'f5 d6\nd3 a1\ne6 f4\n' >bad.txt
expect 3 import bad.ogpc bad.txt
holds "bad.txt:2: ply 2: expected a legal move of white, found a1"
holds "not made, games were rejected"
holds "bad.txt:2: ply 2:" err
[ "$(grep -c '^ogpt: ' err)" = 1 ] || fail "one error line expected"
[ -e bad.ogpc ] && fail "a refused import left a corpus"
expect 3 import bad.ogpc bad.txt --skip-bad --json
counts games=2 rejected=1 unfinished=2 duplicates=0 score_mismatches=0 unknown_results=0
counts line=2 ply=2
holds '"reason": "expected a legal move of white, found a1, which turns nothing over"'
holds '"board": "'
expect 0 import bad.ogpc bad.txt --skip-bad --max-bad 1 --json
counts games=2 rejected=1 unchanged=true
refuse 2 "--max-bad 1 means nothing without --skip-bad" import x.ogpc bad.txt --max-bad 1
expect 0 runs show --json
holds '"imports"'
expect 0 corpus info bad.ogpc
holds "source        import"
holds "made by       import-"
expect 0 verify bad.ogpc

# Escapes do not reach the terminal.
printf '[Event "\033]0;x\007"]\n1. f5 \033[2J\n' >escape.pgn
expect 3 import x.ogpc escape.pgn
if grep -q "$(printf '\033')" out err; then fail "an escape was printed"; fi
expect 3 import x.ogpc escape.pgn --json
if grep -q "$(printf '\033')" out err; then fail "an escape was printed"; fi

# Options and inputs that are wrong.
printf 'f5 d6\n' >good.txt
refuse 2 "expected one of d3 c4 f5 e6, found 'a1'" import x.ogpc good.txt --first-move a1
refuse 2 "found 'f55'" import x.ogpc good.txt --first-move f55
refuse 2 "expected one of b1 a2 d3 c4" import x.ogpc good.txt --size 4 --first-move f5
expect 0 import turned.ogpc good.txt --first-move c4 --json
counts games=1 rejected=0
expect 0 corpus show turned.ogpc 0
holds "c4"
refuse 4 "nowhere.txt" import x.ogpc nowhere.txt
refuse 4 "regular file, found a directory" import x.ogpc .
refuse 4 "nodir/x.ogpc: nodir is not a directory; make it first" import nodir/x.ogpc good.txt
: >empty.txt
refuse 3 "empty file" import x.ogpc empty.txt
printf '\200\4\225pickle' >games.pkl
refuse 3 "numpy.save" import x.ogpc games.pkl
refuse 2 "holds other games" import bad.ogpc good.txt
expect 0 import bad.ogpc good.txt --force
printf 'not a corpus' >notes.ogpc
refuse 3 "notes.ogpc" import notes.ogpc good.txt --force
refuse 2 "required" export bad.ogpc out.txt
refuse 2 "means nothing" export bad.ogpc out.txt --format text --as tokens
refuse 3 "not a database" export notes.ogpc out.txt --format text
[ "$(cat notes.ogpc)" = "not a corpus" ] || fail "a file of another kind was replaced"
# Not even --force replaces the corpus itself, the results database, or notes.
ln bad.ogpc link.ogpc
for file in bad.ogpc link.ogpc ogpt-results.db notes.ogpc; do
    sha256sum $file >before
    why="exists and holds no games"
    [ $file = ogpt-results.db ] && why="is the results database"
    refuse 2 "$file: $why" export bad.ogpc $file --format text --force
    sha256sum --quiet -c before || fail "$file was replaced"
done
refuse 4 "nodir/x.txt: nodir is not a directory; make it first" export bad.ogpc nodir/x.txt \
    --format text

# Out and in again: the hash of the generated corpus, typed again as well.
expect 0 generate four.ogpc --games 2000 --size 4 --quiet --json
hash=$(json_value content_hash)
for form in npy text pgn ggf; do
    expect 0 export four.ogpc "out.$form" --format $form --notation othello_world --json
    counts games=2000
    expect 0 export four.ogpc "out.$form" --format $form --notation othello_world
    if [ $form = npy ]; then # names are the same in both notations
        refuse 2 "holds something else" export four.ogpc "out.$form" --format $form
    else
        expect 0 export four.ogpc "out.$form" --format $form
    fi
    expect 0 import back.ogpc "out.$form" --size 4 --notation othello_world --force --json
    [ "$(json_value content_hash)" = "$hash" ] || fail "$form: the hash of the corpus expected"
    expect 0 import other.ogpc "out.$form" --size 4 --force --json
    # A number means another square in the other notation, a name the same one.
    other=$(json_value content_hash)
    { [ $form = npy ] && [ "$other" != "$hash" ]; } || { [ $form != npy ] && [ "$other" = "$hash" ]; } ||
        fail "$form: the other notation"
done

# What a killed import left beside its goal is gone after the next one; a living one's stays.
gone=.tmp-$(sh -c 'echo $$')-back.ogpc living=.tmp-$$-back.ogpc
mkdir "$gone" "$living"
touch "$gone/corpus" "$living/corpus"
expect 0 import back.ogpc good.txt --force
[ -e "$gone" ] && fail "the leftovers of a dead process are still there"
[ -e "$living" ] || fail "the work of a living process was removed"
rm -r "$living"

# Games that are too short for learning are refused with a reason.
for _ in $(seq 40); do printf 'f5\nd3\nc4\ne6\n'; done >one.txt
expect 0 import one.ogpc one.txt
refuse 3 "expected games of two moves or more" train one --corpus one.ogpc "${shape[@]}"

[ -f "$games/wthor-1985.pgn" ] && [ -f "$games/liveothello-2015.pgn" ] || {
    [ "$n_failed" = 0 ] || check_end
    echo "skipped: no tournament games in $games (set OGPT_TEST_DATA)"
    exit 77
}
expect 0 import w.ogpc "$games/wthor-1985.pgn" --json
counts games=954 rejected=0 score_mismatches=7 unfinished=8 unknown_results=0 duplicates=0
hash=$(json_value content_hash)
expect 0 import l.ogpc "$games/liveothello-2015.pgn" --json
counts games=487 rejected=0 score_mismatches=0 unfinished=7 unknown_results=7 duplicates=0
for threads in 1 3; do
    expect 0 import t.ogpc "$games/wthor-1985.pgn" --threads $threads --force --json
    [ "$(json_value content_hash)" = "$hash" ] || fail "the hash depends on --threads"
done
# One changed result is one more mismatch: the counts above are not constants.
sed '0,/\[Result "36-28"\]/s//[Result "35-28"]/' "$games/wthor-1985.pgn" >changed.pgn
expect 0 import changed.ogpc changed.pgn --json
counts games=954 score_mismatches=8 unfinished=8
expect 0 import both.ogpc "$games"/*.pgn "$games/wthor-1985.pgn" --dedupe --first-move f5 --json
counts games=1441 duplicates=954 unfinished=23 score_mismatches=14
# A mirrored copy of a year: each game has its twin, and both lie in one split (that they would not
# by the rule of version 1: tests/datasets/test_split.c).
expect 0 import c4.ogpc "$games/wthor-1985.pgn" --first-move c4 --json
counts games=954 duplicates=0 duplicates_symmetric=0
expect 0 export c4.ogpc c4.pgn --format pgn
expect 0 import twins.ogpc "$games/wthor-1985.pgn" c4.pgn --json
counts games=1908 duplicates_symmetric=954
[ "$(json_value duplicates)" -lt 954 ] || fail "mirrored games are no exact duplicates"
exact=$(json_value duplicates)
expect 0 corpus info twins.ogpc --json
counts games=1908 duplicates="$exact" duplicates_symmetric=954
for split in training validation test; do
    [ $(($(json_value ${split}_games) % 2)) = 0 ] || fail "$split: pairs of games expected"
done
expect 0 import half.ogpc "$games/wthor-1985.pgn" c4.pgn --dedupe-symmetric --json
counts games=954 duplicates="$exact" duplicates_symmetric=954
[ "$(json_value content_hash)" = "$hash" ] || fail "--dedupe-symmetric: the first of each pair expected"
expect 0 corpus show both.ogpc 0
grep -q '^game 0: f5 ' out || fail "a game that begins with f5 expected"
expect 0 verify w.ogpc l.ogpc both.ogpc
expect 0 export w.ogpc w.pgn --format pgn
expect 0 import w2.ogpc w.pgn --json
counts games=954 unfinished=8 unknown_results=8 score_mismatches=0
[ "$(json_value content_hash)" = "$hash" ] || fail "PGN: the hash of the corpus expected"

# A championship corpus trains and is scored, without a floor, which it does not have.
expect 0 train net --corpus both.ogpc "${shape[@]}" --json
lacks '"floor"'
lacks '"excess"'
expect 0 runs show --json
holds '"excess": null'
expect 0 train net2 --corpus both.ogpc "${shape[@]:0:10}"
lacks "floor"
lacks "excess" err
expect 0 train net3 --corpus both.ogpc "${shape[@]}" --report-every 1
expect 0 runs show
holds "loss (nats)"
lacks "excess over"
expect 0 eval net --corpus both.ogpc --all --json
counts games=1441 positions=84541
lacks '"floor"'
lacks '"excess"'
holds '"strict_error"'
holds '"kl"'
expect 0 probe fit net --corpus both.ogpc --out probe --games 60 --test-games 20 --no-controls \
    --quiet
# The twin: for generated games both are printed.
expect 0 generate random.ogpc --games 300 --quiet
expect 0 eval net --corpus random.ogpc --json
holds '"floor"'
holds '"excess"'
check_end
