#!/bin/bash
# tests/cli/scrub.sh - ogpt scrub: tables and JSON, the two exact hypotheses, a corpus, the same rows for
# any number of threads and after a kill, and what is refused. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 train net --fresh --size 6 --layers 2 --d-model 16 --heads 2 --batch 16 --steps 4
expect 0 train wide --fresh --size 8 --layers 1 --d-model 16 --heads 2 --batch 16 --steps 1
expect 0 generate games.ogpc --games 3000 --size 6
cat >h.txt <<'END'
metric empty c2   # a comment
logits <- late early
node late = mlp1 and L1H0 at mine, back 2 carries legal c2, mover <- early
node early = mlp0 L0H1 carries mine c2
END
echo 'logits <-' >empty.txt
printf 'logits <- all\nnode all = * carries everything\n' >all.txt
scrub="scrub net h.txt --n 60 --lenders 3000"

# rows DOCUMENT KEY: the values of a key of the rows.
rows() {
    sed -n '/"rows": \[/,/^  \]/s/^ *"'"$2"'": \(.*[^,]\),*$/\1/p' "$1"
}

# What is asked and what is compared: full, shuffled, the hypothesis, elsewhere, no features, two
# nodes that are kept.
expect 0 $scrub --by-node --json --threads 1 --csv one
cp out h.json
[ "$(rows h.json kind | tr -d '\n')" = '"full""shuffled""hypothesis""elsewhere""no features""node kept""node kept"' ] ||
    fail "rows: $(rows h.json kind | tr '\n' ' ')"
[ "$(rows h.json node | tail -n 2 | tr -d '\n')" = '"late""early"' ] || fail 'which nodes are kept'
for key in score full shuffled scrubbed roots lenders unmatched; do
    [ -n "$(json_value $key)" ] || fail "no $key"
done
[ "$(rows h.json score | sort -u | wc -l)" -ge 6 ] || fail 'rows that are all alike'
[ "$(wc -l <one/scrub_rows.csv)" = 8 ] || fail 'seven rows of CSV'

# Everything is full, and nothing said is shuffled: digit for digit.
for file in all empty; do
    expect 0 scrub net $file.txt --n 60 --lenders 500 --json
    mv out $file.json
done
[ "$(rows all.json mean_metric | sed -n 3p)" = "$(rows all.json mean_metric | sed -n 1p)" ] || fail 'everything is not full'
[ "$(rows empty.json mean_metric | sed -n 3p)" = "$(rows empty.json mean_metric | sed -n 2p)" ] || fail 'nothing is not shuffled'
[ "$(rows all.json mean_metric | sed -n 3p)" = "$(rows all.json mean_metric | sed -n 2p)" ] && fail 'full is shuffled'

# Any number of threads; another seed; games of a corpus.
expect 0 $scrub --by-node --threads 3 --csv three
diff -r one three >/dev/null || fail 'threads changed a row'
expect 0 $scrub --by-node --seed 2 --csv two
cmp -s one/scrub_rows.csv two/scrub_rows.csv && fail 'the seed draws roots and lenders'
expect 0 scrub net --hypothesis h.txt --n 60 --corpus games.ogpc --json
[ "$(json_value source)" = games.ogpc ] || fail 'the source of the games'
[ "$(json_value lenders)" -gt 1000 ] || fail 'games beside the test split lend'

# Killed in the middle, typed again: it goes on and finds the same.
many=500
[ "${OGPT_SANITIZED:-0}" = 1 ] && many=200
long="scrub net h.txt --n $many --lenders 3000 --threads 1"
expect 0 $long --csv whole --store whole.db
# shellcheck disable=SC2086
stopped KILL 137 broken.db $long --csv broken --store broken.db
expect 0 $long --csv broken --store broken.db
diff -r whole broken >/dev/null || fail 'the kill changed a row'
journal_is_empty broken.db
[ "$(sqlite3 broken.db 'SELECT count(*) FROM scrub_rows')" = 5 ] || fail 'five rows in the database'

# Refusals: one line each.
refuse 2 'give one hypothesis' scrub net --quiet
refuse 2 'give one hypothesis' scrub net h.txt --hypothesis h.txt --quiet
refuse 4 'none.txt' scrub net none.txt --quiet
refuse 3 'found a directory' scrub net one --quiet
echo 'node a = mlp7 carries mover' >wrong.txt
refuse 3 'wrong.txt:1: "mlp7", expected input' scrub net wrong.txt --quiet
printf 'logits <- a\nnode a = mlp0 carries mine h8\n' >wrong.txt
refuse 3 'wrong.txt:2: "h8", expected a square of the 6x6 board' scrub net wrong.txt --quiet
expect 0 scrub wide wrong.txt --n 20 --lenders 200 --quiet # on 8x8 there is one
refuse 3 'board' scrub wide empty.txt --corpus games.ogpc --quiet
refuse 2 'leave no position' scrub net empty.txt --min-moves 20 --before-end 20 --quiet
refuse 2 'asked for' scrub net empty.txt --n 5000 --corpus games.ogpc --quiet
refuse 2 '--memory' scrub net empty.txt --memory 0
check_end
