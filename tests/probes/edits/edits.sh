#!/bin/bash
# tests/probes/edits/edits.sh - label: counted - eval, cases and intervene as typed: results that do not depend on the
# threads, cases kept apart, rows in the store, bad input refused. The network is barely trained:
# what is claimed of edits is tested where the predictor is known (test_edit_measure.c).
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# Cases: typed again the same file; other options are refused, and replace it with --force.
expect 0 cases make cases.csv --n 60 --size 6 --json
[ "$(json_value cases)" = 60 ] || fail "60 cases expected"
[ "$(json_value redraws)" -gt 0 ] || fail "redraws expected"
cp cases.csv first.csv
expect 0 cases make cases.csv --n 60 --size 6
holds "already holds these cases" err
expect 0 cases make threads.csv --n 60 --size 6 --threads 3
cmp -s first.csv threads.csv || fail "the cases depend on --threads"
refuse 2 "cases.csv:62: holds other cases" cases make cases.csv --n 61 --size 6 --quiet
refuse 2 "cases.csv:2: holds other cases" cases make cases.csv --n 60 --size 6 --seed 2 --quiet
cmp -s cases.csv first.csv || fail "a refused command changed the cases"
expect 0 cases make threads.csv --n 61 --size 6 --force
cmp -s threads.csv first.csv && fail "--force replaced nothing"
refuse 2 "natural case is a flip" cases make x.csv --edit erase --quiet
refuse 2 "too short" cases make x.csv --size 4 --min-moves 12 --quiet
[ -e x.csv ] && fail "a refused command left a file"
[ "$(ls -A | grep -c '^\.tmp')" = 0 ] || fail "temporary files left"

expect 0 cases show cases.csv 0
holds "witness: "
expect 0 cases show cases.csv 59 --json
holds '"edited_board"'
refuse 2 "holds cases 0 to 59" cases show cases.csv 60
sed '5s/,[a-f][1-6],/,z9,/' first.csv >bad.csv
refuse 3 "bad.csv:5: " cases show bad.csv 0 --size 6
: >empty.csv
refuse 3 "empty file" cases show empty.csv 0
refuse 4 "nowhere.csv" cases show nowhere.csv 0
mkdir folder
echo kept >folder/diary
expect 2 cases make folder --n 5 --size 6 --force # replaces a file, never a folder
[ "$(cat folder/diary)" = kept ] || fail "cases make --force destroyed a folder"
refuse 3 "folder: expected a case file (CSV), found a directory" cases show folder 0

# A network, a probe, and their numbers at 1, 2 and 3 threads.
expect 0 generate games.ogpc --games 600 --size 6
expect 0 train run --corpus games.ogpc --preset nano --layers 2 --steps 4 --batch 16
expect 0 probe fit run --corpus games.ogpc --out probe --games 60 --test-games 20 --no-controls
expect 0 cases make tune.csv --n 40 --size 6 --purpose tune
for threads in 1 2 3; do
    expect 0 eval run --corpus games.ogpc --threads $threads --json
    grep -v '"threads"' out >"eval$threads"
    expect 0 intervene run --probe probe --cases cases.csv --tune tune.csv --threads $threads --json
    grep -v '"threads"' out >"edit$threads"
done
cmp -s eval1 eval2 && cmp -s eval1 eval3 || fail "eval depends on --threads"
cmp -s edit1 edit2 && cmp -s edit1 edit3 || fail "intervene depends on --threads"
expect 0 eval run --corpus games.ogpc
lacks "ply  "
expect 0 eval run --corpus games.ogpc --by-ply
[ "$(sed -n '/^ply  /,$p' out | wc -l)" = 32 ] || fail "--by-ply: a head and 31 plies expected"
[ "$(grep -c '"ply"' eval1)" = 31 ] || fail "31 plies expected"
grep -q '"split": "test"' eval1 || fail "games of training are scored on their test split only"
for key in null_error self_error edit_error closed random_error wrong_square_error ideal_null \
    drift f1 kl scale tuned_on; do
    grep -q "\"$key\": " edit1 || fail "intervene --json lacks $key"
done
expect 0 generate other.ogpc --games 40 --size 6 --seed 2
expect 0 eval run --corpus other.ogpc --games 10 --all --json
[ "$(json_value split)" = all ] || fail "--all: all games are scored"
[ "$(json_value games)" = 10 ] || fail "10 games expected"
expect 0 eval run --corpus other.ogpc --all --quiet
grep -q "^split  *all" out || fail "--all: split all expected"
# A corpus of two games, neither in the test split.
expect 0 generate two.ogpc --games 2 --size 6
refuse 3 "use a larger corpus" eval run --corpus two.ogpc --quiet
expect 0 eval run --corpus two.ogpc --all --quiet
# A larger corpus of the same seed begins with the games of training: of these, too, only the
# test split is scored, and the same games as before come first.
expect 0 generate larger.ogpc --games 1200 --size 6
expect 0 eval run --corpus larger.ogpc --json
[ "$(json_value split)" = test ] || fail "larger.ogpc: split test expected"
n=$(json_value games)
[ "$n" -gt "$(sed -n 's/^ *"games": \([0-9]*\),$/\1/p' eval1 | head -1)" ] && [ "$n" -lt 240 ] ||
    fail "larger.ogpc: about a tenth of 1200 games expected, found $n"
holds "larger.ogpc: its test split holds $n games, 10000 were asked for (--all" err
expect 0 eval run --corpus larger.ogpc --games "$n" # as many as there are: nothing to be said
lacks "asked for" err
# Both errors with their intervals, the estimate inside; the lenient one is never the larger.
for key in strict_error lenient_error; do
    for part in "" _ci _low _high; do
        grep -q "\"$key$part\": " eval1 || fail "eval --json lacks $key$part"
    done
done
awk -F'[:,]' '/^  "(strict|lenient)_error(_low|_high)?": [0-9]/ { gsub(/[ "]/, "", $1); v[$1] = $2 + 0 }
    END {
        for (k in v) n++
        exit !(n == 6 && v["lenient_error"] <= v["strict_error"] &&
            v["lenient_error_low"] < v["lenient_error"] &&
            v["lenient_error"] < v["lenient_error_high"])
    }' eval1 || fail "the lenient error does not lie inside its interval"

# Rows in the store: 60 cases, and every tried plan: layers 0, 0-1 and 1, 8 scales.
expect 0 intervene run --probe probe --cases cases.csv --tune tune.csv
holds "chosen on the tuning cases"
holds "next: ogpt intervene run --probe probe --cases cases.csv --tune tune.csv --show 0" err
expect 0 runs show --json
[ "$(grep -c '"case_index"' out)" = 60 ] || fail "60 rows of cases expected"
[ "$(grep -c '"error":' out)" = 24 ] || fail "24 rows of the sweep expected"

expect 0 intervene run --probe probe --cases cases.csv --method add --layers 0-1 --scale 0.4r --show 3
holds "case 3: "
holds "plays after"
expect 0 intervene run --probe probe --cases cases.csv --method add --layers 1 --scale 2.3 \
    --site attn_out --rule threshold --no-by-layer

# Tuning on what is reported, and other orders that mean nothing.
args="intervene run --probe probe --cases cases.csv"
refuse 2 "--tune cases.csv: all 60 cases stand at positions of reported cases" $args --tune cases.csv
(head -1 tune.csv && sed -n 7p cases.csv && sed 1d tune.csv) >mixed.csv
expect 0 $args --tune mixed.csv
holds "mixed.csv: 1 tuning cases stand at positions of reported cases and are left out; 40 are left" err
refuse 2 "needs --tune" $args --layers auto
refuse 2 "nothing to choose" $args --layers 1 --scale 1 --tune tune.csv
refuse 2 "--layers is missing" $args
refuse 2 "--scale is missing" $args --layers 1
refuse 2 "layers 0 to 1" $args --layers 2 --scale 1
refuse 2 "without r" $args --method project --layers 1 --scale 0.5r --quiet
refuse 2 "no probe is named" intervene run --cases cases.csv --layers 1 --scale 1
refuse 2 "--corpus CORPUS is required" eval run
expect 0 cases make eight.csv --n 5
refuse 3 "eight.csv:2: " intervene run --probe probe --cases eight.csv --layers 1 --scale 1
expect 0 train other --corpus games.ogpc --preset nano --layers 2 --steps 2 --batch 16
refuse 3 "probe" intervene other --probe probe --cases cases.csv --layers 1 --scale 1
expect 0 generate big.ogpc --games 20
refuse 3 "big.ogpc: holds games of 8x8" eval run --corpus big.ogpc --games 20
holds "plays 6x6; use a corpus of the model's board size" err

check_end
