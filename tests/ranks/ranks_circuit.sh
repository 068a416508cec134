#!/bin/bash
# circuit and patch in one, two and four ranks: the same rows, the same files.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib_check.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_ranks.sh"

expect 0 train net --fresh --size 4 --layers 2 --d-model 32 --heads 2 --batch 16 --steps 200 --quiet
expect 0 sae train net --out net-sae --features 64 --k 8 --activations 4096 --batch 256 --buffer 64 --quiet
expect 0 cases pairs pairs.csv --n 40 --size 4
circuit=(circuit net --pairs pairs.csv --method all --tau 0.01 --threads 1)
features=(circuit net --pairs pairs.csv --nodes sae --sae net-sae --positions all --threads 1)
sites=(patch net --pairs pairs.csv --threads 1)
edges=(patch net --pairs pairs.csv --edges each --threads 1)

for n in 0 2 4; do
    rows $n circuit-$n "${circuit[@]}" --out circuit-$n.json --dot circuit-$n.dot
    rows $n features-$n "${features[@]}"
    rows $n sites-$n "${sites[@]}"
    rows $n edges-$n "${edges[@]}"
    for what in circuit-$n.json circuit-$n.dot; do
        cmp "${what/-$n/-0}" "$what" || fail "circuit in $n ranks writes another ${what##*.} file"
    done
    for what in circuit features sites edges; do
        cmp $what-0.rows $what-$n.rows || fail "$what in $n ranks gives other rows"
    done
done
rows 0 other "${circuit[@]}" --seed 2
cmp -s circuit-0.rows other.rows && fail "another seed gives the same rows"
# The same line again, in ranks: what is there is taken for its own.
expect_ranks 2 0 "${circuit[@]}" --out circuit-2.json --dot circuit-2.dot --csv circuit-2.tables --store circuit-2.db --quiet
# A file in the place of the circuit is refused, by the first rank alone.
refuse_ranks 2 2 'circuit-2.json' "${circuit[@]}" --out circuit-2.json --top 3 --quiet
check_end
