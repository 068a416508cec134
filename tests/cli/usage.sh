#!/bin/bash
# tests/cli/usage.sh - label: counted - wrong command lines, help at every level, and where output goes.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# Wrong command lines: exit code 2, one line, a hint.
refuse 2 "'ogpt --help' lists all"
refuse 2 "did you mean 'generate'?" genrate
refuse 2 "unknown command 'zebra'" zebra
refuse 2 "the command comes first" --games 3 generate
refuse 2 "one of info|show expected" corpus
refuse 2 "found 'fit'" corpus fit
refuse 2 "did you mean '--games'?" generate a.ogpc --gmaes 3
refuse 2 "1 argument expected, found 0" generate --games 3
refuse 2 "unexpected argument 'b.ogpc'" generate a.ogpc b.ogpc --games 3
refuse 2 "--games N is required" generate a.ogpc
refuse 2 "--games needs a value" generate a.ogpc --games
refuse 2 "--games given twice" generate a.ogpc --games 3 --games 3
for number in -1 0 1.5 1e999 0x10 '' three 99999999999999999999; do
    refuse 2 "a whole number 1..4294967296 expected" generate a.ogpc "--games=$number"
done
refuse 2 "0..9007199254740991 expected, found '-1'" generate a.ogpc --games 3 --seed -1
refuse 2 "1..256 expected, found '0'" generate a.ogpc --games 3 --threads 0
refuse 2 "1..256 expected, found '100000'" generate a.ogpc --games 3 --threads 100000
refuse 2 "one of 4|6|8 expected, found '5'" generate a.ogpc --games 3 --size 5
refuse 2 "argument 1 is an empty text" generate '' --games 3
refuse 2 "found an empty text" generate a.ogpc --games 3 --store ''
refuse 2 "two hyphens" perft -7
refuse 2 "DEPTH: a whole number 0..15 expected, found 'seven'" perft seven
refuse 2 "--color: one of auto|always|never" perft 3 --color blue
refuse 2 "nothing but --json" --version --quiet
refuse 2 "unknown command 'zebra'" help zebra
[ -z "$(ls | grep -v '^out$\|^err$')" ] || fail "a refused command left files: $(ls)"
refuse 4 "nowhere.ogpc: no such file" corpus info nowhere.ogpc
refuse 4 "no such file" runs list

# Help: every command, by both ways; its examples are about itself.
expect 0 --help
awk 'length > 80' out | grep . && fail "the page of the program is too wide"
sed -n '/^commands:/,/^options:/p' out | grep '^  [a-z]' | grep -v '^  help' >commands
[ "$(wc -l <commands)" -ge 9 ] || fail "at least 9 commands expected"
while read -r line; do
    name=$(echo "$line" | sed 's/   *.*//')
    # shellcheck disable=SC2086
    expect 0 $name --help
    cp out by_option
    # shellcheck disable=SC2086
    expect 0 help $name
    cmp -s out by_option || fail "'ogpt help $name' and 'ogpt $name --help' differ"
    for word in examples: "usage: ogpt $name" --json --quiet --color --help "exit codes"; do
        holds "$word"
    done
    sed -n '/^examples:/,/^$/p' out | grep -q "ogpt $name" || fail "no example for $name"
    [ -s err ] && fail "help of $name wrote to stderr"
    # A page fits 80 columns, or those of COLUMNS; a command that was broken is the same when pasted.
    for width in 80 100; do
        # shellcheck disable=SC2086
        COLUMNS=$width expect 0 $name --help
        awk -v width=$width 'length > width' out >long
        [ -s long ] && fail "help of $name: longer than $width: $(head -1 long)"
        sed -n '/^examples:/,/^$/p' out | sed -e ':a' -e '/ \\$/{N' -e 's/ \\\n */ /' -e 'ta' -e '}' >joined
        COLUMNS=9999 "$OGPT" help $name | sed -n '/^examples:/,/^$/p' >whole
        cmp -s joined whole || fail "help of $name: its examples are not what they were before they were broken"
    done
    cat whole >>examples
done <commands
awk 'length > 80' examples | grep -q . || fail "no example was broken, so nothing was tested"
expect 0 help corpus
holds "corpus show"
lacks "perft"
expect 0 corpus --help
holds "corpus info"
expect 0 help generate
for option in --games --size --seed --threads --store; do holds "$option"; done
lacks "--force"
expect 0 --version
holds "sqlite 3."
grep -qE '^liblinear 2\.[0-9]{2}$' out || fail "--version: liblinear 2.xx expected"

# Where output goes.
code=0
"$OGPT" --help >/dev/full 2>err || code=$?
[ "$code" = 4 ] || fail "> /dev/full: exit code 4 expected, found $code"
holds "No space left" err
code=0
"$OGPT" perft 3 --json >/dev/full 2>err || code=$?
[ "$code" = 4 ] || fail "perft > /dev/full: exit code 4 expected, found $code"
# The reader is gone before the first byte: no message about it.
{
    sleep 0.3
    "$OGPT" --help 2>err
    echo $? >code
} | true
[ "$(cat code)" = 141 ] || fail "a closed pipe: exit code 141 expected, found $(cat code)"
[ -s err ] && fail "a closed pipe: no error text expected"
"$OGPT" --help 2>err | head -1 >/dev/null
[ -s err ] && fail "| head -1: no error text expected"
esc=$(printf '\033')
NO_COLOR=1 expect 0 perft 3 --color auto
lacks "$esc"
expect 0 perft 3 --quiet
[ -s err ] && fail "--quiet: nothing expected on stderr"
expect 0 perft 5 --json
[ "$(json_value nodes)" = 1396 ] || fail "perft 5: 1396 expected, found $(json_value nodes)"
expect 0 perft 5 --ref --json --size 6
[ "$(json_value nodes)" = 1364 ] || fail "perft 5 on 6x6: 1364 expected"
# Numbers have a point in every locale.
env LC_ALL=de_DE.UTF-8 "$OGPT" perft 5 --json >out 2>err || fail "perft in another locale"
grep -q '"seconds": [0-9.e-]*$' out || fail "seconds with a point expected"
check_end
