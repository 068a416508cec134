#!/bin/bash
# tests/model/train/train_lengths.sh - label: counted - which checkpoints --keep leaves, finished runs that are made
# longer, and --init-from alone, which takes the options of that run.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
four=(--fresh --size 4 --layers 1 --d-model 16 --heads 2 --batch 8 --report-every 100 --quiet)

steps_of() {
    (cd "$1" && echo step-*) | sed 's/step-0*\([0-9]\)/\1/g'
}
check_steps() {
    [ "$(steps_of "$1")" = "$2" ] || fail "$1: steps $2 expected, found $(steps_of "$1")"
}

# --keep: the newest two unless told; every one; powers of two, which are made for it.
expect 0 train two "${four[@]}" --steps 24 --checkpoint-every 4
check_steps two '20 24'
expect 0 train four "${four[@]}" --steps 24 --checkpoint-every 4 --keep 4
check_steps four '12 16 20 24'
expect 0 train all "${four[@]}" --steps 24 --checkpoint-every 4 --keep all
check_steps all '0 4 8 12 16 20 24'
expect 0 train log2 "${four[@]}" --steps 24 --checkpoint-every 10 --keep log2
check_steps log2 '0 1 2 4 8 16 20 24'
expect 0 verify all log2
for run in four all log2; do # the same network, and the newest is what a run means
    cmp -s two/step-00000024/model.safetensors $run/step-00000024/model.safetensors ||
        fail "--keep changed the network of $run"
done
expect 0 generate g.ogpc --games 600 --size 4 --quiet
hash_of() {
    expect 0 eval "$1" --corpus g.ogpc --json --quiet
    json_value model_hash
}
[ "$(hash_of all)" = "$(hash_of all/step-00000024)" ] || fail 'a run means its newest step'
[ "$(hash_of all)" != "$(hash_of all/step-00000020)" ] || fail 'the comparison cannot fail'
for bad in 1 0 -3 none 2x; do
    refuse 2 'expected all, log2, or a number from 2' train never "${four[@]}" --steps 2 --keep "$bad"
done
# Stopped and gone on with another --keep: older ones go when the run goes on, none comes back.
"$OGPT" train part "${four[@]}" --steps 1500 --checkpoint-every 100 --keep all >/dev/null 2>&1 &
pid=$!
for _ in $(seq 500); do
    [ -e part/step-00000300 ] && break
    sleep 0.01
done
kill -TERM $pid
wait $pid
[ -e part/step-00000000 ] && [ -e part/step-00000100 ] || fail '--keep all lost a step'
expect 0 train part "${four[@]}" --steps 1500 --checkpoint-every 100 --keep 3
check_steps part '1300 1400 1500'

# More steps: where every step so far is one of the longer run, it ends with that run's bits.
plain=("${four[@]}" --schedule constant --warmup 0)
expect 0 train longer "${plain[@]}" --steps 10
expect 0 train longer "${plain[@]}" --steps 25
expect 0 train whole "${plain[@]}" --steps 25
cmp -s longer/step-00000025/model.safetensors whole/step-00000025/model.safetensors ||
    fail 'a run made longer is not the run of that length'
expect 0 train often "${plain[@]}" --steps 8 --keep all # gone on with without a word about it: all stay
expect 0 train often "${plain[@]}" --steps 16
check_steps often '0 8 16'
expect 0 train often "${plain[@]}" --steps 20 --keep 2
check_steps often '16 20'
cmp -s longer/step-00000010/model.safetensors whole/step-00000025/model.safetensors &&
    fail 'the comparison cannot fail'
refuse 2 'was trained with --steps 25, asked for 20' train longer "${plain[@]}" --steps 20
refuse 2 'start another run from its weights: ogpt train NEW --init-from two' \
    train two "${four[@]}" --steps 48
expect 0 train cooled "${four[@]}" --warmup 0 --steps 24
refuse 2 'cooled was planned for 24 steps: its step 13' train cooled "${four[@]}" --warmup 0 --steps 48
check_steps two '20 24'

# --init-from alone: the options of that run, new games; what is typed wins.
taken() {
    tr -d ' \n' <"$1/MANIFEST.json" | grep -qF "$2" || fail "$1: $2 expected in its options"
}
expect 0 train next --init-from longer
last=next/step-00000025
for text in '"source":"fresh:4:2"' '"layers":1' '"d-model":16' '"batch":8' '"schedule":"constant"' \
    '"steps":25' '"warmup":0'; do
    taken $last "$text"
done
holds 'the options of longer are taken, with fresh games of another seed' err
expect 0 train next --init-from longer # finished: typed again it is the same run
expect 0 train other --init-from longer --steps 5 --batch 16 --quiet
taken other/step-00000005 '"batch":16'
taken other/step-00000005 '"d-model":16'
expect 0 train fromgames --corpus g.ogpc --layers 1 --d-model 16 --heads 2 --batch 8 --steps 4 --quiet
expect 0 train nextgames --init-from fromgames --steps 3
holds 'with the games of g.ogpc' err
taken nextgames/step-00000003 '"batch":8'
mv g.ogpc elsewhere.ogpc
refuse 2 'which is not here; name it with --corpus' train lost --init-from fromgames --steps 3
refuse 2 'give either --corpus CORPUS or --fresh' train lost --steps 3
expect 0 convert longer/step-00000025 bare --to mingpt --quiet
expect 0 convert bare/model.safetensors foreign --from mingpt --heads 2 --quiet
refuse 2 'does not say how it was trained' train lost --init-from foreign
cp -r longer/step-00000025 strange # made by hand: a board that there is not
sed -i 's/"source": "fresh:4:1"/"source": "fresh:7:1"/' strange/MANIFEST.json
"$OGPT" verify strange >out 2>&1
sed -i "s/\"manifest_sha256\": \"[0-9a-f]*\"/\"manifest_sha256\": \"$(sed -n 's/.*SHA-256 [0-9a-f]*, found \([0-9a-f]*\);.*/\1/p' out | head -1)\"/" strange/MANIFEST.json
refuse 2 'was trained on the corpus fresh:7:1, which is not here' train lost --init-from strange
[ ! -e lost ] || fail 'a refused run left its folder'
check_end
