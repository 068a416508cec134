#!/bin/bash
# tests/cli/json_keys.sh - label: counted - every key of every document that --json prints, every
# column of every table that --csv writes and of the results database is still there: others rely on
# them. Keys may be added, none may go (golden/json_keys.txt).
#
# The golden file is made by
#     OGPT=build/release/ogpt OGPT_SOURCE=. bash tests/cli/json_keys.sh --record
# Its lines are "document<TAB>path<TAB>key key ...": the keys below one path (lib_json.sh). Documents
# named csv are headers; those named rows and options are tables and options of the results database,
# as runs show prints them. And docs/METHODS.md defines every key of the documents that hold measurements. The demo takes minutes: test_demo_verdict.c looks for its keys, and
# --record takes them from the document of `ogpt demo MODEL MODEL --json` that $OGPT_DEMO names, else
# leaves them as they are.
record=
if [ "${1:-}" = --record ]; then
    record=1
    OGPT=$(realpath "$OGPT") && OGPT_SOURCE=$(realpath "$OGPT_SOURCE") || exit 1
fi
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_json.sh" || exit 1
golden=$OGPT_SOURCE/tests/cli/golden/json_keys.txt
found=$work/found

# keys NAME <DOCUMENT: keep its key paths; an empty array or object counts as a key itself.
keys() {
    json_leaves >leaves || fail "$1: no JSON document"
    awk -F '\t' -v name="$1" '
        $2 == "[]" || $2 == "{}" { sub(/\[\]$/, "", $1) }
        !seen[$1]++ { print name "\t" $1 }' leaves >>"$found"
}

# document NAME ARGUMENTS...: exit code 0, and the keys of what it prints.
document() {
    local name=$1
    shift
    expect 0 "$@" --json --quiet
    keys "$name" <"$work/out"
}

# header NAME FILE...: the columns of CSV files.
header() {
    local name=$1 file
    shift
    for file; do
        csv_columns "$file" | sed "s|^|csv $name $(basename "$file" .csv)\t|" >>"$found"
    done
}

# grouped <LINES: "document<TAB>path.key" lines to lines of the golden file; expanded: and back.
grouped() {
    sort -u | awk -F '\t' '
        {
            path = ""
            key = $2
            if (match($2, /.*\./)) {
                path = substr($2, 1, RLENGTH)
                key = substr($2, RLENGTH + 1)
            }
            group = $1 "\t" path
            if (!(group in keys)) {
                order[++n] = group
            }
            keys[group] = keys[group] (keys[group] == "" ? "" : " ") key
        }
        END {
            for (i = 1; i <= n; i++) {
                print order[i] "\t" keys[order[i]]
            }
        }'
}

expanded() {
    awk -F '\t' '{
        n = split($3, key, " ")
        for (i = 1; i <= n; i++) {
            print $1 "\t" $2 key[i]
        }
    }'
}

# lost GOLDEN FOUND: the keys that are gone; exit code 1 when there is one. A key is there too when
# it has members now.
lost() {
    expanded <"$1" | awk -F '\t' '
        FNR == NR {
            key = $2
            there[$1 "\t" key] = 1
            while (sub(/(\[\]|\.[^.]*)$/, "", key)) {
                there[$1 "\t" key] = 1
            }
            next
        }
        !($0 in there) && $1 != "demo" { print "gone: " $1 ": " $2; wrong = 1 }
        END { exit wrong }' "$2" -
}

mkdir lab && cd lab || exit 1
shape=(--layers 1 --d-model 16 --heads 2 --batch 16 --steps 4 --report-every 2)
small=(--corpus six.ogpc --games 60 --test-games 20 --plies 4)
moves="e4 e5 b3 e3 f6"

expect 0 --version --json
keys version <"$work/out"
document perft perft 3
document generate generate six.ogpc --size 6 --games 1500
document export export six.ogpc six.txt --format text
(head -n 20 six.txt && echo a1a1) >bad.txt
document import import few.ogpc bad.txt --size 6 --skip-bad --max-bad 1
document 'corpus info' corpus info few.ogpc
document 'corpus show' corpus show six.ogpc 3 --ply 10
document train train net --corpus six.ogpc "${shape[@]}"
document 'train profile' train other --fresh --size 6 "${shape[@]}" --profile --probe-every 2 --lr 0.01
document eval eval net --corpus six.ogpc --games 20
document 'eval compare' eval compare net other --corpus six.ogpc --games 20 --csv compared.csv
header 'eval compare' compared.csv
document 'probe fit' probe fit net "${small[@]}" --out mine --check-against liblinear --csv fit
header 'probe fit' fit/*.csv
document 'probe fit hidden' probe fit net "${small[@]}" --out hidden --layers 0 --solver adamw \
    --hidden 4 --epochs 2 --no-controls
document 'probe eval' probe eval net mine "${small[@]}" --csv eval
header 'probe eval' eval/*.csv
document 'probe compare' probe compare net mine net hidden --corpus six.ogpc --layer 0 \
    --test-games 20 --csv compare
header 'probe compare' compare/*.csv
document 'probe geometry' probe geometry net mine --corpus six.ogpc --games 60 --test-games 20 \
    --csv geometry
header 'probe geometry' geometry/*.csv
document activations activations net acts --corpus six.ogpc --games 5 --layers 0
document 'cases make' cases make cases.csv --size 6 --n 12
document 'cases make' cases make tune.csv --size 6 --n 8 --purpose tune
document 'cases make' cases make place.csv --size 6 --n 8 --kind unnatural --edit place
(cat place.csv && sed -n 2p place.csv | sed 's/,.*/,c3,white,empty/') >white.csv # cannot be: c3 is
(cat place.csv && sed -n 2p place.csv | sed 's/,.*/,c3,black,empty/') >black.csv # of the centre
disc=white
"$OGPT" cases import theirs.csv white.csv --size 6 --quiet >/dev/null 2>&1 || disc=black
document 'cases import' cases import theirs.csv $disc.csv --size 6 --force
document 'cases show' cases show cases.csv 3 --size 6
document 'cases pairs' cases pairs pairs.csv --size 6 --n 12
document circuit circuit net --pairs pairs.csv --method all --points 2 --csv circuit \
    --svg circuit.svg --dot circuit.dot --out circuit.json
document ablate ablate net --corpus six.ogpc --games 20 --lending-games 1000 --units head,mlp,neuron \
    --group-heads 1 --draws 4 --pairs 5 --csv ablate
header ablate ablate/*.csv
document lens lens net --probe mine --games 40 --test-games 12 --plies 4 --rounds 3 --csv lens
header lens lens/*.csv
document basis basis net --beside net --probe mine --games 12 --rotations 2 --csv basis
header basis basis/*.csv
document ccs ccs net --games 6 --test-games 4 --starts 1 --steps 2 --layers 0 --csv ccs
header ccs ccs/*.csv
document 'sae train' sae train net --k 2,4 --layer 0 --features 24 --activations 1000 --batch 100 --buffer 20 --out saes \
    --csv sae.csv
header 'sae train' sae.csv
document 'sae eval' sae eval net saes/k-2 saes/k-4 --corpus six.ogpc --fit-games 12 --validation-games 4 --test-games 4 \
    --twin-activations 300 --csv dictionaries
header 'sae eval' dictionaries/*.csv
document 'sae compare' sae compare net --kind topk --k 2,4 --seeds 2 --layers 0 --features 24 --activations 1000 --batch 100 --buffer 20 \
    --corpus six.ogpc --fit-games 12 --validation-games 4 --test-games 4 --twin-activations 300 --out compared --csv comparison
header 'sae compare' comparison/*.csv
document 'sae features' sae features net saes/k-2 --corpus six.ogpc --games 12 --test-games 4 --features 3,5 \
    --clamp 2 --pages feature-pages --csv features
header 'sae features' features/*.csv
document 'circuit sae' circuit net --pairs pairs.csv --nodes sae --sae saes/k-2 --points 2 --csv feature_circuit
header 'circuit sae' feature_circuit/*.csv
document 'basis --toy' basis --toy --cells 2 --starts 1 --features 2 --dims 1 --csv toy
header 'basis --toy' toy/*.csv
# On the smallest board, where the player that learns for each of these commands learns in a quarter of the time.
expect 0 generate four.ogpc --size 4 --games 200 --quiet
expect 0 train four --corpus four.ogpc "${shape[@]}" --quiet
expect 0 probe fit four --corpus four.ogpc --games 60 --test-games 20 --no-controls --out of-four --quiet
for test in 'transposition --n 12' 'detour --games 6' 'adversary --games 4 --probe of-four' \
    'compression --states 4' 'distinction --states 4'; do
    document "world ${test%% *}" world ${test%% *} four ${test#* } --strict-games 6 --history-steps 20 --mistake-games 64 --csv "world_${test%% *}"
    header "world ${test%% *}" "world_${test%% *}"/*.csv
done
document 'world inductive-bias' world inductive-bias net --functions 2 --states 30 --trained 8 --steps 2 --csv bias
header 'world inductive-bias' bias/*.csv
"$OGPT" train grown --fresh --size 6 --layers 1 --d-model 16 --heads 2 --steps 64 --batch 8 --keep log2 --quiet >/dev/null
document 'world emergence' world emergence grown --games 12 --fit-games 12 --plies 2 --csv emergence
header 'world emergence' emergence/*.csv
document 'world forget' world forget net --out forgot --games 32 --batch 8 --test-games 4 --fit-games 8 --plies 2 --csv forget
header 'world forget' forget/*.csv
"$OGPT" convert net twin --rules iago --quiet >/dev/null
document 'world align' world align twin net --games 4 --fit-games 6 --csv align
header 'world align' align/*.csv
document 'world grid' world grid grid --size 4 --layers 1 --games 64 --d-model 16 --heads 2 --steps 2 --batch 8 --planted 2 --copies 2 --score-games 8 --csv grid-rows
header 'world grid' grid-rows/*.csv
header circuit circuit/*.csv
document claims claims net --csv claims
header claims claims/*.csv
printf 'metric legal c2\nlogits <- a\nnode a = mlp0 and L0H1 at mine carries legal c2\n' >h.txt
document scrub scrub net h.txt --n 20 --lenders 500 --by-node --csv scrub
header scrub scrub/*.csv
document patch patch net --pairs pairs.csv --sites z,resid_post --noise --csv patch
header patch patch/*.csv
document steer steer net --from contrast --fit-games 150 --tuning-games 4 --games 8 --plies 4 --alpha 1,2 --csv steer
header steer steer/*.csv
document 'steer sae' steer net --from sae --sae saes/k-2 --probe mine --fit-games 150 --tuning-games 4 --games 8 --plies 4 \
    --features-games 20 --alpha 1
document illusion illusion net --pairs 20 --training-pairs 20 --fit-games 150 --plies 4 --csv illusion
header illusion illusion/*.csv
document heads heads net --corpus six.ogpc --games 20 --pass-games 10 --hard-games 2 --random-games 4 \
    --rotations 4 --head L0H1 --csv heads --pages head-pages
header heads heads/*.csv
document attention heads net --moves 'e4 e5 b3' --head L0H1 --csv attention.csv
header attention attention.csv
neuron_study=(neurons net --corpus six.ogpc --games 20 --test-games 12 --plies 4 --use-games 6 --use-plies 2 --ablate 3
    --mean-games 40)
document neurons "${neuron_study[@]}" --csv neurons --pages neuron-pages
header neurons neurons/*.csv
document 'neurons --neuron' "${neuron_study[@]}" --neuron L0N5 --csv neuron
header 'neurons --neuron' neuron/*.csv
document 'patch --edges' patch net --pairs pairs.csv --edges 'mlp0->logits' --csv patch_edges
header 'patch --edges' patch_edges/*.csv
document 'cases show pair' cases show pairs.csv 3 --size 6
edit=(intervene net --probe mine --cases cases.csv)
document intervene "${edit[@]}" --layers 0 --scale 0.5r --show 0
document 'intervene tuned' "${edit[@]}" --tune tune.csv --method gradient --steps 2
document 'intervene all' "${edit[@]}" --tune tune.csv --method all --steps 2 --means-from six.ogpc
document 'intervene sae' "${edit[@]}" --tune tune.csv --method sae --sae saes/k-2 --features-games 20
document saliency saliency net --probe mine --moves "$moves"
document plot plot --svg saliency.svg
document attribute attribute net --probe mine --fresh --games 20 --csv attribute
header attribute attribute/*.csv
document 'attribute game' attribute net --probe mine --moves "$moves" --by source --to logit
document explore explore net --probe mine --out page.html
document show show net --probe mine --moves "$moves" --flip d4 --probabilities
document 'show erase' show net --probe mine --moves "$moves" --erase d4
printf 'hint\nflip d4\nundo\nsave game.pgn\nhelp\nnothing\n' |
    "$OGPT" play net --probe mine --moves "$moves" --human both --json --quiet >played ||
    fail "play: exit code 0 expected"
while read -r line; do
    keys play <<<"$line"
done <played
document convert convert net bare --to mingpt --check
document 'convert probe' convert mine published --to mingpt --layer 0 --model net
document plant plant backup planted --size 4 --csv plant
header plant plant/*.csv
document verify verify six.ogpc net mine acts ogpt-results.db
cp -r mine spoilt
echo >>spoilt/probe.json
expect 3 verify six.ogpc spoilt --json --quiet
keys 'verify findings' <"$work/out"
document doctor doctor

# ---- the results database ----
document 'runs list' runs list --limit 0
json_leaves <"$work/out" | sed -n 's/^runs\[\]\.run\t//p' >run_numbers
while read -r run; do
    expect 0 runs show "$run" --json --quiet
    command=$(sed -n 's/^  "command": "\(.*\)",$/\1/p' "$work/out")
    keys shown <"$work/out"
    # Options by command, rows by table, and what all runs have.
    sed -i "s/^shown	options\./options $command	/; s/^shown	results\.\([a-z_]*\)\[\]\./rows \1	/
        s/^shown	/runs show	/" "$found"
done <run_numbers
document 'runs diff' runs diff 4 5
document report report --html report.html
document 'runs table' runs table
for table in best_probe_layers last_evals probes_by_layer edits_by_method evals_by_model attribution_by_layer; do
    document "runs table $table" runs table "$table" --csv tables
done
header 'runs table' tables/*.csv
cd .. || exit 1
if [ -n "$record" ]; then
    [ "$n_failed" = 0 ] || exit 1
    if [ -n "${OGPT_DEMO:-}" ]; then
        keys demo <"$OGPT_DEMO"
    elif [ -e "$golden" ]; then
        expanded <"$golden" | grep '^demo	' >>"$found"
    fi
    "$OGPT" --help | sed -n '/^commands:/,/^options:/s/^  \([a-z][a-z]*\( [a-z]*\)\?\)  .*/\1/p' |
        while read -r command; do
            grep -q "^$command[	 ]" "$found" || echo "no document of: $command"
        done
    grouped <"$found" >recorded && mv recorded "$golden"
    echo "golden/json_keys.txt: $(wc -l <"$found") keys in $(wc -l <"$golden") lines"
    exit 0
fi

# ---- docs/METHODS.md ----
# undefined PAGE <LINES of $found: the keys of measurements that the page does not name in backquotes;
# X_ci, X_low and X_high go with X, and layer_name with layer. Documents that hold none are left out.
no_measurement='version|perft|generate|export|import|corpus|cases|explore|show|play|convert|verify|doctor|runs|options|rows|
    csv|plot|report|shown'
undefined() {
    awk -F '\t' -v others="^(${no_measurement//[[:space:]]/})( |$)" '
        $1 !~ others { gsub(/\[\]/, "", $2); gsub(/\./, "\n", $2); print $2 }' |
        sed 's/_\(ci\|low\|high\)$//; s/layer_name$/layer/' | sort -u |
        while read -r key; do
            grep -qF "\`$key\`" "$1" || echo "$key"
        done
}
cat "$OGPT_SOURCE"/docs/METHODS*.md >methods.md
undefined methods.md <"$found" >missing
[ -s missing ] && fail "not in docs/METHODS*.md: $(echo $(cat missing))"
# The twin: a page without one of the words is found out.
grep -v 'strict_error\|validation_accuracy' methods.md >less.md
undefined less.md <"$found" >missing
grep -qx validation_accuracy missing || fail 'a missing definition was not noticed'

lost "$golden" "$found" >gone || fail "$(wc -l <gone) keys are gone: $(head -20 gone)"

# The twins: a key renamed, a column dropped, an array that lost its members. Keys more, and a
# number that has become an object: nothing is gone.
refused() { # TEXT FOUND
    lost "$golden" "$2" >gone && fail "accepted: $1"
    [ "$(cat gone)" = "gone: $1" ] || fail "'gone: $1' expected, found: $(head -3 gone)"
}
sed 's/^\(eval	\)strict_error$/\1error/' "$found" >other
refused 'eval: strict_error' other
grep -vx 'csv probe fit layers	accuracy' "$found" >other
refused 'csv probe fit layers: accuracy' other
grep -vx 'rows edit_results	drift' "$found" >other
refused 'rows edit_results: drift' other
grep -v '^intervene	by_layer\[\]\.closed' "$found" >other
refused 'intervene: by_layer[].closed' other
sed 's/^\(eval	loss\)$/\1.value/' "$found" >other
echo 'eval	a_new_key' >>other
lost "$golden" other >gone || fail "a key more was refused: $(cat gone)"
check_end
