#!/bin/bash
# tests/cli/train_options.sh - label: slow - what ogpt train promises of --minutes, --init-from,
# --probe-every, --profile and its rates, on networks that train in a second or two.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# first_loss: of the first report on the last stderr.
first_loss() {
    sed -n 's/^step .* loss \([0-9.]*\) .*/\1/p' "$work/err" | head -1
}

# below A B: both are numbers, A below B.
below() {
    [ -n "$1" ] && [ -n "$2" ] && awk "BEGIN { exit !($1 < $2) }"
}

# A length in minutes fixes the steps once and says how to type the same run again. Reports and
# checkpoints far apart: their time is not part of the estimate. On 4x4 everything is small.
four=(--fresh --size 4 --layers 1 --d-model 16 --heads 1 --batch 64 --report-every 1000000
    --checkpoint-every 1000000)
expect 0 train timed "${four[@]}" --minutes 0.01 --json
steps=$(json_value steps)
hash=$(json_value model_hash)
[ "$steps" -gt 1 ] && [ "$(json_value step)" = "$steps" ] || fail "--minutes: $steps steps"
holds "$steps steps (the same run again: --steps $steps)" err
# 0.6 seconds were asked for; a loaded machine may take many times as long, but not for ever.
below "$(json_value seconds)" 60 || fail "--minutes 0.01 took $(json_value seconds) seconds"
expect 0 train counted "${four[@]}" --steps "$steps" --json
[ -n "$hash" ] && [ "$(json_value model_hash)" = "$hash" ] || fail "--steps $steps: another model"
expect 0 train shorter "${four[@]}" --steps $((steps - 1)) --json
[ "$(json_value model_hash)" != "$hash" ] || fail "a step less: the same model"
refuse 2 "exclude each other" train both "${four[@]}" --minutes 0.01 --steps 5
[ ! -e both ] || fail "a refused run left its folder"

# --profile: the kernels, and shares that make a whole.
expect 0 train counted-again "${four[@]}" --steps 20 --profile
for text in kernel seconds share 'linear forward' optimiser calls 'peak of sgemm'; do holds "$text"; done
expect 0 train counted-again "${four[@]}" --steps 20 --profile # finished: nothing to measure
lacks nan
expect 0 train profiled "${four[@]}" --steps 20 --profile --json
awk -F': ' '/^      "share": / { sum += $2; n++ } END { exit !(n > 5 && sum > 0.999 && sum < 1.001) }' \
    out || fail "the shares of --profile do not add up to 1"
# The run's share of a peak is its speed over that peak.
awk -v run="$(json_value run_gflops)" -v peak="$(json_value sgemm_gflops)" \
    -v share="$(json_value run_of_sgemm)" 'BEGIN {
        exit !(run > 0 && peak > 0 && share > 0.999 * run / peak && share < 1.001 * run / peak) }' ||
    fail "the share of the peak is not the speed over the peak"
hash=$(json_value model_hash)
expect 0 train plain "${four[@]}" --steps 20 --json
lacks '"profile"'
[ "$(json_value model_hash)" = "$hash" ] || fail "--profile changed the model"

# --probe-every: the board appears on stderr and in the store. 60 % of cells is below what the
# most frequent class of each cell reaches on 6x6 (about two thirds), so the first point may pass it.
six=(--fresh --size 6 --layers 2 --d-model 32 --heads 2 --batch 64)
steps=60
expect 0 train six "${six[@]}" --steps $steps --report-every $((steps / 4)) \
    --probe-every $((steps / 2))
[ "$(grep -c '^step .*  board [0-9.]* % of cells, [0-9.]* % whole' err)" = 2 ] ||
    fail "2 of 4 reports with the board expected"
[ "$(grep -c '^step ' err)" = 4 ] || fail "4 reports expected"
expect 0 runs list --json
run=$(json_value run)
expect 0 runs show "$run" --json
grep -o '"board_accuracy": .*' out >curve
[ "$(grep -c '0\.' curve)" = 2 ] || fail "2 stored points of the board expected: $(cat curve)"
awk -F'[ ,]+' '$2 ~ /^0/ { last = $2; if ($2 < 0.6 || $2 > 0.99) bad = 1 }
    END { exit !(last > 0.6 && !bad) }' curve || fail "the board: $(cat curve)"
expect 0 runs show "$run"
for curve in "excess over the floor (nats)" "strict error" "board accuracy of the quick probe"; do
    holds "$curve"
done
holds "games $((steps / 4 * 64)) to $((steps * 64))"
lacks "loss (nats)" # which is that of games without a floor
refuse 2 "--probe-every 10 is no multiple of --report-every 200" train odd "${six[@]}" --report-every 200 \
    --probe-every 10

# --init-from: the weights of another run at the start, so the first report is a better one.
again=("${six[@]}" --steps 10 --report-every 5 --seed 2)
expect 0 train scratch "${again[@]}"
scratch=$(first_loss)
expect 0 train warm "${again[@]}" --init-from six
warm=$(first_loss)
below "$warm" "$scratch" || fail "--init-from: first loss $warm, from scratch $scratch"
below "$scratch" "$warm" && fail "the comparison of losses cannot fail"
refuse 3 "--init-from: expected a network of 1 layers" train wrong --fresh --size 6 --layers 1 \
    --d-model 32 --heads 2 --init-from six --quiet
cp -r six hurt
newest=$(printf '%s\n' hurt/step-* | tail -1)
printf x >>"$newest/model.safetensors"
expect 0 train warm-old "${again[@]}" --init-from hurt
holds "passed over a damaged checkpoint" err
# It includes the constant of its LayerNorms: with another one it would be another network.
expect 0 convert six hf --to hf-gpt2
sed -i 's/\("layer_norm_epsilon": \)[^,]*/\10.25/' hf/config.json
rm hf/MANIFEST.json
expect 0 convert hf other-eps --from hf-gpt2
expect 0 train warm-eps "${again[@]}" --init-from other-eps --quiet
grep -q '"eps": 0.25' warm-eps/step-00000010/config.json || fail "--init-from lost eps"
grep -q '"eps": 0.25' warm/step-00000010/config.json && fail "the comparison of eps cannot fail"
refuse 2 "more than 2^33 parameters" train giant --fresh --layers 64 --d-model 4096
[ ! -e giant ] || fail "a network that is too large left its folder"
refuse 4 "nowhere" train wrong "${again[@]}" --init-from nowhere

# A rate of 0 would train nothing; it is refused and not taken for "not given".
for option in --lr --lr-rest; do
    for rate in 0 0.0 -1; do
        refuse 2 "$option" train still "${again[@]}" $option $rate
    done
    expect 0 train "slow$option" "${six[@]}" --steps 2 $option 1e-9 --quiet
done
refuse 2 "--batch-ramp means nothing without --batch-from" train still "${again[@]}" --batch-ramp 0.5
expect 0 train ramp "${six[@]}" --steps 4 --batch-from 8 --quiet
refuse 2 "--batch-from 8, asked for none" train ramp "${six[@]}" --steps 4 --quiet
refuse 2 "--layers-until means nothing" train still "${six[@]}" --layers-from 2 --layers-until 0.5
refuse 2 "use all blocks; leave it out" train still "${six[@]}" --layers-from 1 --init-from six
refuse 2 "--layers-from 3: the network has 2 blocks" train still "${six[@]}" --layers-from 3 --quiet
expect 0 train grown "${six[@]}" --steps 4 --quiet # the default: half of them
refuse 2 "--layers-from 1, asked for none" train grown "${six[@]}" --layers-from 2 --steps 4 --quiet
expect 0 train grown "${six[@]}" --layers-from 1 --layers-until 0.9 --steps 4 --quiet
refuse 2 "at most 99999999 steps" train still --fresh --size 6 --batch 8 --games 1000000000000
[ ! -e still ] || fail "a refused rate left a run"
check_end
