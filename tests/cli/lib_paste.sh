# tests/cli/lib_paste.sh - sourced by scripts that paste what the documents show. A script sets, each a line an entry:
#   shorter   START;WHAT;INSTEAD: in lines that begin with START, the extended regular expression WHAT
#             becomes INSTEAD, so that the line takes seconds
#   not_here  START;REASON: lines that begin with START do not run
# and sources lib_check.sh before. n_run counts the lines that ran.
ogpt() {
    "$OGPT" "$@"
}

# paste_shorter LINE: the line as it is typed here.
paste_shorter() {
    local line=$1 start what instead
    while IFS=';' read -r start what instead; do
        [ -n "$start" ] && [[ $line == "$start"* ]] && line=$(sed -E "s;$what;$instead;" <<<"$line")
    done <<<"$shorter"
    printf '%s\n' "$line"
}

# paste_lines WHERE: run the lines on stdin, in this folder. A comment runs no program; a backslash at the
# end of a line joins it with the next.
paste_lines() {
    local where=$1 line start reason typed code
    while IFS= read -r -u 9 line; do
        while [[ $line == *\\ ]] && IFS= read -r -u 9 more; do
            line="${line%\\}$(sed 's/^ *//' <<<"$more")"
        done
        [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
        while IFS=';' read -r start reason; do
            [ -n "$start" ] && [[ $line == "$start"* ]] && continue 2
        done <<<"$not_here"
        line=$(sed -E 's/ +# .*$//' <<<"$line")
        typed=$(paste_shorter "$line")
        code=0
        eval "$typed" </dev/null >"$work/out" 2>"$work/err" || code=$?
        n_run=$((n_run + 1))
        [ "$code" = 0 ] || fail "$where: '$typed': exit code 0 expected, found $code"
    done 9<&0
}
