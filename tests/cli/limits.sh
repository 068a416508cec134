#!/bin/bash
# tests/cli/limits.sh - label: slow - commands under limits of the system: each ends by itself, with exit code 0 or 4 and one line
# that says why, and leaves what it cannot finish so that the next call does.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the sanitizers reserve terabytes of address space"; exit 77; }

quiet="--quiet --store lab.db"
commands=(
    "perft 5 $quiet"
    "generate made --games 3000 --size 4 $quiet"
    "import made games.txt --size 4 $quiet"
    "export games.ogpc made --format text --quiet"
    "train made --corpus games.ogpc --layers 1 --d-model 16 --heads 2 --batch 8 --steps 2 $quiet"
    "eval net --corpus games.ogpc --games 20 $quiet"
    "probe fit net --corpus games.ogpc --out made --games 20 --test-games 10 --no-controls $quiet"
    "activations net made --corpus games.ogpc --games 10 $quiet"
    "cases make made --n 4 --size 4 --min-moves 2 --before-end 2 $quiet"
    "runs list --store lab.db"
    "verify games.ogpc --quiet"
)
# Address space and stack in KiB, files in blocks of 1 KiB, open files in their number.
limits=("-v 50000" "-v 100000" "-v 300000" "-v 1000000" "-f 1" "-f 8" "-f 200" "-n 4" "-n 7" "-n 12" "-s 512" "-s 1024")

expect 0 generate games.ogpc --games 3000 --size 4 --quiet --store lab.db
expect 0 export games.ogpc games.txt --format text --quiet
expect 0 train net --corpus games.ogpc --layers 1 --d-model 16 --heads 2 --batch 8 --steps 2 --quiet --store lab.db
n_refused=0
n_tried=0
for command in "${commands[@]}"; do
    for limit in "${limits[@]}"; do
        rm -rf made made.* # what the trial before left
        code=0
        n_tried=$((n_tried + 1))
        # shellcheck disable=SC2086
        (ulimit $limit && exec timeout 60 "$OGPT" $command) >"$work/out.txt" 2>"$work/err" || code=$?
        case $code in
        0) continue ;;
        4 | 127) n_refused=$((n_refused + 1)) ;; # 127: the system could not load the program
        *) fail "ulimit $limit; ogpt $command: exit code 0 or 4 expected, found $code" ;;
        esac
        [ $code = 127 ] || grep -q '^ogpt: ' "$work/err" || fail "ulimit $limit; ogpt $command: no reason is given"
        # shellcheck disable=SC2086
        expect 0 $command
    done
done
[ $n_refused -ge 20 ] || fail "$n_refused of $n_tried trials met their limit: at least 20 expected"
echo "$n_tried tried, $n_refused met their limit"
check_end
