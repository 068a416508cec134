#!/bin/bash
# label: slow - The house style that no compiler checks holds in the whole tree, and the check can refuse.
set -euo pipefail
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the build as shipped checks the same text"; exit 77; }
check=$OGPT_SOURCE/tools/check_style.sh
fixture=$OGPT_SOURCE/tests/tools/fixture_style
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-style-XXXXXX")
trap 'rm -rf "$work"' EXIT

bash "$check" "$OGPT_SOURCE"

# The fixture breaks each rule once, next to lines that look alike and are allowed. Findings that
# are a matter of length are made here, each one line too long next to one that just fits.
cp -r "$fixture" "$work/fixture"
rm "$work/fixture/expected.txt" # its words are no code
lines() { # file, number of lines
    mkdir -p "$(dirname "$work/fixture/$1")"
    seq -f '/* %g */' "$2" >"$work/fixture/$1"
}
seq 61 >"$work/fixture/game/README.md"
seq 601 >"$work/fixture/docs/long.md"
for length in 98 99; do
    printf 'int long_%d(void)\n{\n' $length
    for ((i = 0; i < length; i++)); do
        printf '    ;\n'
    done
    printf '}\n'
done >"$work/fixture/base/functions.c"
lines cli/commands/some/cmd_right.c 200
lines cli/commands/some/cmd_wrong.c 201
for ((i = 1; i <= 7; i++)); do # 3,500 lines are a room, and 4,200 for base
    lines "num/part$i.c" 500
    lines "store/store$i.c" 500
done
lines store/more.c 1
for ((i = 1; i <= 16; i++)); do # with the other files: more than 9,000
    lines "cli/part$((i % 6))/cli$i.c" 550
done
for room in num store cli cli/commands/some cli/part{0..5}; do
    cp "$work/fixture/base/README.md" "$work/fixture/$room/"
done
if bash "$check" "$work/fixture" >"$work/found"; then
    echo "the fixture tree was accepted"
    exit 1
fi
diff -u "$fixture/expected.txt" "$work/found"

# A prefix belongs to one room.
printf 'base err_\ngame err_ game_\n' >"$work/nouns"
awk -f "$OGPT_SOURCE/tools/style/names.awk" "$work/nouns" /dev/null >"$work/found"
grep -q 'nouns:2: the prefix err_ belongs to base already' "$work/found"
[[ $(wc -l <"$work/found") == 1 ]]

# A tree without sources is refused.
mkdir "$work/tree"
status=0
bash "$check" "$work/tree" 2>"$work/empty" || status=$?
[[ $status == 2 ]] || { echo "a tree without C files gave exit $status, expected 2"; exit 1; }
