#!/bin/bash
# tests/probes/board/probe_all_steps.sh - ogpt probe fit RUN --all-steps: one row for each
# checkpoint and layer, the numbers of probe fit at that checkpoint, gone on with after a kill.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
expect 0 generate g.ogpc --games 1500 --size 6 --quiet
expect 0 train run --fresh --size 6 --layers 2 --d-model 32 --heads 2 --batch 32 --steps 64 \
    --report-every 100 --keep log2 --quiet
small="--corpus g.ogpc --games 200 --test-games 60 --plies 4"
expect 0 probe fit run $small --out curve --all-steps --csv curve.csv --json
[ "$(grep -c '"step":' out)" = 24 ] || fail "8 steps of 3 layers expected, found $(grep -c '"step":' out) rows"
[ "$(wc -l <curve.csv)" = 25 ] || fail 'a CSV file of 24 rows expected'
head -1 curve.csv | grep -q '^.*step.*games.*layer.*accuracy.*accuracy_low' || fail 'columns of the CSV file'
lacks '"controls"'
grep '"accuracy":' out >accuracies
# The rows are those of probe fit at that checkpoint.
expect 0 probe fit run/step-00000016 $small --out one --no-controls --json
grep '"accuracy":' out | tr -d ' ' | head -3 >alone
sed -n '16,18p' accuracies | tr -d ' ' >of_curve
cmp -s alone of_curve || fail "step 16: $(cat of_curve) expected as by probe fit, $(cat alone)"
sed -n '1,3p' accuracies | tr -d ' ' | cmp -s - alone && fail 'the comparison cannot fail'
cmp -s one/probe.safetensors curve/step-00000016/probe.safetensors || fail 'another probe at step 16'
# The board emerges: the last step reads more than the first (0.03 here; the interval is 0.01 wide).
awk -F'[:,]' '{ v[NR] = $2 } END { exit !(v[NR] > v[3] && v[NR] < 1) }' accuracies ||
    fail "no more is read after training: $(cat accuracies)"
expect 0 runs list --json
run=$(json_value run)
expect 0 runs show "$run" --json
# Typed again after a part is gone: only that part is fitted, with the same bits.
cp curve/step-00000008/probe.safetensors kept
stamp=$(stat -c %Y.%i curve/step-00000004/probe.json)
rm -r curve/step-00000008
expect 0 probe fit run $small --out curve --all-steps
cmp -s kept curve/step-00000008/probe.safetensors || fail 'fitted again: other bits'
[ "$stamp" = "$(stat -c %Y.%i curve/step-00000004/probe.json)" ] || fail 'a finished step was fitted again'
refuse 2 'reads the checkpoints of a run' probe fit run/step-00000064 $small --out never --all-steps
refuse 2 'holds one probe' probe fit run $small --out one --all-steps
[ ! -e never ] || fail 'a refused command left its folder'
check_end
