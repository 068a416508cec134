#!/bin/bash
# tests/cli/sae_compare.sh - label: counted - ogpt sae compare: what is missing is trained, what is there stays, also behind an interruption, and the
# tables are those of ogpt sae eval; folders that hold anything else are refused before any work.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 300 --size 4
expect 0 train m --corpus g.ogpc --layers 2 --d-model 8 --heads 2 --steps 4 --batch 16 --quiet
base="--layers 1 --corpus g.ogpc --features 24 --batch 100 --buffer 40 --dead-after 500"
few="$base --activations 2000"
games="--fit-games 12 --validation-games 5 --test-games 6 --twin-activations 300"
sweep="--kind topk,jumprelu --k 2,4 --seeds 2"
names='topk-k-2-s1 jumprelu-l0-2-s1 topk-k-4-s1 jumprelu-l0-4-s1 topk-k-2-s2 jumprelu-l0-2-s2 topk-k-4-s2 jumprelu-l0-4-s2'
hashes() {
    (cd "$1" && cat ./*/sae_weights.safetensors | sha256sum)
}

# Two commands, and one, by other numbers of threads: the same files, the same tables.
expect 0 sae train m $few $sweep --out apart --quiet
# shellcheck disable=SC2086
expect 0 sae eval m $(printf 'apart/%s ' $names) --corpus g.ogpc $games --quiet --csv by-eval
expect 0 sae compare m $few $sweep $games --out kinds --threads 3 --csv tables --json
[ "$(hashes kinds)" = "$(hashes apart)" ] || fail 'compare trains others than train'
for table in dictionaries methods verdicts rows differences densities pairs cosines; do
    [ "$(wc -l <tables/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
    sed 's,apart/,kinds/,g' by-eval/$table.csv | cmp -s - tables/$table.csv || fail "$table.csv is not that of sae eval"
done
[ "$(wc -l <tables/autoencoders.csv)" = 9 ] || fail '8 autoencoders'
[ "$(json_value measure)" = coverage ] || fail 'no verdict'
[ "$(ls kinds)" = "$(printf '%s\n' $names | sort)" ] || fail "left behind: $(ls kinds)"
lacks 'are in kinds' err

# One is missing: it alone is trained.
rm -r kinds/topk-k-4-s2
before=$(stat -c '%Y %i' kinds/*/sae_weights.safetensors | sort)
expect 0 sae compare m $few $sweep $games --out kinds --csv again
holds '7 of 8 autoencoders are in kinds, made with these options' err
[ "$(hashes kinds)" = "$(hashes apart)" ] || fail 'the missing one is another'
[ "$(stat -c '%Y %i' kinds/*/sae_weights.safetensors | sort | comm -12 - <(echo "$before") | wc -l)" = 7 ] ||
    fail 'what was there was made again'
cmp -s tables/rows.csv again/rows.csv || fail 'going on gave other rows'
lacks 'trained autoencoders' # the table of trainings is for files
holds 'what wins at an equal L0'

# Killed while it trains: the second run goes on, to the same files.
long="$base --activations 30000 --checkpoint-every 5 --kind topk --k 2,4"
expect 0 sae compare m $long $games --seeds 2 --out whole --quiet --csv whole-tables
"$OGPT" sae compare m $long $games --seeds 2 --out killed --quiet >killed.out 2>&1 &
pid=$!
for _ in $(seq 3000); do
    [ -e killed/k-4-s1.training/MANIFEST.json ] && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.01
done
kill -KILL $pid 2>/dev/null || fail 'over before it was killed'
wait $pid 2>/dev/null
[ -e killed/k-2-s1/cfg.json ] || fail 'the first was not finished'
[ -e killed/k-4-s2 ] && fail 'killed too late'
cp -r killed/k-4-s1.training checkpoint
expect 0 sae compare m $long $games --seeds 2 --out killed --csv killed-tables
[ "$(hashes killed)" = "$(hashes whole)" ] || fail 'after a kill: other files'
sed 's,whole/,killed/,g' whole-tables/rows.csv | cmp -s - killed-tables/rows.csv || fail 'after a kill: other rows'
# Killed behind publishing: the checkpoint and its lock go, and nothing else does.
cp -r checkpoint killed/k-2-s1.training
mkdir killed/k-2-s2.training && echo mine >killed/k-2-s2.training/letter.txt
echo 'ogpt lock of process 1 on nowhere' >killed/k-2-s1.lock
expect 0 sae compare m $long $games --seeds 2 --out killed --quiet
[ "$(cd killed && echo *)" = 'k-2-s1 k-2-s2 k-2-s2.training k-4-s1 k-4-s2' ] || fail "left behind: $(ls killed)"
[ -e killed/k-2-s2.training/letter.txt ] || fail 'a folder of something else is gone'

# Stopped while it measures: the same rows, and nothing is left of the journal.
stopped INT 130 kept.db sae compare m $few $sweep --fit-games 60 --validation-games 30 --test-games 30 --twin-activations 3000 \
    --out kinds --quiet --store kept.db --csv late
expect 0 sae compare m $few $sweep --fit-games 60 --validation-games 30 --test-games 30 --twin-activations 3000 \
    --out kinds --quiet --store kept.db --csv late
journal_is_empty kept.db

expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 10 --layers 0 --out lower --no-controls --quiet
# What belongs to something else stops it before any work; --force replaces only what it makes.
refuse 2 'made with lr' sae compare m $few $sweep --lr 0.1 --out kinds
refuse 2 'kinds: holds jumprelu-l0-2-s1, which is none of the 2 autoencoders' sae compare m $few --kind topk --k 2,4 --seeds 1 --out kinds
mkdir notes && echo mine >notes/letter.txt
refuse 2 'notes: holds letter.txt, which is none' sae compare m $few $sweep --out notes --force
[ "$(ls notes)" = letter.txt ] || fail 'something was made beside what is not ours'
refuse 2 'm: holds step-00000000, which is none' sae compare m $few $sweep --out m
printf 'x' | dd of=kinds/topk-k-4-s2/sae_weights.safetensors bs=1 seek=900 conv=notrunc 2>/dev/null
refuse 3 'topk-k-4-s2' sae compare m $few $sweep --out kinds
refuse 2 'cannot be compared' sae compare m $few --kind transcoder --k 2 --out no
refuse 2 'does not read resid_post of layer 1' sae compare m $few $sweep --probe lower --out no
refuse 2 'MiB of memory, allowed are 1' sae compare m --k 2 --seeds 1 --memory 1 --quiet --out no
[ -e no ] && fail 'something was made'
check_end
