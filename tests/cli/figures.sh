#!/bin/bash
# tests/cli/figures.sh - --svg, --pdf, --png, --width, --figure of commands, and ogpt plot: what is drawn from
# the rows, and from the database again; what is refused; nothing is left of what was not made. label: slow
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 600 --size 6
"$OGPT" train net --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --batch 16 --steps 30 --svg curves.svg --quiet >out 2>err
if grep -q 'built without cairo' err; then
    echo 'skipped: this build draws no figures'
    exit 77
fi
holds '<svg role="img"' curves.svg
eval="eval net --corpus g.ogpc --games 20"
expect 0 $eval --svg e.svg --pdf e.pdf --png e.png --csv e.csv
holds '<title>Predictions that are no legal move, by ply</title>' e.svg
head -c 4 e.pdf | grep -q '%PDF' || fail 'e.pdf is no PDF'
holds '--figure NAME draws another: loss' err

# The description has the numbers of the rows: those of the CSV file, times 100.
described() { # FILE SERIES: its values, one a line
    sed -n "/^$2 (/p" "$1" | tr ';' '\n' | sed 's/.*: //; s/^ *[a-z0-9]* //; s/\.$//; s/ .*//'
}
expect 0 $eval --csv ply --svg again.svg
cut -d, -f"$(head -1 ply/by_ply.csv | tr ',' '\n' | tr -d '"\r' | grep -n '^strict_error$' | cut -d: -f1)" ply/by_ply.csv |
    sed 1d | awk '{ printf "%.3f\n", 100 * $1 }' >rows
described e.svg 'strict error' >drawn
[ "$(wc -l <rows)" -gt 20 ] || fail "few rows: $(wc -l <rows)"
cmp rows drawn || fail 'the description has other numbers than the rows'
cmp e.svg again.svg || fail 'the same rows, another file'

# The database draws the same; several runs have their numbers in the legend.
run=$("$OGPT" runs list --json | sed -n 's/^ *"run": \([0-9]*\).*/\1/p' | head -1)
expect 0 plot "$run" --svg plotted.svg
cmp e.svg plotted.svg || fail 'plot draws something else'
expect 0 plot $((run - 1)) "$run" --figure errors --png both.png --width 174mm
expect 0 plot $((run - 1)) "$run" --figure errors --svg both.svg
holds "run $run: strict error" both.svg
expect 0 plot
holds 'Loss by ply' out
[ "$(od -An -tu4 --endian=big -j16 -N4 both.png | tr -d ' ')" = 2056 ] || fail '174 mm at 300 dots an inch are 2056'

# Refused before the work, and nothing is made.
refuse 2 'e.svg: exists' eval net --corpus g.ogpc --games 10 --svg e.svg
refuse 2 'another word of this command line names it' eval net --corpus g.ogpc --games 10 --svg x.out --pdf ./x.out
refuse 2 'expected, such as 84mm' eval net --corpus g.ogpc --games 10 --svg x.svg --width 3
refuse 2 'one of errors|loss expected' eval net --corpus g.ogpc --games 10 --svg x.svg --figure nothing
refuse 2 '--width goes with --svg' eval net --corpus g.ogpc --games 10 --width 84mm
refuse 2 'another word of this command line names it' eval net --corpus g.ogpc --games 10 --svg g.ogpc --force
refuse 2 "unknown option '--svg'" perft 3 --size 6 --svg x.svg
refuse 2 'has no figure' plot 1 --svg x.svg
refuse 2 'nothing for figure' plot "$run" --svg x.svg --figure graph
[ -e x.svg ] || [ -e x.out ] && fail 'a refused command left a file'

# A name is text, whatever it holds.
name='a<b>&"c'
cp -r net "$name" && expect 0 probe fit "$name" --corpus g.ogpc --games 40 --test-games 20 --out p --svg p.svg --no-controls
if command -v xmllint >/dev/null; then xmllint --noout p.svg e.svg || fail 'no XML'; fi

# A limit on the size of files leaves no half of one; without it the same command draws.
(ulimit -f 1; "$OGPT" plot "$run" --png cut.png >/dev/null 2>&1) && fail 'the limit was not met'
expect 0 plot "$run" --png uncut.png
[ -e cut.png ] && fail 'half of a picture'
ls -a | grep -q '^\.tmp' && fail "left: $(ls -a | grep '^\.tmp')"
check_end
