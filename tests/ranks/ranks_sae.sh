#!/bin/bash
# sae train in one, two, three and four ranks: the same autoencoders, of one and of a sweep. What is
# killed on the way is in ranks_kill_results.sh.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"

expect 0 train net --fresh --size 4 --layers 2 --d-model 32 --heads 2 --batch 16 --steps 100 --quiet
small=(--features 64 --activations 12800 --batch 128 --buffer 100 --threads 1)
# shellcheck disable=SC2054
sweep=(sae train net --kind topk,gated,jumprelu --k 4,8 "${small[@]}")
one=(sae train net --kind transcoder --k 4 "${small[@]}")

hash_of() { # all autoencoders below a folder, by their names
    (cd "$1" && find . -name '*.safetensors' | sort | xargs sha256sum)
}
for n in 0 2 4; do # 6 autoencoders: rounds of 2, or of 4 and 2
    rows $n sweep-$n "${sweep[@]}" --out saes-$n
    rows $n one-$n "${one[@]}" --out coder-$n
    [ "$(hash_of saes-$n)" = "$(hash_of saes-0)" ] || fail "$n ranks make other autoencoders of a sweep"
    [ "$(hash_of coder-$n)" = "$(hash_of coder-0)" ] || fail "$n ranks make another transcoder"
    for what in sweep one; do
        sed 's/\(saes\|coder\)-[0-9]//g' $what-$n.rows >now
        [ $n = 0 ] && cp now $what.rows
        cmp $what.rows now || fail "$what in $n ranks gives other rows"
    done
done
[ "$(hash_of saes-0 | wc -l)" = 6 ] || fail "six autoencoders expected: $(ls saes-0)"
rows 2 other "${sweep[@]}" --out other --seed 2
[ "$(hash_of other)" = "$(hash_of saes-0)" ] && fail "another seed makes the same autoencoders"
for left in saes-?/*.lock saes-?/*.training coder-?.lock coder-?.training saes-?/.tmp-*; do
    [ -e "$left" ] && fail "$left is left"
done

# One process has begun the sweep, three ranks make the rest.
expect 0 sae train net --kind jumprelu --l0 4 "${small[@]}" --out begun/jumprelu-l0-4 --quiet
expect_ranks 3 0 "${sweep[@]}" --out begun --quiet
[ "$(hash_of begun)" = "$(hash_of saes-0)" ] || fail "begun by one, gone on with by three: other autoencoders"
expect_ranks 4 0 "${sweep[@]}" --out begun --quiet # all is there
[ "$(hash_of begun)" = "$(hash_of saes-0)" ] || fail "nothing to do: something changed"

# The first rank has no memory for what another one has trained.
OGPT_RANKS_WANTED=2 ranks 2 timeout 60 "$(dirname "$OGPT")/tests/test_ranks_sae" >unit 2>&1 ||
    fail "test_ranks_sae in 2 ranks: $(grep -E 'FAILED|error|ranks' unit | head -5)"

# Refused in one line, whatever the number of ranks.
refuse_ranks 2 2 'made with' "${one[@]}" --out coder-0 --lr 0.5
refuse_ranks 2 2 'sae compare: works in one process' sae compare net --out x
check_end
