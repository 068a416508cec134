#!/bin/bash
# tests/explorer/neurons_node.sh - label: slow - neurons of the page in Node, against the program: activations, weights over
# the board, what each adds to a move's logit.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
arguments=()
for name in random tiny-6x6; do
    rounded $name
    arguments+=("$page" "$work/$name")
done
run_node neurons.js "$OGPT" "$oracle" "${arguments[@]}"
