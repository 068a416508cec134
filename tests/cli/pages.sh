#!/bin/bash
# tests/cli/pages.sh - label: counted - manual pages and completion know every command and option of the help pages, and
# bash offers what it should.
. "$OGPT_SOURCE/tests/cli/lib_check.sh" || exit 1
export COLUMNS=1000 # help pages in whole lines

share=$work/share
cmake -DOGPT="$OGPT" -DFOLDER="$share" -P "$OGPT_SOURCE/cmake/pages.cmake" >pages.log 2>&1 ||
    fail "pages: $(tail -3 pages.log)"
refuse 2 "one of bash, zsh, fish expected, found 'tcsh'" completion tcsh
refuse 2 "unknown command 'probe-fix'" help --man probe-fix
expect 0 help --man probe fit
holds '.TH "OGPT probe fit" 1'
expect 0 completion fish --json
holds '"script": "# Completion of ogpt for fish.'

# Every command has a page, every option of its help page is in it and in each completion.
options_missing() { # FILE COMMAND: those of the page `expected` that the text on stdin lacks
    local text
    text=$(cat)
    while read -r option; do
        [[ $text =~ $option[^a-z0-9-] ]] || fail "$1: $2 lacks $option"
    done <expected
}
"$OGPT" help | sed -n '/^commands:/,/^$/p' | sed -n 's/^  \([a-z][a-z]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p' |
    grep -v '^help' >commands
[ "$(wc -l <commands)" -ge 30 ] || fail "30 commands expected, found $(wc -l <commands)"
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
    sed 's/\\-/-/g' "$share/man/man1/ogpt.1" | grep -qF -e "$command" -e "${command// /-}" || fail "ogpt.1 lacks $command"
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

check_end
