#!/bin/bash
# Training that SIGKILL and SIGINT end in turn at random moments, and that is started again each time
# with another thread count, gives the model and the rows of an undisturbed run. label: slow
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
kills=${OGPT_TRAIN_KILLS:-$((${OGPT_SANITIZED:-0} == 1 ? 4 : 12))}
signals=(KILL INT)
command=(train --fresh --size 4 --layers 2 --d-model 32 --heads 2 --batch 16 --steps 400
    --checkpoint-every 20 --report-every 40 --quiet)

hash_of() {
    sed -n 's/^model hash *//p' "$1"
}

"$OGPT" "${command[@]}" whole --threads 1 >whole.txt || exit 1
lived=0
killed=0
for ((i = 0; killed < kills && i < 20 * kills; i++)); do
    "$OGPT" "${command[@]}" part --threads $((1 + i % 3)) >part.txt 2>part.err &
    pid=$!
    sleep "0.0$((RANDOM % 90 + 10))"
    if kill -"${signals[i % 2]}" "$pid" 2>/dev/null; then
        killed=$((killed + 1))
    fi
    wait "$pid" 2>/dev/null && lived=$((lived + 1))
    if ((lived > 0)); then
        rm -rf part # it finished before the kill: once more from the start
        lived=0
    fi
done
"$OGPT" "${command[@]}" part --threads 2 >part.txt || exit 1
if ((killed < kills)); then
    echo "only $killed of $kills kills hit a running training"
    exit 1
fi
[[ -n $(hash_of whole.txt) ]] || { echo "no model hash printed"; exit 1; }
if [[ $(hash_of whole.txt) != "$(hash_of part.txt)" ]]; then
    echo "after $killed kills: $(hash_of part.txt), undisturbed: $(hash_of whole.txt)"
    exit 1
fi
if compgen -G "part/.tmp-*" >/dev/null; then
    echo "temporary directories left: $(ls -A part)"
    exit 1
fi
# What the store has of the newest run: each report and each checkpoint once.
steps_told() { # reports or checkpoints, from the document in rows.txt
    sed -n "/\"$1\": \[/,/^    \]/s/^ *\"step\": \([0-9]*\).*/\1/p" rows.txt | tr '\n' ' '
}
"$OGPT" runs show --json >rows.txt || exit 1
[[ $(steps_told train_curve) == "$(seq -s ' ' 40 40 400) " ]] ||
    { echo "reports told: $(steps_told train_curve)"; exit 1; }
# After each signal there is a checkpoint too.
told=$(steps_told checkpoints)
for step in $(seq 0 20 400); do
    [[ " $told" == *" $step "* ]] || { echo "no checkpoint $step told: $told"; exit 1; }
done
[[ -z $(tr ' ' '\n' <<<"$told" | grep . | sort | uniq -d) ]] || { echo "told twice: $told"; exit 1; }
# The negative twin: another seed is another model.
"$OGPT" "${command[@]}" other --seed 2 >other.txt || exit 1
[[ $(hash_of whole.txt) != "$(hash_of other.txt)" ]] || { echo "seed 2 gave the same model"; exit 1; }
echo "$killed kills, the same model"
