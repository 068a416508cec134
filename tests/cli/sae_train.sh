#!/bin/bash
# tests/cli/sae_train.sh - ogpt sae train: the same files for any number of threads, and after kills; sweeps;
# what is there stays; verify; one line for what cannot be. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 300 --size 6
expect 0 train m --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16
# Batches and features of several jobs each, or no number of threads could matter.
few="--layer 1 --features 200 --activations 12000 --batch 600 --buffer 60 --dead-after 2000 --quiet"

# Every kind: files do not depend on the workers; they do on the seed.
for kind in standard gated topk batchtopk jumprelu matryoshka transcoder; do
    for n in 1 3; do
        expect 0 sae train m $few --kind $kind --threads $n --out $kind$n
    done
    cmp -s ${kind}1/sae_weights.safetensors ${kind}3/sae_weights.safetensors || fail "$kind: threads changed the file"
    expect 0 verify ${kind}1
    holds "autoencoder ($kind), 200 features of"
done
expect 0 sae train m $few --kind topk --seed 2 --out seed
cmp -s topk1/sae_weights.safetensors seed/sae_weights.safetensors && fail 'another seed gave the same file'

# A sweep over a corpus: one each. What is there is taken; other options are refused.
expect 0 sae train m $few --corpus g.ogpc --k 2,4,8 --out sweep --csv sweep.csv
[ "$(wc -l <sweep.csv)" = 4 ] || fail '3 rows'
for k in 2 4 8; do
    grep -q "\"k\": $k," sweep/k-$k/cfg.json || fail "no k $k"
done
before=$(cat sweep/k-*/MANIFEST.json | sha256sum)
expect 0 sae train m $few --corpus g.ogpc --k 2,4,8 --out sweep
[ "$(cat sweep/k-*/MANIFEST.json | sha256sum)" = "$before" ] || fail 'what was there was made again'
refuse 2 'made with lr' sae train m $few --corpus g.ogpc --k 2,4 --lr 0.1 --out sweep
expect 0 sae train m $few --kind topk --k 3 --out topk1 --force

# Kinds, values and seeds in one command, all on the same rows: each is what a command of its own makes, but for the
# seed; a kind that keeps no k has it as its goal.
expect 0 sae train m $few --kind topk,jumprelu --k 3,5 --seeds 2 --out many --csv many.csv
[ "$(wc -l <many.csv)" = 9 ] || fail 'two kinds, two values, two seeds'
expect 0 sae train m $few --kind jumprelu --l0 5 --out one
cmp -s one/sae_weights.safetensors many/jumprelu-l0-5-s1/sae_weights.safetensors || fail 'in a sweep: another file'
cmp -s one/sae_weights.safetensors many/jumprelu-l0-5-s2/sae_weights.safetensors && fail 'two seeds gave the same file'
grep -q '"seed": 2' many/jumprelu-l0-5-s2/cfg.json || fail 'the second seed is not 2'
rm -r many/topk-k-5-s2
expect 0 sae train m $few --kind topk,jumprelu --k 3,5 --seeds 2 --out many
[ -e many/topk-k-5-s2/cfg.json ] || fail 'what was missing was not made'
expect 0 sae train m $few --kind all --k 3 --out kinds --csv kinds.csv
[ "$(wc -l <kinds.csv)" = 7 ] || fail 'all: six kinds'

# Killed again and again, and typed again: the same file, and nothing is left behind.
long="--layer 1 --features 200 --activations 180000 --batch 600 --buffer 60 --checkpoint-every 10 --quiet"
expect 0 sae train m $long --out whole
kills=0
for i in $(seq 60); do
    "$OGPT" sae train m $long --out part --threads $((1 + i % 2)) >part.out 2>&1 &
    pid=$!
    for _ in $(seq 500); do
        [ -e part.training/MANIFEST.json ] || [ -e part ] && break
        sleep 0.01
    done
    sleep 0.1
    kill -KILL $pid 2>/dev/null && kills=$((kills + 1))
    wait $pid 2>/dev/null
    [ -e part ] || [ $kills = 4 ] && break
done
[ $kills -ge 2 ] || fail "only $kills kills hit a training"
expect 0 sae train m $long --out part
cmp -s whole/sae_weights.safetensors part/sae_weights.safetensors || fail 'after kills: another file'
cmp -s whole/cfg.json part/cfg.json || fail 'after kills: another cfg.json'
[ -e part.training ] && fail 'the state was left behind'

# Damage, and what cannot be.
printf 'x' | dd of=part/sae_weights.safetensors bs=1 seek=900 conv=notrunc 2>/dev/null
expect 3 verify part
refuse 2 'means nothing to it' sae train m $few --kind topk --l0 3 --out no
refuse 2 'instead of --k' sae train m $few --kind jumprelu --k 3 --out no
refuse 2 'each once' sae train m $few --kind topk,some --out no
refuse 2 'each once' sae train m $few --kind topk,topk --out no
refuse 2 'by a command of its own' sae train m $few --kind topk,transcoder --out no
refuse 2 'it serves all kinds' sae train m $few --kind topk,gated --k 3 --l0 3 --out no
refuse 2 'no penalty of --l1' sae train m $few --kind gated,topk --l1 1 --out no
refuse 2 'expected a whole number above 0' sae train m $few --k 3,x --out no
refuse 2 'give one of them' sae train m $few --kind gated --l0 3 --l1 1 --out no
refuse 2 'leave out --site' sae train m $few --kind transcoder --site resid_mid --out no
refuse 2 'fewer than a batch' sae train m --activations 4000 --batch 3000 --buffer 10 --out no
refuse 2 'MiB of memory, allowed are 1' sae train m --memory 1 --out no
refuse 2 'k must be from 1' sae train m $few --k 201 --out no
refuse 2 'is not an autoencoder' sae train m $few --out m
# Too little address space at any place is one line, or does not matter (sanitizers need more of it).
for kib in 200000 260000 400000 600000; do
    [ "$OGPT_SANITIZED" = 1 ] && break
    (
        ulimit -v $kib
        exec "$OGPT" sae train m $few --threads 4 --out limit$kib --force
    ) >limit.out 2>limit.err
    status=$?
    [ $status = 0 ] || { [ $status = 4 ] && [ "$(wc -l <limit.err)" = 1 ]; } ||
        fail "status $status with $kib KiB of address space: $(cat limit.err)"
done
refuse 4 'nothing.ogpc' sae train m --corpus nothing.ogpc --out no
[ -e no ] && fail 'something was made'
check_end
