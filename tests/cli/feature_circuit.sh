#!/bin/bash
# tests/cli/feature_circuit.sh - ogpt circuit --nodes sae: tables, the same rows for any number of threads and
# after a kill; autoencoders of another network, layer or width are refused. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train net --fresh --size 6 --layers 2 --d-model 16 --heads 2 --batch 16 --steps 4
expect 0 train other --fresh --size 6 --layers 2 --d-model 16 --heads 2 --batch 16 --steps 4 --seed 2
expect 0 train wide --fresh --size 6 --layers 1 --d-model 24 --heads 2 --batch 16 --steps 1
expect 0 train shallow --fresh --size 6 --layers 1 --d-model 16 --heads 2 --batch 16 --steps 1
expect 0 cases pairs pairs.csv --size 6 --n 12
expect 0 cases pairs same.csv --size 6 --n 6 --kind transposition
few="--features 24 --activations 2000 --batch 100 --buffer 20 --quiet"
expect 0 sae train net --layer 0 --kind topk --k 4 --out sae $few
circuit="circuit net --pairs pairs.csv --control same.csv --nodes sae --sae sae --points 2"

# Every node and the error are the other run; the tables agree with one another.
expect 0 $circuit --positions all --json --threads 1 --csv one
[ "$(json_value other_run_error)" = 0.0 ] || fail "all rows are the other run: $(json_value other_run_error)"
[ "$(json_value features)" = 24 ] || fail '24 features'
[ "$(grep -c '"pairs": "transposition"' out)" = 1 ] || fail 'no control in the document'
tr -d '"\r' <one/circuit_bases.csv | cut -d, -f1 | tr '\n' ' ' >bases
[ "$(cat bases)" = 'basis features shuffled coordinates rotated neurons ' ] || fail "bases: $(cat bases)"
[ "$(wc -l <one/circuit_curves.csv)" = $((1 + 5 * 4 * 20)) ] || fail 'a curve for each basis and order'
column() { # FILE KEY: its values
    tr -d '"\r' <"$1" | awk -F, -v key="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == key) at = i; next } { print $at }'
}
[ "$(column one/circuit_bases.csv all_nodes | sed -n 3,4p | tr '\n' ' ')" = '1.0 1.0 ' ] || fail 'coordinates carry all'
[ "$(column one/circuit_bases.csv all_nodes | sed -n 1p)" != 1.0 ] || fail 'features without an error carry all'
[ "$(column one/circuit_feature.csv feature | grep -c '^error$')" = 1 ] || fail 'the error is a node'
[ "$(column one/circuit_feature.csv feature | grep -c '^F')" -gt 3 ] || fail 'features'

# Any number of threads, the same rows; another seed draws other orders.
expect 0 $circuit --positions all --threads 3 --csv three
diff -r one three >/dev/null || fail 'threads changed a row'
expect 0 $circuit --positions all --seed 2 --csv two
cmp -s one/circuit_curves.csv two/circuit_curves.csv && fail 'the seed draws random orders'
expect 0 $circuit --top 3 --csv last --svg few.svg
holds '<svg ' few.svg
[ "$(grep -c 'coordinates' few.svg)" -gt 0 ] || fail 'a line for each basis'
holds 'the error: '
holds 'share of the effect that the first nodes carry together'
holds 'chosen on the pair that they are scored on'
awk 'length > 80 { exit 1 }' out || fail 'a line that is too wide'
cmp -s one/circuit_bases.csv last/circuit_bases.csv && fail 'one position is not all positions'
[ "$(wc -l <last/circuit_feature.csv)" = 4 ] || fail 'three rows asked for'

# Killed in the middle, typed again: it goes on and finds the same. More pairs take longer.
many=300
[ "${OGPT_SANITIZED:-0}" = 1 ] && many=60
expect 0 cases pairs many.csv --size 6 --n $many
long="circuit net --pairs many.csv --control same.csv --nodes sae --sae sae --positions all --threads 1"
expect 0 $long --csv whole --store whole.db
# shellcheck disable=SC2086
stopped KILL 137 broken.db $long --csv broken --store broken.db
expect 0 $long --csv broken --store broken.db
diff -r whole broken >/dev/null || fail 'the kill changed a row'
expect 0 runs show 1 --store broken.db --json

# Refusals: one line each, both sides named.
refuse 3 'was trained on the network' circuit other --pairs pairs.csv --nodes sae --sae sae
refuse 3 'takes rows of 16 numbers, but resid_post of wide/step-00000001 has 24' circuit wide --pairs pairs.csv --nodes sae --sae sae
expect 0 sae train net --layer 1 --kind topk --k 4 --out deep $few
refuse 3 'is of layer 1, but shallow/step-00000001 has 1 layers' circuit shallow --pairs pairs.csv --nodes sae --sae deep
expect 0 sae train net --layer 0 --kind transcoder --k 4 --out coder $few
refuse 2 'transcoder' circuit net --pairs pairs.csv --nodes sae --sae coder
refuse 4 'nothing' circuit net --pairs pairs.csv --nodes sae --sae nothing
refuse 2 'no autoencoder is named, and there is no ' circuit net --pairs pairs.csv --nodes sae
refuse 2 'add --nodes sae' circuit net --pairs pairs.csv --sae sae
refuse 2 '--method is about edges' $circuit --method atp
refuse 2 '--tau is about edges' $circuit --tau 0.1
refuse 2 '--nodes' circuit net --pairs pairs.csv --nodes neurons
expect 0 circuit net --pairs same.csv --nodes sae --sae sae
holds 'shares of it mean nothing' err
expect 0 runs list
holds 'rows carry '
check_end
