#!/bin/bash
# tests/cli/seen_games.sh - label: counted - ogpt eval says whether scored games were training games: a run's
# manifest names its games and those of the runs before it, and a converted model keeps them.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
shape=(--layers 1 --d-model 16 --heads 2 --batch 8 --quiet)

expect 0 generate six.ogpc --size 6 --games 400 --quiet
expect 0 train first --fresh --size 6 --seed 3 --steps 2 "${shape[@]}"
expect 0 train second --corpus six.ogpc --steps 3 --init-from first "${shape[@]}"
expect 0 train third --fresh --size 6 --seed 4 --steps 5 --init-from second "${shape[@]}"
expect 0 eval third --corpus six.ogpc --games 20 --json --quiet
[ "$(json_value seen_games)" = 0 ] || fail "seen_games: found $(json_value seen_games)"
[ "$(json_value remade_games)" = 56 ] || fail "56 = 2 * 8 + 5 * 8: found $(json_value remade_games)"
expect 0 eval third --corpus six.ogpc --games 20
holds "seen games     0   56 fresh training games were made again  training games of a corpus"
expect 0 convert third copy --to tl
expect 0 eval copy --corpus six.ogpc --games 20
holds "seen games     0   56 fresh training games were made again  training games of a corpus"
expect 0 train alone --corpus six.ogpc --steps 3 "${shape[@]}"
expect 0 eval alone --corpus six.ogpc --games 20
holds "seen games     0   training games of a corpus come from another split"
lacks "made again"
expect 0 eval first --corpus six.ogpc --games 20
holds "seen games     0   16 fresh training games were made again"
lacks "of a corpus"

# What was found is kept in the results database: the same games and training games are not looked
# for again; other games, a longer training and another database are.
early="found by an earlier look, which the database keeps"
expect 0 eval first --corpus six.ogpc --games 20 --json
before=$(grep -v seconds out)
expect 0 eval first --corpus six.ogpc --games 20
holds "16 fresh training games were made again  ($early)"
expect 0 eval first --corpus six.ogpc --games 20 --json
[ "$(grep -v seconds out)" = "$before" ] || fail "a recalled look gives another document"
expect 0 eval first --corpus six.ogpc --games 19
lacks "$early"
expect 0 eval third --corpus six.ogpc --games 20 --store other.db
lacks "$early"
expect 0 generate more.ogpc --size 6 --games 400 --seed 2 --quiet
expect 0 eval first --corpus more.ogpc --games 20
lacks "$early"
expect 0 train longer --fresh --size 6 --seed 3 --steps 3 "${shape[@]}"
expect 0 eval longer --corpus six.ogpc --games 20
holds "24 fresh training games were made again"
lacks "$early"

# An imported corpus is scored whole, unless the network was trained on a corpus.
expect 0 export six.ogpc six.pgn --format pgn
expect 0 import imported.ogpc six.pgn --size 6
expect 0 eval first --corpus imported.ogpc --json
[ "$(json_value split) $(json_value games)" = "all 400" ] ||
    fail "all of an imported corpus: $(json_value split) $(json_value games)"
expect 0 eval first --corpus imported.ogpc
holds "scored         all splits: imported, and the network names no corpus"
holds "not known: the games were not generated"
expect 0 eval first --corpus imported.ogpc --test-split --json
[ "$(json_value split)" = test ] && [ "$(json_value games)" -lt 100 ] ||
    fail "--test-split: $(json_value split) $(json_value games)"
for model in alone third copy; do
    expect 0 eval $model --corpus imported.ogpc --json
    [ "$(json_value split)" = test ] || fail "$model was trained on a corpus: $(json_value split)"
done
expect 0 eval alone --corpus imported.ogpc
holds "scored         the test split: the network was trained on a corpus"
expect 0 eval alone --corpus imported.ogpc --all
holds "scored         all splits: --all"
expect 0 eval first --corpus six.ogpc
holds "scored         the test split: a generated corpus"
refuse 2 "one of --all and --test-split" eval first --corpus six.ogpc --all --test-split

# What cannot be known, or was not asked for, is not a number.
for arguments in "third --all" "third --no-seen"; do
    expect 0 eval $arguments --corpus six.ogpc --games 20
    holds "seen games     not known"
    expect 0 eval $arguments --corpus six.ogpc --games 20 --json
    lacks seen_games
done
expect 0 convert third turned --to tl --notation othello_world
expect 0 eval turned --corpus six.ogpc --games 20
holds "the manifest does not name all training games" # they were turned, too
expect 0 convert third there --to mingpt --notation othello_world
expect 0 convert there back --from mingpt --notation othello_world
expect 0 eval back --corpus six.ogpc --games 20
holds "56 fresh training games were made again" # turned back, they are its own
cp -r first/step-00000002 foreign
rm foreign/MANIFEST.json
expect 0 convert foreign adopted --from tl
# A copy by an earlier program, which did not name the runs before; made again, it names them.
expect 0 convert third copy --to tl
holds "was there already, unchanged"
expect 0 convert third copy --to tl --force
lacks "was there already"
holds '"games_of": "fresh:6:3"' copy/MANIFEST.json

# A warning says that the weights have seen the games of this seed.
expect 0 train again --fresh --size 6 --seed 3 --steps 1 --init-from third "${shape[@]}"
holds "was trained on the games of --seed 3" err
expect 0 train other --fresh --size 6 --seed 7 --steps 1 --init-from third "${shape[@]}"
lacks "was trained on" err
expect 0 train fourth --fresh --size 6 --seed 5 --steps 1 --init-from adopted "${shape[@]}"
expect 0 eval fourth --corpus six.ogpc --games 20
holds "the manifest does not name all training games"
check_end
