#!/bin/bash
# tests/explorer/edits_node.sh - label: slow - edits of the page in Node, 200 in all, against `ogpt show --json` on the very
# commands that the page prints: boards of all layers, legal moves, predicted moves, mistakes. And saliency.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
share=$([ "$OGPT_SANITIZED" = 1 ] && echo 20 || echo 1)
arguments=()
for row in "random 60" "tiny-6x6 70" "tiny-8x8 70"; do
    rounded "${row% *}"
    arguments+=("$page" "$work/${row% *}" $((${row#* } / share)))
done
run_node edits.js "$OGPT" "${arguments[@]}"
