#!/bin/bash
# The models that come with the repository verify, load, and play at least as well as their README
# says, with room for the interval of a small sample. label: slow
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
models=$OGPT_SOURCE/datasets/models
games=2600 # about 260 of them in the test split
cd "$work" || exit 1
failed=0

# check NAME SIZE LARGEST_STRICT_ERROR GAMES_TRAINED_ON
check() {
    local error look=()
    # Under the sanitizers it takes minutes to make millions of training games again;
    # tests/cli/commands/test_eval_seen.c looks for a few in both builds.
    [ "$OGPT_SANITIZED" = 1 ] && look=(--no-seen)
    "$OGPT" verify "$models/$1" >verify.txt || { cat verify.txt; failed=1; }
    "$OGPT" generate "$2.ogpc" --size "$2" --games $games --seed 4711 --quiet >/dev/null || failed=1
    "$OGPT" eval "$models/$1" --corpus "$2.ogpc" --json "${look[@]}" >eval.json || failed=1
    if [ "$OGPT_SANITIZED" != 1 ]; then
        grep -q '^  "seen_games": [0-9]' eval.json || { echo "$1: its games are not known"; failed=1; }
        grep -q "^  \"remade_games\": $4,\$" eval.json ||
            { echo "$1: trained on $4 games expected, $(grep remade_games eval.json)"; failed=1; }
    fi
    error=$(sed -n 's/^  "strict_error": *\([0-9.e-]*\),*$/\1/p' eval.json)
    awk -v error="${error:-1}" -v most="$3" 'BEGIN { exit !(error < most) }' ||
        { echo "$1: strict error $error, expected below $3"; failed=1; }
    # The negative twin: the same bound refuses a network that has learned nothing.
    "$OGPT" train "none-$2" --fresh --size "$2" --preset nano --steps 1 --quiet >/dev/null || failed=1
    "$OGPT" eval "none-$2" --corpus "$2.ogpc" --json >eval.json || failed=1
    error=$(sed -n 's/^  "strict_error": *\([0-9.e-]*\),*$/\1/p' eval.json)
    awk -v error="${error:-0}" -v most="$3" 'BEGIN { exit !(error > most) }' ||
        { echo "an untrained network passes the bound of $1: $error"; failed=1; }
}

check tiny-6x6 6 0.009 6557312
check tiny-8x8 8 0.005 85734400
# The network of four times as many numbers is scored once, and on fewer games: what is looked at
# above in two networks need not be looked at in three.
"$OGPT" verify "$models/small-8x8" >verify.txt || { cat verify.txt; failed=1; }
if [ "$OGPT_SANITIZED" != 1 ]; then
    "$OGPT" eval "$models/small-8x8" --corpus 8.ogpc --games 100 --no-seen --json >eval.json || failed=1
    error=$(sed -n 's/^  "strict_error": *\([0-9.e-]*\),*$/\1/p' eval.json)
    awk -v error="${error:-1}" 'BEGIN { exit !(error < 0.006) }' ||
        { echo "small-8x8: strict error $error, expected below 0.006"; failed=1; }
fi
exit $failed
