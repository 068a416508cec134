#!/bin/bash
# tests/explorer/features_node.sh - label: slow - features of the page in Node, against the program: codes of six kinds of autoencoders,
# at all sites that a page shows, in 100 games a network; clamped features; columns; what the table says.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
features=$(dirname "$OGPT")/tests/features_oracle
games=$(times 100 100 3)
clamps=$(times 300 60 3)
arguments=()
# ask_page SAE: what this autoencoder's page of the last network computes.
ask_page() {
    page_for "$model" "$1"
    arguments+=("$page" "$model" "$1" "$games" "$clamps")
}
rounded random
model=$work/random
while read -r kind site layer; do
    "$features" make "$kind" "$site" "$layer" "$model" "$work/$kind-$site-$layer" || exit 1
    ask_page "$work/$kind-$site-$layer"
done <<END
standard resid_post 1
gated resid_mid 1
topk resid_pre 2
batchtopk resid_post embed
jumprelu resid_post 2
matryoshka resid_mid 0
END
for name in tiny-6x6 tiny-8x8; do
    rounded "$name"
    model=$work/$name
    "$features" round "$OGPT_SOURCE/datasets/models/$name/sae" "$model" || exit 1
    ask_page "$model/sae"
done
run_node features.js "$OGPT" "$features" "${arguments[@]}"
