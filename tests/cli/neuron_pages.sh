#!/bin/bash
# tests/cli/neuron_pages.sh - ogpt neurons --pages: a page for each neuron with the numbers that --neuron prints, the same bytes for
# any number of threads, links that lead somewhere.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

few="--games 20 --test-games 12 --plies 4 --depth 3 --use-games 4 --use-plies 2 --ablate 0 --quiet"
expect 0 generate g.ogpc --games 300 --size 4
name=$'m <img src=x>\'"&'
expect 0 train "$name" --corpus g.ogpc --layers 2 --d-model 8 --heads 2 --steps 20 --batch 16 --quiet
expect 0 probe fit "$name" --corpus g.ogpc --games 60 --test-games 10 --no-controls --quiet --out "$name/probe"

for n in 1 3; do # the same bytes but for the words of the command line
    expect 0 neurons "$name" $few --no-controls --threads $n --pages pages --csv by$n --force --json
    cp -r pages of$n
    rm of$n/MANIFEST.json
    sed -i -E 's/--threads [0-9]|by[0-9]//g' of$n/*.html
done
diff -r of1 of3 >/dev/null || fail 'pages depend on the number of threads'
[ "$(json_value page_count)" = 65 ] || fail "2 layers of 32 neurons: $(json_value page_count)"
grep -oh 'href="[^"#]*"' pages/*.html | sort -u | sed 's/href="//; s/"//' | while read -r page; do
    [ -e "pages/$page" ] || echo "$page"
done >astray
[ -s astray ] && fail "links astray: $(cat astray)"
grep -lq '<img' pages/*.html && fail 'the name made an element'
[ "$(grep -l '<script' pages/*.html)" = pages/index.html ] || fail 'a script on a page'

ogpt() { "$OGPT" "$@"; }
# The command at the foot of a page, as a shell reads it.
foot() {
    sed -zn 's/.*made by <code>\(.*\)<\/code><\/p>.*/\1/p' "$1" | tr -d '\0' | sed "s/&lt;/</g; s/&gt;/>/g; s/&quot;/\"/g; s/&#39;/'/g; s/&amp;/\&/g"
}

# A page says with which command --neuron says the same of a neuron; of another one it does not.
for neuron in L0N5 L1N20; do
    grep -qF "the command at the foot of this page with <code>--neuron $neuron</code> in the place of <code>--pages DIR</code>" pages/$neuron.html ||
        fail "$neuron does not say how to get its numbers"
    line=$(foot pages/$neuron.html)
    [ "${line/--pages pages/}" != "$line" ] || fail "no --pages in '$line'"
    eval "${line/--pages pages/--neuron $neuron}" >out 2>err || fail "'$line' with --neuron $neuron"
    mv by3 one-$neuron
    row=$(tail -n +2 one-$neuron/sights.csv | tr -d '"' | grep '^top,1,')
    value=$(printf %.3f "$(cut -d, -f3 <<<"$row")") last=$(cut -d, -f8 <<<"$row") ply=$(cut -d, -f7 <<<"$row")
    said="<b>$value</b> after move $ply, $last;"
    grep -qF "$said" pages/$neuron.html || fail "$neuron: no “$said”"
    grep -qF "$said" pages/L0N6.html && fail "$said is on the page of another neuron too"
    largest=$(tail -n +2 one-$neuron/weights.csv | tr -d '"' | awk -F, -v size=0 '{ a = $NF + 0; a = a < 0 ? -a : a } a > size { size = a; at = $1 } END { print at }')
    grep -q "<b>adds to the logit</b> $largest " pages/$neuron.html || fail "$neuron adds most to $largest"
    [ "$(grep -o '<svg class="b"' pages/$neuron.html | wc -l)" = 19 ] || fail "$neuron: 8 and 4 positions, 7 weights: $(grep -o '<svg class="b"' pages/$neuron.html | wc -l)"
done

refuse 2 'not with --neuron' neurons "$name" $few --neuron L0N1 --pages new
refuse 2 'expected nothing, or a folder that' neurons "$name" $few --pages "$name" --force
refuse 2 'exists; give --pages another name' neurons "$name" $few --seed 3 --pages pages
refuse 2 'MiB of memory, allowed are 1' neurons "$name" $few --memory 1 --pages new
[ -e new ] && fail 'a refused folder is there'
check_end
