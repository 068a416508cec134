# tests/cli/lib_check.sh - sourced by the scripts of this folder: a directory of their own, the
# program's exit code and streams, and a count of what failed. The first failure does not stop
# the script; check_end gives the exit code.
work=$(mktemp -d "${TMPDIR:-/tmp}/ogpt-cli-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
n_failed=0

fail() {
    echo "FAILED: $*"
    [ -s "$work/out" ] && sed 's/^/  out: /' "$work/out" | head -5
    [ -s "$work/err" ] && sed 's/^/  err: /' "$work/err" | head -5
    n_failed=$((n_failed + 1))
}

# expect CODE ARGUMENTS...: run the program; its streams go to out and err.
expect() {
    local wanted=$1 code=0
    shift
    "$OGPT" "$@" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = "$wanted" ] || fail "ogpt $*: exit code $wanted expected, found $code"
}

# refuse CODE TEXT ARGUMENTS...: as expect, with nothing on stdout and exactly one line on stderr,
# "ogpt: ...", that contains TEXT.
refuse() {
    local wanted=$1 text=$2
    shift 2
    expect "$wanted" "$@"
    [ -s "$work/out" ] && fail "ogpt $*: nothing expected on stdout"
    [ "$(wc -l <"$work/err")" = 1 ] || fail "ogpt $*: one line expected on stderr"
    grep -q '^ogpt: ' "$work/err" || fail "ogpt $*: 'ogpt: ...' expected on stderr"
    grep -qF -- "$text" "$work/err" || fail "ogpt $*: '$text' expected on stderr"
}

# holds TEXT [FILE]: the last stdout (or FILE) has a line with TEXT.
holds() {
    grep -qF -- "$1" "${2:-$work/out}" || fail "'$1' expected in ${2:-stdout}"
}

# lacks TEXT [FILE]
lacks() {
    if grep -qF -- "$1" "${2:-$work/out}"; then fail "'$1' not expected in ${2:-stdout}"; fi
}

# json_value KEY: the number or text of a key of a document on stdout (one key a line).
json_value() {
    sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$work/out" | head -1
}

# stopped SIGNAL CODE DATABASE ARGUMENTS...: run the program, send the signal once its journal in the database
# has kept a block, and expect the exit code: a run that was over before fails. Needs sqlite3.
stopped() {
    local signal=$1 wanted=$2 database=$3 child code=0
    shift 3
    "$OGPT" "$@" >part 2>&1 &
    child=$!
    for _ in $(seq 3000); do
        sqlite3 "$database" 'SELECT count(*) FROM journal' 2>/dev/null | grep -q '[1-9]' && break
        kill -0 $child 2>/dev/null || break
        sleep 0.01
    done
    kill -"$signal" $child 2>/dev/null
    wait $child 2>/dev/null || code=$?
    [ $code = "$wanted" ] || fail "ogpt $*: exit code $wanted by signal $signal expected, found $code"
}

# journal_is_empty DATABASE
journal_is_empty() {
    [ "$(sqlite3 "$1" 'SELECT count(*) FROM journal')" = 0 ] || fail "finished blocks are left in $1"
}

check_end() {
    [ "$n_failed" = 0 ] || { echo "$n_failed checks failed"; exit 1; }
    exit 0
}
