#!/bin/bash
# Comparisons of bench/ run from end to end on their smallest input, without the peer: the test
# checks that they measure, not what they measure. label: slow
set -uo pipefail
bench=$OGPT_SOURCE/bench
programs=$(dirname "$OGPT")/bench
export OGPT_PEER_PYTHON=/nonexistent
[ "$OGPT_SANITIZED" = 1 ] && {
    echo "benchmarks are built with the program as shipped only"
    exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-benches-XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
failed=0

# run STATUS TEXT COMMAND...: the status, and TEXT (a regular expression) in what it prints.
run() {
    local wanted=$1 text=$2 status=0
    shift 2
    bash "$@" >"$work/out" 2>&1 </dev/null || status=$?
    [ $status = "$wanted" ] && grep -qE -- "$text" "$work/out" && return
    echo "$*: status $status, expected $wanted; '$text' expected in:"
    cat "$work/out"
    failed=1
}

run 0 '^nano +f32 +128 +10 ' "$bench/compare_train.sh" "$programs/bench_train" nano
run 0 'liblinear' "$bench/compare_probe.sh" "$programs/bench_probe" 1000 \
    "$OGPT_SOURCE/datasets/models/tiny-6x6"
run 0 '^tiny-6x6 +last +ogpt +2 +2 +6637 ' "$bench/compare_patch.sh" "$programs/bench_patch" 2 \
    "$OGPT_SOURCE/datasets/models/tiny-6x6"
run 0 '^ogpt +2 +8192 +32 +128 +4 ' "$bench/compare_sae.sh" "$programs/bench_sae" 8192 32 128 4
run 0 '^ogpt +6 +8200 ' "$bench/compare_perft.sh" "$programs/bench_perft" 6 2
grep -q '^Edax skipped: ' "$work/out" || { echo "no word of the missing Edax"; failed=1; }
# A stand-in that prints rows as Edax does, with made-up times.
mkdir "$work/edax"
cat >"$work/edax/edax" <<'END'
#!/bin/bash
read -r command depth
for ((i = 1; i <= depth; i++)); do
    printf '  %2d, %15d, %12d, %12d, %12d, %12d,   %2d - %2d,      1:0%d.250,   1.00E+06 N/s\n' "$i" $((i * 1000)) 0 0 0 0 1 9 "$i"
done
END
chmod +x "$work/edax/edax"
OGPT_EDAX=$work/edax/edax run 0 '^edax +6 +6000 +66\.250 ' "$bench/compare_perft.sh" "$programs/bench_perft" 6 1
grep -q '^ogpt counts [0-9.]* times as fast as Edax$' "$work/out" || { echo "no ratio"; failed=1; }
echo '#!/bin/true' >"$work/edax/edax"
OGPT_EDAX=$work/edax/edax run 1 'no row of depth 6' "$bench/compare_perft.sh" "$programs/bench_perft" 6 1
OGPT_EDAX=$work/edax/none run 2 'is no program' "$bench/compare_perft.sh" "$programs/bench_perft" 6 1
rm -rf "$work/edax"
# Slopes of so little work say nothing, so the exit code is that of the verdicts, whatever they are.
code=0
"$programs/bench_growth" "$OGPT" "$OGPT_SOURCE/datasets/models/tiny-6x6" 0.005 >"$work/out" 2>&1 || code=$?
good=$(grep -c '  ok$' "$work/out")
if [ "$(grep -cE '  (ok|memory grows|slope out of range(, memory grows)?)$' "$work/out")" != 7 ] ||
    ! grep -q "^$good of 7 commands " "$work/out" || [ $code != $((good < 7)) ]; then
    echo "bench_growth:"
    cat "$work/out"
    failed=1
fi
"$programs/bench_growth" /bin/false "$OGPT_SOURCE/datasets/models/tiny-6x6" 0.005 >"$work/out" 2>&1
[ $? = 1 ] && grep -q "bench_growth: generate of 250 games: status 1 of 'exec \$O generate" "$work/out" || {
    echo "bench_growth: a command that fails is not named"
    cat "$work/out"
    failed=1
}
# MINUTES 1 (of the peer, which is not there), below 100 % within 2 steps; the twin never gets
# below 0.
run 0 'below 100 % after [0-9.]+ s' "$bench/compare_quality.sh" "$OGPT" 1 100 2 1
grep -q '^PyTorch skipped: ' "$work/out" || { echo "no word of the missing peer"; failed=1; }
run 1 'did not get below 0 % in 2 steps' "$bench/compare_quality.sh" "$OGPT" 1 0 2 1
# Recipes on a network of 8 numbers; a second run has only the table left to print.
for kind in first second; do
    run 0 '^\| half, batch 32 \| `--layers-from 4 --batch 32` \| [1-9][0-9]* \| ' "$bench/compare_recipes.sh" "$OGPT" 0.1 1 "$work/recipes" \
        --size 4 --layers 8 --d-model 8 --heads 1
    scored=$(grep -c ': games, excess, strict error in %: ' "$work/out")
    [ $kind = first ] && wanted=19 || wanted=0
    [ "$scored" = $wanted ] || { echo "$kind: $scored recipes trained, expected $wanted"; failed=1; }
done
rm -rf "$work/recipes"
[ -z "$(find "$work" -mindepth 1 -maxdepth 1 -type d)" ] || {
    echo "folders left behind"
    failed=1
}
exit $failed
