#!/bin/bash
# tests/cli/report.sh - ogpt report: the page has every table with the numbers of ogpt runs table, hostile names as
# text, runs that did not end without results, and nothing from outside; files in the way. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
hostile=$'<script>alert(1)</script><img src=x onerror=alert(2)>\'"&amp; \xe2\x80\xa8\xe2\x80\xae'
escaped=$'&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;&#39;&quot;&amp;amp; \xe2\x80\xa8\xe2\x80\xae'

refuse 2 'report: --html FILE, where the page goes, is missing' report
refuse 4 'ogpt-results.db' report --html none.html
[ -e none.html ] && fail 'a page without a database'

expect 0 generate g.ogpc --games 1500 --size 6
mkdir "${hostile%%/*}" # the name has a slash
expect 0 train "$hostile" --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 6 --batch 16 --report-every 2
expect 0 eval "$hostile" --corpus g.ogpc --games 20 --by-ply
expect 0 probe fit "$hostile" --corpus g.ogpc --games 60 --test-games 20 --plies 4 --out p
expect 0 cases make cases.csv --n 12 --size 6
expect 0 intervene "$hostile" --probe p --cases cases.csv --layers 1 --scale 0.5r
"$OGPT" train killed --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 1000000 >/dev/null 2>&1 &
pid=$!
for _ in $(seq 1000); do
    [ "$("$OGPT" runs list --json | grep -c '"command": "train"')" = 2 ] && break
    sleep 0.02
done
kill -9 $pid
wait $pid 2>/dev/null
expect 0 eval "$hostile" --corpus g.ogpc --games 20 --by-ply # the same once more
expect 0 perft 4

# What belongs together: the one line of the first eval is left out, and so is what has nothing in common.
expect 0 report --html page.html --title '<b>mine</b>' --json
[ "$(json_value path)" = page.html ] || fail "path: $(json_value path)"
[ "$(json_value bytes)" = "$(wc -c <page.html)" ] || fail "bytes: $(json_value bytes)"
[ "$(grep -c '"run":' out)" = 7 ] || fail "7 runs expected: $(grep '"run":' out)"
holds '<h1>&lt;b&gt;mine&lt;/b&gt;</h1>' page.html
holds 'Typed again later, so not shown: run 3. In the same database, but about other things: run 9.' page.html
[ -z "$(find . -maxdepth 1 -name '.tmp*')" ] || fail "a temporary file is left"

# Nothing from outside, nothing that runs; names are text.
tags() { grep -o '<[a-z][^>]*>' page.html; }
tags | grep -E '^<(script|link|iframe|object|embed|img|base|form|svg [^>]*onload)| src=| on[a-z]*=| href="[^#]' >found
[ -s found ] && fail "tags of the page: $(head -3 found)"
tags | grep -q '<meta http-equiv="Content-Security-Policy" content="default-src .none.; ' || fail 'no policy'
sed 's/ xmlns[:a-z]*="[^"]*"//g' page.html >bare.html # names, no addresses
grep -qE 'https?://|url\([^#]|@import' bare.html && fail "an address: $(grep -oE '.{20}(https?://|url\([^#]|@import).{20}' bare.html | head -2)"
holds "$escaped" page.html
lacks '<script' page.html
# The twin: the same look finds what is planted.
sed 's|</h1>|</h1><img src=x>|' page.html | grep -o '<[a-z][^>]*>' | grep -q ' src=' || fail 'a planted picture is not seen'
# Every place that is linked is there, once.
for id in $(grep -o 'href="#[^"]*"' page.html | sed 's/.*#//; s/"//'); do
    [ "$(grep -c "id=\"$id\"" page.html)" = 1 ] || fail "$id is there $(grep -c "id=\"$id\"" page.html) times"
done
[ "$(grep -c '<table' page.html)" = "$(grep -c '<caption>' page.html)" ] || fail 'a table without a caption'

# The numbers are those of ogpt runs table, as the tables round them.
csv_value() { # FILE ROW COLUMN
    awk -F, -v row="$2" -v name="\"$3\"" 'NR == 1 { for (i = 1; i <= NF; i++) { sub(/\r/, "", $i); if ($i == name) c = i } }
        NR == row + 1 { sub(/\r/, "", $c); print $c }' "$1"
}
interval() { # FILE ROW COLUMN FACTOR DIGITS: as a cell of the page
    awk -v v="$(csv_value "$1" "$2" "$3")" -v l="$(csv_value "$1" "$2" "$3_low")" -v h="$(csv_value "$1" "$2" "$3_high")" -v f="$4" \
        -v d="$5" 'BEGIN { printf "%.*f <span class=\"ci\">[%.*f, %.*f]</span>", d, f * v, d, f * l, d, f * h }'
}
expect 0 runs table probes_by_layer --run 4 --csv layers.csv
expect 0 runs table edits_by_method --run 6 --csv edits.csv
expect 0 runs table evals_by_model --run 8 --csv evals.csv
sed -n '/id="run-0-4"/,/id="run-0-5"/p' page.html >part
if "$OGPT" help plot | grep -q -- --svg; then holds '<svg ' part; fi # the figure of the layers
[ "$(wc -l <layers.csv)" = 4 ] || fail "3 layers expected"
for row in 1 2 3; do
    holds "$(interval layers.csv $row accuracy 100 2)" part
    holds "<td class=\"n\">$(interval layers.csv $row accuracy 100 2)</td>" part
done
for control in majority history history_mlp random_model shuffled; do
    holds "$(awk -v v="$(csv_value layers.csv 1 $control)" 'BEGIN { printf "<td class=\"n\">%.2f <span", 100 * v }')" part
done
sed -n '/id="run-0-6"/,/id="run-0-7"/p' page.html >part
holds "$(interval edits.csv 1 edit_error 1 3)" part
holds "<td class=\"n\">$(awk -v v="$(csv_value edits.csv 1 null_error)" 'BEGIN { printf "%.3f", v }')</td>" part
sed -n '/id="run-0-8"/,/id="words"/p' page.html >part
holds "$(interval evals.csv 1 strict_error 100 3)" part
holds "<th scope=\"row\">excess <span class=\"unit\">(nats)</span></th><td class=\"n\">$(awk -v v="$(csv_value evals.csv 1 excess)" \
    'BEGIN { printf "%.4f", v }')" part
lacks "$(interval edits.csv 1 edit_error 1 3)" part # the twin: numbers of another run are not here

# A killed run is shown as killed, without the rows that it stored.
sed -n '/id="run-0-7"/,/id="run-0-8"/p' page.html >part
holds '<strong>killed</strong>. It did not come to its end, so it has no result' part
[ "$(grep -c '<caption>' part)" = 1 ] || fail "a killed run has tables: $(grep -o '<caption>[^<]*' part)"
sed -n '/id="repeat"/,$p' page.html >part
holds 'ogpt generate g.ogpc --games 1500 --size 6' part
lacks 'train killed' part
sed -n '/id="words"/,/id="repeat"/p' page.html >part
for word in 'excess' 'control' 'strict error'; do holds "<tr><td>$word</td>" part; done
holds 'mean of -ln p(move played)' part
# Warnings of a run: that the probe has few positions, or a control that learned nothing.
[ "$("$OGPT" runs show 4 --json | grep -c '"warning":')" -gt 0 ] || fail 'the warning of run 4 was not stored'
holds '<p role="note">' page.html

# Rows beyond the limit are said to be there.
expect 0 report 4 --rows 5 --html few.html
holds 'The first 5 of' few.html
holds 'ogpt runs show 4 --csv FOLDER' few.html
expect 0 report 4 --rows 0 --html whole.html
lacks 'The first' whole.html
[ "$(grep -c '<tr>' whole.html)" -gt "$(grep -c '<tr>' few.html)" ] || fail '--rows 0 shows no more rows'

# Files in the way, by the rules of --html.
expect 0 report 4 --rows 5 --html few.html
refuse 2 'few.html: exists; give --html another name, or --force' report 4 --rows 6 --html few.html
expect 0 report 4 --rows 6 --html few.html --force
echo mine >own.html
refuse 2 'own.html: exists' report --html own.html
[ "$(cat own.html)" = mine ] || fail 'a file of someone else was changed'
refuse 2 'is no regular file' report --html .
refuse 2 'no run 99' report 99 --html new.html
refuse 2 "RUN: a whole number 1..9223372036854775807 expected, found 'x'" report x --html new.html
refuse 2 'RUN and --all' report 1 --all --html new.html
[ -e new.html ] && fail 'a page of no run'
expect 0 report --all --html all.html --quiet
holds '>9. perft' all.html
check_end
