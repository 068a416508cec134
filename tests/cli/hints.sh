#!/bin/bash
# tests/cli/hints.sh - label: slow - what a command says to type next works as it is printed: this types it, and what that command
# says to type next, until nothing new is said. On 4x4 and 6x6, with names that a shell would take apart.
#
# Lengths shrink by the table below, so that this takes seconds: the words of a hint stay as they are.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_paste.sh" || exit 1

shorter='
ogpt generate;--games [0-9]+;--games 400
ogpt train;$; --steps 2 --layers 1 --d-model 16 --heads 2 --batch 16
ogpt eval;$; --games 20
ogpt probe fit;$; --games 20 --test-games 20 --plies 4 --no-controls
ogpt cases make;--n [0-9]+;--n 5
ogpt cases make cases;$; --n 5
'
not_here=
touch followed

# told COMMAND...: exit code 0, and at least one hint.
told() {
    expect 0 "$@"
    grep '^next: ogpt ' "$work/err" >said || fail "ogpt $*: no hint"
    follow
}

# follow: type the hints in `said` that were not typed yet, then theirs; cases-2.csv instead of cases.csv makes
# no hint another one.
follow() {
    local hint kind
    local -a hints
    mapfile -t hints < <(sed -n 's/^next: \(ogpt .*\)/\1/p' said)
    for hint in "${hints[@]}"; do
        kind=$(sed -E "s/-[0-9]+(\\.csv|\\.ogpc|'| |$)/\\1/g" <<<"$hint")
        grep -qxF -- "$kind" kinds && continue
        printf '%s\n' "$kind" >>kinds
        printf '%s\n' "$hint" >>followed
        paste_lines "a hint" <<<"$hint"
        cp "$work/err" said
        follow
    done
}

n_run=0
for size in 4 6; do
    mkdir "$size" && cd "$size" && touch followed kinds said || exit 1
    told generate "my games.ogpc" --games 400 --size $size # train, eval, probe fit, show, cases make, intervene
    told train fresh --fresh --size $size --steps 2 --layers 1 --d-model 16 --heads 2 --batch 16
    expect 0 export "my games.ogpc" games.txt --format text --quiet
    told import "it's.ogpc" games.txt --size $size
    expect 0 convert fresh bare --to mingpt --quiet
    told convert bare ours --from mingpt --heads 2
    # The twin: a hint that does not work is found.
    echo "next: ogpt eval no-such-run --corpus 'my games.ogpc'" >said
    n_before=$n_failed
    follow >/dev/null
    [ "$n_failed" = $((n_before + 1)) ] || fail "a hint that fails was not found"
    n_failed=$n_before
    [ "$size" = 4 ] || {
        told cases make unnatural.csv --kind unnatural --edit erase --size 6 --n 5
        told cases pairs "my pairs.csv" --size 6 --n 5
        told cases import theirs.csv unnatural.csv --size 6
        told intervene runs/my\ games --probe probes/mine --cases cases.csv --layers 0 --scale 1
        [ ! -d "$OGPT_SOURCE/datasets/models/tiny-6x6/probe" ] ||
            grep -q '^ogpt intervene tiny-6x6 --cases cases.csv --tune tune.csv$' followed ||
            fail "no hint of an edit of the shipped network"
    }
    for command in train eval 'probe fit' show; do
        grep -q "^ogpt $command " followed || fail "no hint of ogpt $command on ${size}x$size"
    done
    cat followed >>../followed
    cd .. || exit 1
done
# No word that a reader would have to replace.
if grep -E 'NAME|CORPUS|MODEL|PROBE|FILE' followed; then fail "a hint names nothing that is there"; fi
echo "$n_run hints typed"
check_end
