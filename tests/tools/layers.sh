#!/bin/bash
# No include crosses a wall that tools/layers.txt does not open, and the check can refuse.
set -euo pipefail
check=$OGPT_SOURCE/tools/check_layers.sh
fixture=$OGPT_SOURCE/tests/tools/fixture_layers
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-layers-XXXXXX")
trap 'rm -rf "$work"' EXIT

bash "$check" "$OGPT_SOURCE"

# The fixture breaks every rule of the table once: the check must report each by file, line
# and both rooms, and nothing that is right.
if bash "$check" "$fixture" >"$work/found"; then
    echo "the fixture tree was accepted"
    exit 1
fi
diff -u "$fixture/expected.txt" "$work/found"

# A folder without a line in the table and a tree without sources are refused.
mkdir -p "$work/tree/extra"
status=0
bash "$check" "$work/tree" 2>"$work/empty" || status=$?
[[ $status == 2 ]] || { echo "a tree without C files gave exit $status, expected 2"; exit 1; }
echo 'int x;' >"$work/tree/extra/stray.c"
if bash "$check" "$work/tree" >"$work/found"; then
    echo "a folder that the table does not name was accepted"
    exit 1
fi
grep -q '^extra/stray.c:1: folder extra ' "$work/found"
