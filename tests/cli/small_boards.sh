#!/bin/bash
# tests/cli/small_boards.sh - a network learns each small board by each of its rules: its strict error falls below a
# bound, which one of four steps does not reach. On 4x4 no-mid-flip is the classic game. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# error_of NETWORK SIZE RULES WIDTH STEPS: strict error of 200 games. Found: 0.04 on 4x4, about 0.2 on 6x6; other
# processors round otherwise, so the bounds leave room.
error_of() {
    expect 0 train "$1" --fresh --size "$2" --rules "$3" --layers 2 --d-model "$4" --heads 4 --batch 64 \
        --steps "$5" --precision f32 --report-every 1000 --quiet
    expect 0 eval "$1" --corpus "$2-$3.ogpc" --games 200 --all --json
    json_value strict_error
}
below() {
    [ -n "$1" ] || { fail "no strict error"; return 1; }
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'
}

# Under the sanitizers one of each kind: the build as shipped does the same with the others.
while read -r size rules width steps bound; do
    [ "$OGPT_SANITIZED" = 1 ] && [ "$size-$rules" != 4-iago ] && [ "$size-$rules" != 6-no-mid-flip ] && continue
    expect 0 generate $size-$rules.ogpc --games 400 --size $size --rules $rules --quiet
    error=$(error_of net-$size-$rules $size $rules $width $steps)
    below "$error" $bound || fail "$size $rules: strict error $error, at most $bound expected"
    early=$(error_of early-$size-$rules $size $rules $width 4)
    below "$early" $bound && fail "$size $rules: four steps reach $early, so the bound $bound says nothing"
    echo "$size $rules: $error after $steps steps, $early after 4"
done <<'BOARDS'
4 classic 32 400 0.08
4 iago 32 400 0.08
6 classic 64 150 0.3
6 no-mid-flip 64 150 0.3
6 iago 64 150 0.3
BOARDS
check_end
