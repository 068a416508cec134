#!/bin/bash
# tests/cli/sae_features.sh - ogpt sae features: a row a feature, the same for any number of threads and behind an interruption; pages
# whose links lead somewhere, in which names are text; one line for what cannot be.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

expect 0 generate g.ogpc --games 400 --size 4
name=$'m <img src=x>\'"&'
expect 0 train "$name" --corpus g.ogpc --layers 2 --d-model 8 --heads 2 --steps 20 --batch 16 --quiet
expect 0 probe fit "$name" --corpus g.ogpc --games 60 --test-games 10 --no-controls --quiet --out "$name/probe"
sae=$'s <b>&\''
expect 0 sae train "$name" --corpus g.ogpc --layer 1 --kind topk --k 3 --features 12 --activations 1000 --batch 100 --buffer 20 --out "$sae" --quiet
few="--corpus g.ogpc --games 30 --test-games 10 --quiet"

for n in 1 3; do # the same bytes but for the words of the command line
    expect 0 sae features "$name" "$sae" $few --clamp 4 --threads $n --pages pages --csv by$n --force --json
    cp -r pages of$n
    rm of$n/MANIFEST.json
    sed -i -E 's/--threads [0-9]|by[0-9]//g' of$n/*.html
done
diff -r of1 of3 >/dev/null || fail 'pages depend on the number of threads'
for table in list clamps features; do
    cmp -s by1/$table.csv by3/$table.csv || fail "$table.csv depends on the number of threads"
done
[ "$(json_value page_count)" = 13 ] || fail "12 features: $(json_value page_count)"
[ "$(wc -l <by1/list.csv)" = 13 ] || fail '12 rows'
grep -oh 'href="[^"#]*"' pages/*.html | sort -u | sed 's/href="//; s/"//' | while read -r page; do
    [ -e "pages/$page" ] || echo "$page"
done >astray
[ -s astray ] && fail "links astray: $(cat astray)"
grep -lqE '<img|<b>&' pages/*.html && fail 'a name made an element'
[ "$(grep -l '<script' pages/*.html)" = pages/index.html ] || fail 'a script on a page'

# What the table says of a feature is on its page; off and 0 is no change; another seed clamps elsewhere.
tr -d '"\r' <by1/list.csv >list.csv
first=$(sed -n 2p list.csv)
feature=${first%%,*}
f1=$(printf %.3f "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { print $at["f1"] }' list.csv)")
property=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { print $at["property"] }' list.csv)
grep -qF "tells best of all squares: $property, with F1 $f1" "pages/$feature.html" || fail "$feature: no '$property' with $f1"
tr -d '"\r' <by1/clamps.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["feature_is"] == "off" && $at["clamped_to"] == "0" { off++; if ($at["kl"] != 0) exit 1 }
    $at["feature_is"] == "on" && $at["clamped_to"] == "0" { on += $at["kl"] > 0 }
    END { exit !(off > 0 && on > 0) }' || fail 'clamping to 0: nothing where off, something where on'
expect 0 sae features "$name" "$sae" $few --features 3,5-6 --csv some
[ "$(grep -c 'F[356] ' out)" = 3 ] || fail 'three features were asked for'
cmp -s some/list.csv by1/list.csv || fail 'the list depends on what is printed'
[ -e some/clamps.csv ] && fail 'clamped unasked'
expect 0 sae features "$name" "$sae" --games 30 --test-games 10 --quiet --seed 2 --csv other
cmp -s other/list.csv by1/list.csv && fail 'fresh games gave the same rows'

# Stopped while features are clamped, and typed again: the same tables, and nothing is left of the journal.
many="--corpus g.ogpc --games 30 --test-games 60 --clamp 300 --quiet"
stopped INT 130 kept.db sae features "$name" "$sae" $many --store kept.db --pages late --csv late-tables
[ -e late/index.html ] && fail 'pages of what was stopped'
expect 0 sae features "$name" "$sae" $many --store kept.db --pages late --csv late-tables
journal_is_empty kept.db
expect 0 sae features "$name" "$sae" $many --store other.db --pages whole --csv whole-tables
cmp -s late-tables/clamps.csv whole-tables/clamps.csv || fail 'stopped and typed again gives other numbers'

# Without a name: the autoencoder beside the network, or a word on how to get one.
refuse 2 "no autoencoder is named, and there is no $name/sae" sae features "$name" $few
cp -r "$sae" "$name/sae"
expect 0 sae features "$name" $few --csv beside
cmp -s beside/list.csv by1/list.csv || fail 'the autoencoder beside the network gives another list'
rm -r "$name/sae"

refuse 2 '--features "12"' sae features "$name" "$sae" $few --features 12
refuse 2 'expected nothing, or a folder that' sae features "$name" "$sae" $few --pages "$name" --force
refuse 2 'MiB of memory, allowed are 1' sae features "$name" "$sae" --games 4000 --memory 1 --quiet
refuse 4 'nothing' sae features "$name" nothing $few
expect 0 sae train "$name" --corpus g.ogpc --layer 1 --kind transcoder --k 3 --features 12 --activations 1000 --batch 100 --buffer 20 --out coder --quiet
refuse 2 'transcoder' sae features "$name" coder $few
expect 0 runs list
holds 'mean F1 '
check_end
