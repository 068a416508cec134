#!/bin/bash
# tests/explorer/edits_node.sh - label: slow - edits of the page in Node, 100 in all (200 by ./dev faults), against
# `ogpt show --json` on the very commands that the page prints: boards of all layers, legal moves, predicted moves,
# mistakes. And saliency.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
arguments=()
while read -r name full usual; do # a random network makes its rare kinds of cases among many
    rounded "$name"
    arguments+=("$page" "$work/$name" "$(times "$full" "$usual" 3)")
done <<END
random 60 60
tiny-6x6 70 20
tiny-8x8 70 20
END
run_node edits.js "$OGPT" "${arguments[@]}"
