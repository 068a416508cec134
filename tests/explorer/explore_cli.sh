#!/bin/bash
# tests/explorer/explore_cli.sh - label: counted - ogpt explore: what it writes and says, what it refuses, and names that a
# page and a shell must survive.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
"$(dirname "$OGPT")/tests/page_oracle" round random - net || fail "no network"

expect 0 explore net --out page.html --json --quiet
[ "$(json_value model)" = net ] && [ "$(json_value path)" = page.html ] && [ "$(json_value size)" = 4 ] ||
    fail "the document says something else"
[ "$(json_value page_bytes)" = "$(stat -c %s page.html)" ] || fail "page_bytes is not the size of the file"
[ "$(json_value code_bytes)" -lt 150000 ] || fail "the code is $(json_value code_bytes) bytes, at most 150000"
# The numbers of this network are halves already, so rounding changes nothing; the twin below does.
[ "$(json_value weight_change)" = 0.0 ] && [ "$(json_value logit_change)" = 0.0 ] || fail "rounding changes halves"
holds '"model":"net"' page.html
holds '"probe_path":null' page.html
cp page.html first.html
refuse 2 "page.html" explore net --out page.html --quiet
expect 0 explore net --probe net/probe --out page.html --force --quiet
holds '"probe_path":"net/probe"' page.html
expect 0 explore net --out again.html
holds 'it needs no network' err
cmp -s first.html again.html || fail "the same network gives another page"

expect 0 explore tiny-6x6 --out six.html --json --quiet
holds '"model":"tiny-6x6"' six.html
[ "$(json_value weight_change)" != 0.0 ] || fail "float16 changes no weight of tiny-6x6"

name=$'a b\'"<script>&\xe2\x80\xa8'
cp -r net "$name"
expect 0 explore "$name" --out odd.html --quiet
grep -q '<script>&' odd.html && fail "a name is in the page as it is"
[ "$(grep -c '<script' odd.html)" = "$(grep -c '<script' first.html)" ] || fail "a name made an element"

refuse 2 "--out" explore net --quiet
refuse 4 "none" explore net --out none/page.html --quiet
refuse 4 "nothing" explore nothing --out x.html --quiet
expect 0 generate g.ogpc --size 4 --games 300 --quiet
fit=(probe fit net --corpus g.ogpc --games 20 --test-games 10 --no-controls --quiet)
expect 0 "${fit[@]}" --task empty --out empty
refuse 2 "expected a probe of task mine or colour, found task empty" explore net --probe empty --out x.html --quiet
expect 0 "${fit[@]}" --task colour --site mlp_out --out site
refuse 2 "found site mlp_out" explore net --probe site --out x.html --quiet
refuse 3 "fitted on model" explore tiny-6x6 --probe net/probe --out x.html --quiet

# An autoencoder: beside the network, named, and none that a page can show.
oracle=$(dirname "$OGPT")/tests/features_oracle
holds '"sae":null' first.html
holds '"sae":{"path":null,"kind":"batchtopk","site":"resid_post","layer":4,"features":1024' six.html
for made in "batchtopk resid_post 1 net/sae" "gated resid_mid 2 gated" "jumprelu mlp_out 1 mlp" "transcoder resid_post 1 coder"; do
    read -r kind at layer goal <<<"$made"
    "$oracle" make "$kind" "$at" "$layer" net "$goal" || fail "no autoencoder $goal"
done
expect 0 explore net --out beside.html --json --quiet
[ "$(json_value sae)" = net/sae ] || fail "the autoencoder beside the network is not taken"
# Its numbers are halves already, and so are the network's: no feature changes, none turns.
[ "$(json_value feature_change)" = 0.0 ] && [ "$(json_value features_turned)" = 0.0 ] || fail "rounding changes features of halves"
holds '"sae":{"path":null' beside.html
expect 0 explore net --sae gated --out named.html --json --quiet
holds '"sae":{"path":"gated","kind":"gated","site":"resid_mid","layer":2' named.html
cmp -s named.html beside.html && fail "another autoencoder gives the same page"
expect 0 explore net --out again.html --threads 1 --force
cmp -s beside.html again.html || fail "one thread gives another page"
refuse 2 "expected an autoencoder of the residual stream (resid_pre|resid_mid|resid_post), found site mlp_out" explore net --sae mlp --out x.html --quiet
refuse 2 "coder: a transcoder" explore net --sae coder --out x.html --quiet
refuse 3 "it belongs to another network" explore tiny-6x6 --sae net/sae --out x.html --quiet
cp -r net other
rm -r other/sae
"$oracle" make topk resid_post 1 net other/sae
sed -i 's/"model_hash": "[0-9a-f]*"/"model_hash": "00000000000000000000000000000000000000000000000000000000000000ff"/' other/sae/cfg.json
refuse 3 "cfg.json" explore net --sae other/sae --out x.html --quiet
refuse 4 "nowhere" explore net --sae nowhere --out x.html --quiet
refuse 3 "expected a directory that ogpt sae train made, found a file" explore net --sae six.html --out x.html --quiet
cp -r gated short
truncate -s -100 short/sae_weights.safetensors
refuse 3 "sae_weights.safetensors" explore net --sae short --out x.html --quiet
# One beside the network that a page cannot show costs the panel, not the page; a damaged one ends it.
rm -r net/sae
cp -r coder net/sae
expect 0 explore net --out without.html
holds 'a transcoder' err
holds '"sae":null' without.html
rm -r net/sae
cp -r short net/sae
refuse 3 "sae_weights.safetensors" explore net --out x.html --quiet
# So does one whose manifest is damaged; a folder in which none was published costs the panel alone.
printf '{' >net/sae/MANIFEST.json
refuse 3 "MANIFEST.json" explore net --out x.html --quiet
for inside in nothing sweep; do
    rm -r net/sae
    mkdir net/sae
    [ $inside = nothing ] || cp -r gated net/sae/k-8
    expect 0 explore net --out $inside.html
    holds "net/sae is none: a page without features" err
    cmp -s without.html $inside.html || fail "a folder with $inside gives another page"
    refuse 3 "MANIFEST.json" explore net --sae net/sae --out x.html --quiet
done
[ -e x.html ] && fail "a refused page was written"
check_end
