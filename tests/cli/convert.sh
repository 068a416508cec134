#!/bin/bash
# tests/cli/convert.sh - ogpt convert: every layout there and back to the same bytes, the check, the
# notation, probes, what is refused, and nothing half-made. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

hash_of() {
    sha256sum "$1" | cut -c 1-64
}

expect 0 generate six.ogpc --games 400 --size 6 --quiet
expect 0 train run --corpus six.ogpc --layers 2 --d-model 24 --heads 3 --batch 16 --steps 8 --quiet
model=run/step-00000008
expect 0 probe fit run --corpus six.ogpc --out probe --layers embed,1 --games 60 --test-games 20 \
    --no-controls --quiet
ours=$(hash_of $model/model.safetensors)

# There and back, in each notation; the run directory names its newest step.
for layout in tl mingpt hf-gpt2; do
    for notation in standard othello_world; do
        there=$layout-$notation
        expect 0 convert run "$there" --to "$layout" --notation $notation --check --quiet
        holds "largest difference"
        expect 0 convert "$there" "$there-back" --from "$layout" --notation $notation --check --json
        [ "$(json_value parameters)" = 16824 ] || fail "parameters: found $(json_value parameters)"
        [ "$(json_value tensors)" = 38 ] || fail "tensors: found $(json_value tensors)"
        [ "$(json_value tensors_hash)" = "$ours" ] || fail "$there: other bytes came back"
        [ "$(hash_of "$there-back/model.safetensors")" = "$ours" ] || fail "$there: other bytes"
        expect 0 eval "$there-back" --corpus six.ogpc --games 10 --quiet
        expect 0 verify "$there-back"
    done
done
[ "$(hash_of tl-standard/model.safetensors)" = "$ours" ] || fail "tl to tl: other bytes"
[ "$(hash_of tl-othello_world/model.safetensors)" != "$ours" ] || fail "--notation did nothing"
[ "$(hash_of mingpt-othello_world/model.safetensors)" != \
    "$(hash_of mingpt-standard/model.safetensors)" ] || fail "--notation did nothing in mingpt"

# In float16: half the bytes, a network like the other, and twice the same bytes; rounding is said.
expect 0 convert run half --to tl --dtype float16 --check --json
[ "$(json_value logit_change | cut -c 1-2)" = 0. ] || fail "logit_change: $(json_value logit_change)"
[ "$(json_value weight_change)" != 0 ] || fail "rounding changed nothing"
[ $((2 * $(stat -c %s half/model.safetensors))) -lt $((5000 + $(stat -c %s $model/model.safetensors))) ] ||
    fail "float16 does not halve the file"
expect 0 convert half half-again --to tl --dtype float16 --check --json
[ "$(json_value weight_change)" = 0.0 ] || fail "what is rounded changed again: $(json_value weight_change)"
[ "$(hash_of half/model.safetensors)" = "$(hash_of half-again/model.safetensors)" ] || fail "other bytes"
for layout in mingpt hf-gpt2; do
    expect 0 convert half half-$layout --to $layout --dtype float16 --check --quiet
    expect 0 convert half-$layout half-$layout-back --from $layout --dtype float16 --check --quiet
    [ "$(hash_of half/model.safetensors)" = "$(hash_of half-$layout-back/model.safetensors)" ] ||
        fail "$layout: float16 did not come back"
done
expect 0 verify half
expect 0 eval half --corpus six.ogpc --games 10 --quiet
refuse 2 "--dtype means nothing with a probe" convert probe never --to mingpt --layers 1 --dtype float16

# A model in the other notation is the same function of games that are turned: its errors on its own
# notation's games, which are legal games too, are as those of any; and it is a model like others.
expect 0 eval tl-othello_world --corpus six.ogpc --games 10 --quiet
expect 0 runs list --json
holds '"command": "convert"'

# A bare file: 8 heads are assumed and said; 3 are right; 5 cannot be.
cp mingpt-standard/model.safetensors bare.safetensors
expect 0 convert bare.safetensors bare3 --from mingpt --heads 3 --check
[ "$(hash_of bare3/model.safetensors)" = "$ours" ] || fail "bare file: other bytes"
lacks "8 heads assumed" err
expect 0 convert bare.safetensors bare8 --from mingpt
holds "8 heads assumed" err
refuse 2 "--heads 5: d_model 24 of bare.safetensors does not divide into 5 heads; give a divisor" \
    convert bare.safetensors never --from mingpt --heads 5
mkdir odd && cp bare.safetensors odd/model.safetensors
sed 's/"n_head": 3/"n_head": 5/' mingpt-standard/config.json >odd/config.json
refuse 3 "odd/config.json: d_model 24 does not divide into 5 heads; no network" convert odd never \
    --from mingpt
refuse 2 "--heads 3: odd/config.json says 5 heads" convert odd never --from mingpt --heads 3
cp hf-gpt2-standard/model.safetensors bare.safetensors
refuse 3 "needs the config.json" convert bare.safetensors never --from hf-gpt2
refuse 3 "is not layout mingpt" convert bare.safetensors never --from mingpt --heads 3
cp $model/model.safetensors bare.safetensors
expect 0 convert bare.safetensors bare-tl --from tl --check --quiet
[ "$(hash_of bare-tl/model.safetensors)" = "$ours" ] || fail "bare tl file: other bytes"

# Typed again it is done; other options on the same output are refused, --force replaces; what is
# no conversion is never replaced.
expect 0 convert run mingpt-standard --to mingpt --check --quiet
holds "was there already, unchanged"
before=$(hash_of mingpt-standard/model.safetensors)
refuse 2 "mingpt-standard: holds something else" convert run mingpt-standard --to mingpt \
    --notation othello_world
[ "$(hash_of mingpt-standard/model.safetensors)" = "$before" ] || fail "a refused one replaced it"
expect 0 convert run mingpt-standard --to mingpt --notation othello_world --force --quiet
[ "$(hash_of mingpt-standard/model.safetensors)" != "$before" ] || fail "--force replaced nothing"
expect 0 convert run mingpt-standard --to mingpt --force --quiet
mkdir precious && echo keep >precious/diary
refuse 2 "precious: exists and is no model" convert run precious --to mingpt --force
refuse 2 "six.ogpc: exists and is no model" convert run six.ogpc --to mingpt --force
refuse 2 "run: exists and is no model" convert mingpt-standard run --from mingpt --force
refuse 2 "run: holds what is to be converted" convert $model run --to mingpt --force
[ -s precious/diary ] && [ -d $model ] || fail "something else was replaced"
# Nor is the source, under any name, nor a checkpoint with its optimiser state, nor a probe by a
# model; and nothing appears among a run's checkpoints.
cp -r tl-standard own && ln -s own alias
for source in own alias ./own/../own own/model.safetensors; do
    refuse 2 "own: holds what is to be converted" convert $source own --from tl --force
done
refuse 2 "alias: holds what is to be converted" convert own alias --from tl --force
cp -r $model checkpoint
refuse 2 "checkpoint: is a checkpoint with the state of its training" convert own checkpoint \
    --from tl --force
for name in $model run/step-00000009 run/other; do
    refuse 2 "$name: lies in the directory of a run" convert own $name --from tl --force
done
refuse 2 "probe: holds a probe, so no model" convert own probe --from tl --force
refuse 2 "own: holds a model, so no probe" convert probe own --to tl --force
expect 0 verify own run checkpoint probe
[ "$(hash_of checkpoint/model.safetensors)" = "$ours" ] || fail "a checkpoint was replaced"
[ -d checkpoint/train ] && [ -d $model/train ] || fail "an optimiser state is gone"

# The wrong layout, the wrong notation, no layout, both.
refuse 3 "was written in layout hf-gpt2" convert hf-gpt2-standard never --from mingpt
refuse 2 "is in notation othello_world" convert mingpt-othello_world never --from mingpt
refuse 2 "convert it with --from tl --notation othello_world" convert tl-othello_world never \
    --to mingpt
refuse 3 "expected a model in layout tl, found mingpt" eval mingpt-standard --corpus six.ogpc
holds "ogpt convert mingpt-standard MODEL --from mingpt" err
refuse 2 "either --from LAYOUT or --to LAYOUT" convert run never
refuse 2 "either --from LAYOUT or --to LAYOUT" convert run never --from tl --to mingpt
refuse 2 "--to" convert run never --to gpt3
refuse 4 "nowhere" convert nowhere never --from mingpt
refuse 3 "expected model.safetensors in it, found none" convert precious never --from mingpt
refuse 3 "six.ogpc" convert six.ogpc never --from mingpt

# Options that would change nothing.
refuse 2 "--layers means nothing with a model" convert run never --to mingpt --layer 3
refuse 2 "--model means nothing with a model" convert run never --to mingpt --model nothing
refuse 2 "--heads means nothing with a model that is not --from mingpt" convert run never \
    --to mingpt --heads 3
refuse 2 "--heads means nothing with a model that is not" convert hf-gpt2-standard never \
    --from hf-gpt2 --heads 3
refuse 2 "--heads means nothing with a probe" convert probe never --to mingpt --layer 1 --heads 3
refuse 2 "--check means nothing with a probe that stays in our layout" convert probe never --to tl \
    --check
refuse 2 "--layers means nothing with a probe that stays" convert probe never --to tl --layer 1

# Another GELU, a damaged file, NaN.
mkdir tanh && cp hf-gpt2-standard/model.safetensors tanh
sed 's/"activation_function": "gelu"/"activation_function": "gelu_new"/' \
    hf-gpt2-standard/config.json >tanh/config.json
refuse 3 'expected "gelu" (exact, by erf), found "gelu_new"' convert tanh never --from hf-gpt2
sed 's/"gelu_new"/"gelu"/' tanh/config.json >tanh/good && mv tanh/good tanh/config.json
expect 0 convert tanh tanh-back --from hf-gpt2 --check --quiet
cp -r mingpt-standard cut
truncate -s -8 cut/model.safetensors
refuse 3 "cut/model.safetensors" convert cut never --from mingpt
rm cut/MANIFEST.json
refuse 3 "cut/model.safetensors" convert cut never --from mingpt
cp mingpt-standard/model.safetensors cut/model.safetensors
printf '\000\000\300\177' | dd of=cut/model.safetensors bs=1 conv=notrunc status=none \
    seek=$(($(stat -c %s cut/model.safetensors) - 4))
expect 0 convert cut cut-mask --from mingpt --check --quiet # the last number is one of a mask
printf '\000\000\300\177' | dd of=cut/model.safetensors bs=1 conv=notrunc status=none \
    seek=$(($(stat -c %s cut/model.safetensors) - 40000))
refuse 3 "expected finite numbers, found nan at index" convert cut never --from mingpt

# Pickles: three lines to copy on stderr, one line of error, exit code 3.
printf '\200\002}q\001X\005\000\000\000modelq\002' >old.ckpt
printf 'PK\003\004\024\000\000\000archive/data.pkl' >new.pth
for file in old.ckpt new.pth; do
    expect 3 convert $file never --from mingpt
    [ "$(wc -l <err)" = 4 ] || fail "three lines and an error expected"
    head -3 err >recipe
    grep -qF -f recipe "$OGPT_SOURCE/docs/NOTEBOOKS.md" || fail "another recipe than the document's"
    [ "$(grep -cxF -f recipe "$OGPT_SOURCE/docs/NOTEBOOKS.md")" = 3 ] || fail "recipe: three lines"
    holds "$file: expected safetensors, found a pickle or a zip archive" err
    refuse 3 "$file" convert $file never --from mingpt --quiet
    refuse 3 "$file" show run --probe $file --moves e4
done

# Probes: one layer in the published tensor, there and back, and turned with its model.
refuse 2 "give --layers L" convert probe never --to mingpt
refuse 2 "hf-gpt2 does not know" convert probe never --to hf-gpt2
refuse 2 "give --layers L" convert probe never --to mingpt --layer 0
refuse 2 "a layer 0..63 or 'embed' expected" convert probe never --to mingpt --layer last
expect 0 convert probe embedding --to mingpt --layer embed --check --quiet
refuse 2 "holds layer embed, not layer 2" convert embedding never --from mingpt --layer 2
expect 0 convert probe published --to mingpt --layer 1 --check --quiet
holds "largest difference"
expect 0 verify published
expect 0 convert published probe1 --from mingpt --check --json
[ "$(json_value parameters)" = 2700 ] || fail "probe parameters: found $(json_value parameters)"
expect 0 convert published/linear_probe.safetensors probe1 --from mingpt --quiet
holds "was there already"
expect 0 show run --probe probe --layer 1 --moves e4 --json
sed -n '/"classes"/,/]/p' out >classes
expect 0 show run --probe probe1 --layer 1 --moves e4 --json
sed -n '/"classes"/,/]/p' out | cmp -s - classes || fail "the probe reads another board"
refuse 2 "name it with --model" convert probe never --to tl --notation othello_world
expect 0 convert probe turned --to tl --notation othello_world --model tl-othello_world --quiet
expect 0 show tl-othello_world --probe turned --moves d5 --json
refuse 3 "fitted on model" show run --probe turned --moves e4
expect 0 convert turned again --from tl --notation othello_world --model run --quiet
cmp -s again/probe.safetensors probe/probe.safetensors || fail "turned twice: other bytes"
cmp -s turned/probe.safetensors probe/probe.safetensors && fail "turned once: the same bytes"
refuse 2 "turned: holds something else" convert probe turned --to tl
# Every number and word of a probe counts, not only its weights: this one had another solver.
LC_ALL=C sed 's/"solver":"newton"/"solver":"liblin"/' published/linear_probe.safetensors \
    >other.safetensors
cmp -s other.safetensors published/linear_probe.safetensors && fail "the solver was to be another"
refuse 2 "probe1: holds something else" convert other.safetensors probe1 --from mingpt
expect 0 convert other.safetensors probe1 --from mingpt --force --quiet
refuse 3 "is not layout mingpt" convert probe1/probe.safetensors never --from mingpt

# Killed in the middle: what is left is worthless and goes with the next run; no output appears.
mkdir .tmp-999999-killed && echo half >.tmp-999999-killed/model.safetensors
expect 0 convert run killed --to mingpt --quiet
[ -e .tmp-999999-killed ] && fail "a dead process's leftovers stay"
for delay in 0.00 0.01 0.02 0.03 0.05; do
    rm -rf dst
    "$OGPT" convert run dst --to mingpt --check --quiet >/dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ -d dst ] && expect 0 verify dst
    expect 0 convert run dst --to mingpt --check --quiet
    [ -n "$(find . -maxdepth 1 -name '.tmp-*-dst')" ] && fail "leftovers of a killed conversion"
done
if [ -e never ]; then fail "a refused conversion left its output"; fi
[ -z "$(find . -maxdepth 1 -name '.tmp-*')" ] || fail "a temporary directory is left"
check_end
