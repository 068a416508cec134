#!/bin/bash
# tests/cli/head_pages.sh - ogpt heads --pages: a page for each head with the numbers of its tables, the same bytes for any
# number of threads, links that lead somewhere, and no folder of anybody else replaced.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

few="--games 24 --pass-games 20 --hard-games 0 --random-games 8 --rotations 3 --quiet"
expect 0 generate g.ogpc --games 300 --size 4
name=$'m <img src=x>\'"&'
expect 0 train "$name" --corpus g.ogpc --layers 2 --d-model 16 --heads 2 --steps 4 --batch 16 --quiet

for n in 1 3; do # the same bytes but for the words of the command line
    expect 0 heads "$name" $few --threads $n --pages pages --csv by$n --force --json
    cp -r pages of$n
    rm of$n/MANIFEST.json
    sed -i -E 's/--threads [0-9]|by[0-9]//g' of$n/*.html
done
diff -r of1 of3 >/dev/null || fail 'pages depend on the number of threads'
[ "$(json_value page_count)" = 5 ] && [ "$(json_value pages)" = pages ] || fail "the document: $(cat out)"
[ "$(json_value page_bytes)" = "$(cat pages/*.html | wc -c)" ] || fail 'page_bytes is not the size of the pages'
[ "$(cd pages && echo *)" = 'L0H0.html L0H1.html L1H0.html L1H1.html MANIFEST.json index.html' ] || fail "$(ls pages)"

# Every link leads to a page, and every page is linked.
grep -oh 'href="[^"]*"' pages/*.html | sort -u | sed 's/href="//; s/"//' | while read -r page; do
    [ -e "pages/$page" ] || echo "$page"
done >astray
[ -s astray ] && fail "links astray: $(cat astray)"
for head in L0H0 L0H1 L1H0 L1H1; do
    grep -q "<td><a href=\"$head.html\">$head</a>" pages/index.html || grep -q "scope=\"col\"><a href=\"$head.html\">" pages/index.html ||
        fail "the index has no $head"
    grep -q "<h1>$head</h1>" pages/$head.html || fail "no heading on $head"
    # What the tables say of this head: each detector's share of attention, in its row.
    tail -n +2 by3/patterns.csv | tr -d '"' | grep "^$head," | awk -F, '{ print $4, 100 * $7 }' >own
    [ "$(wc -l <own)" = 10 ] || fail "$head has $(wc -l <own) detectors"
    while read -r detector share; do
        grep "^<tr><td>$detector</td>" pages/$head.html | grep -qF "<td class=\"n\">$(printf %.1f "$share")</td>" || fail "$head: no share of $detector, $share"
    done <own
    [ "$(grep -o '<svg ' pages/$head.html | wc -l)" = 3 ] || fail "$head: $(grep -o '<svg ' pages/$head.html | wc -l) circuits"
    grep -q '<script' pages/$head.html && fail "a script on $head"
    grep -q '<img' pages/$head.html && fail "the name made an element of $head"
done
grep -q 'L1H0.html' pages/L0H0.html || fail 'L0H0 names no later head'
grep -q '&lt;img src=x&gt;' pages/L0H0.html || fail 'the name is not shown'

# A page says which command gives its circuits whole: those of its head.
ogpt() { "$OGPT" "$@"; }
for head in L0H1 L1H0; do
    grep -qF "the command at the foot of this page with <code>--head $head --csv FOLDER</code> in the place of <code>--pages DIR</code>" pages/$head.html ||
        fail "$head does not say how to get its circuits"
    line=$(sed -zn 's/.*made by <code>\(.*\)<\/code><\/p>.*/\1/p' pages/$head.html | tr -d '\0' | sed "s/&lt;/</g; s/&gt;/>/g; s/&quot;/\"/g; s/&#39;/'/g; s/&amp;/\&/g")
    line=${line/--csv by3/}
    eval "${line/--pages pages/--head $head --csv of-$head}" >out 2>err || fail "'$line' with --head $head"
    # "Largest, from and to: 7 to 3 -0.0358" is what the table says, of this head and not of the other.
    told=$(sed -n 's/.*(qk_places)\. .*from and to: \([0-9]*\) to \([0-9]*\) \([-+0-9.e]*\),.*/\1,\2,\3/p' pages/$head.html)
    [ -n "$told" ] || fail "no largest number on $head"
    for of in L0H1 L1H0; do
        [ -e of-$of ] || continue
        value=$(tr -d '"' <of-$of/matrices.csv | sed -n "s/^$of,qk_places,${told%,*},//p")
        [ "${told##*,}" = "$(printf '%+.3g' "$value")" ] && same=1 || same=0
        [ $same = $([ $of = $head ] && echo 1 || echo 0) ] || fail "$head: $told, $of has $value"
    done
done

# The same command makes it again; another one wants --force; what is not its own stays whatever is said.
expect 0 heads "$name" $few --threads 3 --pages pages --csv by3 --force --json
expect 0 heads "$name" $few --pages again
expect 0 heads "$name" $few --pages again
refuse 2 'again: exists; give --pages another name, or --force' heads "$name" $few --seed 2 --pages again
echo mine >again/note
refuse 2 'expected nothing, or a folder that' heads "$name" $few --pages again --force
[ "$(cat again/note)" = mine ] || fail 'a file of somebody else is gone'
refuse 2 'expected nothing, or a folder that' heads "$name" $few --pages "$name" --force
refuse 2 'not with --moves' heads "$name" --moves 'b1' --pages new
refuse 2 'another word of this command line names it' heads "$name" $few --pages new --csv new
refuse 2 'another word of this command line names it' heads "$name" $few --pages new --html ./new
[ -e new ] && fail 'a refused folder is there'
check_end
