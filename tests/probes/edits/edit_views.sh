#!/bin/bash
# tests/probes/edits/edit_views.sh - label: counted - cases of others, what is measured besides the error, all methods as a
# table, saliency and the boards of a typed game. The network is barely trained: what
# is claimed of edits is tested where the predictor is known (test_edit_metrics.c).
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# ---- cases: every kind, and those of others ----
expect 0 cases make cases.csv --n 40 --size 6
expect 0 cases make erase.csv --n 30 --size 6 --kind unnatural --edit erase --squares 2
expect 0 cases make place.csv --n 30 --size 6 --kind unnatural --edit place
expect 0 cases make tune.csv --n 20 --size 6 --purpose tune
expect 0 cases make short.csv --n 30 --size 6 --kind unnatural --max-moves 9 --no-passes --json
[ "$(json_value longest)" -le 9 ] || fail "histories of at most 9 moves expected"
[ "$(json_value with_pass)" = 0 ] || fail "no pass expected"
refuse 2 "--max-moves is below" cases make x.csv --n 5 --max-moves 3 --quiet

expect 0 cases import same.csv cases.csv --size 6 --json
cmp -s same.csv cases.csv || fail "import of our own file: the same bytes expected"
for key in cases redraws excluded mean_symmetric_difference mean_legal_before notation; do
    holds "\"$key\": "
done
expect 0 cases import same.csv cases.csv --size 6
holds "already holds these cases" err
refuse 2 "same.csv:1: holds other cases" cases import same.csv erase.csv --size 6 --quiet
# Other columns, other order, no header, indices: the same bytes.
awk -F, 'NR == 1 || NF { print $4 "," $2 "," $5 "," $1 "," $3 }' cases.csv >turned.csv
expect 0 cases import from_turned.csv turned.csv --size 6
cmp -s from_turned.csv cases.csv || fail "columns in another order: the same bytes expected"
awk -F, 'function number(list, n, i, part, out) {
        n = split(list, part, " ")
        for (i = 1; i <= n; i++)
            out = out (i > 1 ? " " : "") (index("abcdef", substr(part[i], 1, 1)) - 1 + 8 * (substr(part[i], 2) - 1))
        return out
    }
    NR > 1 { print number($1) "," number($2) "," $3 "," $4 "," number($5) }' cases.csv >numbers.csv
expect 0 cases import from_numbers.csv numbers.csv --size 6
cmp -s from_numbers.csv cases.csv || fail "indices without a header: the same bytes expected"
# Read in the other notation the squares of indices are others; names mean the same in both.
expect 0 cases import once.csv numbers.csv --size 6 --notation othello_world
cmp -s once.csv cases.csv && fail "--notation othello_world changed nothing"
expect 0 cases import named.csv cases.csv --size 6 --notation othello_world
cmp -s named.csv cases.csv || fail "names in the other notation: the same bytes expected"
awk -F, 'NR == 3 { $3 = $3 == "white" ? "black" : "white" } { OFS = ","; print }' cases.csv >bad.csv
refuse 3 "bad.csv:3: " cases import x.csv bad.csv --size 6 --quiet
[ -e x.csv ] && fail "a refused import left a file"
# Impossible cases: counted by reason, in every command that reads the file.
(cat place.csv && sed -n 2p place.csv | sed 's/,.*/,c3,white,empty/') >mixed.csv
expect 0 cases import impossible.csv mixed.csv --size 6 --json || true
if [ "$(json_value excluded)" != 1 ]; then
    (cat place.csv && sed -n 2p place.csv | sed 's/,.*/,c3,black,empty/') >mixed.csv
    expect 0 cases import impossible.csv mixed.csv --size 6 --json --force
fi
[ "$(json_value excluded)" = 1 ] || fail "one excluded case expected"
holds '"reason": "it empties a centre square"'
expect 0 cases show impossible.csv 0 --size 6
holds "left out of means"
holds "it empties a centre square (first in line 32)"

# ---- metrics ----
expect 0 generate games.ogpc --games 600 --size 6
expect 0 train run --corpus games.ogpc --preset nano --layers 2 --steps 4 --batch 16
expect 0 probe fit run --corpus games.ogpc --out probe --games 60 --test-games 20 --no-controls
args="intervene run --probe probe --cases cases.csv --method project --layers 1"
for threads in 1 3; do
    expect 0 $args --threads $threads --json
    grep -v '"threads"' out >"metrics$threads"
done
cmp -s metrics1 metrics3 || fail "the metrics depend on --threads"
for key in rank_newly_legal rank_newly_illegal passed entered fell_out crosstalk crosstalk_final \
    turned illegal_share legal_plies controls_close_nothing metrics crosstalk_by_layer; do
    grep -q "\"$key\": " metrics1 || fail "intervene --json lacks $key"
done
grep -q '"edit-random"' metrics1 || fail "paired differences expected"
expect 0 $args
holds "controls: "
holds "rank_newly_legal"
holds "legal_plies"
holds "other squares read differently"
expect 0 runs show --json
[ "$(grep -c '"version": "wrong_square"' out)" -ge 15 ] || fail "rows of metrics expected"
[ "$(grep -c '"legal_plies": [0-9]' out)" = 40 ] || fail "play-on of 40 cases expected in the rows"
expect 0 $args --no-play-on
lacks "legal_plies"
expect 0 intervene run --probe probe --cases impossible.csv --method project --layers 1 --no-by-layer
holds "left out: 1: it empties a centre square"
expect 0 $args --show 2 --no-by-layer --json
holds '"predicted_after"'

# ---- all methods ----
COLUMNS=100 expect 0 intervene run --probe probe --method all --cases cases.csv,erase.csv \
    --tune tune.csv --means-from games.ogpc --steps 5 --no-play-on
grep -qE '^cases +method +edit +95 % interval +(closed )?% +95 % interval +(random )?closes %' out ||
    fail "a table of five columns expected"
[ "$(grep -c '^natural   *[a-z-]*  *[0-9]' out)" = 5 ] || fail "five methods on natural cases expected"
[ "$(grep -c '^unnatural   *[a-z-]*  *[0-9]' out)" = 5 ] || fail "five methods on unnatural cases expected"
grep -q '^|' out && fail "a table in Markdown was left"
awk '/^(cases|natural|unnatural|flip|erase) / && length > 100' out | grep . && fail "a table is too wide"
holds "next: --wide or --csv FILE shows" err
holds "2.723"
holds "controls: "
expect 0 runs show --json
[ "$(grep -c '"edit_error_low"' out)" = 10 ] || fail "ten summaries expected"
# The rows say which edit ran, and gradient's two have their control.
[ "$(grep -c '"repair_error_low": [0-9]' out)" = 2 ] || fail "two rows of repair expected"
[ "$(grep -c '"steps": 5' out)" -gt 2 ] || fail "steps expected in the summaries and the sweep"
[ "$(grep -c '"means_least": [0-9]' out)" -gt 2 ] || fail "the sample of the means expected"
args="intervene run --probe probe --cases cases.csv --layers 1 --no-play-on --no-by-layer --json"
expect 0 $args --method gradient --steps 7 --rate 0.01 --probe-layer 0
for pair in steps:7 rate:0.01 rate_unit:absolute probe_layer:0 ignore_bias:false; do
    [ "$(json_value "${pair%%:*}")" = "${pair#*:}" ] || fail "intervene --json: $pair expected"
done
grep -q '"closed_repaired_low": ' out || fail "the share beside repair expected"
expect 0 $args --method mean-difference --means-from games.ogpc --ignore-bias
[ "$(json_value means_least)" -gt 0 ] && [ "$(json_value ignore_bias)" = true ] &&
    [ "$(json_value means_corpus_hash)" ] || fail "the sample of the means expected"
holds "MiB of memory" err
grep -q '"repair_error"' out && fail "repair is a control of gradient alone"
expect 0 intervene run --probe probe --method all --cases cases.csv --tune tune.csv --steps 5 \
    --no-play-on --json
holds "mean-difference is left out" err
[ "$(grep -c '"kind": "natural"' out)" = 4 ] || fail "four methods expected"
refuse 2 "needs --tune" intervene run --probe probe --method all --cases cases.csv --layers 1
refuse 2 "drop --scale" intervene run --probe probe --method all --cases cases.csv --layers auto \
    --tune tune.csv --scale 1
refuse 2 "expected one file" intervene run --probe probe --cases cases.csv,erase.csv --layers 1 \
    --method project
refuse 2 "more files than --cases" intervene run --probe probe --cases cases.csv \
    --tune tune.csv,place.csv --quiet
refuse 2 "--tune tune.csv: all 20 cases stand at positions of reported cases" intervene run --probe probe --method all \
    --cases cases.csv,tune.csv --tune tune.csv --quiet
refuse 2 "--show is for one method" intervene run --probe probe --method all --cases cases.csv \
    --tune tune.csv --show 0 --quiet
# A preset says it all: nothing beside it is passed over in silence, defaults included.
for option in "method add" "site z" "layers 1" "scale 1" "direction difference" "positions last" \
    "probe-layer -1" ignore-bias "steps 100" "rate 0.004r" "tune tune.csv"; do
    refuse 2 "leave --${option%% *} out, or leave --preset out" intervene run --probe probe \
        --cases cases.csv --preset nanda-flip --$option --quiet
done
refuse 2 "beyond the model" intervene run --probe probe --cases cases.csv --preset notebook-flip --quiet
refuse 2 "--means-from is missing" intervene run --probe probe --cases cases.csv --layers 1 \
    --method mean-difference

# ---- saliency ----
game="e4 c5 b6"
expect 0 show run --probe probe --moves "$game" --json
expect 0 saliency run --probe probe --moves "$game" --json
for key in move p log_odds separation effect legal place; do
    grep -q "\"$key\": " out || fail "saliency --json lacks $key"
done
[ "$(grep -c '"effect"' out)" = 36 ] || fail "36 squares expected"
move=$(json_value move)
expect 0 saliency run --probe probe --moves "$game" --move "$move" --place none --color always
holds $'\033[48;5;'
[ "$(grep -c 'by the rules' out)" = 2 ] || fail "the rules' word expected"
expect 0 saliency run --probe probe --moves "$game" --move "$move" --color never
lacks $'\033['
expect 0 runs show --json
[ "$(grep -c '"effect"' out)" = 36 ] || fail "36 rows of saliency expected"
refuse 2 "move c5: expected an empty square" saliency run --probe probe --moves "$game" --move c5 --quiet
refuse 2 "--move \"z9\"" saliency run --probe probe --moves "$game" --move z9
refuse 2 "--moves MOVES is required" saliency run --probe probe
refuse 2 "layers 9" saliency run --probe probe --moves "$game" --layers 9

# ---- written passes ----
# After eight moves a side must pass: written or not, in any spelling, it is the same game.
before="d5 e3 f2 f3 c2 f1 e2 e1"
spellings="-- pa PASS ps PS @@ 0000"
[ "${OGPT_SANITIZED:-0}" = 1 ] && spellings="-- PASS"
for command in show saliency; do
    expect 0 $command run --probe probe --moves "$before b3" --json
    grep -v '"seconds"' out >plain
    for pass in $spellings; do
        expect 0 $command run --probe probe --moves "$before $pass b3" --json
        grep -v '"seconds"' out >written
        cmp -s plain written || fail "$command: pass '$pass': the same answer expected"
        refuse 3 "found a pass" $command run --probe probe --moves "e4 $pass c5" --quiet
    done
done
refuse 3 "found a pass" show run --probe probe --moves "$before -- -- b3" --quiet

# ---- the boards of a typed game ----
expect 0 show run --probe probe --moves "$game" --flip c4 --layer 1
holds "inside the network at layer 1"
holds "legal on the edited board"
expect 0 show run --probe probe --moves "$game" --erase e4 --json
holds '"to": "empty"'
expect 0 show run --probe probe --moves "$game" --place a1=black --json
holds '"from": "empty"'
holds '"to": "black"'
# Black, white: the edited boards differ.
grep '"board"' out >black
expect 0 show run --probe probe --moves "$game" --place a1=white --json
grep '"board"' out >white
cmp -s black white && fail "another colour: another edited board expected"
expect 0 show run --probe probe --moves "$game" --erase c4
holds "it empties a centre square" err
refuse 2 "expected a square that is empty" show run --probe probe --moves "$game" --place c5=black
refuse 2 "such as c4=black" show run --probe probe --moves "$game" --place a1
refuse 2 "that holds a disc" show run --probe probe --moves "$game" --flip a1
expect 0 probe fit run --corpus games.ogpc --out mlp --games 60 --test-games 20 --no-controls \
    --solver adamw --hidden 4 --layers 1 --epochs 1
refuse 2 "intervene --method gradient" show run --probe mlp --moves "$game" --flip c4
refuse 2 "one of --flip, --erase and --place" show run --probe probe --moves "$game" --flip c4 --erase c4

# ---- tables as files ----
expect 0 cases make listed.csv --n 20 --size 6 --csv made.csv --html made.html
[ "$(wc -l <made.csv)" = 2 ] || fail "cases make --csv: a head and one row expected"
head -1 made.csv | grep -q '^"file","size","kind","edit","purpose","cases","redraws",' || fail "columns of cases make"
grep -q '<table' made.html || fail "cases make --html: a table expected"
expect 0 cases show cases.csv 0 --size 6 --csv shown.csv
grep -q '^40,' shown.csv || fail "cases show --csv: 40 cases expected"
args="intervene run --probe probe --cases cases.csv --method project --layers 1 --no-play-on"
expect 0 $args --csv tables --html page.html
[ "$(wc -l <tables/edit_cases.csv)" = 41 ] || fail "intervene --csv: a head and 40 cases expected"
for table in result arms crosstalk by_layer edit_metrics; do
    [ -s tables/$table.csv ] || fail "intervene --csv: $table.csv expected"
done
grep -q '"model_hash"' tables/result.csv || fail "the row says which network it is of"
grep -q 'random_error_low' tables/result.csv || fail "the random direction's interval expected"
grep -q 'the edit of another square' page.html || fail "intervene --html: meanings expected"
expect 0 $args --csv tables --html page.html # typed again: the same files
refuse 2 "tables/result.csv: exists" $args --csv tables --no-by-layer
expect 0 runs show --json
grep -q '"model_hash": "[0-9a-f]' out || fail "edit_results keeps the network's hash"
expect 0 saliency run --probe probe --moves "$game" --csv map.csv
[ "$(wc -l <map.csv)" = 2 ] || fail "saliency --csv FILE: the summary expected"
expect 0 show run --probe probe --moves "$game" --layers embed --csv boards.csv
grep -q '^"embed",' boards.csv || fail "show --csv: the embedding by name expected"
expect 0 show run --probe probe --moves "$game" --layer 1 --json # the older spelling
[ "$(grep -c '"layer": ' out)" = 1 ] || fail "--layer: one layer expected"
holds '"layer_name": "1"'

check_end
