#!/bin/bash
# Which recipe learns most in a given time? Each one trained on as many games as fit into the same processor time.
#
# Usage: bench/compare_recipes.sh OGPT [SECONDS [SEEDS [FOLDER [OPTION...]]]]
# 8x8, preset tiny, fresh games, one thread. The speed of a recipe is measured first, in games a second of processor
# time; then every seed trains on SECONDS (90) times as many. So the table does not depend on
# what else the machine does while it trains; only the speeds want an idle machine. OPTIONs go to every run (--size 6).
# Scores are those of `ogpt eval` on 3,000 games of another seed; mean over SEEDS (3), and half of what they lie apart.
# Everything is kept in FOLDER (build/recipes): the command typed again goes on, and two may run side by side.
set -euo pipefail
ogpt=$(realpath "$1")
seconds=${2:-90} seeds=${3:-3} folder=${4:-build/recipes}
shift $(($# < 4 ? $# : 4))
common=(--preset tiny --fresh --threads 1 --quiet "$@")
size=8
for ((i = 1; i <= $#; i++)); do [[ ${!i} != --size ]] || { next=$((i + 1)) && size=${!next}; }; done

# What is varied | options of `ogpt train`.
recipes='
the default: half of the blocks until 0.9|
half of the blocks until 0.7|--layers-from 4 --layers-until 0.7
a quarter, half from 0.35, all from 0.7|--layers-from 2 --layers-until 0.7
half of the blocks until 0.5|--layers-from 4 --layers-until 0.5
half of the blocks until 0.85|--layers-from 4 --layers-until 0.85
all blocks throughout|--layers-from 8
all blocks, batch 128|--layers-from 8 --batch 128
half, batch 128|--layers-from 4 --batch 128
half, batch 32|--layers-from 4 --batch 32
half, lower rate|--layers-from 4 --lr 0.014 --lr-rest 0.0014
half, longer cooldown|--layers-from 4 --cooldown 0.8
half, constant rate, averaged weights|--layers-from 4 --schedule constant --average 0.99
half, AdamW|--layers-from 4 --optimizer adamw
batch from 16 to 64|--batch-from 16
higher rate|--lr 0.03 --lr-rest 0.003
cosine|--schedule cosine
less momentum|--momentum 0.9
no weight decay|--weight-decay 0
embeddings and positions faster|--lr-embed 0.006 --lr-position 0.006
'

mkdir -p "$folder"
cd "$folder"
about="$seconds seconds, options: $*"
[[ -e about ]] || echo "$about" >about
[[ $(<about) == "$about" ]] || {
    echo "$folder: holds recipes of other settings ($(<about)); give another FOLDER, or remove this one" >&2
    exit 2
}
[[ -e held.ogpc ]] || "$ogpt" generate held.ogpc --size "$size" --games 20000 --seed 4242 --quiet --store results.db >/dev/null

# Games a second of processor time: what a run of 3,200 games takes longer than one of 640, so that the start and the
# report at the end do not count. A file keeps it.
speed_of() { # key, options...
    local file=$1.speed games took=()
    shift
    if [[ ! -s $file ]]; then
        for games in 640 3200; do
            rm -rf speed
            took+=("$( (TIMEFORMAT='%U %S' && time "$ogpt" train speed "${common[@]}" "$@" --games $games --report-every 100000 \
                --checkpoint-every 100000 --store speed.db >/dev/null) 2>&1 | tail -n 1)")
        done
        rm -rf speed speed.db*
        awk -v less="${took[0]}" -v more="${took[1]}" 'BEGIN {
            split(less, a, " "); split(more, b, " "); spent = b[1] + b[2] - a[1] - a[2]
            print 2560 / (spent > 0.001 ? spent : 0.001) }' >"$file"
    fi
    cat "$file"
}

# Games, excess and strict error in % of one finished run.
score_of() { # games; the JSON of `ogpt eval` on stdin
    awk -F '[:,]' -v games="$1" '/^  "excess"/ { excess = $2 } /^  "strict_error":/ { error = $2 }
        END { print games, excess, 100 * error }'
}

report() {
    printf '\n| varied | options | games | excess, nats | strict error, %% |\n| --- | --- | --- | --- | --- |\n'
    local name options
    while IFS='|' read -r name options; do
        [[ -n $name ]] || continue
        local key=${name//[ ,]/-}
        compgen -G "$key-s*.score" >/dev/null || continue
        cat "$key"-s*.score | awk -v name="$name" -v options="$options" -v seeds="$seeds" '
            { n++; games = $1
              for (i = 2; i <= 3; i++) { sum[i] += $i
                  if (n == 1 || $i < low[i]) low[i] = $i
                  if (n == 1 || $i > high[i]) high[i] = $i } }
            END { printf "| %s | %s | %d | %.3f ± %.3f | %.2f ± %.2f |%s\n", name, options == "" ? "" : "`" options "`", games,
                sum[2] / n, (high[2] - low[2]) / 2, sum[3] / n, (high[3] - low[3]) / 2, n < seeds ? " (" n " of " seeds " seeds)" : "" }'
    done <<<"$recipes"
}

exec {lock}>speeds.lock # of two that run side by side, one measures
flock "$lock"
while IFS='|' read -r name options; do # speeds first, while the machine may be idle
    [[ -n $name ]] || continue
    read -ra extra <<<"$options"
    echo "$name: $(speed_of "${name//[ ,]/-}" "${extra[@]}") games a second of processor time" >&2
done <<<"$recipes"
exec {lock}>&-
for ((seed = 1; seed <= seeds; seed++)); do
    while IFS='|' read -r name options; do
        [[ -n $name ]] || continue
        read -ra extra <<<"$options"
        key=${name//[ ,]/-} run=${name//[ ,]/-}-s$seed
        [[ ! -s $run.score ]] || continue
        exec {lock}>"$run.lock"
        if flock -n "$lock"; then
            games=$(awk -v s="$(cat "$key.speed")" -v t="$seconds" 'BEGIN { printf "%d", s * t }')
            "$ogpt" train "$run" "${common[@]}" "${extra[@]}" --games "$games" --seed "$seed" --report-every 100000 \
                --store "$run.db" >/dev/null
            "$ogpt" eval "$run" --corpus held.ogpc --games 3000 --all --no-seen --threads 1 --quiet --json \
                --store "$run.db" | score_of "$games" >"$run.new"
            mv "$run.new" "$run.score"
            rm -rf "$run" "$run.db"*
            echo "$run: games, excess, strict error in %: $(cat "$run.score")" >&2
        fi
        exec {lock}>&-
    done <<<"$recipes"
done
report
