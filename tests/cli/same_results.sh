#!/bin/bash
# tests/cli/same_results.sh - label: slow - the same seeds still give the same bits: games, weights,
# probes, activations, cases, and every number of the documents and result rows, digit for digit, as
# a recorded program gave them on this kind of machine (golden/same_results_*.tsv).
#
# A golden file is made from a program whose results are the ones to keep:
#     OGPT=build/release/ogpt OGPT_SOURCE=. bash tests/cli/same_results.sh --record NAME
# Its first line is the kind of machine: compiler, BLAS core and vector instructions decide the bits.
# Then "step path<TAB>values", one line per key path of a document (lib_json.sh), and
# "file PATH<TAB>SHA-256". Times, processes, versions and absolute paths are left out. Keys may be
# added; none may be missing or changed.
record=
if [ "${1:-}" = --record ]; then
    record=${2:?a name for the kind of machine is needed}
    OGPT=$(realpath "$OGPT") && OGPT_SOURCE=$(realpath "$OGPT_SOURCE") || exit 1
fi
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_json.sh" || exit 1
goldens=$OGPT_SOURCE/tests/cli/golden

skip() {
    echo "$*"
    exit 77
}

# kind: in one line, all that the bits depend on.
kind() {
    local cache
    cache=$(dirname "$OGPT")/CMakeCache.txt
    sed -n 's/^CMAKE_BUILD_TYPE:[A-Z]*=//p; s/^OGPT_PORTABLE:BOOL=ON/portable/p' "$cache"
    "$OGPT" --version --json | json_columns |
        sed -n 's/^\(compiler\|blas\|liblinear\)\t"\(.*\)"$/\1 \2/p' | sed 's/^\(compiler\|blas\) //'
    getconf GNU_LIBC_VERSION
    sed -n 's/^vendor_id\t: //p; s/^cpu family\t: /family /p' /proc/cpuinfo | head -n 2
    grep -m 1 '^flags' /proc/cpuinfo | grep -o -w 'fma\|avx2\|avx512f\|avx512_bf16' | sort
}

if [ -z "$record" ]; then
    [ "${OGPT_SANITIZED:-0}" = 1 ] && skip "bits are compared in the program as shipped only"
    [ -r "$(dirname "$OGPT")/CMakeCache.txt" ] ||
        skip "no CMakeCache.txt beside $OGPT: unknown how it was built"
fi
kind=$(kind | paste -s -d , | sed 's/,/, /g')
golden=
for file in "$goldens"/same_results_*.tsv; do
    [ "$(head -n 1 "$file")" = "$kind" ] && golden=$file
done
[ -n "$golden$record" ] || skip "no golden file of this kind of machine ($kind)"

# take NAME <LINES: keep "path<TAB>values" of one document; if $only is set, of the paths that it matches.
# A column of more than 4 values is kept as its first 2, their number and the SHA-256 of all.
n_taken=0
take() {
    n_taken=$((n_taken + 1))
    awk -F '\t' -v name="$1" -v long="long-$n_taken-" -v only="${only:-.}" '
        $1 ~ only {
            last = $1
            gsub(/.*\.|\[\]$/, "", last)
            if (last ~ /(^|_)seconds$|_per_second$|^(machine|started|ended|pid|pid_start|host)$/ ||
                $1 ~ /^(versions|files)\./ || last == "manifest_sha256" || $2 ~ /^"\//) {
                next
            }
            n = split($2, value, " ")
            if (n <= 4) {
                print name " " $1 "\t" $2
                next
            }
            file = sprintf("%s%04d", long, ++n_long)
            print $2 >file
            close(file)
            print name " " $1 "\t" value[1] " " value[2] " ... " n " " file
        }' >taken
    sha256sum /dev/null "long-$n_taken-"* 2>/dev/null >sums
    rm -f "long-$n_taken-"*
    awk 'FNR == NR { sum[$2] = substr($1, 1, 16); next }
        $NF in sum { sub(/[^ ]*$/, sum[$NF]) }
        { print }' sums taken >>"$found"
}

# step NAME ARGUMENTS...: run it, keep its document.
step() {
    local name=$1
    shift
    expect 0 "$@" --json --quiet
    json_columns <"$work/out" >columns || fail "ogpt $*: no JSON document"
    take "$name" <columns
}

# files PATH...: keep the hash of each; of a JSON file, its values.
files() {
    local path
    for path; do
        if [[ $path == *.json ]]; then
            json_columns <"$path" >columns || fail "$path: no JSON document"
            take "$path" <columns
        else
            printf 'file %s\t%s\n' "$path" "$(sha256sum <"$path" | cut -d ' ' -f 1)" >>"$found"
        fi
    done
}

# compare GOLDEN FOUND: one line per finding; exit code 1 if there is one. Compares texts, because awk
# treats two numbers as equal that differ in the last digit.
compare() {
    awk -F '\t' '
        FNR == NR { found[$1] = $2; next }
        FNR == 1 { next }
        !($1 in found) { print "missing: " $1; wrong = 1; next }
        (found[$1] "") != ($2 "") {
            n = split($2, old, " ")
            split(found[$1], new, " ")
            for (i = 1; i < n && (old[i] "") == (new[i] ""); i++)
                ;
            print "changed: " $1 ": value " i ": " old[i] " expected, found " new[i]
            wrong = 1
        }
        END { exit wrong }' "$2" "$1"
}

common=(--threads 2)

# ---- games ----
games() { # SEED
    step generate generate six.ogpc --size 6 --games 3000 --seed "$1" "${common[@]}"
}

train() { # SEED
    step train train fresh --fresh --size 6 --preset nano --batch 64 --steps 50 --report-every 25 \
        --checkpoint-every 25 --probe-every 25 --seed "$1" "${common[@]}"
    files fresh/step-00000050/{model.safetensors,config.json,MANIFEST.json} \
        fresh/step-00000050/train/{optim.safetensors,state.json} fresh/step-00000025/model.safetensors
}

all_games() {
    step perft perft 7 "${common[@]}"
    step perft6 perft 8 --size 6 "${common[@]}"
    games 5
    step generate8 generate eight.ogpc --games 800 "${common[@]}"
    step generate4 generate four.ogpc --size 4 --games 500 "${common[@]}"
    step info corpus info six.ogpc
    step game corpus show six.ogpc 7 --ply 20
    step export_npy export six.ogpc six.npy --format npy
    step export_tokens export six.ogpc tokens.npy --format npy --as tokens
    step export_text export eight.ogpc eight.txt --format text --notation othello_world
    step export_pgn export six.ogpc six.pgn --format pgn
    files six.npy tokens.npy eight.txt six.pgn
    step import import back.ogpc six.pgn --size 6 --dedupe "${common[@]}"
    step import_turned import turned.ogpc eight.txt --notation othello_world --first-move f5 "${common[@]}"
}

# ---- networks ----
all_networks() {
    ln -s "$OGPT_SOURCE/datasets/models" shipped
    train 1
    step train_corpus train onfile --corpus six.ogpc --preset tiny --layers 2 --batch 32 --steps 50 \
        --optimizer adamw --precision f32 --schedule cosine --average 0.9 --checkpoint-every 50 "${common[@]}"
    step train_on train later --corpus six.ogpc --preset nano --batch 32 --batch-from 8 --steps 20 \
        --init-from fresh --lanes 4 --schedule constant "${common[@]}"
    step train8 train full --fresh --layers 1 --d-model 32 --heads 2 --batch 16 --steps 10 "${common[@]}"
    files onfile/step-00000050/{model.safetensors,config.json,train/optim.safetensors} \
        later/step-00000020/model.safetensors full/step-00000010/model.safetensors
    step eval eval fresh --corpus six.ogpc --games 200 "${common[@]}"
    step eval_corpus eval onfile --corpus six.ogpc --games 200 "${common[@]}"
    step eval_all eval shipped/tiny-6x6 --corpus back.ogpc --all --games 200 --no-seen "${common[@]}"
    step eval8 eval shipped/tiny-8x8 --corpus eight.ogpc --all --games 60 --no-seen "${common[@]}"
    local layout
    for layout in tl mingpt hf-gpt2; do
        step "convert_$layout" convert later "to-$layout" --to "$layout" --check
        files "to-$layout/"*.safetensors
    done
    step convert_from convert to-mingpt again --from mingpt --check
    step convert_turned convert fresh turned --to mingpt --notation othello_world --check
    files again/model.safetensors turned/*.safetensors
}

# ---- probes ----
fit() { # NAME ARGUMENTS...
    step "fit_$1" probe fit "${@:2}" --corpus six.ogpc --out "probe-$1" --test-games 60 "${common[@]}"
    files "probe-$1/probe.safetensors"
}

all_probes() {
    local scores='(accuracy|objective|rounds|kept_epoch|l2|layer|check_difference)$' task
    fit mine fresh --games 200 --layers 1,2
    files probe-mine/probe.json
    only=$scores fit colour onfile --games 100 --layers 0,1 --task colour --labels parity \
        --no-controls --l2 auto
    only=$scores fit empty fresh --games 200 --task empty --layers embed,2 --no-controls
    only=$scores fit checked fresh --games 30 --layers 2 --check-against liblinear --no-controls
    only=$scores fit liblinear fresh --games 30 --layers 2 --solver liblinear --no-controls
    only=$scores fit published fresh --games 100 --layers 2 --solver adamw --no-controls
    only=$scores fit hidden fresh --games 100 --layers 1 --solver adamw --hidden 16 --epochs 3 \
        --no-controls
    only=$scores fit shipped shipped/tiny-6x6 --games 300 --layers 3,4,5 --no-controls
    for task in flipped legal played previous; do
        only=$scores fit "$task" fresh --games 60 --task "$task" --layers 2 --no-controls --site mlp_out
    done
    step probe_eval probe eval fresh probe-mine --corpus back.ogpc --games 100 --test-games 60 \
        "${common[@]}"
    step compare probe compare fresh probe-mine fresh probe-empty --corpus six.ogpc --layer 2 \
        --test-games 60 "${common[@]}"
    step compare_boards probe compare shipped/tiny-6x6 probe-shipped --corpus six.ogpc \
        --score boards --test-games 60 "${common[@]}"
    step geometry probe geometry fresh probe-mine probe-empty --corpus six.ogpc --games 200 \
        --test-games 60 "${common[@]}"
    step activations activations fresh acts --corpus six.ogpc --games 40 --layers embed,1 "${common[@]}"
    step patterns activations fresh patterns --corpus six.ogpc --games 10 --layers 1 --site pattern \
        --ply 10,20-22 --split test --task flipped --labels parity "${common[@]}"
    files acts/shard-*/*.npy acts/index.json patterns/shard-*/*.npy
    step convert_probe convert probe-mine published --to mingpt --layer 2 --model fresh
    files $(find published -name '*.safetensors')
}

# ---- edits ----
all_edits() {
    step cases cases make natural.csv --size 6 --n 24 "${common[@]}"
    step tune cases make tune.csv --size 6 --n 16 --purpose tune "${common[@]}"
    step unnatural cases make unnatural.csv --size 6 --n 24 --kind unnatural --seed 3 "${common[@]}"
    step erase cases make erase.csv --n 16 --kind unnatural --edit erase --squares 2 "${common[@]}"
    step place cases make place.csv --size 6 --n 16 --kind unnatural --edit place --no-passes \
        "${common[@]}"
    step case cases show natural.csv 3 --size 6
    step cases_import cases import theirs.csv natural.csv --size 6 --notation othello_world
    files natural.csv tune.csv unnatural.csv erase.csv place.csv theirs.csv
    local on=(intervene shipped/tiny-6x6 --probe probe-shipped "${common[@]}")
    local scores='^(methods..\.)?[a-z0-9_]*(error|closed|kl|f1|drift|gain|scale|layers[][]*)$'
    step edit "${on[@]}" --cases natural.csv --tune tune.csv --method project --show 2
    only=$scores step edit_preset "${on[@]}" --cases unnatural.csv --preset nanda-flip
    only=$scores step edit_gradient "${on[@]}" --cases unnatural.csv --method gradient --layers 3-4 \
        --steps 20 --rate 0.01 --probe-layer 4
    only=$scores step edit_set "${on[@]}" --cases natural.csv --method set --positions all --layers 3-4 \
        --scale 0.2r --rule threshold --no-by-layer
    only=$scores step edit_place "${on[@]}" --cases place.csv --direction target --layers 3,5 \
        --scale 0.15r
    only=$scores step edits intervene fresh --probe probe-mine --method all \
        --cases natural.csv,unnatural.csv --tune tune.csv --means-from six.ogpc --steps 10 "${common[@]}"
    local moves="e4 e5 b3 e3 f6 a3 f4 d5"
    step show show shipped/tiny-6x6 --probe probe-shipped --moves "$moves" --flip d4 --layer 4
    step show_erase show fresh --probe probe-mine --moves "$moves" --erase d4 --probabilities
    step saliency saliency shipped/tiny-6x6 --probe probe-shipped --moves "$moves" --layers 4
    step saliency_add saliency fresh --probe probe-mine --moves "$moves" --method add --scale 0.2r \
        --place theirs
}

# ---- what the results database keeps of the last run of each command, and what verify says ----
all_rows() {
    local run name
    step verify verify six.ogpc back.ogpc shipped/tiny-6x6 fresh onfile later probe-mine \
        probe-shipped acts patterns ogpt-results.db
    expect 0 runs list --limit 0 --json --quiet
    json_columns <"$work/out" >columns
    while read -r run name; do
        step "rows_of_$name" runs show "$run"
    done < <(last_runs)
    step runs_diff runs diff 2 3
}

last_runs() { # number and command of the newest run of each command, from the columns of runs list
    awk -F '\t' '
        $1 == "runs[].run" { split($2, run, " ") }
        $1 == "runs[].command" {
            gsub(/^"|"$/, "", $2)
            n = split($2, command, /" "/)
        }
        END {
            for (i = 1; i <= n; i++) {
                if (!(command[i] in seen)) {
                    name = command[i]
                    gsub(/ /, "_", name)
                    print run[i], name
                }
                seen[command[i]] = 1
            }
        }' columns | sort -n
}

found=$work/found
: >"$found"
mkdir lab && cd lab || exit 1
all_games
all_networks
all_probes
all_edits
all_rows
cd .. || exit 1
if [ -n "$record" ]; then
    [ "$n_failed" = 0 ] || exit 1
    { echo "$kind" && cat "$found"; } >"$goldens/same_results_$record.tsv"
    echo "golden/same_results_$record.tsv: $(wc -l <"$found") lines; $kind"
    exit 0
fi

compare "$golden" "$found" >findings || fail "$(wc -l <findings) results differ: $(head -20 findings)"

# The twins. One digit of the golden file damaged, one key gone: one finding each. A key more: none.
awk -F '\t' '$1 == "eval loss" { sub(/.$/, $2 ~ /1$/ ? "2" : "1") }
    { print }' "$golden" >damaged
compare damaged "$found" >findings && fail "a golden file with a damaged digit was accepted"
[ "$(grep -c '^changed: eval loss: ' findings)" = 1 ] || fail "the damaged digit was not found"
grep -v '^eval floor	' "$found" >less
compare "$golden" less >findings && fail "a missing key was accepted"
grep -qx 'missing: eval floor' findings || fail "the missing key was not found"
{ cat "$found" && printf 'eval new_key\t1\n'; } >more
compare "$golden" more >findings || [ -s findings ] || fail "a key more gives findings"
# Another seed: other games, other weights, another loss.
found=$work/other
: >"$found"
mkdir other_seed && cd other_seed || exit 1
games 6
train 2
cd .. || exit 1
{ echo head && grep -E '^(generate|train|file fresh/[^ ]*) ?' "$golden"; } >part
compare part "$found" >findings && fail "another seed gave the same results"
for line in "changed: generate content_hash" "changed: train loss" \
    "changed: file fresh/step-00000050/model.safetensors"; do
    grep -qF "$line: " findings || fail "another seed: '$line' expected"
done
check_end
