#!/bin/bash
# tests/tools/install.sh - cmake --install into a prefix: the program runs there, its manual pages and
# completion know every command and option of the help pages, and examples/read_board.c is built
# against the installed header and prints the board that `ogpt show` prints.
[ "$OGPT_SANITIZED" = 1 ] && { echo "the installed library is tested as shipped"; exit 77; }
command -v pkg-config >/dev/null || { echo "pkg-config is missing"; exit 77; }
build=$(dirname "$OGPT")
[ -f "$build/libogpt.a" ] || { echo "not built: libogpt.a in $build (target installed)"; exit 77; }
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
export COLUMNS=1000 # help pages in whole lines

cmake --install "$build" --prefix "$work/prefix" >install.log 2>&1 || fail "install: $(tail -3 install.log)"
OGPT=$work/prefix/bin/ogpt
share=$work/prefix/share
expect 0 verify tiny-6x6 # the shipped networks are there, and found by name
holds "$share/ogpt/models/tiny-6x6"

# Every command has a page, every option of its help page is in it and in each completion.
options_missing() { # FILE COMMAND: those of the page `expected` that the text on stdin lacks
    local text
    text=$(cat)
    while read -r option; do
        [[ $text =~ $option[^a-z0-9-] ]] || fail "$1: $2 lacks $option"
    done <expected
}
"$OGPT" help | sed -n '/^commands:/,/^$/p' | sed -n 's/^  \([a-z][a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' |
    grep -v '^help' >commands
[ "$(wc -l <commands)" -ge 29 ] || fail "29 commands expected, found $(wc -l <commands)"
[ "$(find "$share/man/man1" -name 'ogpt-*' | wc -l)" = "$(wc -l <commands)" ] || fail "a page for each"
bash=$share/bash-completion/completions/ogpt zsh=$share/zsh/site-functions/_ogpt
fish=$share/fish/vendor_completions.d/ogpt.fish
bash -n "$bash" || fail "the completion of bash does not parse"
n_options=0
while read -r command; do
    page=$share/man/man1/ogpt-${command// /-}.1
    # shellcheck disable=SC2086
    "$OGPT" help $command | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' >expected
    n_options=$((n_options + $(wc -l <expected)))
    sed 's/\\-/-/g; s/$/ /; s/\\fR/ /g' "$page" | sed 's/^\\fB/ /' | options_missing man "$command"
    sed -n "/^    '$command')/,/esac/p" "$bash" | options_missing bash "$command"
    sed -n "/^    '$command')/,/;;/p" "$zsh" | options_missing zsh "$command"
    seen=${command/ /; and __fish_seen_subcommand_from }
    grep -F "subcommand_from $seen'" "$fish" | sed 's/ -l / --/' | options_missing fish "$command"
    grep -qF -- "$command" "$share/man/man1/ogpt.1" 2>/dev/null ||
        grep -qF -- "${command// /\\-}" "$share/man/man1/ogpt.1" || fail "ogpt.1 lacks $command"
done <commands
[ "$n_options" -gt 250 ] || fail "more than 250 options expected, found $n_options"
echo --no-such-option >expected # the comparison can fail
(fail() { exit 9; }; options_missing man eval <"$share/man/man1/ogpt-eval.1") && fail "a missing option is not seen"
if command -v man >/dev/null; then # no warning of the formatter
    for page in ogpt ogpt-probe-fit ogpt-train; do
        man --warnings -l "$share/man/man1/$page.1" 2>&1 >/dev/null | head -3 >warnings
        [ -s warnings ] && fail "$page.1: $(cat warnings)"
    done
fi

# What bash offers, by its own machinery.
offers() { # WORD expected, then the words of a command line
    local word=$1
    shift
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ogpt; printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$bash" "$@" | grep -qx -- "$word" || fail "bash: $* does not offer $word"
}
offers probe ogpt pro
offers fit ogpt probe ''
offers --solver ogpt probe fit m --sol
offers liblinear ogpt probe fit m --solver ''
offers bash ogpt completion ''

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
