#!/bin/bash
# tests/cli/circuit.sh - ogpt circuit: tables, JSON, SVG and dot; the same rows for any number of
# threads and after a kill; what is refused. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train net --fresh --size 6 --layers 2 --d-model 16 --heads 2 --batch 16 --steps 4
expect 0 train wide --fresh --size 8 --layers 1 --d-model 16 --heads 2 --batch 16 --steps 1
expect 0 cases pairs pairs.csv --size 6 --n 24
expect 0 cases pairs same.csv --size 6 --n 8 --kind transposition
circuit="circuit net --pairs pairs.csv --control same.csv --method all --tau 0.0001"

# 2 layers of 2 heads: 1 + 2 * 3 senders; 6 edges into q, k, v of layer 0, 24 of layer 1, 3 and 6 into
# the MLPs, 7 into the logits.
expect 0 $circuit --json --out c.json --svg c.svg --figure graph --dot c.dot --threads 1 --csv one
[ "$(json_value edges)" = 46 ] || fail "46 edges expected: $(json_value edges)"
[ "$(json_value circuit_edges)" = 46 ] || fail 'a small graph is its own circuit'
for key in spearman precision_at_50 recall_cost_90 recall_cost_100 worst_miss; do
    [ "$(grep -c "^ *\"$key\":" out)" -ge 7 ] || fail "$key of six estimates and of random orders"
done
[ "$(grep -c '"method": ' out)" = $((8 + 7 + 8 * 11)) ] || fail "compare, nodes and faithfulness by method"
[ "$(grep -c '"pairs": "transposition"' out)" = 1 ] || fail 'no control in the document'
[ "$(wc -l <one/circuit_edges.csv)" = 47 ] || fail "a row for every edge: $(wc -l <one/circuit_edges.csv)"
[ "$(cut -d, -f2 one/circuit_edges.csv | sed 1d | sort -u | wc -l)" -gt 30 ] || fail 'edges without effects'

# The files of the circuit.
edges_drawn() { # FILE: those that its description names, with the scores of the first method
    sed -n '/<desc>/,/<\/desc>/p' "$1" | grep -m 1 '(%): ' | grep -o -- '-&gt;' | wc -l
}
holds '<svg ' c.svg
[ "$(edges_drawn c.svg)" = 46 ] || fail "46 edges drawn: $(edges_drawn c.svg)"
lacks "$work" c.svg
holds '"from": "input"' c.json
[ "$(grep -c '"from":' c.json)" = 46 ] || fail '46 edges in the JSON file'
[ "$(grep -c ' -> ' c.dot)" = 46 ] || fail '46 edges for graphviz'
if command -v xmllint >/dev/null; then xmllint --noout c.svg || fail 'the SVG is no XML'; fi
if command -v dot >/dev/null; then dot -Tsvg c.dot >drawn.svg || fail 'graphviz reads c.dot'; fi
expect 0 $circuit --top 3 --svg few.svg --figure graph --dot few.dot --quiet
[ "$(edges_drawn few.svg)" = 3 ] || fail 'three edges asked for'
holds 'cheapest to verify: '
awk 'length > 80 { exit 1 }' out || fail 'a line that is too wide'

expect 0 $circuit --no-curves --json --quiet
[ "$(grep -c '"cpr":' out)" = 0 ] || fail 'a curve that nobody drew'
[ "$(grep -c '"spearman":' out)" -ge 7 ] || fail 'grades need no curves'

# Any number of threads, the same rows; typed again, also with other tables, its files are its own.
expect 0 $circuit --threads 3 --csv three --out c.json --svg three.svg --figure graph --dot c.dot
diff -r one three >/dev/null || fail 'threads changed a row'
cmp -s c.svg three.svg || fail 'threads changed a line of the figure'
expect 0 $circuit --seed 2 --csv two
cmp -s one/circuit_faithfulness.csv two/circuit_faithfulness.csv && fail 'the seed draws random circuits'

# Killed in the middle, typed again: it goes on and finds the same. More pairs take longer.
many=200
[ "${OGPT_SANITIZED:-0}" = 1 ] && many=80
expect 0 cases pairs many.csv --size 6 --n $many
long="circuit net --pairs many.csv --control same.csv --method exact,atp,acdc --threads 1"
expect 0 $long --csv whole --store whole.db
# shellcheck disable=SC2086
stopped KILL 137 broken.db $long --csv broken --store broken.db
expect 0 $long --csv broken --store broken.db
diff -r whole broken >/dev/null || fail 'the kill changed a row'
expect 0 runs show 1 --store broken.db --json

# Refusals: one line each.
refuse 2 'expected exact, atp' circuit net --pairs pairs.csv --method random
refuse 2 'ranks no edges' circuit net --pairs pairs.csv --method acdc
refuse 2 '--pairs' circuit net
refuse 3 'pairs.csv:2: clean' circuit wide --pairs pairs.csv
refuse 3 'transpositions alone' circuit net --pairs pairs.csv --control pairs.csv
refuse 4 'none.csv' circuit net --pairs none.csv --quiet
refuse 2 'c.svg: exists; give --svg another name, or --force' circuit net --pairs pairs.csv --method atp --svg c.svg --quiet
[ "$(sqlite3 ogpt-results.db "SELECT count(*) FROM runs WHERE command = 'circuit' AND status = 'failed'")" = 0 ] ||
    fail 'a file that is there was found after the work only'
cp few.dot c.dot
refuse 2 'holds other edges' $circuit --out c.json --dot c.dot --quiet
refuse 2 '--tau' circuit net --pairs pairs.csv --tau 0
expect 0 circuit net --pairs pairs.csv --method atp --svg c.svg --quiet --force
expect 0 circuit net --pairs same.csv --method 'atp*' --top 3
holds 'shares of it mean nothing' err
holds 'without a sign, because a mean of sizes: atp*'
lacks 'exact effects'
holds ' --figure graph --svg circuit.svg' err
touch circuit.svg
expect 0 circuit net --pairs same.csv --method atp --top 3 --no-curves
holds ' --svg circuit-2.svg' err
lacks 'without a sign'
grep -q '^random' out && fail 'random orders, with nothing to compare them in'
check_end
