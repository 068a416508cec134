#!/bin/bash
# tests/cli/games_document.sh - the example files of docs/GAMES.md: each is imported as the page says
# (its format is found by content and by name), and all hold one game, so they have one hash.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
. "$OGPT_SOURCE/tests/cli/lib_json.sh" || exit 1

# A block "```FORMAT OPTIONS" becomes the file NUMBER.FORMAT; OPTIONS printf: the shell writes it.
awk '/^```[a-z]/ { format = substr($1, 4); file = ++n "." format
        sub(/^```[a-z]+ */, ""); print file, format, $0 >"blocks"; printf "" >file; inside = 1; next }
    /^```$/ { inside = 0; close(file) }
    inside { print >file }' "$OGPT_SOURCE/docs/GAMES.md"
hash= first=
while read -r file format options; do
    if [ "$options" = printf ]; then
        bash "$file" >made && mv made "$file"
        options=
    fi
    # shellcheck disable=SC2086
    expect 0 import corpus.ogpc "$file" $options --force --json
    hash=${hash:-$(json_value content_hash)}
    [ "$(json_value content_hash)" = "$hash" ] || fail "$file: another game than the others"
    [ "$(json_value games)$(json_value rejected)$(json_value score_mismatches)" = 100 ] ||
        fail "$file: one game expected, kept"
    grep -q "\"format\": \"$format\"" out || fail "$file: format $format expected"
    # shellcheck disable=SC2086
    expect 0 import corpus.ogpc "$file" ${options/--find/} --format "$format" --force --quiet
    echo "$format" >>formats
done <blocks
for format in $("$OGPT" import --help | sed -n 's/^ *--format auto|//p' | tr '|' ' '); do
    grep -qx "$format" formats || fail "no example of format $format"
done
[ "$(sort -u formats | wc -l)" = 9 ] || fail "an example of each of 9 formats expected"
# Another game has another hash, so the comparison can fail.
sed 's/c4/c5/' 6.text >other
expect 0 import corpus.ogpc other --force --json
[ "$(json_value content_hash)" != "$hash" ] || fail "another game, the same hash"

# The words of the page about passes and names, by command.
game=f5d6c4d3c3f4f3e3e6c5f6g5h4e7c6f7g8f2g1e2f8h6f1d1d2d8d7c8c7b8g4c1c2h3g6h5g3h2g2b5a5h1b6h7b7a8a7a6g7e8
for pass in '' -- pa PASS ps PS @@ ' 0000 '; do
    echo "${game}${pass}h8" >passes.txt
    expect 0 import corpus.ogpc passes.txt --force --json
    first=${first:-$(json_value content_hash)}
    [ "$(json_value content_hash)" = "$first" ] || fail "pass '$pass': another game"
    echo "f5${pass:---}d6" >unforced.txt
    expect 3 import bad.ogpc unforced.txt --quiet
    holds "found a pass" err
done
check_end
