#!/bin/bash
# The house style that no compiler checks holds in the whole tree, and the check can refuse.
set -euo pipefail
check=$OGPT_SOURCE/tools/check_style.sh
fixture=$OGPT_SOURCE/tests/tools/fixture_style
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-style-XXXXXX")
trap 'rm -rf "$work"' EXIT

bash "$check" "$OGPT_SOURCE"

# The fixture breaks each rule once, beside look-alikes that are allowed; the findings that
# are a matter of length are made here: two files, and a function of 101 lines behind one of 100.
cp -r "$fixture" "$work/fixture"
seq 61 >"$work/fixture/game/README.md"
mkdir "$work/fixture/docs"
seq 601 >"$work/fixture/docs/long.md"
for lines in 98 99; do
    printf 'int long_%d(void)\n{\n' $lines
    for ((i = 0; i < lines; i++)); do
        printf '    ;\n'
    done
    printf '}\n'
done >"$work/fixture/base/functions.c"
if bash "$check" "$work/fixture" >"$work/found"; then
    echo "the fixture tree was accepted"
    exit 1
fi
diff -u "$fixture/expected.txt" "$work/found"

# A tree without sources is not passed over.
mkdir "$work/tree"
status=0
bash "$check" "$work/tree" 2>"$work/empty" || status=$?
[[ $status == 2 ]] || { echo "a tree without C files gave exit $status, expected 2"; exit 1; }
