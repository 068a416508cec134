#!/bin/bash
# tests/cli/steer.sh - ogpt steer: the same rows for any number of threads, goes on where it was
# interrupted, every origin and target, and one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 1500 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16
expect 0 probe fit m --corpus g.ogpc --games 100 --test-games 40 --plies 4 --out m/probe --no-controls
small="--fit-games 150 --tuning-games 6 --games 12 --plies 4"
few="$small --alpha 1,2"

# Rows do not depend on the workers, and do on the seed.
expect 0 steer m --corpus g.ogpc $few --from contrast --threads 1 --csv one
head -n 1 out | grep -q '^max |ablated pass - ablated weights|' || fail "the first line is $(head -n 1 out)"
expect 0 steer m --corpus g.ogpc $few --from contrast --threads 3 --csv three
for table in steer_run arms ablation heads trials; do
    cmp -s one/$table.csv three/$table.csv || fail "$table.csv depends on the number of threads"
    [ "$(wc -l <one/$table.csv)" -gt 1 ] || fail "$table.csv is empty"
done
column() { # NAME FILE
    awk -F, -v name="\"$1\"" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at[name] }' "$2"
}
# Floats have 24 bits, 6e-8 of the largest logit; two layers of sums of 16 numbers make a hundred of them at most.
column identity_error one/steer_run.csv | awk '$1 == "" || $1 + 0 >= 1e-5 { exit 1 }' ||
    fail 'a direction taken out of a pass is not one taken out of weights'
[ "$(column identity_cases one/steer_run.csv)" -gt 10 ] || fail 'the two ways were compared on few positions'
expect 0 steer m --corpus g.ogpc $few --from contrast --seed 2 --csv seed
cmp -s one/arms.csv seed/arms.csv && fail 'another seed gave the same rows'
[ "$(wc -l <one/arms.csv)" = 7 ] || fail 'six arms'
[ "$(wc -l <one/trials.csv)" = 5 ] || fail '2 layers by 2 scales'
[ "$(wc -l <one/heads.csv)" = 5 ] || fail '4 heads'

# Origins, targets, sites; a scale of 0 closes nothing and moves nothing.
for from in probe function random; do
    expect 0 steer m $few --from $from --layers 1 --csv $from
done
expect 0 steer m $few --target occupied --site mlp_post --layers all --positions all --csv post
lacks 'taken out of all' out
expect 0 steer m $few --target no-corner --site z --layers 0 --csv corner
lacks 'taken out of all' out # as wide as the stream, but in other coordinates
expect 0 steer m $small --layers 1 --alpha 0 --csv still # five arms behind null
[ "$(column gain still/arms.csv | grep -c '^0[.]0$')" = 5 ] && [ "$(column kl_others still/arms.csv | grep -c '^0[.]0$')" = 5 ] ||
    fail 'a scale of 0 moved something'
column kl_others probe/arms.csv | sed -n 2p | awk '$1 == "" || $1 + 0 <= 0 { exit 1 }' || fail 'nothing is moved'

# A control is compared with what is steered, case by case: the difference of the two errors.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    NR == 3 { steer = $at["\"error\""] } { error[NR] = $at["\"error\""]; behind[NR] = $at["\"behind\""] }
    END { for (r = 2; r <= 6; r++) if (r != 3) { gap = error[r] - steer - behind[r]; n += gap < 1e-9 && gap > -1e-9; moved += behind[r] != 0 }
        exit n != 4 || !moved || behind[3] != "" }' probe/arms.csv || fail 'behind is not the difference of the errors'

# Interrupted and typed again: the same rows, from kept runs.
many="--fit-games 400 --tuning-games 100 --games 200"
expect 0 steer m $many --csv whole
stopped INT 130 ogpt-results.db steer m $many --csv again
expect 0 steer m $many --csv again
cmp -s whole/arms.csv again/arms.csv || fail 'going on gave other rows'
journal_is_empty ogpt-results.db

# The network without the direction: a model like others, the same one typed again, nothing else lost.
mkdir .tmp-999999-without && echo half >.tmp-999999-without/model.safetensors
expect 0 steer m $few --square c2 --layers 1 --out without
[ -e .tmp-999999-without ] && fail "a dead process's leftovers stay"
expect 0 verify without
expect 0 eval without --corpus g.ogpc --games 20 --no-seen
hash=$(sha256sum <without/model.safetensors)
expect 0 steer m $few --square c2 --layers 1 --out without
# Another square is another network: refused before the study, so nothing of it is printed.
refuse 2 'holds another orthogonalised network' steer m $few --square d2 --layers 1 --out without
refuse 2 '"square":"c2"' steer m $few --square d2 --layers 1 --out without
# The same square by another seed: the study says that it is another one.
expect 2 steer m $few --square c2 --layers 1 --out without --seed 2
holds 'holds another orthogonalised network' err
[ "$hash" = "$(sha256sum <without/model.safetensors)" ] || fail 'a refused network was replaced'
expect 0 steer m $few --square d2 --layers 1 --out without --force
[ "$hash" = "$(sha256sum <without/model.safetensors)" ] && fail '--force replaced nothing'
mkdir without/probe
refuse 2 'without/probe: a probe lies there' steer m $few --square c2 --layers 1 --out without --force
refuse 2 'exists and is no orthogonalised network' steer m $few --square c2 --out m --force
# The name of a checkpoint: the run would take it for its newest.
for name in step-00000400 m/step-00000400 m/step-00000400/; do
    refuse 2 'is the name of a checkpoint' steer m $few --square c2 --out $name
done
refuse 2 'name its --square' steer m $few --out other
refuse 2 'no rows of the residual stream' steer m $few --square c2 --site mlp_post --out other
refuse 2 'no rows of the residual stream' steer m $few --square c2 --site q --out other

# What cannot be.
refuse 2 '--alpha "1,x": expected' steer m $small --alpha 1,x
expect 2 steer m $few --memory 1
holds 'MiB of memory, allowed are 1' err
refuse 2 'outside the centre' steer m $few --target occupied --square c3
refuse 2 'a square of the 6x6 board' steer m $few --square h8
refuse 2 'leave --square out' steer m $few --target no-corner --square a1
refuse 2 'heads write into the residual stream' steer m $few --from function --site z
refuse 2 'asked for with --from probe or sae only' steer m $few --probe m/probe
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 20 --task empty --out empty --no-controls
refuse 2 'found task empty' steer m $few --from probe --probe empty
expect 0 probe fit m --corpus g.ogpc --games 60 --test-games 20 --layers embed --out embed --no-controls
refuse 2 'no direction in any block' steer m $few --from probe --probe embed
expect 3 steer m --fit-games 2 --plies 1
holds 'take more games' err
expect 0 generate eight.ogpc --games 20
refuse 3 '8x8' steer m --corpus eight.ogpc
expect 0 runs list
holds 'best arm closes '
check_end
