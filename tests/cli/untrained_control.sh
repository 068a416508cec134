#!/bin/bash
# tests/cli/untrained_control.sh - probe fit compares no layer with a history MLP that reads less than
# a simpler control, and says so; one that reads more is compared.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_json.sh" || exit 1

quiet=(--quiet --store lab.db)
expect 0 generate games.ogpc --size 4 --games 3000 "${quiet[@]}"
expect 0 train net --fresh --size 4 --layers 1 --d-model 16 --heads 2 --batch 8 --steps 2 "${quiet[@]}"

# Which of the two it is depends on the sample, and on a few cells; the rule holds for every one.
below=0 above=0
for games in 20 10 6 3 12 30; do
    [ $below = 0 ] || [ $above = 0 ] || break
    expect 0 probe fit net --corpus games.ogpc --out probe-$games --games $games --test-games 20 \
        --plies 4 --layers 0 --json "${quiet[@]}"
    json_leaves <out >leaves || fail "no document"
    read -r mlp line trained < <(awk -F '\t' '
        $1 == "layers[].controls.history_mlp" { mlp = $2 }
        $1 == "layers[].controls.history" { line = $2 }
        $1 == "controls[].trained" && $2 != "null" { trained = $2 }
        END { print mlp, line, trained }' leaves)
    tests=$(awk -F '\t' '$1 == "tests[].against" && $2 == "\"history_mlp\""' leaves | wc -l)
    warned=$(grep -c "the history MLP learned nothing beyond the linear history" err)
    if awk "BEGIN { exit !($mlp < $line) }"; then
        below=$((below + 1))
        wanted="false 0 1"
    else
        above=$((above + 1))
        wanted="true 1 0"
    fi
    [ "$trained $tests $warned" = "$wanted" ] ||
        fail "$games games, MLP $mlp, linear $line: '$wanted' expected, found '$trained $tests $warned'"
    grep -q '"against": "history"' out || fail "the linear history is compared in any case"
done
[ $above -gt 0 ] || fail "the twin is missing: the MLP is below its line in every sample"
check_end
