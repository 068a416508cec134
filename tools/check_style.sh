#!/bin/bash
# Refuse what docs/STYLE.md forbids and no compiler warning catches.
#
# Usage: tools/check_style.sh [ROOT]     (default: this repository)
# Each finding is one line: file:line, what was found, what to do. Folders named fixture_* are left
# out. The rules are in tools/style/*.awk; nouns.txt and foreign_names.txt in tools/ hold names.
# ROOT/tools may have a style_allowed.txt with findings that are allowed for now, one a line: a rule
# (the first word of a finding in the awk files), then a pattern of its files. These are printed and
# not counted; a line of the table that allows nothing is refused.
# Exit: 0 nothing to refuse, 1 findings, 2 the tree cannot be read.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$(dirname "$here")}
cd "$root"

function_lines=100 readme_lines=60
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-check-style-XXXXXX")
trap 'rm -rf "$work"' EXIT
findings=$work/findings # RULE|FILE:LINE: what
: >"$findings"

find . \( -name '.?*' ! -name .ci -o -path ./build -o -path ./demo -o -name 'fixture_*' \
    -o -name __pycache__ \) -prune -o -type f -print | sed 's|^\./||' | sort >"$work/tree"
mapfile -t files < <(grep -E '\.([ch]|def|sh|awk|py|md|cmake|txt)$|^dev$|^\.ci/' "$work/tree" || true)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.[ch]$' || true)
mapfile -t pages < <(printf '%s\n' "${files[@]}" | grep '\.md$' || true)
((${#sources[@]})) || {
    echo "check_style: no C file below $root" >&2
    exit 2
}
mapfile -t in_c < <(printf '%s\n' "${files[@]}" | grep -E '\.([ch]|def)$')
mapfile -t plain < <(printf '%s\n' "${files[@]}" | grep -vE '\.([ch]|def)$' || true)

# Sizes, and names that are unique in the whole tree (a bare name finds one file).
wc -l "${files[@]}" | grep -v ' total$' | awk -f "$here/style/sizes.awk" >>"$findings"
printf '%s\n' "${sources[@]}" | awk -F/ '$NF == "internal.h" { next }
    $NF in first { printf "file|%s:1: the file name is taken by %s: choose another\n", $0, first[$NF] }
    { first[$NF] = $0 }' >>"$findings"

# A comment of one line that is too long for it: the formatter puts its end on a line of its own.
awk 'FNR > 1 && /^ *\*\/$/ && before ~ /^ *\/\*/ && before !~ /\*\// {
    printf "comment|%s:%d: a comment of one line ends on the next: say it shorter\n", FILENAME, FNR - 1
}
{ before = $0 }' "${sources[@]}" >>"$findings"

# Length of functions: the lines from the { to the } in the first column.
awk -v max=$function_lines 'FNR == 1 { start = 0 }
    /^\{/ { start = FNR }
    /^\}/ {
        if (start && FNR - start + 1 > max) {
            printf "function|%s:%d: a function of %d lines, at most %d: split it\n", FILENAME, start,
                FNR - start + 1, max
        }
        start = 0
    }' "${sources[@]}" >>"$findings"

# A header says everything it needs: it compiles alone. Where a C file includes it first, its build
# shows that; the others are compiled here.
grep -E '\.c$' < <(printf '%s\n' "${sources[@]}") | xargs awk '
    FNR == 1 { done = 0 }
    !done && /^#include/ { done = 1; if (gsub(/"/, " ")) print $2 }' >"$work/first"
mapfile -t alone < <(printf '%s\n' "${sources[@]}" | grep '\.h$' | grep -vxFf "$work/first")
for header in "${alone[@]}"; do
    if ! message=$(gcc -std=gnu11 -fsyntax-only -Wall -Wextra -Wno-unused-function -I. \
        -x c "$header" 2>&1); then
        echo "header|$header:1: does not compile alone: $(grep -m1 error <<<"$message")" >>"$findings"
    fi
done

# Each room says in at most one page what it is for, where to begin, and what never goes in, and
# ARCHITECTURE.md lists it (those in cli/ are one there). The folders that are not rooms (tests/,
# bench/, tools/) say what they are for.
map=docs/ARCHITECTURE.md
printf '%s\n' "${sources[@]%/*}" | sed -E 's,^(tests|bench|tools|examples)/.*,\1,' | grep -v '\.' | sort -u |
    while read -r room; do
        page=$room/README.md
        if [[ ! -f $page ]]; then
            echo "readme|$page:1: missing: say what $room/ is for"
            continue
        fi
        (($(wc -l <"$page") <= readme_lines)) ||
            echo "readme|$page:$((readme_lines + 1)): longer than $readme_lines lines"
        [[ $room =~ ^(tests|bench|tools|examples)$ ]] || for words in 'Start reading' 'Never'; do
            grep -q "$words" "$page" || echo "readme|$page:1: lacks the words \"$words\""
        done
        if [[ -f $map && ! $room =~ ^(tests|bench|tools|examples|cli/.*)$ ]] && ! grep -q "\`$room/\`" "$map"; then
            echo "readme|$map:1: lacks the room $room/"
        fi
    done >>"$findings"

# The dialect of C, names, banned calls, and what texts name.
awk -f "$here/style/split.awk" "${in_c[@]}" >"$work/c"
awk -f "$here/style/plain.awk" "${plain[@]}" /dev/null >"$work/plain"
cat "$work/c" "$work/plain" >"$work/all"
awk -f "$here/style/banned.awk" "$work/c" >>"$findings"
awk -f "$here/style/dialect.awk" "$work/c" >>"$findings"
awk -f "$here/style/names.awk" "$here/nouns.txt" "$work/c" >>"$findings"
awk -f "$here/style/texts.awk" "$here/foreign_names.txt" "$work/tree" "$work/all" "$work/all" \
    >>"$findings"

# Unfinished marks and paths of one machine, in every text file (this one names them).
mapfile -t texts < <(printf '%s\n' "${files[@]}" | grep -v '^tools/check_style\.sh$')
mark() { # rule, what, then the arguments of grep
    grep -nE "${@:3}" /dev/null | sed -E "s/^([^:]*:[0-9]*):.*/$1|\1: $2/" >>"$findings" || true
}
mark unfinished 'unfinished mark' '\b(TODO|FIXME|XXX|HACK)\b' "${texts[@]}"
mark unfinished 'a gap that was to be filled with a measured text' \
    '\b[A-Z]+_(TABLE|MINUTES|PICTURE)\b' "${pages[@]}"
mark machine 'path of one machine' '(^|[^A-Za-z0-9_.{}$])/(home|root|work|Users)/' "${texts[@]}"

# What is allowed for now is printed and not counted.
allowed=tools/style_allowed.txt
[[ -f $allowed ]] || allowed=/dev/null
sed 's/^[^|]*|\([^:]*\):\([0-9]*\):/\1 \2 &/' "$findings" | sort -k1,1 -k2,2n | cut -d' ' -f3- | awk -F'|' -v table=$allowed '
    BEGIN {
        while ((getline line <table) > 0) {
            n_lines++
            sub(/#.*/, "", line)
            if (split(line, part, " ") == 2) {
                rule[++n] = part[1]
                place[n] = n_lines
                gsub(/\./, "[.]", part[2])
                gsub(/\*/, ".*", part[2])
                pattern[n] = "^" part[2] "$"
            }
        }
    }
    {
        text = substr($0, length($1) + 2)
        file = text
        sub(/:.*/, "", file)
        for (i = 1; i <= n; i++) {
            if ($1 == rule[i] && file ~ pattern[i]) {
                used[i] = 1
                print "allowed for now: " text
                next
            }
        }
        print text
    }
    END {
        for (i = 1; i <= n; i++) {
            if (!used[i]) {
                printf "%s:%d: nothing needs this line any more: delete it\n", table, place[i]
            }
        }
    }' >"$work/shown"
cat "$work/shown"
refused=$(grep -vc '^allowed for now: ' "$work/shown" || true)
echo "${#files[@]} files, $refused refused"
((refused == 0))
