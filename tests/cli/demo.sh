#!/bin/bash
# tests/cli/demo.sh - the demo leaves a report alone that is not its own. The demo itself takes
# minutes and is not a test; its verdict is tested by test_demo_verdict.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

echo mine >report.txt
refuse 2 "report.txt is here without results.db" demo
refuse 2 "replace it with --force" demo --json
[ "$(cat report.txt)" = mine ] || fail "report.txt was changed"
mv report.txt report.html
refuse 2 "report.html is here without results.db" demo
mv report.html report.txt
[ -z "$(find . -type f ! -name report.txt ! -name out ! -name err)" ] || fail "a step ran: $(ls)"

# With results next to it the report is the demo's own. Here the first step refuses the file, which
# is not a results database; its message is shown, not that of the report.
echo text >results.db
expect 3 demo --quiet
lacks "report.txt" err
rm results.db
# --force skips the check of the report; a folder in the place of the corpus stops the first step.
mkdir games.ogpc
"$OGPT" demo --force --json >out 2>err && fail "the first step cannot succeed"
lacks "replace it with --force" err
[ -s out ] && fail "--json: nothing expected on stdout of a demo that failed"
[ "$(cat report.txt)" = mine ] || fail "report.txt was changed by a demo that failed"

# At once, before the first step: a board of the network that was given with its probe, an edit of it, and
# what the minutes are for. The first step fails here, so that the test takes no minutes.
models=$OGPT_SOURCE/datasets/models
rm -rf ./*
mkdir games.ogpc
start=$SECONDS
"$OGPT" demo "$models/tiny-6x6" "$models/tiny-8x8" >out 2>err && fail "the first step cannot succeed"
[ $((SECONDS - start)) -lt 20 ] || fail "the look took $((SECONDS - start)) s"
for text in "true board" "layer 4: 0 wrong" "f4, black, becomes white inside the network at layer 4" \
    "legal before the edit" "legal on the edited board" "the network, edited"; do holds "$text"; done
[ "$(grep -c '^edited board' out)" = 1 ] || fail "one edited board expected"
holds "The next minutes ask thousands" err
cp -r "$models/tiny-6x6" six && rm -r six/probe # the twin: a network without a probe shows nothing yet
"$OGPT" demo six >out 2>err && fail "the first step cannot succeed"
[ -s out ] && fail "no board is read without a probe"
lacks "The next minutes" err
"$OGPT" demo "$models/tiny-6x6" --json >out 2>err && fail "the first step cannot succeed"
[ -s out ] && fail "--json: nothing expected on stdout of a demo that failed"

# A page of the user is kept, also beside a database of that name; that of a demo is its own; --html is another file.
rm -rf ./*
expect 0 perft 2 --size 4 --store results.db --quiet
echo mine >report.html
refuse 2 "report.html is no page of a demo" demo
[ "$(cat report.html)" = mine ] || fail "report.html was changed"
rm report.html
refuse 2 "it writes report.html itself" demo --html ./report.html
expect 0 report --all --store results.db --html report.html --quiet
refuse 2 "report.html is no page of a demo" demo

# Networks that cannot be used are named before anything is made.
rm -rf ./*
refuse 4 "nowhere" demo "$models/tiny-6x6" nowhere
refuse 2 "are both of 8x8; give one of each size" demo "$models/tiny-8x8" "$models/tiny-8x8"
expect 0 train four --fresh --size 4 --layers 1 --d-model 16 --heads 1 --batch 8 --steps 1 --quiet
refuse 2 "d_vocab is 13; the demo knows networks of 6x6 (33) and 8x8 (61)" demo four
rm -r four ogpt-results.db*
[ -z "$(find . -type f ! -name out ! -name err)" ] || fail "a step ran without the model: $(ls)"
check_end
