#!/bin/bash
# tests/cli/eval_compare.sh - ogpt eval compare: the numbers are those of ogpt eval, the difference is stored, and a
# network against itself differs by exactly nothing.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
shape=(--layers 1 --d-model 16 --heads 2 --batch 16 --quiet)

expect 0 generate six.ogpc --size 6 --games 400 --quiet
expect 0 train little --corpus six.ogpc --steps 2 "${shape[@]}"
expect 0 train more --corpus six.ogpc --steps 80 --lr 0.01 "${shape[@]}"
cp -r little "eval's" # a name that begins like the command
both=(--corpus six.ogpc --games 30)

# values KEY: of the five measures, in order.
values() {
    sed -n "s/^ *\"$1\": \(.*[^,]\),*\$/\1/p" out
}
expect 0 eval little "${both[@]}" --json
of_little=$(json_value strict_error)
expect 0 eval more "${both[@]}" --json
of_more=$(json_value strict_error)
expect 0 eval compare more little "${both[@]}" --json --csv tests.csv
[ "$(values value | head -1)" = "$of_more" ] || fail "strict error of a: $of_more expected as by eval"
[ "$(values other_value | head -1)" = "$of_little" ] || fail "strict error of b: $of_little expected as by eval"
[ "$(json_value better)" = a ] || fail "a learned more: better $(json_value better)"
[ "$(values differs | grep -c true)" -ge 2 ] || fail "loss and legal mass differ"
[ "$(tail -n +2 tests.csv | wc -l)" = 5 ] || fail "five rows expected"
expect 0 runs show --json
[ "$(grep -c '"measure"' out)" = 5 ] || fail "five stored rows expected"
expect 0 runs list --limit 1
holds " differ "
# The other way round: the same, for the other side.
expect 0 eval compare little more "${both[@]}"
grep -q '^b is better by .*loss' out || fail "b is better"
[ "$(wc -L <out)" -le 100 ] || fail "a line of $(wc -L <out) columns"

# The twins: itself, by two names; other boards; one network.
expect 0 eval compare little "eval's" "${both[@]}" --json
[ "$(values difference | sort -u)" = 0.0 ] || fail "differences of a network from itself: $(values difference)"
[ "$(values differs | sort -u)" = false ] || fail "a network differs from itself"
[ "$(values p_holm | sort -u)" = 1.0 ] || fail "p of a network and itself: $(values p_holm)"
holds '"better": null'
expect 0 eval compare little little "${both[@]}"
holds "the two are not told apart on these games"
expect 0 train small --fresh --size 4 --steps 2 "${shape[@]}"
refuse 3 "plays 4x4" eval compare little small "${both[@]}" --quiet
refuse 2 "2 arguments expected, found 1" eval compare little "${both[@]}"
# eval of a network whose name is the second word of the command.
cp -r little compare
expect 0 eval ./compare "${both[@]}" --quiet
expect 0 help eval
holds "ogpt eval MODEL --corpus"
expect 0 help eval compare
holds "ogpt eval compare MODEL MODEL"
check_end
