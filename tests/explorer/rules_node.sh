#!/bin/bash
# tests/explorer/rules_node.sh - label: slow - the page's rules and notation in Node, against the engine's: 3,000
# random games of each size (10,000 by ./dev faults), many of them with passes.
. "$OGPT_SOURCE/tests/explorer/lib_page.sh" || exit 1
page_for tiny-6x6
run_node rules.js "$page" "$oracle" "$(times 10000 3000 300)"
