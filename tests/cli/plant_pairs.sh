#!/bin/bash
# tests/cli/plant_pairs.sh - ogpt plant --pairs: the two games as a pair file, and what circuit and
# ablate say about a network whose circuit is known. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# The tools find what was planted. edges_hold TRUTH EDGES: every edge has the exact effect and the
# gradient that the truth says, as shares of the difference (6 nats), and every other edge has no effect.
# 2e-5 is the tolerance of planted networks.
edges_hold() {
    awk -F, -v OFS=, '
        { gsub("\"", "") }
        NR == FNR { if ($1 == "edge") { exact[$2] = $5 / 6; slope[$2] = $6 / 6; left++ }; next }
        FNR > 1 {
            named = $1 in exact
            left -= named
            good = $2 != "" && ($2 - exact[$1]) ^ 2 < 4e-10 && (!named || ($3 - slope[$1]) ^ 2 < 4e-10)
            bad += !good
        }
        END { exit !(bad == 0 && left == 0 && FNR == 263) }' "$1" "$2"
}
for kind in emptiness duplicate backup saturated cancel linear dormant; do
    expect 0 plant $kind $kind --size 4 --pairs $kind.csv --csv truth-$kind --force
    expect 0 circuit $kind --pairs $kind.csv --positions all --method exact,atp --no-curves --csv found-$kind
    edges_hold truth-$kind/truth.csv found-$kind/circuit_edges.csv || fail "$kind: circuit finds something else"
done
edges_hold truth-linear/truth.csv found-cancel/circuit_edges.csv && fail 'the edges of another circuit hold'
expect 0 plant linear linear-twin --size 4 --twin --pairs twin.csv
cmp linear.csv twin.csv || fail 'a twin is asked about the same games'
expect 0 circuit linear-twin --pairs twin.csv --positions all --method exact,atp --no-curves --csv found-twin
edges_hold truth-linear/truth.csv found-twin/circuit_edges.csv && fail 'the twin has the circuit'
expect 0 ablate backup --cases backup.csv --units head --kinds zero --at all --no-curves --draws 0 --json
holds 'logit of the target that the file names'
expect 0 ablate backup --cases backup.csv --units head --kinds zero --at all --no-curves --draws 0 --csv ablated
tr -d '"' <ablated/units.csv | awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["unit"] == "L0H2" { ok = $at["total"] ^ 2 < 1e-6 && ($at["direct"] - 6) ^ 2 < 1e-6 && /L1H0/ }
    END { exit !ok }' || fail "ablate says something else of L0H2: $(grep L0H2 ablated/units.csv)"
expect 0 cases show backup.csv 0 --json
holds '"kind": "chosen"'
expect 0 plant cancel cancel-6x6 --size 6 --pairs cancel-6x6.csv
refuse 2 'holds other pairs' plant cancel cancel-6x6 --size 6 --pairs linear.csv
expect 0 plant cancel cancel-8x8 --pairs cancel-8x8.csv
expect 0 cases show cancel-8x8.csv 0
check_end
