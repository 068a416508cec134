#!/bin/bash
# tests/cli/model_probe.sh - label: counted - --probe left out is the probe in the model's directory, in every command
# that takes one: the same result as with the probe named. What else may lie in a model's directory
# stays as it was: verify, convert and train know the folder.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

quiet=(--quiet --store lab.db)
net=(--fresh --size 4 --layers 2 --d-model 16 --heads 2 --batch 8 --checkpoint-every 2 "${quiet[@]}")
small=(--corpus games.ogpc --test-games 20 --plies 4)
expect 0 generate games.ogpc --games 400 --size 4 "${quiet[@]}"
expect 0 train run "${net[@]}" --steps 4
expect 0 train other "${net[@]}" --steps 4 --seed 2
cp -r run/step-00000004 model && rm -rf model/train
expect 0 probe fit model "${small[@]}" --games 60 --out probe --no-controls "${quiet[@]}"
expect 0 probe fit other "${small[@]}" --games 60 --out foreign --no-controls "${quiet[@]}"
expect 0 cases make cases.csv --size 4 --n 6 --kind unnatural --min-moves 3 --before-end 1 "${quiet[@]}"

# The shipped networks bring theirs.
for size in 6 8; do
    shipped=$OGPT_SOURCE/datasets/models/tiny-${size}x$size
    moves=f5d6c3
    [ $size = 6 ] && moves=e4c5b4
    expect 0 show "$shipped" --moves $moves
    holds "layer 4: 0 wrong"
    expect 0 verify "$shipped" --store lab.db
    holds "with a probe of task mine: clean"
done
expect 3 show "$OGPT_SOURCE/datasets/models/tiny-8x8" --moves f5d6c3 \
    --probe "$OGPT_SOURCE/datasets/models/tiny-6x6/probe"

# no_probe ARGUMENTS...: without a probe anywhere the message says where one would lie and how to
# make it.
no_probe() {
    refuse 2 "no probe is named, and there is no $1; name one" "${@:2}"
    holds "or fit one: ogpt probe fit ${1%/probe} --corpus CORPUS --out $1" err
}
no_probe model/probe show model --moves d3
no_probe run/probe show run --moves d3
no_probe model/probe saliency model --moves d3 "${quiet[@]}"
no_probe model/probe intervene model --cases cases.csv --layers 1 --scale 0.5r "${quiet[@]}"
no_probe model/probe probe eval model "${small[@]}" "${quiet[@]}"
no_probe model/probe probe compare model "${small[@]}" "${quiet[@]}"
no_probe model/probe probe geometry model --corpus games.ogpc "${quiet[@]}"

# same ARGUMENTS...: PROBE among them named, then left out: the same result from the same probe.
same() {
    local argument given=() left=() before
    for argument; do
        case $argument in
        --probe) given+=(--probe) ;;
        PROBE) given+=(probe) ;;
        *) given+=("$argument") left+=("$argument") ;;
        esac
    done
    expect 0 "${given[@]}"
    before=$(grep -v '"probe": \|"seconds": ' out)
    expect 0 "${left[@]}"
    [ "$before" = "$(grep -v '"probe": \|"seconds": ' out)" ] || fail "${left[*]}: another result"
}
cp -r probe model/probe
cp -r probe run/probe
for model in model run; do
    same show $model --probe PROBE --moves "d3 d4" --flip b2 --json
    same saliency $model --probe PROBE --moves d3 --json "${quiet[@]}"
    same intervene $model --probe PROBE --cases cases.csv --layers 1 --scale 0.5r --json "${quiet[@]}"
    same probe eval $model PROBE "${small[@]}" --no-controls --json "${quiet[@]}"
done
same probe compare model PROBE "${small[@]}" --json "${quiet[@]}"
same probe geometry model PROBE --corpus games.ogpc --games 60 --test-games 20 --no-halves --json \
    "${quiet[@]}"
# The twin: another probe at that place gives another result, and a foreign one is refused.
expect 0 show model --moves "d3 d4" --json
cp out one
rm -rf model/probe
expect 0 probe fit model "${small[@]}" --games 20 --out model/probe --no-controls "${quiet[@]}"
expect 0 show model --moves "d3 d4" --json
cmp -s out one && fail "the probe in the model's directory is not read"
rm -rf model/probe
cp -r foreign model/probe
refuse 3 "model/probe: fitted on model" show model --moves d3
refuse 3 "model/probe: fitted on model" saliency model --moves d3 "${quiet[@]}"

# verify reads the probe too: clean with its own, a finding with a foreign or a damaged one.
expect 3 verify model "${quiet[@]}"
holds "model/probe: fitted on model"
rm -rf model/probe
cp -r probe model/probe
expect 0 verify model run "${quiet[@]}"
holds "with a probe of task mine: clean"
printf '\377' | dd of=run/probe/probe.safetensors bs=1 seek=900 conv=notrunc 2>/dev/null
expect 3 verify run "${quiet[@]}"
holds "run/probe/probe.safetensors"
rm -rf run/probe

# A run goes on beside its probe. The probe of the step before is refused from then on, no finding.
expect 0 probe fit run "${small[@]}" --games 60 --out run/probe --no-controls "${quiet[@]}"
rm -r run/step-00000004
expect 0 train run "${net[@]}" --steps 4
expect 0 show run --moves d3
rm -r run/probe && cp -r foreign run/probe
expect 0 verify run "${quiet[@]}"
refuse 3 "run/probe: fitted on model" show run --moves d3

# A conversion reads the model beside its probe, and never removes a probe with a model.
expect 0 convert model plain --to mingpt "${quiet[@]}"
expect 0 convert plain there --from mingpt "${quiet[@]}"
cp -r probe there/probe
expect 0 convert plain there --from mingpt "${quiet[@]}"
expect 0 convert other theirs --to mingpt "${quiet[@]}"
refuse 2 "there/probe: a probe lies there" convert theirs there --from mingpt --force "${quiet[@]}"
cmp -s probe/probe.json there/probe/probe.json || fail "the probe is gone"
rm -r there/probe
expect 0 convert theirs there --from mingpt --force "${quiet[@]}"
expect 0 convert probe published --to mingpt --layer 0 --model model "${quiet[@]}"
expect 0 convert published run/probe --from mingpt --layer 0 --model run --force "${quiet[@]}"
refuse 2 "lies in the directory of a run" convert published run/mine --from mingpt --layer 0 \
    --model run "${quiet[@]}"
check_end
