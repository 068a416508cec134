#!/bin/bash
# tests/explorer/numbers_node.sh - label: slow - logits and decoded boards of the page in Node, against the program's:
# 16 games of each size (100 by ./dev faults),
# all positions, all layers; the weights of both sides are float16 numbers.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
n=$(times 100 16 1)
arguments=()
for name in random tiny-6x6 tiny-8x8; do
    rounded $name
    arguments+=("$page" "$work/$name" "$n")
done
run_node numbers.js "$oracle" "${arguments[@]}"
