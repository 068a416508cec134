#!/bin/bash
# tests/cli/docs_pasted.sh - the lines that begin with `ogpt` in indented blocks of README.md and docs/RESULTS.md run as
# pasted, in their order, in one folder that was empty for each document. label: slow
#
# Lengths shrink by the table below, as in help_examples.sh.
[ "$OGPT_SANITIZED" = 1 ] && { echo "skipped: the build as shipped runs the lines"; exit 77; }
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_paste.sh" || exit 1

shorter='
ogpt generate; --games [0-9]+; --games 3000
ogpt eval; --corpus g6.ogpc; --corpus g6.ogpc --games 50 --no-seen
ogpt train; --minutes 1; --steps 1 --d-model 32 --heads 4
ogpt probe eval; --test-games 2000; --test-games 20 --no-controls
ogpt probe fit; --games [0-9]+;
ogpt probe fit; --no-controls;
ogpt probe fit;$; --games 20 --test-games 20 --no-controls
ogpt probe compare;$; --test-games 20
ogpt cases make; --n [0-9]+; --n 5
'
not_here=''

# pasted DOCUMENT: its lines, joined where a backslash ends one.
pasted() {
    awk '/^    / && (/^    ogpt / || more) { sub(/^    /, ""); print; more = /\\$/; next } { more = 0 }' "$OGPT_SOURCE/$1"
}

for document in README.md docs/RESULTS.md; do
    folder=$(basename "$document" .md)
    mkdir "$work/$folder" && cd "$work/$folder" || exit 1
    before=${n_run:=0}
    pasted "$document" >"$work/lines"
    paste_lines "$document" <"$work/lines"
    [ $((n_run - before)) -ge 10 ] || fail "$document: $((n_run - before)) lines ran, at least 10 expected"
done
echo "$n_run lines ran"
check_end
