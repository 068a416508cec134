#!/bin/bash
# tests/cli/locale_paths.sh - label: slow - the same bytes in every locale, time zone, umask
# and working directory; numbers always have a point.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

# A German locale writes numbers with a comma. Where none is installed, one is made from the sources of
# locales; without those the variables are still set, and the rest is still checked.
export LOCPATH=$work/locales
mkdir locales
if locale -a 2>/dev/null | grep -qi '^de_DE\.utf-\{0,1\}8$'; then
    unset LOCPATH
elif ! localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null; then
    echo "no German locale here: the comma of its numbers is not tried"
    unset LOCPATH
fi
if [ "$(LC_ALL=de_DE.UTF-8 printf '%.1f' 0,5 2>/dev/null)" = 0,5 ]; then
    echo "numbers with a comma are tried"
fi

# steps: a corpus, a model, its probe and an edit, in the working directory; their hashes go to
# hashes, the documents to documents.
steps() {
    local shape=(--layers 1 --d-model 16 --heads 2 --batch 16 --steps 5)
    expect 0 generate games.ogpc --games 1500 --size 6 --json
    json_value content_hash >hashes
    cat "$work/out" >documents
    expect 0 train model --corpus games.ogpc "${shape[@]}" --json
    json_value model_hash >>hashes
    cat "$work/out" >>documents
    expect 0 eval model --corpus games.ogpc --games 50 --json
    cat "$work/out" >>documents
    expect 0 probe fit model --corpus games.ogpc --out probe --games 40 --test-games 20 --l2 0.001 \
        --no-controls --json
    cat "$work/out" >>documents
    expect 0 cases make cases.csv --n 20 --size 6 --json
    cat "$work/out" >>documents
    expect 0 intervene model --probe probe --cases cases.csv --layers 0 --scale 1.5 --json
    cat "$work/out" >>documents
    sha256sum <probe/probe.safetensors >>hashes
    sha256sum <cases.csv >>hashes
    grep -v '"\(seconds\|[a-z]*_per_second\)":' documents >timeless
    # A comma between two digits is a wrong number.
    grep -q '"[a-z_0-9]*": -\{0,1\}[0-9][0-9]*,[0-9]' documents && fail "a number with a comma"
    grep -q '"loss": [0-9]*\.[0-9]' documents || fail "a loss with a point expected"
    expect 0 eval model --corpus games.ogpc --games 50 --quiet
    grep -q '^loss  *[0-9]*\.[0-9]' "$work/out" || fail "a loss with a point expected"
    expect 0 runs show --json
    holds '"started": "20'
    json_value started >started
    expect 0 verify games.ogpc model probe ogpt-results.db
}

mkdir plain
cd plain || exit 1
steps
[ "$(wc -l <hashes)" = 4 ] || fail "4 hashes expected"
cd .. || exit 1

# Spaces, letters of several scripts, a quote and a leading hyphen in the path.
for place in "with spaces" "Größe/доска 八" "-it's"; do
    mkdir -p -- "$place"
    cd "./$place" || exit 1
    (
        export LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 LANGUAGE=de TZ=Pacific/Kiritimati
        umask 077
        steps
        exit $n_failed
    ) || n_failed=$((n_failed + $?))
    cmp -s hashes "$work/plain/hashes" || fail "$place: other hashes: $(cat hashes)"
    cmp -s timeless "$work/plain/timeless" ||
        fail "$place: other results: $(diff timeless "$work/plain/timeless" | head -3)"
    # umask 077: nothing that others can read.
    [ -z "$(find . -perm /077 ! -type d)" ] ||
        fail "$place: files others can read: $(find . -perm /077 ! -type d | head -3)"
    # Times are stored in UTC, so a zone 14 hours ahead makes no difference: at most a minute apart.
    here=$(date -d "$(cat started)" +%s) there=$(date -d "$(cat "$work/plain/started")" +%s)
    [ $((here - there)) -le 300 ] || fail "$place: the time zone shows: $(cat started)"
    cd "$work" || exit 1
done

# Paths with such letters as arguments, too, and in messages as they were typed.
expect 0 corpus info "Größe/доска 八/games.ogpc"
holds "Größe/доска 八/games.ogpc"
refuse 4 "Größe/無.ogpc" corpus info "Größe/無.ogpc"
expect 0 verify "Größe/доска 八/model" "./-it's/probe" "with spaces/games.ogpc"
# Numbers are typed with a point as well, in every locale.
LC_ALL=de_DE.UTF-8 refuse 2 "--l2" probe fit plain/model --corpus plain/games.ogpc --out p \
    --l2 0,001
check_end
