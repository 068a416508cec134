#!/bin/bash
# tests/tools/install.sh - cmake --install into a prefix: the program runs there, pages and completion
# are where they belong, and examples/read_board.c is built against the installed header and prints
# the board that `ogpt show` prints.
[ "$OGPT_SANITIZED" = 1 ] && { echo "the installed library is tested as shipped"; exit 77; }
command -v pkg-config >/dev/null || { echo "pkg-config is missing"; exit 77; }
build=$(dirname "$OGPT")
[ -f "$build/libogpt.a" ] || { echo "not built: libogpt.a in $build (target installed)"; exit 77; }
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1

cmake --install "$build" --prefix "$work/prefix" >install.log 2>&1 || fail "install: $(tail -3 install.log)"
OGPT=$work/prefix/bin/ogpt
share=$work/prefix/share
expect 0 verify tiny-6x6 # the shipped networks are there, and found by name
holds "$share/ogpt/models/tiny-6x6"

[ -s "$share/man/man1/ogpt-probe-fit.1" ] && [ -s "$share/bash-completion/completions/ogpt" ] &&
    [ -s "$share/zsh/site-functions/_ogpt" ] && [ -s "$share/fish/vendor_completions.d/ogpt.fish" ] ||
    fail "manual pages and completion expected in $share" # what they say: tests/cli/pages.sh

# The example, from what is installed alone.
"$OGPT" generate g6.ogpc --size 6 --games 700 --quiet >log 2>&1 &&
    "$OGPT" probe fit tiny-6x6 --corpus g6.ogpc --out probe --layers 3 --games 100 --test-games 60 \
        --no-controls --quiet >>log 2>&1 || fail "a probe for the example: $(tail -2 log)"
export PKG_CONFIG_LIBDIR=$work/prefix/lib/pkgconfig
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror "$share/doc/ogpt/read_board.c" $(pkg-config --cflags --libs ogpt) -o read_board ||
    fail "the example does not build"
moves='e4 e5 b3 e3 f6 a3' model=$share/ogpt/models/tiny-6x6
./read_board "$model" "$moves" probe >board || fail "the example: exit code $?"
expect 0 show tiny-6x6 --probe probe --moves "$moves" --layer 3
boards() { # the rows of the decoded board
    sed -n 's/^[1-6] \(.*\)/\1/p' | tail -6 | sed 's/[^.XO]//g' | rev | cut -c1-6 | rev
}
[ "$(sed -n '2,7p' board | cut -d' ' -f3)" = "$(boards <out)" ] || fail "read_board: $(cat board)"
[ "$(sed -n '2,7p' board | wc -l)" = 6 ] || fail "six rows expected"
./read_board "$model" "a1" probe >board 2>err && fail "an illegal move is taken"
holds "read_board: " err
[ "$(wc -l <"$OGPT_SOURCE/examples/read_board.c")" -le 40 ] || fail "the example is longer than 40 lines"
check_end
